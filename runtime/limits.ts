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

/** Milliseconds for a broker's greeting and handshake. The client does not notice every connection that is closed during these, and
 * would wait 20 s by itself. */
export const BROKER_CONNECT_MS = 2000;

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

/** Requests, and their bytes, that wait for a replica's next turn; beyond it the answer is `FULL`. */
export const REPLICA_QUEUE_MAX = 65_536;
export const REPLICA_QUEUE_BYTES_MAX = 64 * 1024 * 1024;

/** Bytes of one synced batch: what is beyond goes into a batch of its own, so that no sync takes long. */
export const GROUP_COMMIT_BYTES_MAX = 16 * 1024 * 1024;

/** Jobs whose logs one replica keeps. Each costs about a kilobyte of memory once it was spoken of. */
export const REPLICA_JOBS_MAX = 65_536;

/** Entries of a job that a replica remembers by their digests, to know a repeated append without reading. */
export const REPLICA_RECENT_ENTRIES = 2 * APPENDS_IN_FLIGHT_MAX;

/** Entries, and milliseconds, by which the stored rows may lie behind the log: longer coalesces more, shorter restarts
 * faster, since a restart replays what lies behind. */
export const ROWS_INTERVAL_ENTRIES = 4096;
export const ROWS_INTERVAL_MS = 200;

/** Row changes that wait to be stored: they are written at once, so this bounds by how much they delay an append. */
export const ROWS_PENDING_MAX = 8192;

/** Bytes of one job's entries that are kept in memory until their rows are made; beyond it they are read again. */
export const ROWS_BACKLOG_BYTES_MAX = 4 * 1024 * 1024;

/** Bytes of payload turned into rows between two looks at the queue; at least one entry. */
export const ROWS_SLICE_BYTES = 64 * 1024;

/** Bytes of payload turned into rows while a writer that opens the log waits: well below `REPLICA_TIMEOUT_MS`. */
export const ROWS_OPEN_BYTES_MAX = 4 * 1024 * 1024;

/** Views of rows that are read in pages at a time, and milliseconds until an abandoned one is closed: each pins files. */
export const ROW_VIEWS_MAX = 256;
export const ROW_VIEW_IDLE_MS = 10_000;

/** Entries that one trim removes; what is left is for the next. */
export const TRIM_ENTRIES_MAX = 4096;

/** Bytes at which the witness file is written anew with one record for each job. */
export const WITNESS_BYTES_MAX = 8 * 1024 * 1024;

/** Milliseconds for which a storage job waits for the one before it to let go of the folder. */
export const STORAGE_LOCK_WAIT_MS = 3000;

/** Milliseconds between tries of a job host to reach its agent. */
export const AGENT_RECONNECT_MS = 100;

/** Bytes of one frame between an agent and a job host: the states of 10,000 jobs with room to spare. */
export const CONTROL_FRAME_BYTES_MAX = 4 * 1024 * 1024;

/** Characters of a job's `detail` in a status. */
export const JOB_DETAIL_CHARS_MAX = 512;

/** Job hosts without a job that each node keeps ready, so that a restart costs no start of a process. */
export const SPARE_HOSTS = 1;

/** Job hosts that one agent starts at a time: a cold start of many must not starve the ones that already run. */
export const HOSTS_STARTING_MAX = 4;

/** Milliseconds from the start of a job host's process until it must have said hello. */
export const HOST_START_MS = 20_000;

/** Milliseconds that a killed job host is waited for before its jobs start elsewhere: their ports and locks are free
 * when it is gone. After that they start all the same; the checkpoint log fences what may still be there. */
export const HOST_EXIT_MS = 2000;

/** Milliseconds between looks at whether a killed job host is gone. */
export const HOST_EXIT_POLL_MS = 2;

/** Milliseconds until a job host is started again after one that ended before its hello; doubled up to the maximum. */
export const HOST_SPAWN_BACKOFF_MIN_MS = 100;
export const HOST_SPAWN_BACKOFF_MAX_MS = 10_000;

/** Milliseconds until a standby that could not follow its log begins anew. */
export const WARM_RETRY_MS = 1000;

/** Restarts of one job in so many milliseconds; beyond it the job is quarantined. */
export const JOB_RESTARTS_MAX = 10;
export const JOB_RESTARTS_PERIOD_MS = 10_000;

/** Milliseconds added before each further restart of a job that failed within a living host. */
export const JOB_RESTART_STEP_MS = 20;

/** Milliseconds that a quarantined job waits for its next try; doubled with each quarantine up to the maximum. */
export const JOB_QUARANTINE_MIN_MS = 1000;
export const JOB_QUARANTINE_MAX_MS = 60_000;

/** Deaths of one shared job host's group in a period of job restarts; beyond it the group is split in two, until the
 * job that kills its host is alone. */
export const GROUP_DEATHS_MAX = 3;

/** Milliseconds that the jobs of a job host have to stop in good order. Below `PROCESS_GRACE_MS`. */
export const JOB_STOP_MS = 3000;

/** Characters of a unix socket's path: the smallest limit of the systems we run on (104 on macOS, with its final zero). */
export const SOCKET_PATH_CHARS_MAX = 103;

/** Milliseconds between two slices of a spare host's rehearsal: it must not take the processor from who works. */
export const REHEARSAL_PAUSE_MS = 5;

/** Milliseconds after which a job's timer looks again, however far its due time is: a timer cannot wait for more than
 * 24 days, and the clock may be set. */
export const DUE_TIMER_MAX_MS = 3_600_000;

/** Milliseconds between two polls of a monitor to the monitors below it, and of silence until one is failed: five beats. A node's
 * loss must be seen within a second. */
export const MONITOR_BEAT_MS = 200;
export const MONITOR_SILENCE_MS = 5 * MONITOR_BEAT_MS;

/** Milliseconds of an agent's silence after which its node is probed: after the first poll without an answer. Hosts answer at once, but
 * not on a machine that is busy starting new agents, as one that lost several is half a second later. */
export const MONITOR_PROBE_MS = 1.5 * MONITOR_BEAT_MS;

/** Milliseconds without a poll after which a monitor suspects its parent, and the range of the wait that follows: wide enough that
 * of several children one is first by more than a message's way. */
export const PARENT_SUSPECT_MS = 4 * MONITOR_BEAT_MS;
export const PARENT_BACKOFF_MIN_MS = 50;
export const PARENT_BACKOFF_MAX_MS = 350;

/** The same for a parent that is reached over a wide-area network, where a message may take half a second. */
export const WIDE_SUSPECT_MS = 3000;
export const WIDE_SILENCE_MS = 3000;
export const WIDE_PROBE_MS = 1800;
export const WIDE_BACKOFF_MIN_MS = 500;
export const WIDE_BACKOFF_MAX_MS = 4000;

/** Milliseconds for which a job host's own link to the broker may be down while its agent's is up: several times what a broken
 * connection takes to be noticed and made anew. */
export const HOST_LINK_DOWN_MAX_MS = 8000;

/** Milliseconds without a beat of its agent after which a job host suspects it, and the range of the wait that follows. A
 * paused agent must be replaced before its node is taken for lost. */
export const AGENT_SUSPECT_MS = 500;
export const AGENT_BACKOFF_MIN_MS = 10;
export const AGENT_BACKOFF_MAX_MS = 60;

/** Milliseconds from the launch of a monitor until it must have polled or answered: a process's start, on a loaded machine. */
export const MONITOR_START_MS = 5000;

/** Restarts of one monitor in so many milliseconds; beyond it, it is escalated. */
export const MONITOR_RESTARTS_MAX = 5;
export const MONITOR_RESTARTS_PERIOD_MS = 30_000;

/** Milliseconds until an escalated monitor is tried again; doubled up to the maximum. */
export const MONITOR_RETRY_MIN_MS = 1000;
export const MONITOR_RETRY_MAX_MS = 30_000;

/** Instances of one role, a parent's or a child's, that are remembered: the silent go first, then the worst. */
export const INSTANCES_REMEMBERED_MAX = 8;

/** Milliseconds for one change of the store until its outcome is taken for unknown and it is decided anew. */
export const CHANGE_TIMEOUT_MS = 1000;

/** Changes of the store that one coordinator has under way: the jobs of a lost node at once, a cold start in portions. */
export const CHANGES_IN_FLIGHT_MAX = 256;

/** Nodes that may give a job up before it is quarantined, even where more are left: by then the job is at fault, and each further
 * node would be troubled by it in vain. */
export const JOB_PLACES_MAX = 5;

/** Jobs that one coordinator looks for a place for in one step: a thousand nodes are looked at for each. The rest have the next step. */
export const PLACINGS_PER_STEP_MAX = 1024;

/** Milliseconds that a job must have run where it was put, for its failures to be forgotten. */
export const JOB_GOOD_MS = 60_000;

/** Events for the history that are kept while the broker is away; the oldest go first. */
export const HISTORY_BACKLOG_MAX = 1000;

/** What the history keeps: events, and days. */
export const HISTORY_EVENTS_MAX = 100_000;
export const HISTORY_DAYS_MAX = 30;

/** Milliseconds from SIGTERM to SIGKILL of a program that runs as a job: below `JOB_STOP_MS`. From its start until it must
 * serve: as long as a job host may take. Between looks at either. */
export const COMMAND_STOP_MS = 2000;
export const COMMAND_READY_MS = 20_000;
export const COMMAND_POLL_MS = 10;

/** Milliseconds for one command that starts or ends a process on another machine. Not above `MONITOR_START_MS`: then the next try begins. */
export const LAUNCH_COMMAND_MS = 5000;

/** Bytes of such a command's output; beyond it the command is ended. */
export const LAUNCH_OUTPUT_BYTES_MAX = 64 * 1024;

/** Milliseconds for an operator's question to one member, for all tries together, between two looks at whether something has come
 * about, and for all answers to a question to everybody. */
export const OPERATOR_REQUEST_MS = 1000;
export const OPERATOR_PATIENCE_MS = 10_000;
export const OPERATOR_POLL_MS = 20;
export const OPERATOR_GATHER_MS = 300;

/** Times that an operator's order is decided anew because the record changed meanwhile. */
export const OPERATOR_ORDER_TRIES_MAX = 20;

/** Bytes of the broker's stored streams, in files and in memory; beyond it the broker refuses by name. */
export const BROKER_FILE_BYTES_MAX = 4 * 1024 * 1024 * 1024;
export const BROKER_MEMORY_BYTES_MAX = 64 * 1024 * 1024;

/** Bytes of the desired state: two records of half a kilobyte for each of 65,536 jobs, four times; and of one record. */
export const DESIRED_BYTES_MAX = 256 * 1024 * 1024;
export const RECORD_BYTES_MAX = 64 * 1024;

/** Bytes of the history: room for its events at a kilobyte each. */
export const HISTORY_BYTES_MAX = 128 * 1024 * 1024;

/** Milliseconds for one question about a stream, and before it is asked again. */
export const STREAM_REQUEST_MS = 2000;
export const STREAM_RETRY_MS = 100;

/** Milliseconds for which nobody may answer for streams before it is certain that the broker has none: it answers for them from its
 * start, but a link may come back to one that is not whole yet. */
export const STREAM_DISABLED_MS = 3000;

/** Milliseconds between signs of life of an idle stream to who reads it, and how many may be missed: the loss of the link is seen
 * sooner, by the pings. */
export const STREAM_HEARTBEAT_MS = 1000;
export const STREAM_HEARTBEATS_MISSED_MAX = 3;

/** Milliseconds for which the store keeps that a record was removed, and removals that one beginning watch clears away after that. */
export const REMOVAL_KEPT_MS = 86_400_000;
export const REMOVALS_CLEARED_MAX = 64;

/** Milliseconds after which who has not heard of a stream reads all of it again: well before what it missed is cleared away. */
export const STREAM_RESUME_MAX_MS = REMOVAL_KEPT_MS / 2;

/** Milliseconds after which the broker forgets a reader of a stream that went without a word. */
export const STREAM_READER_IDLE_MS = 30_000;

/** Roles whose polls a monitor remembers: its parent's, and those of others that take it for theirs while records change. */
export const POLLING_ROLES_MAX = 4;

/** Starts of a job host in a row that may fail before its agent says that the node does not serve. */
export const HOST_SPAWN_FAILURES_MAX = 3;

/** What an agent cannot repair, in one answer to its parent: the rest is told when these are dealt with. */
export const ESCALATIONS_MAX = 1000;

/** Milliseconds between two hellos over the broker of a job host that no agent polls. */
export const REMOTE_HELLO_EVERY_MS = 500;

/** Milliseconds that a new agent, or one whose link is back, leaves the hosts of other nodes for a hello before it starts others there:
 * they say one when they were not polled for `AGENT_SUSPECT_MS`. */
export const REMOTE_HELLO_MS = AGENT_SUSPECT_MS + 2 * REMOTE_HELLO_EVERY_MS;

/** Milliseconds without a poll after which a job host gives up an open socket: an agent that would still use it has ended itself. */
export const AGENT_LOST_MS = 2 * AGENT_SUSPECT_MS;

/** Beats in which a message to oneself must come back from the broker, for the link to it to count as up. */
export const LINK_ECHO_BEATS_MAX = 2;

/** Events for the history that are under way to the broker at a time, milliseconds for its answer, and before they are sent again. */
export const HISTORY_IN_FLIGHT_MAX = 64;
export const HISTORY_REQUEST_MS = 2000;
export const HISTORY_RETRY_MS = 500;

/** Milliseconds by which the clocks of a node and of the broker may differ for a reading from a time on to miss nothing. */
export const HISTORY_SKEW_MS = 60_000;

/** Milliseconds for reading what the history holds. */
export const HISTORY_READ_MS = 5000;

/** Events that a reader remembers, to know one that was stored twice. */
export const HISTORY_REMEMBERED_MAX = 4096;

/** Milliseconds between two looks of an agent at all jobs, while records of them change. */
export const DESIRED_EVERY_MS = 20;

/** Milliseconds that a monitor which ends itself has to tell the history why. */
export const HISTORY_LAST_WORDS_MS = 200;

/** Bytes that must stay free on a replica's disk, at the most, and the share of a small disk: room for what waits in memory, for a
 * compaction, and for the entries of a second. Then entries are refused, and taken again when so many times as much is free. */
export const DISK_RESERVE_BYTES_MAX = 512 * 1024 * 1024;
export const DISK_RESERVE_SHARE = 0.125;
export const DISK_ROOM_AGAIN = 1.25;

/** Milliseconds between two looks at how full a replica's disk is. */
export const DISK_LOOK_MS = 1000;

/** Folders of failed replicas that are kept beside the one in use, for who looks for the cause: each may be as large as that. */
export const FAILED_FOLDERS_KEPT = 2;

/** Milliseconds of one synced batch that are worth a line in the log: a job host is taken for failed after five beats without a word. */
export const SLOW_SYNC_MS = 250;

/** Logs that a replica copies from others at a time: enough that the source, the way and the disk are all busy, few enough that
 * their pages leave the broker and both replicas to who trades. The rest wait, those that lack the least first. */
export const COPIES_MAX = 4;

/** Logs that wait to be copied: every log that a replica may keep. */
export const COPIES_WAITING_MAX = REPLICA_JOBS_MAX;

/** Bytes of records that the scrub reads at a time, and in a second: a hundredth of what a disk gives, and of a processor; 10 GiB
 * in an hour and a half. */
export const SCRUB_SLICE_BYTES = 256 * 1024;
export const SCRUB_BYTES_PER_SECOND = 2 * 1024 * 1024;

/** Milliseconds between two rounds of the scrub: a replica with little in it would read the same over and over. */
export const SCRUB_ROUND_MS = 60_000;

/** Damaged entries and rows that wait to be repaired; what is beyond is found again by the next round. */
export const REPAIRS_WAITING_MAX = 1024;

/** Milliseconds before a question about a stream that had no answer is asked again: doubled from `REPLICA_RETRY_MS` up to this, for
 * thousands of jobs ask at once while a stream has no leader. */
export const STREAM_BACKOFF_MAX_MS = 320;

/** Bytes for each of which an append to a stream, or a look at it, has another millisecond: three loaded servers sync as many. */
export const STREAM_BYTES_PER_MS = 8192;

/** Milliseconds for one answer, and after how many failures in a row: longer than an election, in which patience only delays, and enough
 * for the largest message over a link that carries a megabyte a second. */
export const STREAM_PATIENCE_MAX_MS = 10_000;
export const STREAM_PATIENT_FAILURES = 8;

/** Milliseconds for which a stream may end before what is known to be in it: a leader that was cut off believes for 10 s to be one. */
export const STREAM_SHORT_MS = 15_000;

/** Milliseconds, at the most, before one who lost the race to open a stream's log reads its end again: a few ways to the broker. */
export const STREAM_OPEN_PAUSE_MS = 20;

/** Entries that are asked for by their sequence rather than in portions, and how many at a time: each may be as large as a message. */
export const STREAM_GETS_MAX = 64;
export const STREAM_GETS_IN_FLIGHT_MAX = 8;

/** Messages and bytes of one portion of a stream that is read whole. Not below two of `MESSAGE_BYTES_MAX`. */
export const STREAM_PORTION_MESSAGES = 512;
export const STREAM_PORTION_BYTES = 2 * MESSAGE_BYTES_MAX;

/** Bytes of one record in a file of a backup: the largest entry in its envelope. A longer one is no record. */
export const BACKUP_RECORD_BYTES_MAX = MESSAGE_BYTES_MAX;

/** Bytes that are read from, or written to, a file of a backup at a time. */
export const BACKUP_CHUNK_BYTES = 1024 * 1024;

/** Milliseconds without an answer of storage after which a backup, or any other reading of whole logs, is given up. */
export const LOG_READING_SILENCE_MS = 10_000;

/** Epochs by which a restored log begins above its last one, and above the seconds since the Unix epoch: so above every epoch that
 * anybody was promised since the backup, for a writer takes longer than a second, and above every restore before. */
export const RESTORE_EPOCH_STEP = 1024;

/** Bytes of its last entries that a writer keeps for replicas that are behind: a restart of one goes by without copying from another. A
 * thousand writers on one node keep so much each. */
export const WRITER_RECENT_BYTES = 256 * 1024;

/** Milliseconds to which the pause before the next try doubles for a replica that does not answer, while the others suffice. */
export const REPLICA_RETRY_MAX_MS = 320;

/** Milliseconds after which a writer with nothing else to send tells its replicas how far is committed: longer than between two entries
 * under load, which tell it along the way. */
export const COMMIT_NOTICE_MS = 20;

/** Milliseconds for which an entry is not committed, or a log not open, until the writer says whom it waits for: a replica's restart is not
 * worth a word. */
export const WRITER_STALL_MS = 1000;

/** Milliseconds after which a mirror asks again how far a log is that had something new; doubled with each time it has not, up to the
 * second figure: what a symbol that seldom trades loses with its site, at the most. */
export const MIRROR_ASK_MIN_MS = 50;
export const MIRROR_ASK_MAX_MS = 2000;

/** Milliseconds for which a mirror waits for one answer: several ways around the world, and tries. */
export const MIRROR_ANSWER_MS = 4000;

/** Questions of a mirror in a second about how far logs are, and of those under way at a time: each costs a replica some 20 µs, and a
 * way to the other site may take 100 ms. */
export const MIRROR_QUESTIONS_PER_SECOND = 1000;
export const MIRROR_QUESTIONS_MAX = 64;

/** Bytes of entries that a mirror reads in a second, and readings under way at a time: more than a market of one machine writes, and
 * a part of what its disk and the way between sites give, for who trades there comes first. Each answer has `READ_ANSWER_BYTES_MAX`. */
export const MIRROR_BYTES_PER_SECOND = 48 * 1024 * 1024;
export const MIRROR_READINGS_MAX = 4;

/** Milliseconds before a mirror tries again to read a log that its source refuses, or that its own disk has no room for. */
export const MIRROR_REFUSED_MS = 10_000;

/** Times that a mirror remembers of one log, to say how old the oldest entry is that it lacks. */
export const MIRROR_MARKS_MAX = 16;

/** Milliseconds between two notes of a mirror on its disk, and in its job's status, of what it heard last. */
export const MIRROR_NOTE_MS = 1000;

/** Logs in one answer of a mirror to the question for its lag: well below `MESSAGE_BYTES_MAX` with the longest names. */
export const MIRROR_LAGS_MAX = 2000;

/** Milliseconds between two words of a replica to the others of its set about what it acknowledged: so much of it an old copy of its folder
 * may lack without being found out. */
export const WITNESS_TELL_MS = 1000;

/** Records that one piece of catching up removes. */
export const CATCH_UP_RECORDS_MAX = 4096;

/** Times in a row that catching up asks a source which does not answer, and times that it begins with the source's rows anew. */
export const CATCH_UP_TRIES_MAX = 5;

/** Milliseconds after which a writer asks replicas that it has nothing to tell: one that lost its folder meanwhile is made whole by that. Ten
 * thousand idle logs on three replicas cost a thousand questions a second. */
export const REPLICA_PING_MS = 30_000;

/** Milliseconds of replayed entries between two turns of the event loop: a host that does not answer its beats is replaced, and what
 * takes 10 ms by itself takes 100 ms where ten processes want the processor. */
export const REPLAY_SLICE_MS = 10;

/** Entries that a mirror proves and writes in one turn of its event loop: some 20 ms, so that its job host is never taken for dead. */
export const MIRROR_TURN_ENTRIES = 2048;
