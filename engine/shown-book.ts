import type { Side } from "./codes.ts";
import { EventReason } from "./codes.ts";
import { EventField, EventKind } from "./event-fields.ts";

// Of this file, so that the compiler can fold them.
const { ACCEPTED, CANCELLED, DECREMENTED, ENTERED, REFRESHED, REPLACED, TRADE } = EventKind;
const F = EventField;

/**
 * What rebuilds, from a symbol's events and nothing else, what its book shows. To be told of each event of these kinds,
 * in their order and whatever the quantities are (0: nothing shown changes); it is right after each whole request.
 * All other kinds change nothing that is shown. A method throws `InvariantError` when the event takes more than is
 * shown.
 */
export interface ShownBook {
  /** `ACCEPTED`, `ENTERED`, `REFRESHED`: `shown` (SHOWN) at `price` (PRICE), at the end of its line. */
  shows(event: number, orderId: number, side: Side, price: number, shown: number): void;
  /** `CANCELLED`, `DECREMENTED`: what is shown no more (SHOWN). */
  hides(orderId: number, side: Side, price: number, shown: number): void;
  /**
   * `TRADE`: `price` is what was paid, `makerShown` (MAKER_SHOWN) went from the order of the side opposite to
   * `takerSide`; with an auction's trade (`isAuction`: REASON is `AUCTION_FILL`) `takerShown` from the taker's too.
   */
  traded(
    takerSide: Side,
    price: number,
    takerOrderId: number,
    takerShown: number,
    makerOrderId: number,
    makerShown: number,
    isAuction: boolean,
  ): void;
  /** `REPLACED`: OLD_SHOWN went from OLD_PRICE, NEW_SHOWN is at PRICE, at the end of its line unless its priority is kept. */
  replaced(
    event: number,
    orderId: number,
    side: Side,
    oldPrice: number,
    oldShown: number,
    price: number,
    shown: number,
    isPriorityKept: boolean,
  ): void;
}

/** Tells the book of the event at `base` of `EventBuffer.values`, of whatever kind it is. */
export function followShown(book: ShownBook, values: Float64Array, base: number): void {
  const event = values[base + F.SEQUENCE]!;
  const orderId = values[base + F.ORDER_ID]!;
  const side = values[base + F.SIDE]! as Side;
  const price = values[base + F.PRICE]!;
  switch (values[base + F.KIND]!) {
    case ACCEPTED:
    case ENTERED:
    case REFRESHED:
      return book.shows(event, orderId, side, price, values[base + F.SHOWN]!);
    case CANCELLED:
    case DECREMENTED:
      return book.hides(orderId, side, price, values[base + F.SHOWN]!);
    case TRADE:
      return book.traded(
        side,
        price,
        orderId,
        values[base + F.TAKER_SHOWN]!,
        values[base + F.MAKER_ORDER_ID]!,
        values[base + F.MAKER_SHOWN]!,
        values[base + F.REASON] === EventReason.AUCTION_FILL,
      );
    case REPLACED:
      return book.replaced(
        event,
        orderId,
        side,
        values[base + F.OLD_PRICE]!,
        values[base + F.OLD_SHOWN]!,
        price,
        values[base + F.NEW_SHOWN]!,
        values[base + F.PRIORITY_KEPT] === 1,
      );
  }
}
