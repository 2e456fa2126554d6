import type { EventBuffer } from "../../engine/index.ts";
import type { Event, Replaced, Trade } from "../../proto/generated/evercross/v1/event.ts";

/**
 * The inverse of `encodeEvent` of event-encoder: appends the event to the buffer. `account` is the step's session; `accountOf` turns the
 * batch's session index into an account.
 */
export function decodeEvent(
  event: Event,
  sequence: number,
  account: number,
  accountOf: (session: number) => number,
  buffer: EventBuffer,
): void {
  const kind = event.kind;
  switch (kind?.$case) {
    case "accepted": {
      const { orderId, clientOrderId, side, type, timeInForce, price, quantity, resting } = kind.value;
      buffer.accepted(
        sequence,
        account,
        orderId,
        clientOrderId,
        side,
        type,
        timeInForce,
        price,
        quantity,
        resting,
      );
      break;
    }
    case "rejected":
      buffer.rejected(sequence, account, kind.value.clientOrderId, kind.value.reason);
      break;
    case "trade":
      appendTrade(kind.value, sequence, account, accountOf(kind.value.makerSession), buffer);
      break;
    case "cancelled": {
      const c = kind.value;
      const owner = accountOf(c.session);
      const { orderId, clientOrderId, side, price, quantity, rested, reason } = c;
      buffer.cancelled(sequence, owner, orderId, clientOrderId, side, price, quantity, rested, reason);
      break;
    }
    case "replaced":
      appendReplaced(kind.value, sequence, account, buffer);
      break;
    case "massCancelled":
      buffer.massCancelled(sequence, account, kind.value.cancelled, kind.value.remaining);
      break;
    case undefined:
      throw new Error(`event ${sequence} has a kind that this version does not know`);
  }
}

function appendTrade(t: Trade, sequence: number, account: number, maker: number, buffer: EventBuffer): void {
  buffer.trade(
    sequence,
    t.price,
    t.quantity,
    t.takerSide,
    account,
    t.takerOrderId,
    t.takerClientOrderId,
    t.takerLeaves,
    maker,
    t.makerOrderId,
    t.makerClientOrderId,
    t.makerLeaves,
  );
}

function appendReplaced(r: Replaced, sequence: number, account: number, buffer: EventBuffer): void {
  buffer.replaced(
    sequence,
    account,
    r.orderId,
    r.clientOrderId,
    r.side,
    r.oldPrice,
    r.oldLeaves,
    r.price,
    r.quantity,
    r.leaves,
    r.resting,
    r.priorityKept,
  );
}
