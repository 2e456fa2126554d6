import type { Phase, Side } from "./codes.ts";
import type { LiveOrder } from "./live-order.ts";

/** What a book knows of an account beside its orders. */
export interface AccountState {
  readonly account: number;
  /** Bought less sold, in quantity units and as price × quantity; only of accounts with limits, or below such. */
  readonly position: number;
  readonly cash: number;
  readonly blocked: boolean;
  /** Microseconds since the Unix epoch of its last message, and the messages in that time's window; only with a message rate. */
  readonly messageTime: number;
  readonly messages: number;
}

/** An uncross that is under way: what is left of it, and what follows. */
export interface UncrossState {
  readonly price: number;
  /** Still to be executed. */
  readonly volume: number;
  /** What one side has more than the other at this price, and which: 0 of neither. */
  readonly imbalance: number;
  readonly side: 0 | Side;
  readonly nextPhase: Phase;
  readonly until: number;
  readonly reason: number;
}

/** All that a book is apart from its live orders. */
export interface BookState {
  /** Sequence that the next event gets, from 1. */
  readonly nextEvent: number;
  /** Id that the next accepted order gets, from 1. */
  readonly nextOrderId: number;
  readonly phase: Phase;
  /** Until when the phase lasts, microseconds since the Unix epoch; 0: open. */
  readonly until: number;
  /** Price of the last trade, 0: none. */
  readonly lastPrice: number;
  readonly referencePrice: number;
  readonly uncross: UncrossState | undefined;
  /** Ascending handle; accounts of which everything is 0 are left out. */
  readonly accounts: readonly AccountState[];
}

export const SNAPSHOT_VERSION = 2;

/** A whole book as plain data, ready for JSON. Orders in the order of `OrderBook.orders`. */
export interface BookSnapshot extends BookState {
  readonly version: typeof SNAPSHOT_VERSION;
  readonly orders: readonly LiveOrder[];
}
