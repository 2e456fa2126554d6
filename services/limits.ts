/** Every bound of the services, with its unit and its reason. */

/** Bytes of one frame that a client may send. The longest legal request is below 200 bytes; a logon resumes many symbols. */
export const CLIENT_FRAME_BYTES_MAX = 64 * 1024;

/** Requests of one session that may be unanswered at a time. */
export const SESSION_IN_FLIGHT_MAX = 16_384;

/** Requests that crossing takes in one step: keeps an entry small and a turn short. */
export const STEP_REQUESTS_MAX = 4096;

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
