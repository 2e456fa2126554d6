export type { Level } from "./book-view.ts";
export { CancelReason, OrderType, RejectReason, Side, TimeInForce } from "./codes.ts";
export { EVENT_WIDTH, EventBuffer, EventField, EventKind } from "./event-buffer.ts";
export {
  checkPrice,
  checkQuantity,
  checkTerms,
  type Instrument,
  isOrderId,
  type Terms,
} from "./instrument.ts";
export { InvariantError } from "./invariant.ts";
export { LevelBook } from "./level-book.ts";
export {
  ACCOUNTS_MAX,
  INTEGER_MAX,
  ORDERS_MAX,
  REQUEST_CANCELS_MAX,
  REQUEST_FILLS_MAX,
  SIDE_QUANTITY_MAX,
} from "./limits.ts";
export { type BookPosition, OrderBook } from "./order-book.ts";
export type { LiveOrder } from "./order-table.ts";
export { type HashedBook, stateHash } from "./state-hash.ts";
