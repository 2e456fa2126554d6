import type { EventBuffer } from "../../engine/index.ts";
import type {
  Accepted,
  Cancelled,
  Event,
  Replaced,
  Trade,
} from "../../proto/generated/evercross/v1/event.ts";
import { NO_SESSION } from "./event-encoder.ts";
import { appendBookEvent, appendOrderEvent, appendTerms } from "./order-event-decoder.ts";

/** Turns an index into the batch's names into a handle. */
export type AccountOf = (index: number) => number;

/**
 * The inverse of `encodeEvents`: appends the event to the buffer, in front of it its further terms if it has any.
 * `session` is the handle of the step's session, or `NO_SESSION`. Throws on what no version of the engine writes.
 */
export function decodeEvent(
  event: Event,
  sequence: number,
  session: number,
  accountOf: AccountOf,
  buffer: EventBuffer,
): void {
  const kind = event.kind;
  if (kind === undefined) throw new Error(`event ${sequence} has a kind that this version does not know`);
  switch (kind.$case) {
    case "accepted":
      return appendAccepted(kind.value, sequence, sessionOf(session, sequence), accountOf, buffer);
    case "rejected": {
      const { clientOrderId, reason } = kind.value;
      buffer.rejected(sequence, sessionOf(session, sequence), clientOrderId, reason);
      return;
    }
    case "trade": {
      const { takerSession } = kind.value;
      const taker = takerSession === undefined ? sessionOf(session, sequence) : accountOf(takerSession);
      return appendTrade(kind.value, sequence, taker, accountOf(kind.value.makerSession), buffer);
    }
    case "cancelled":
      return appendCancelled(kind.value, sequence, accountOf(kind.value.session), buffer);
    case "replaced":
      return appendReplaced(kind.value, sequence, sessionOf(session, sequence), buffer);
    case "massCancelled": {
      const { cancelled, remaining, reason } = kind.value;
      buffer.massCancelled(sequence, sessionOf(session, sequence), cancelled, remaining, reason);
      return;
    }
    case "entered":
    case "refreshed":
    case "triggerMoved":
    case "decremented":
      return appendOrderEvent(kind, sequence, accountOf(kind.value.session), buffer);
    default:
      return appendBookEvent(kind, sequence, accountOf, buffer);
  }
}

function sessionOf(session: number, sequence: number): number {
  if (session === NO_SESSION) throw new Error(`event ${sequence} is a session's, but its step has none`);
  return session;
}

function appendAccepted(
  a: Accepted,
  sequence: number,
  session: number,
  accountOf: AccountOf,
  buffer: EventBuffer,
): void {
  if (a.terms !== undefined) appendTerms(a.terms, sequence, session, accountOf, buffer);
  buffer.accepted(
    sequence,
    session,
    a.orderId,
    a.clientOrderId,
    a.side,
    a.type,
    a.timeInForce,
    a.price,
    a.quantity,
    a.resting,
    a.shown,
    a.reason,
  );
}

function appendTrade(t: Trade, sequence: number, taker: number, maker: number, buffer: EventBuffer): void {
  buffer.trade(
    sequence,
    t.price,
    t.quantity,
    t.takerSide,
    taker,
    t.takerOrderId,
    t.takerClientOrderId,
    t.takerLeaves,
    t.takerShown,
    maker,
    t.makerOrderId,
    t.makerClientOrderId,
    t.makerLeaves,
    t.makerShown,
    t.reason,
  );
}

function appendCancelled(c: Cancelled, sequence: number, owner: number, buffer: EventBuffer): void {
  buffer.cancelled(
    sequence,
    owner,
    c.orderId,
    c.clientOrderId,
    c.side,
    c.price,
    c.quantity,
    c.rested,
    c.shown,
    c.reason,
  );
}

function appendReplaced(r: Replaced, sequence: number, session: number, buffer: EventBuffer): void {
  buffer.replaced(
    sequence,
    session,
    r.orderId,
    r.clientOrderId,
    r.side,
    r.oldPrice,
    r.oldLeaves,
    r.oldShown,
    r.price,
    r.quantity,
    r.leaves,
    r.resting,
    r.shown,
    r.priorityKept ? 1 : 0,
    r.reason,
  );
}
