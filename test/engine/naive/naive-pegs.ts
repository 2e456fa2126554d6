import { OrderType, Peg, Phase, Side } from "../../../engine/codes.ts";
import { INTEGER_MAX } from "../../../engine/limits.ts";
import type { NaiveMarket, Touch } from "./naive-market.ts";
import { byPriority, type NaiveOrder } from "./naive-order.ts";
import { oneTickWorse } from "./naive-price.ts";

export function pegged(market: NaiveMarket): NaiveOrder[] {
  return market.orders.filter((order) => order.type === OrderType.PEGGED).sort(byPriority);
}

/** What the order's price is made of, undefined: a side that it needs is empty. */
function followed({ peg, side }: NaiveOrder, { bid, ask }: Touch): number | undefined {
  const isBuy = side === Side.BUY;
  if (peg === Peg.MIDPOINT) return bid === 0 || ask === 0 ? undefined : bid + Math.floor((ask - bid) / 2);
  const price = (peg === Peg.PRIMARY) === isBuy ? bid : ask;
  return price === 0 ? undefined : price;
}

/** RULES.md 1.5; 0: dormant. */
export function effectivePrice(market: NaiveMarket, order: NaiveOrder, touch: Touch): number {
  const price = followed(order, touch);
  if (price === undefined) return 0;
  const other = order.side === Side.BUY ? touch.ask : touch.bid;
  const worse = order.side === Side.BUY ? Math.min : Math.max;
  let effective = price + order.offset;
  if (order.price !== 0) effective = worse(effective, order.price);
  if (other !== 0) effective = worse(effective, oneTickWorse(market.instrument, order.side, other));
  return effective >= 1 && effective <= INTEGER_MAX ? effective : 0;
}

/** In continuous trading, when a pegged order enters. */
export function takeEffectivePrice(market: NaiveMarket, order: NaiveOrder): void {
  const touch = market.touch();
  if (pegged(market).length === 1) market.pegTouch = touch;
  order.effective = effectivePrice(market, order, touch);
}

export function isMoveDue(market: NaiveMarket): boolean {
  if (market.phase !== Phase.CONTINUOUS || pegged(market).length === 0) return false;
  const { bid, ask } = market.touch();
  return market.pegTouch?.bid !== bid || market.pegTouch.ask !== ask;
}
