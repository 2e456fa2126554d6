import { EVENT_WIDTH, type EventBuffer, EventField as F, EventKind } from "../../engine/index.ts";
import type { Event, Replaced, Trade } from "../../proto/generated/evercross/v1/event.ts";
import type {
  CancelReason,
  EventReason,
  OrderType,
  Phase,
  RejectReason,
  Side,
  TimeInForce,
} from "../../proto/generated/evercross/v1/types.ts";
import { encodeOrderEvent, encodeTerms } from "./order-event-encoder.ts";

/** A field of the event at hand. */
export type FieldAt = (field: number) => number;

/** Tells what number stands for a session or an account: its name's index in the batch. */
export type NameIndex = (account: number) => number;

/** In place of a step's session: the step has none. */
export const NO_SESSION = -1;

/**
 * The events at `[from, to)` of the buffer as messages; further terms stand within their `Accepted`. `session` is the
 * step's, or `NO_SESSION`. Enumerations have the same numbers on both sides; a test sees to that.
 */
export function encodeEvents(
  buffer: EventBuffer,
  from: number,
  to: number,
  session: number,
  name: NameIndex,
): Event[] {
  const { values } = buffer;
  const events: Event[] = [];
  for (let index = from; index < to; index++) {
    const base = index * EVENT_WIDTH;
    const at: FieldAt = (field) => values[base + field] as number;
    if (at(F.KIND) !== EventKind.TERMS) {
      events.push({ kind: kindOf(at, session, name) });
      continue;
    }
    index += 1;
    const value = accepted((field) => values[base + EVENT_WIDTH + field] as number);
    events.push({ kind: { $case: "accepted", value: { ...value, terms: encodeTerms(at, name) } } });
  }
  return events;
}

function kindOf(at: FieldAt, session: number, name: NameIndex): Event["kind"] {
  const kind = at(F.KIND) as EventKind;
  switch (kind) {
    case EventKind.ACCEPTED:
      return { $case: "accepted", value: accepted(at) };
    case EventKind.REJECTED: {
      const value = { clientOrderId: at(F.CLIENT_ORDER_ID), reason: at(F.REASON) as RejectReason };
      return { $case: "rejected", value };
    }
    case EventKind.TRADE:
      return { $case: "trade", value: trade(at, session, name) };
    case EventKind.CANCELLED:
      return {
        $case: "cancelled",
        value: {
          orderId: at(F.ORDER_ID),
          session: name(at(F.ACCOUNT)),
          clientOrderId: at(F.CLIENT_ORDER_ID),
          side: at(F.SIDE) as Side,
          price: at(F.PRICE),
          quantity: at(F.QUANTITY),
          rested: at(F.RESTED),
          reason: at(F.REASON) as CancelReason,
          shown: at(F.SHOWN),
        },
      };
    case EventKind.REPLACED:
      return { $case: "replaced", value: replaced(at) };
    case EventKind.MASS_CANCELLED: {
      const reason = at(F.REASON) as EventReason;
      return {
        $case: "massCancelled",
        value: { cancelled: at(F.CANCELLED), remaining: at(F.REMAINING), reason },
      };
    }
    case EventKind.ENTERED:
    case EventKind.REFRESHED:
    case EventKind.TRIGGER_MOVED:
    case EventKind.DECREMENTED:
      return encodeOrderEvent(kind, at, name);
    case EventKind.TERMS:
      throw new Error("terms stand without the order that has them");
    default:
      return bookEvent(kind, at, name);
  }
}

type BookEventKind =
  | typeof EventKind.PHASE
  | typeof EventKind.UNCROSS
  | typeof EventKind.INDICATIVE
  | typeof EventKind.POSITION
  | typeof EventKind.BLOCKED
  | typeof EventKind.REFERENCE;

function bookEvent(kind: BookEventKind, at: FieldAt, name: NameIndex): Event["kind"] {
  const reason = at(F.REASON) as EventReason;
  switch (kind) {
    case EventKind.PHASE: {
      const value = {
        phase: at(F.PHASE) as Phase,
        untilUs: at(F.UNTIL),
        referencePrice: at(F.PRICE),
        reason,
      };
      return { $case: "phase", value };
    }
    case EventKind.UNCROSS: {
      const value = { ...auction(at), nextPhase: at(F.PHASE) as Phase, untilUs: at(F.UNTIL), reason };
      return { $case: "uncross", value };
    }
    case EventKind.INDICATIVE:
      return { $case: "indicative", value: auction(at) };
    case EventKind.POSITION: {
      const value = { account: name(at(F.ACCOUNT)), position: at(F.POSITION), cash: at(F.CASH) };
      return { $case: "position", value };
    }
    case EventKind.BLOCKED: {
      const value = { account: name(at(F.ACCOUNT)), blocked: at(F.BLOCKED) === 1, reason };
      return { $case: "blocked", value };
    }
    case EventKind.REFERENCE:
      return { $case: "reference", value: { price: at(F.PRICE), reason } };
  }
}

function accepted(at: FieldAt): Extract<NonNullable<Event["kind"]>, { $case: "accepted" }>["value"] {
  return {
    orderId: at(F.ORDER_ID),
    clientOrderId: at(F.CLIENT_ORDER_ID),
    side: at(F.SIDE) as Side,
    type: at(F.TYPE) as OrderType,
    timeInForce: at(F.TIME_IN_FORCE) as TimeInForce,
    price: at(F.PRICE),
    quantity: at(F.QUANTITY),
    resting: at(F.RESTING),
    shown: at(F.SHOWN),
    reason: at(F.REASON) as EventReason,
    terms: undefined,
  };
}

function trade(at: FieldAt, session: number, name: NameIndex): Trade {
  const taker = at(F.ACCOUNT);
  return {
    price: at(F.PRICE),
    quantity: at(F.QUANTITY),
    takerSide: at(F.SIDE) as Side,
    takerOrderId: at(F.ORDER_ID),
    takerClientOrderId: at(F.CLIENT_ORDER_ID),
    takerLeaves: at(F.LEAVES),
    makerOrderId: at(F.MAKER_ORDER_ID),
    makerSession: name(at(F.MAKER_ACCOUNT)),
    makerClientOrderId: at(F.MAKER_CLIENT_ORDER_ID),
    makerLeaves: at(F.MAKER_LEAVES),
    takerSession: taker === session ? undefined : name(taker),
    takerShown: at(F.TAKER_SHOWN),
    makerShown: at(F.MAKER_SHOWN),
    reason: at(F.REASON) as EventReason,
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
    shown: at(F.NEW_SHOWN),
    oldShown: at(F.OLD_SHOWN),
    reason: at(F.REASON) as EventReason,
  };
}

/** What an auction gives, or would. */
function auction(at: FieldAt): { price: number; volume: number; imbalance: number; imbalanceSide: Side } {
  return {
    price: at(F.PRICE),
    volume: at(F.QUANTITY),
    imbalance: at(F.IMBALANCE),
    imbalanceSide: at(F.SIDE) as Side,
  };
}
