import { EventReason, OrderType, Side } from "../../../engine/codes.ts";
import { bringIn } from "./naive-entry.ts";
import type { NaiveMarket } from "./naive-market.ts";
import { byPriority, type NaiveOrder, placeOf } from "./naive-order.ts";

/** Where a trailing stop's trigger price would be if it were set now. */
export function trailed(side: Side, lastPrice: number, offset: number): number {
  return side === Side.BUY ? lastPrice + offset : lastPrice - offset;
}

/** Trailing stops that stand behind the last price, first in line first. */
export function behind(market: NaiveMarket): NaiveOrder[] {
  const { lastPrice } = market;
  if (lastPrice === 0) return [];
  return market.orders
    .filter((order) => {
      if (order.type !== OrderType.TRAILING_STOP) return false;
      const best = trailed(order.side, lastPrice, order.offset);
      return order.side === Side.BUY ? best < order.triggerPrice : best > order.triggerPrice;
    })
    .sort(byPriority);
}

export function moveTrigger(
  market: NaiveMarket,
  order: NaiveOrder,
  price: number,
  reason: EventReason,
): void {
  order.triggerPrice = price;
  order.priority = market.nextEvent;
  market.emitOf(order, "TRIGGER_MOVED", { PRICE: price, REASON: reason });
}

export function moveTrailing(market: NaiveMarket): void {
  for (const order of behind(market)) {
    moveTrigger(market, order, trailed(order.side, market.lastPrice, order.offset), EventReason.TRAILED);
  }
}

/** Whether a rise of the last price triggers it, not a fall. */
function isRising({ type, side }: NaiveOrder): boolean {
  return (type === OrderType.MARKET_IF_TOUCHED) === (side === Side.SELL);
}

/** The order that the last price triggers next. RULES.md 2.4. */
export function nextTriggered(market: NaiveMarket): NaiveOrder | undefined {
  const { lastPrice } = market;
  if (lastPrice === 0) return undefined;
  const waiting = market.orders.filter((order) => placeOf(order) === "WAITING").sort(byPriority);
  const rising = waiting.filter((order) => isRising(order) && order.triggerPrice <= lastPrice);
  const falling = waiting.filter((order) => !isRising(order) && order.triggerPrice >= lastPrice);
  rising.sort((one, other) => one.triggerPrice - other.triggerPrice);
  falling.sort((one, other) => other.triggerPrice - one.triggerPrice);
  return rising[0] ?? falling[0];
}

export function trigger(market: NaiveMarket, order: NaiveOrder): void {
  order.type = order.type === OrderType.STOP_LIMIT ? OrderType.LIMIT : OrderType.MARKET;
  order.triggerPrice = 0;
  order.offset = 0;
  order.priority = market.nextEvent;
  market.takeOut(order);
  const entered = tellEntered(market, order, order.price, EventReason.TRIGGERED);
  market.endPartner(order);
  bringIn(market, order, entered);
}

/** Says that an order that waited, or rested unseen, comes to trade up to `price`. */
export function tellEntered(
  market: NaiveMarket,
  order: NaiveOrder,
  price: number,
  reason: EventReason,
): ReturnType<NaiveMarket["emit"]> {
  return market.emitOf(order, "ENTERED", {
    PRICE: price,
    QUANTITY: order.quantity,
    TYPE: order.type,
    LEAVES: order.leaves,
    RESTING: 0,
    SHOWN: 0,
    REASON: reason,
  });
}
