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
