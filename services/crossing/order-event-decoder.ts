import { type EventBuffer, OWN_ACCOUNT } from "../../engine/index.ts";
import type { Event, OrderTerms } from "../../proto/generated/evercross/v1/event.ts";
import type { AccountOf } from "./event-decoder.ts";

type Kind = NonNullable<Event["kind"]>;
type OrderEvent = Extract<Kind, { $case: "entered" | "refreshed" | "triggerMoved" | "decremented" }>;
type BookEvent = Extract<
  Kind,
  { $case: "phase" | "uncross" | "indicative" | "position" | "blocked" | "reference" }
>;

/** What happens to one order of the session `owner` without its asking. */
export function appendOrderEvent(
  kind: OrderEvent,
  sequence: number,
  owner: number,
  buffer: EventBuffer,
): void {
  const { orderId, clientOrderId, side, reason } = kind.value;
  switch (kind.$case) {
    case "entered": {
      const { type, price, quantity, leaves, resting, shown } = kind.value;
      buffer.entered(
        sequence,
        owner,
        orderId,
        clientOrderId,
        side,
        type,
        price,
        quantity,
        leaves,
        resting,
        shown,
        reason,
      );
      return;
    }
    case "refreshed": {
      const { price, quantity, leaves, shown } = kind.value;
      buffer.refreshed(sequence, owner, orderId, clientOrderId, side, price, quantity, leaves, shown, reason);
      return;
    }
    case "triggerMoved":
      buffer.triggerMoved(sequence, owner, orderId, clientOrderId, side, kind.value.triggerPrice, reason);
      return;
    case "decremented": {
      const { price, quantity, newQuantity, leaves, rested, shown } = kind.value;
      buffer.decremented(
        sequence,
        owner,
        orderId,
        clientOrderId,
        side,
        price,
        quantity,
        newQuantity,
        leaves,
        rested,
        shown,
        reason,
      );
      return;
    }
  }
}

/** What happens to the book or to an account. */
export function appendBookEvent(
  kind: BookEvent,
  sequence: number,
  accountOf: AccountOf,
  buffer: EventBuffer,
): void {
  switch (kind.$case) {
    case "phase": {
      const { phase, untilUs, referencePrice, reason } = kind.value;
      buffer.phase(sequence, phase, untilUs, referencePrice, reason);
      return;
    }
    case "uncross": {
      const { price, volume, imbalance, imbalanceSide, nextPhase, untilUs, reason } = kind.value;
      buffer.uncross(sequence, imbalanceSide, price, volume, imbalance, nextPhase, untilUs, reason);
      return;
    }
    case "indicative": {
      const { price, volume, imbalance, imbalanceSide } = kind.value;
      buffer.indicative(sequence, imbalanceSide, price, volume, imbalance);
      return;
    }
    case "position": {
      const { account, position, cash } = kind.value;
      buffer.position(sequence, accountOf(account), position, cash);
      return;
    }
    case "blocked": {
      const { account, blocked, reason } = kind.value;
      buffer.blocked(sequence, accountOf(account), blocked ? 1 : 0, reason);
      return;
    }
    case "reference":
      buffer.reference(sequence, kind.value.price, kind.value.reason);
  }
}

/** The `TERMS` entry that stands before an `ACCEPTED`. */
export function appendTerms(
  t: OrderTerms,
  sequence: number,
  session: number,
  accountOf: AccountOf,
  buffer: EventBuffer,
): void {
  buffer.terms(
    sequence,
    session,
    t.displayQuantity,
    t.minQuantity,
    t.peg,
    t.triggerPrice,
    t.offset,
    t.expiryUs,
    t.hidden ? 1 : 0,
    t.allOrNone ? 1 : 0,
    t.postOnly,
    t.selfTrade,
    t.partnerOrderId,
    t.account === undefined ? OWN_ACCOUNT : accountOf(t.account),
  );
}
