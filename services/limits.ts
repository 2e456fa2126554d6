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
