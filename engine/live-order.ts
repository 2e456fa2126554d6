import type { OrderType, Peg, PostOnly, SelfTrade, Side, TimeInForce } from "./codes.ts";
import { OWN_ACCOUNT } from "./order-entry.ts";

/** Terms beyond those of a plain order; 0 or false: the order does not have it. */
export interface FurtherTerms {
  readonly displayQuantity: number;
  readonly triggerPrice: number;
  readonly offset: number;
  readonly peg: 0 | Peg;
  /** Microseconds since the Unix epoch. */
  readonly expiry: number;
  readonly hidden: boolean;
  readonly allOrNone: boolean;
  readonly postOnly: 0 | PostOnly;
  readonly selfTrade: 0 | SelfTrade;
  /** Order id of the live partner of a one-cancels-other pair. */
  readonly partner: number;
  /** Handle of the account that the order is for, or `OWN_ACCOUNT`. */
  readonly forAccount: number;
}

/** A live order, spelled out. */
export interface LiveOrder extends FurtherTerms {
  /** Assigned by the book: 1, 2, 3 … in order of acceptance. */
  readonly orderId: number;
  /** Handle of the session that entered it, `[0, ACCOUNTS_MAX)`. */
  readonly account: number;
  readonly clientOrderId: number;
  readonly side: Side;
  /** What it is now: a triggered stop-limit order that rests is a limit order. */
  readonly type: OrderType;
  readonly timeInForce: TimeInForce;
  /** Its own limit, 0: none. */
  readonly price: number;
  /** Total, what was executed included. */
  readonly quantity: number;
  /** Still open: 1 to `quantity`. */
  readonly leaves: number;
  /** Of `leaves`: what the book shows. */
  readonly shown: number;
  /** Sequence of the event that gave the order its place; unique in the book. */
  readonly priority: number;
}

/** The further terms of an order that has none. */
export const NO_FURTHER_TERMS: FurtherTerms = {
  displayQuantity: 0,
  triggerPrice: 0,
  offset: 0,
  peg: 0,
  expiry: 0,
  hidden: false,
  allOrNone: false,
  postOnly: 0,
  selfTrade: 0,
  partner: 0,
  forAccount: OWN_ACCOUNT,
};
