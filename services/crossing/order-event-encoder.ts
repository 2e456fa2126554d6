import { EventField as F, EventKind, OWN_ACCOUNT } from "../../engine/index.ts";
import type { Event, OrderTerms } from "../../proto/generated/evercross/v1/event.ts";
import type {
  EventReason,
  OrderType,
  Peg,
  PostOnly,
  SelfTrade,
  Side,
} from "../../proto/generated/evercross/v1/types.ts";
import type { FieldAt, NameIndex } from "./event-encoder.ts";

type OrderEventKind =
  | typeof EventKind.ENTERED
  | typeof EventKind.REFRESHED
  | typeof EventKind.TRIGGER_MOVED
  | typeof EventKind.DECREMENTED;

/** What happens to one order without its session's asking. */
export function encodeOrderEvent(kind: OrderEventKind, at: FieldAt, name: NameIndex): Event["kind"] {
  const orderId = at(F.ORDER_ID);
  const session = name(at(F.ACCOUNT));
  const clientOrderId = at(F.CLIENT_ORDER_ID);
  const side = at(F.SIDE) as Side;
  const reason = at(F.REASON) as EventReason;
  const order = { orderId, session, clientOrderId, side, reason };
  switch (kind) {
    case EventKind.ENTERED: {
      const open = { quantity: at(F.QUANTITY), leaves: at(F.LEAVES), resting: at(F.RESTING) };
      const value = {
        ...order,
        ...open,
        type: at(F.TYPE) as OrderType,
        price: at(F.PRICE),
        shown: at(F.SHOWN),
      };
      return { $case: "entered", value };
    }
    case EventKind.REFRESHED: {
      const open = { quantity: at(F.QUANTITY), leaves: at(F.LEAVES), shown: at(F.SHOWN) };
      return { $case: "refreshed", value: { ...order, ...open, price: at(F.PRICE) } };
    }
    case EventKind.TRIGGER_MOVED:
      return { $case: "triggerMoved", value: { ...order, triggerPrice: at(F.PRICE) } };
    case EventKind.DECREMENTED: {
      const open = { newQuantity: at(F.NEW_QUANTITY), leaves: at(F.LEAVES), rested: at(F.RESTED) };
      const value = {
        ...order,
        ...open,
        price: at(F.PRICE),
        quantity: at(F.QUANTITY),
        shown: at(F.SHOWN),
      };
      return { $case: "decremented", value };
    }
  }
}

/** A `TERMS` entry of the buffer. */
export function encodeTerms(at: FieldAt, name: NameIndex): OrderTerms {
  const account = at(F.FOR_ACCOUNT);
  return {
    displayQuantity: at(F.DISPLAY_QUANTITY),
    minQuantity: at(F.MIN_QUANTITY),
    peg: at(F.PEG) as Peg,
    triggerPrice: at(F.TRIGGER_PRICE),
    offset: at(F.OFFSET),
    expiryUs: at(F.EXPIRY),
    hidden: at(F.HIDDEN) === 1,
    allOrNone: at(F.ALL_OR_NONE) === 1,
    postOnly: at(F.POST_ONLY) as PostOnly,
    selfTrade: at(F.SELF_TRADE) as SelfTrade,
    partnerOrderId: at(F.PARTNER),
    account: account === OWN_ACCOUNT ? undefined : name(account),
  };
}
