export type { AccountRules } from "./account-rules.ts";
export {
  type AccountState,
  type BookSnapshot,
  type BookState,
  SNAPSHOT_VERSION,
  type UncrossState,
} from "./book-snapshot.ts";
export type { Level } from "./book-view.ts";
export {
  AuctionRule,
  CancelReason,
  CollarAction,
  EventReason,
  MatchingPolicy,
  OrderType,
  Peg,
  Phase,
  PostOnly,
  RejectReason,
  SelfTrade,
  Side,
  TimeInForce,
} from "./codes.ts";
export { checkEntry } from "./entry-check.ts";
export { EventBuffer } from "./event-buffer.ts";
export { EVENT_WIDTH, EventField, EventKind } from "./event-fields.ts";
export { type AuctionResult, Indication } from "./indication.ts";
export {
  checkPrice,
  checkQuantity,
  type Collars,
  type Instrument,
  isOrderId,
  isTickPrice,
  requireInstrument,
  type TickBand,
} from "./instrument.ts";
export { InvariantError } from "./invariant.ts";
export { LevelBook, type LevelListener } from "./level-book.ts";
export {
  ACCOUNT_LEVELS_MAX,
  ACCOUNTS_MAX,
  COLLAR_WIDTH_MAX,
  INTEGER_MAX,
  ORDERS_MAX,
  REQUEST_CANCELS_MAX,
  REQUEST_FILLS_MAX,
  SIDE_QUANTITY_MAX,
} from "./limits.ts";
export { type FurtherTerms, type LiveOrder, NO_FURTHER_TERMS } from "./live-order.ts";
export { MessageRate, type MessageRateRule } from "./message-rate.ts";
export { OrderBook } from "./order-book.ts";
export { OrderEntry, OWN_ACCOUNT } from "./order-entry.ts";
export { OrderFeed, type OrderListener, type ShownOrder } from "./order-feed.ts";
export { followShown, type ShownBook } from "./shown-book.ts";
export { readSnapshot } from "./snapshot-versions.ts";
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
