/** Every bound of the runtime, with its unit and its reason. Engine and services keep theirs in a file of the same name. */

/** Bytes of one message on the broker; the broker we start is told the same. Larger is refused before it is sent. */
export const MESSAGE_BYTES_MAX = 8 * 1024 * 1024;

/** Bytes of one log entry's payload: leaves room for the envelope within one message. */
export const ENTRY_PAYLOAD_BYTES_MAX = 7 * 1024 * 1024;

/** Bytes of entries or rows in one answer: keeps a reader's and a replica's turn short. At least one entry always goes. */
export const READ_ANSWER_BYTES_MAX = 512 * 1024;

/** Appends of one job that may be on their way at a time: the next batches cross while these reach the disk. */
export const APPENDS_IN_FLIGHT_MAX = 4;

/** Bytes of requests that wait for a stateful job's next step; beyond it the answer is the job's `busy`. */
export const JOB_QUEUE_BYTES_MAX = 16 * 1024 * 1024;

/** Messages that wait for a stateful job's next step, whatever their size. */
export const JOB_QUEUE_MESSAGES_MAX = 4096;

/** Milliseconds after which an append without an answer is sent again. Below the time in which a paused job is
 * replaced, so that a job that wakes finds every answer of before its pause too old to act on. */
export const APPEND_TIMEOUT_MS = 400;

/** Milliseconds for any other call to a replica. */
export const REPLICA_TIMEOUT_MS = 1000;

/** Milliseconds between the beats of an agent to its job hosts, and how many may be missed. */
export const HOST_BEAT_MS = 100;
export const HOST_BEATS_MISSED_MAX = 5;

/** Seconds between pings to the broker, and how many may be unanswered: a dead link is noticed in about two. */
export const BROKER_PING_MS = 1000;
export const BROKER_PINGS_MISSED_MAX = 2;

/** Milliseconds between tries to reach the broker again, with as much of jitter. */
export const BROKER_RECONNECT_WAIT_MS = 50;

/** Bytes that the broker keeps for a client that reads too slowly, before it cuts the client off. Not below `MESSAGE_BYTES_MAX`. */
export const BROKER_PENDING_BYTES_MAX = 64 * 1024 * 1024;

/** Milliseconds until a broker that was started must greet a connection. */
export const BROKER_READY_MS = 10_000;

/** Free ports that are tried for a broker's first start: another process may take one between the choice and the start. */
export const BROKER_PORT_TRIES_MAX = 3;

/** Milliseconds for one command of the package manager: a slow mirror is waited for, a dead one is not. */
export const PACKAGE_COMMAND_MS = 120_000;

/** Restarts of the broker, or of one agent, in so many milliseconds; beyond it the start itself must be at fault. */
export const PROCESS_RESTARTS_MAX = 5;
export const PROCESS_RESTARTS_PERIOD_MS = 10_000;

/** Milliseconds added before each further restart of one period, so that a crash loop leaves the processor to others. */
export const PROCESS_RESTART_STEP_MS = 100;

/** Milliseconds from the request to end to SIGKILL. */
export const PROCESS_GRACE_MS = 5000;

/** Milliseconds that a process may take to be gone after SIGKILL: only one that hangs in the kernel needs longer. */
export const PROCESS_KILL_MS = 10_000;

/** Milliseconds between looks at whether a process is gone. */
export const PROCESS_POLL_MS = 10;

/** Bytes of a log file at which the next start sets it aside; one older file is kept. */
export const LOG_FILE_BYTES_MAX = 16 * 1024 * 1024;

/** Milliseconds before a call that a replica could not take (`FULL`, or nobody there) is made again. */
export const REPLICA_RETRY_MS = 20;

/** Times a new writer tries again when another opened the log at the same moment, before it gives way. */
export const OPEN_TRIES_MAX = 5;

/** Milliseconds of quiet after which a job first repeats where its log ends, for followers that missed the last entry;
 * doubled with each repetition up to the second figure, so that idle jobs cost next to nothing. */
export const COMMITTED_REPEAT_MIN_MS = 200;
export const COMMITTED_REPEAT_MAX_MS = 12_800;

/** Live entries that a follower keeps while it reads what it missed; beyond it they are read too. */
export const FOLLOWER_AHEAD_MAX = 64;
