/** Every bound of the services, with its unit and its reason. */

/** Bytes of one frame that a client may send. The longest legal request is below 300 bytes; a logon resumes many symbols. */
export const CLIENT_FRAME_BYTES_MAX = 64 * 1024;

/** Requests of one session that may be unanswered at a time. */
export const SESSION_IN_FLIGHT_MAX = 16_384;

/** Requests that crossing takes in one step: keeps an entry small and a turn short. */
export const STEP_REQUESTS_MAX = 4096;

/** Requests in the first step of a new instance, doubled with each: the code is cold and many wait for a first answer. */
export const STEP_REQUESTS_FIRST = 64;

/** Sessions that one symbol can know; each costs one row. */
export const SYMBOL_SESSIONS_MAX = 65_536;

/** Characters of one line of an order flow file. The widest format has 42 columns. */
export const FLOW_LINE_CHARACTERS_MAX = 64 * 1024;

/** Actions that the flow generator makes at a time: enough to make the cost of a batch small, few enough to stream. */
export const GENERATOR_BATCH_ACTIONS = 512;

/** Events after which a crossing step takes no further request: an entry stays far below one message. */
export const STEP_EVENTS_MAX = 16_384;

/** Requests in one message from a gateway to crossing. */
export const LINK_BATCH_REQUESTS_MAX = 1024;

/** Milliseconds without any answer after which a gateway sends its unanswered requests again. */
export const LINK_TIMEOUT_MS = 250;

/** Milliseconds in which one rewind serves all that report the same gap. */
export const LINK_REWIND_MS = 50;

/** Milliseconds after which a gateway asks a busy crossing job again. */
export const BUSY_RETRY_MS = 20;

/** Connections to one gateway; one more is told so and closed. */
export const CONNECTIONS_MAX = 2048;

/** Bytes that wait for a client that does not read; beyond it the connection is cut off. */
export const CLIENT_BACKLOG_BYTES_MAX = 16 * 1024 * 1024;

/** Bytes that wait for a client beyond which a replay to it pauses. */
export const REPLAY_BACKLOG_BYTES_MAX = 1024 * 1024;

/** Milliseconds in which a new connection must have logged on. */
export const LOGON_TIMEOUT_MS = 5000;

/** Milliseconds in which a frame that has begun must be whole. */
export const FRAME_TIMEOUT_MS = 5000;

/** Milliseconds between heartbeats where nothing else is sent, both ways, and how many may be missed. */
export const HEARTBEAT_MS = 1000;
export const HEARTBEATS_MISSED_MAX = 5;

/** Milliseconds between two looks at what has timed out in a gateway. */
export const GATEWAY_SWEEP_MS = 50;

/** Milliseconds for a question to crossing before it is asked again. */
export const CROSSING_QUERY_TIMEOUT_MS = 500;

/** Symbols whose book or trades one session may follow. */
export const SUBSCRIPTIONS_MAX = 10_000;

/** Levels in one page of a book snapshot: a page stays below 32 KiB. */
export const SNAPSHOT_LEVELS_MAX = 1000;

/** Bytes of one frame that a gateway may send; a client refuses larger ones. */
export const GATEWAY_FRAME_BYTES_MAX = 1024 * 1024;

/** Milliseconds for an orderly end of a connection before it is cut. */
export const CLOSE_TIMEOUT_MS = 500;

/** Findings of a replay that are kept in words; all are counted. */
export const FLOW_FINDINGS_KEPT_MAX = 20;

/** Microseconds of silence below which a new writer's first report is no outage: a symbol that had nothing to say. */
export const OUTAGE_SILENCE_MIN_US = 20_000;

/** Outages of a replay that are kept. */
export const OUTAGES_KEPT_MAX = 1000;

/** Actions that a replay sends before it lets what has arrived be heard. */
export const REPLAY_TURN_ACTIONS = 128;

/** Milliseconds between two questions whether what was killed is back, and until it is given up. */
export const RECOVERY_POLL_MS = 10;
export const RECOVERY_MAX_MS = 30_000;

/** Milliseconds from the start of a market until all its jobs must run. */
export const MARKET_START_MS = 60_000;

/** Milliseconds between looks at whether a market has come up. */
export const MARKET_POLL_MS = 50;

/** Milliseconds that `down` gives a living `up` to stop all that it started. */
export const MARKET_STOP_MS = 30_000;

/** Milliseconds for one question to an agent, and for all tries together: a broker that restarts is waited for. */
export const OPERATOR_REQUEST_MS = 1000;
export const OPERATOR_PATIENCE_MS = 10_000;

/** Runs of free ports that are looked for: another process may hold one of them. */
export const PORT_TRIES_MAX = 50;

/** Findings that an audit keeps to show; beyond it they are only counted. */
export const AUDIT_FINDINGS_MAX = 1000;

/** Milliseconds between a client's tries to reach a gateway: the first soon, then doubled up to the second figure. */
export const CLIENT_RECONNECT_MIN_MS = 10;
export const CLIENT_RECONNECT_MAX_MS = 500;

/** Requests that a client keeps unanswered before a gateway has told its own figure. */
export const CLIENT_WINDOW_INITIAL = 1024;

/** Requests of a replay's session that may be unanswered: enough to keep crossing busy, few enough to keep latency short. */
export const REPLAY_WINDOW_REQUESTS = 2048;

/** Milliseconds without an answer to what waits for one, after which a replay gives the market up. */
export const REPLAY_SILENCE_MAX_MS = 30_000;

/** Milliseconds that a one-shot command waits for a market's answer. */
export const CLI_ANSWER_MAX_MS = 10_000;

/** Milliseconds that a proof waits for the state of one running book. */
export const PROOF_STATE_MAX_MS = 10_000;

/** Order status requests of one session that may be unanswered at a time: each is a question to crossing. */
export const STATUS_QUERIES_MAX = 256;

/** Orders in one page of a snapshot of shown orders: a page stays below 64 KiB. */
export const SNAPSHOT_ORDERS_MAX = 1000;

/**
 * Log entries that are searched backwards for the last indicative price of an auction that is on, and how many are read at a
 * time: nearly every entry of an auction has one.
 */
export const INDICATION_ENTRIES_MAX = 16_384;
export const INDICATION_ENTRIES_READ = 64;

/** Fills of one order at a time, and events after which what follows from a request waits, in a crossing job's book. With
 * `STEP_EVENTS_MAX` events before them, each with a refresh and the end of a partner, and every number as long as it can be,
 * their entry stays below `ENTRY_PAYLOAD_BYTES_MAX`: 16,384 × (2 × 102 + 83 + 2 × 58) bytes are 6.6 MB. */
export const BOOK_REQUEST_FILLS_MAX = 16_384;
export const BOOK_REQUEST_EVENTS_MAX = 16_384;

/** Ticks by price of one instrument: each order's price is looked for among them. */
export const TICK_BANDS_MAX = 64;

/** Changes of phase in one day's timetable, and days without trading that it names: some years of them. */
export const TIMETABLE_CHANGES_MAX = 64;
export const HOLIDAYS_MAX = 1000;

/** Accounts with rules in one market. */
export const ACCOUNTS_CONFIGURED_MAX = 100_000;

/** Roles of one level in one market, and the names that one of them may list. */
export const ROLES_CONFIGURED_MAX = 256;

/** Labels of one node. */
export const NODE_LABELS_MAX = 32;

/** Milliseconds without any process of an agent until `up` starts one, as the system of a machine does at boot: well above the time
 * in which job hosts and coordinators have replaced it. */
export const BOOT_GUARD_MS = 3000;

/** Milliseconds between the boot guard's looks. */
export const BOOT_GUARD_POLL_MS = 250;

/** Milliseconds in which a market's desired state must be written before it starts: 10,000 synced records and a slow disk. */
export const SEED_MS = 60_000;

/** Events of the history that are shown when nobody says how many. */
export const HISTORY_SHOWN = 50;

/** Bytes of exported events that are put together before they are written. */
export const EVENT_EXPORT_CHUNK_BYTES = 256 * 1024;

/** Logs of a mirror that are opened at a time when it is promoted: they share the syncs of their storage job. */
export const PROMOTED_TOGETHER = 256;
