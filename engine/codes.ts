/**
 * The engine's codes. Their numbers are those of `proto/evercross/v1/types.proto`; a test ties the two together. What
 * each means to an order is told in RULES.md.
 */

export const Side = { BUY: 1, SELL: 2 } as const;
export type Side = (typeof Side)[keyof typeof Side];

export const OrderType = {
  LIMIT: 1,
  /** Takes the best prices there are and never rests; its price, if not 0, is its protection. */
  MARKET: 2,
  /** These four wait for a trigger price. */
  STOP: 3,
  STOP_LIMIT: 4,
  TRAILING_STOP: 5,
  MARKET_IF_TOUCHED: 6,
  PEGGED: 7,
} as const;
export type OrderType = (typeof OrderType)[keyof typeof OrderType];

export const TimeInForce = {
  DAY: 1,
  IMMEDIATE_OR_CANCEL: 2,
  FILL_OR_KILL: 3,
  GOOD_TILL_CANCEL: 4,
  GOOD_TILL_DATE: 5,
  AT_THE_OPEN: 6,
  AT_THE_CLOSE: 7,
} as const;
export type TimeInForce = (typeof TimeInForce)[keyof typeof TimeInForce];

/** What a pegged order follows: the same side's best price, the middle, the other side's best price. */
export const Peg = { PRIMARY: 1, MIDPOINT: 2, MARKET: 3 } as const;
export type Peg = (typeof Peg)[keyof typeof Peg];

/** What a post-only order does when it would take. */
export const PostOnly = { REJECT: 1, REPRICE: 2 } as const;
export type PostOnly = (typeof PostOnly)[keyof typeof PostOnly];

/** What happens when an order meets one of its own group. */
export const SelfTrade = { CANCEL_NEWEST: 1, CANCEL_OLDEST: 2, CANCEL_BOTH: 3, DECREMENT: 4 } as const;
export type SelfTrade = (typeof SelfTrade)[keyof typeof SelfTrade];

export const Phase = {
  PRE_OPEN: 1,
  OPENING_AUCTION: 2,
  CONTINUOUS: 3,
  HALT: 4,
  VOLATILITY_AUCTION: 5,
  CLOSING_AUCTION: 6,
  CLOSED: 7,
} as const;
export type Phase = (typeof Phase)[keyof typeof Phase];

/** How shown orders of one price share what comes in. */
export const MatchingPolicy = { PRICE_TIME: 1, PRO_RATA: 2, PRICE_SIZE_TIME: 3 } as const;
export type MatchingPolicy = (typeof MatchingPolicy)[keyof typeof MatchingPolicy];

/** Whose rules choose an auction's price. */
export const AuctionRule = { SHANGHAI: 1, XETRA: 2, NASDAQ: 3 } as const;
export type AuctionRule = (typeof AuctionRule)[keyof typeof AuctionRule];

/** What follows when a trade's price would lie outside a collar. */
export const CollarAction = { REJECT: 1, AUCTION: 2 } as const;
export type CollarAction = (typeof CollarAction)[keyof typeof CollarAction];

/** Why the engine refuses a request: the 2xx band. */
export const RejectReason = {
  /** Not a whole number of 1 or more. */
  INVALID_QUANTITY: 201,
  QUANTITY_TOO_LARGE: 202,
  QUANTITY_OFF_LOT: 203,
  /** Not a whole number of 1 or more where a limit is needed, of 0 or more elsewhere. */
  INVALID_PRICE: 204,
  PRICE_TOO_HIGH: 205,
  PRICE_OFF_TICK: 206,
  /** Not a whole number from 1 to 2^53 - 1. */
  INVALID_ORDER_ID: 207,
  /** The session has a live order of this id. */
  DUPLICATE_ORDER_ID: 208,
  /** The session has no live order of this id. */
  UNKNOWN_ORDER: 209,
  INVALID_SIDE: 210,
  INVALID_ORDER_TYPE: 211,
  /** Unknown, or not one that the type can have. */
  INVALID_TIME_IN_FORCE: 212,
  /** The book holds as many orders, or the side as much quantity, as it may. */
  BOOK_FULL: 213,
  /** Terms that are good, each by itself, but not together. */
  INVALID_COMBINATION: 214,
  /** Off the lot, or not below the quantity. */
  INVALID_DISPLAY_QUANTITY: 215,
  /** Off the lot, or above the quantity. */
  INVALID_MINIMUM_QUANTITY: 216,
  /** Missing, not a whole number, too high or off the tick. */
  INVALID_TRIGGER_PRICE: 217,
  /** Missing, off the tick, or not a distance where it must be one. */
  INVALID_OFFSET: 218,
  INVALID_PEG: 219,
  /** Missing, not a whole number of microseconds, or past. */
  INVALID_EXPIRY: 220,
  /** A post-only, self-trade or other instruction that there is not. */
  INVALID_INSTRUCTION: 221,
  /** The phase takes no such request. */
  WRONG_PHASE: 222,
  NOTIONAL_TOO_LARGE: 223,
  /** The fat-finger check: worse for the owner than the reference price by too much. */
  FAR_FROM_REFERENCE: 224,
  OUTSIDE_COLLAR: 225,
  /** A trailing stop without trigger price, and nothing has traded. */
  NO_REFERENCE_PRICE: 226,
  /** One-cancels-other with an order that is not live, or has a partner. */
  UNKNOWN_PARTNER: 227,
  POSITION_LIMIT: 228,
  CREDIT_LIMIT: 229,
  /** A buy without a price, of an account with a credit limit. */
  PRICE_REQUIRED: 230,
  /** A post-only order that would take. */
  WOULD_TAKE: 231,
  RATE_LIMIT: 232,
  ACCOUNT_BLOCKED: 233,
  /** The session may not act for this account. */
  UNKNOWN_ACCOUNT: 234,
} as const;
export type RejectReason = (typeof RejectReason)[keyof typeof RejectReason];

/** Why an order, or what was left of it, ended without being executed. */
export const CancelReason = {
  REQUESTED: 1,
  MASS_CANCEL: 2,
  /** An immediate-or-cancel or market order found no more at its price. */
  IMMEDIATE_REMAINDER: 3,
  /** A fill-or-kill order could not be filled whole. */
  FILL_OR_KILL: 4,
  /** The new total quantity of a replace was already executed. */
  REPLACED_BELOW_EXECUTED: 5,
  /** The request caused as many fills as one request may. */
  SWEEP_LIMIT: 6,
  /** Its day or its date is over. */
  EXPIRED: 7,
  /** It met an order of its own group. */
  SELF_TRADE: 8,
  /** It would have traded outside the static collar. */
  STATIC_COLLAR: 9,
  /** It would have traded outside the dynamic collar. */
  DYNAMIC_COLLAR: 10,
  /** Its minimum quantity could not be executed at once. */
  MINIMUM_QUANTITY: 11,
  /** Its partner traded or was triggered. */
  ONE_CANCELS_OTHER: 12,
  /** The auction that it waited for is over. */
  AUCTION_REMAINDER: 13,
  /** Its account, or one above it, was blocked. */
  KILL_SWITCH: 14,
  /** What was left of a market order that had a price. */
  PRICE_PROTECTION: 15,
} as const;
export type CancelReason = (typeof CancelReason)[keyof typeof CancelReason];

/** Why an event happened. Every event but `REJECTED` has one of these. */
export const EventReason = {
  ...CancelReason,
  /** `ACCEPTED`: as it was sent. */
  NEW_ORDER: 20,
  /** `ACCEPTED`, `REPLACED`: post-only, at a price that does not take. */
  REPRICED: 21,
  /** `TRADE`: an order came in. */
  FILL: 22,
  /** `TRADE`: in the uncross of an auction. */
  AUCTION_FILL: 23,
  /** `REPLACED`, `TRIGGER_MOVED`: asked for. */
  REPLACEMENT: 24,
  /** `REPLACED`: asked for, less quantity. */
  REDUCTION: 25,
  /** `ENTERED`: the last price reached its trigger price. */
  TRIGGERED: 26,
  /** `ENTERED`: a pegged order moved to a price at which it trades. */
  PEG_MOVED: 27,
  /** `ENTERED`: an all-or-none order can now be filled whole. */
  ALL_OR_NONE_MATCHED: 28,
  /** `REFRESHED`: an iceberg's shown part was used up. */
  REFRESH: 29,
  /** `TRIGGER_MOVED`: a trailing stop followed the last price. */
  TRAILED: 30,
  /** `PHASE`, `UNCROSS`: the timetable says so. */
  TIMETABLE: 31,
  /** `PHASE`, `UNCROSS`, `REFERENCE`, `BLOCKED`: the operator says so. */
  OPERATOR: 32,
  /** `PHASE`, `UNCROSS`: a volatility auction has lasted as long as it should. */
  TIME_REACHED: 33,
  /** `INDICATIVE`: the auction would give this now. */
  INDICATION: 34,
  /** `POSITION`: trades changed it. */
  TRADED: 35,
} as const;
export type EventReason = (typeof EventReason)[keyof typeof EventReason];
