import { OrderType, Side, TimeInForce } from "../../../engine/codes.ts";
import { isWaitingType } from "../../../engine/entry-check.ts";
import type { LiveOrder } from "../../../engine/live-order.ts";
import { OWN_ACCOUNT } from "../../../engine/order-entry.ts";

/** RULES.md 1.4, in the order in which a book lists them. */
export const PLACES = ["BOOK", "HIDDEN", "PEGGED", "ALL_OR_NONE", "WAITING", "AUCTION"] as const;
export type Place = (typeof PLACES)[number];

/** A live order that can be written to, and what the rules remember of it besides. */
export type NaiveOrder = { -readonly [Field in keyof LiveOrder]: LiveOrder[Field] } & {
  /** It trades just now and is in no place. */
  isIncoming: boolean;
  /** A pegged order whose turn it is in a move. */
  isMoving: boolean;
  /** Of a pegged order: the price that it took at its last move, 0: dormant. */
  effective: number;
};

export function placeOf(order: LiveOrder): Place {
  if (isWaitingType(order.type)) return "WAITING";
  if (order.timeInForce === TimeInForce.AT_THE_OPEN || order.timeInForce === TimeInForce.AT_THE_CLOSE) {
    return "AUCTION";
  }
  if (order.type === OrderType.PEGGED) return "PEGGED";
  if (order.allOrNone) return "ALL_OR_NONE";
  return order.hidden ? "HIDDEN" : "BOOK";
}

/** The account that the order is for. */
export function ownerOf(order: LiveOrder): number {
  return order.forAccount === OWN_ACCOUNT ? order.account : order.forAccount;
}

/** The price at which it rests; 0 of a dormant one. */
export function restingPrice(order: NaiveOrder): number {
  return order.type === OrderType.PEGGED ? order.effective : order.price;
}

/** Whether `limit`, 0 being none, lets an order of this side trade at `price`. */
export function allows(side: Side, limit: number, price: number): boolean {
  if (limit === 0) return true;
  return side === Side.BUY ? price <= limit : price >= limit;
}

/** Negative when the first price is the better one for others: higher of a buy, lower of a sell. */
export function comparePrices(side: Side, one: number, other: number): number {
  return side === Side.BUY ? other - one : one - other;
}

/** Orders of one side by price, market orders first, then by priority. */
export function byPrice(one: NaiveOrder, other: NaiveOrder): number {
  const markets = Number(other.type === OrderType.MARKET) - Number(one.type === OrderType.MARKET);
  return markets || comparePrices(one.side, one.price, other.price) || one.priority - other.priority;
}

export function byPriority(one: NaiveOrder, other: NaiveOrder): number {
  return one.priority - other.priority;
}

export function byOrderId(one: NaiveOrder, other: NaiveOrder): number {
  return one.orderId - other.orderId;
}

/** In the order in which a book lists its orders. */
export function listed(orders: readonly NaiveOrder[]): LiveOrder[] {
  return orders
    .map((order) => ({ order, place: placeOf(order) }))
    .sort((one, other) => {
      const places = PLACES.indexOf(one.place) - PLACES.indexOf(other.place);
      const inLine = one.place === "PEGGED" || one.place === "WAITING" ? byPriority : byPrice;
      return places || one.order.side - other.order.side || inLine(one.order, other.order);
    })
    .map(
      ({ order: { isIncoming: _isIncoming, isMoving: _isMoving, effective: _effective, ...order } }) => order,
    );
}
