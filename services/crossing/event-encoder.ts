import { EVENT_WIDTH, type EventBuffer, EventField as F, EventKind } from "../../engine/index.ts";
import type { Event, Replaced, Trade } from "../../proto/generated/evercross/v1/event.ts";
import type {
  CancelReason,
  OrderType,
  RejectReason,
  Side,
  TimeInForce,
} from "../../proto/generated/evercross/v1/types.ts";

type FieldAt = (field: number) => number;

/** Tells what number stands for an account: its session's index in the batch. */
export type SessionIndex = (account: number) => number;

/** One event of the buffer as a message. Enumerations have the same numbers on both sides; a test sees to that. */
export function encodeEvent(buffer: EventBuffer, index: number, session: SessionIndex): Event {
  const values = buffer.values;
  const base = index * EVENT_WIDTH;
  const at: FieldAt = (field) => values[base + field] as number;
  switch (at(F.KIND) as EventKind) {
    case EventKind.ACCEPTED:
      return {
        kind: {
          $case: "accepted",
          value: {
            orderId: at(F.ORDER_ID),
            clientOrderId: at(F.CLIENT_ORDER_ID),
            side: at(F.SIDE) as Side,
            type: at(F.TYPE) as OrderType,
            timeInForce: at(F.TIME_IN_FORCE) as TimeInForce,
            price: at(F.PRICE),
            quantity: at(F.QUANTITY),
            resting: at(F.RESTING),
          },
        },
      };
    case EventKind.REJECTED: {
      const value = { clientOrderId: at(F.CLIENT_ORDER_ID), reason: at(F.REASON) as RejectReason };
      return { kind: { $case: "rejected", value } };
    }
    case EventKind.TRADE:
      return { kind: { $case: "trade", value: trade(at, session) } };
    case EventKind.CANCELLED:
      return {
        kind: {
          $case: "cancelled",
          value: {
            orderId: at(F.ORDER_ID),
            session: session(at(F.ACCOUNT)),
            clientOrderId: at(F.CLIENT_ORDER_ID),
            side: at(F.SIDE) as Side,
            price: at(F.PRICE),
            quantity: at(F.QUANTITY),
            rested: at(F.RESTED),
            reason: at(F.REASON) as CancelReason,
          },
        },
      };
    case EventKind.REPLACED:
      return { kind: { $case: "replaced", value: replaced(at) } };
    case EventKind.MASS_CANCELLED: {
      const value = { cancelled: at(F.CANCELLED), remaining: at(F.REMAINING) };
      return { kind: { $case: "massCancelled", value } };
    }
  }
}

function trade(at: FieldAt, session: SessionIndex): Trade {
  return {
    price: at(F.PRICE),
    quantity: at(F.QUANTITY),
    takerSide: at(F.SIDE) as Side,
    takerOrderId: at(F.ORDER_ID),
    takerClientOrderId: at(F.CLIENT_ORDER_ID),
    takerLeaves: at(F.LEAVES),
    makerOrderId: at(F.MAKER_ORDER_ID),
    makerSession: session(at(F.MAKER_ACCOUNT)),
    makerClientOrderId: at(F.MAKER_CLIENT_ORDER_ID),
    makerLeaves: at(F.MAKER_LEAVES),
  };
}

function replaced(at: FieldAt): Replaced {
  return {
    orderId: at(F.ORDER_ID),
    clientOrderId: at(F.CLIENT_ORDER_ID),
    side: at(F.SIDE) as Side,
    oldPrice: at(F.OLD_PRICE),
    oldLeaves: at(F.OLD_LEAVES),
    price: at(F.PRICE),
    quantity: at(F.QUANTITY),
    leaves: at(F.LEAVES),
    resting: at(F.RESTING),
    priorityKept: at(F.PRIORITY_KEPT) === 1,
  };
}
