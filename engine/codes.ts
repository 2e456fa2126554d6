/** The engine's codes. Their numbers are those of `proto/evercross/v1/types.proto`; a test ties the two together. */

export const Side = { BUY: 1, SELL: 2 } as const;
export type Side = (typeof Side)[keyof typeof Side];

export const OrderType = {
  LIMIT: 1,
  /** Takes the best prices there are and never rests: immediate-or-cancel or fill-or-kill, price 0. */
  MARKET: 2,
} as const;
export type OrderType = (typeof OrderType)[keyof typeof OrderType];

export const TimeInForce = { DAY: 1, IMMEDIATE_OR_CANCEL: 2, FILL_OR_KILL: 3 } as const;
export type TimeInForce = (typeof TimeInForce)[keyof typeof TimeInForce];

/** Why the engine refuses a request: the 2xx band. */
export const RejectReason = {
  /** Not a whole number of 1 or more. */
  INVALID_QUANTITY: 201,
  QUANTITY_TOO_LARGE: 202,
  QUANTITY_OFF_LOT: 203,
  /** A limit that is not a whole number of 1 or more, or a market order with a price. */
  INVALID_PRICE: 204,
  PRICE_TOO_HIGH: 205,
  PRICE_OFF_TICK: 206,
  /** Not a whole number from 1 to 2^53 - 1. */
  INVALID_ORDER_ID: 207,
  /** The account has a live order of this id. */
  DUPLICATE_ORDER_ID: 208,
  /** The account has no live order of this id. */
  UNKNOWN_ORDER: 209,
  INVALID_SIDE: 210,
  INVALID_ORDER_TYPE: 211,
  /** Unknown, or `DAY` for a market order. */
  INVALID_TIME_IN_FORCE: 212,
  /** The book holds as many orders, or the side as much quantity, as it may. */
  BOOK_FULL: 213,
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
} as const;
export type CancelReason = (typeof CancelReason)[keyof typeof CancelReason];
