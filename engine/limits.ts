/** Every bound of the engine, with its unit and its reason. */

/** Prices, quantities, ids and sequences are safe integers: 2^53 - 1. */
export const INTEGER_MAX = Number.MAX_SAFE_INTEGER;

/** Live orders of one book, one less than a power of two, since record 0 stands for none: 64 bytes each and 16 of index, about 90 MB with some levels; when each has a far price of its
 * own, which takes a level and a node of the tree, about 150 MB. */
export const ORDERS_MAX = 1_048_575;

/** Open quantity of one side of a book. No sum over orders or levels can exceed it, so every sum is a safe integer. */
export const SIDE_QUANTITY_MAX = INTEGER_MAX;

/** Fills that one request may cause: bounds the time of a request and the size of its log entry. */
export const REQUEST_FILLS_MAX = 65_536;

/** Events after which what follows from a request – triggered orders, an uncross – waits for the next turn. */
export const REQUEST_EVENTS_MAX = 65_536;

/** Pegged orders of one book: each move of the touch costs a step for each of them. */
export const PEGGED_ORDERS_MAX = 1024;

/** All-or-none orders of one book: after each request each of them is tried. */
export const ALL_OR_NONE_ORDERS_MAX = 256;

/** Trailing stops of one book: each new last price costs a step for each of them. */
export const TRAILING_ORDERS_MAX = 4096;

/** Accounts from a client up to the top of its tree. */
export const ACCOUNT_LEVELS_MAX = 8;

/** Width of a collar in hundredths of a percent: ten times the reference. */
export const COLLAR_WIDTH_MAX = 100_000;

/** Orders that one mass cancel may end, for the same reason. */
export const REQUEST_CANCELS_MAX = 65_536;

/** Account handles are below this: an order keeps its account and its kind in one 32-bit word. */
export const ACCOUNTS_MAX = 1_048_576;

/** Ticks that a side's window spans at first (an idle symbol stays small) and at most (it stays in the cache). */
export const WINDOW_TICKS_MIN = 256;
export const WINDOW_TICKS_MAX = 16_384;

/** Events for which a new buffer has room; it grows when a request or a batch needs more. */
export const EVENTS_INITIAL = 16;
