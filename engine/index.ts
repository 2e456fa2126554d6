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
export { type AuctionResult, Indication } from "./indication.ts";
export { InvariantError } from "./invariant.ts";
export { LevelBook, type LevelListener } from "./level-book.ts";
export {
  ACCOUNTS_MAX,
  INTEGER_MAX,
  ORDERS_MAX,
  REQUEST_CANCELS_MAX,
  REQUEST_FILLS_MAX,
  SIDE_QUANTITY_MAX,
} from "./limits.ts";
export { type BookPosition, OrderBook } from "./order-book.ts";
export { OrderFeed, type OrderListener, type ShownOrder } from "./order-feed.ts";
export type { LiveOrder } from "./order-table.ts";
export { followShown, type ShownBook } from "./shown-book.ts";
export { type HashedBook, stateHash } from "./state-hash.ts";
export {
  type LocalDay,
  type PhaseChange,
  requireTimetable,
  type Timetable,
  timetableAt,
  type TimetablePosition,
} from "./timetable.ts";
export { Touch } from "./touch.ts";
