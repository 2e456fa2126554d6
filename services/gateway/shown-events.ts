import type { ShownBook } from "../../engine/index.ts";
import type { Event } from "../../proto/generated/evercross/v1/event.ts";
import { EventReason, type Side } from "../../proto/generated/evercross/v1/types.ts";

export type MarketSide = Exclude<Side, typeof Side.UNSPECIFIED>;

/** Tells a follower of the displayed book of one event, whatever it is. */
export function followShown(book: ShownBook, event: number, kind: Event["kind"]): void {
  switch (kind?.$case) {
    case "accepted":
    case "entered":
    case "refreshed": {
      const { orderId, side, price, shown } = kind.value;
      return book.shows(event, orderId, side as MarketSide, price, shown);
    }
    case "cancelled":
    case "decremented": {
      const { orderId, side, price, shown } = kind.value;
      return book.hides(orderId, side as MarketSide, price, shown);
    }
    case "trade": {
      const { takerSide, price, takerOrderId, takerShown, makerOrderId, makerShown, reason } = kind.value;
      const side = takerSide as MarketSide;
      const auction = reason === EventReason.AUCTION_FILL;
      return book.traded(side, price, takerOrderId, takerShown, makerOrderId, makerShown, auction);
    }
    case "replaced": {
      const { orderId, oldPrice, oldShown, price, shown, priorityKept } = kind.value;
      const side = kind.value.side as MarketSide;
      return book.replaced(event, orderId, side, oldPrice, oldShown, price, shown, priorityKept);
    }
    default:
  }
}
