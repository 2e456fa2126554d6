import { PostOnly, Side } from "../../../engine/codes.ts";
import { type Instrument, tickAt } from "../../../engine/instrument.ts";
import { opposing } from "./naive-crossing.ts";
import type { NaiveMarket } from "./naive-market.ts";
import { comparePrices, restingPrice } from "./naive-order.ts";

/** Where each tick begins, from below. */
function bands({ tick, tickBands = [] }: Instrument): { from: number; tick: number }[] {
  return [{ from: 0, tick }, ...tickBands];
}

/** Highest price on the tick at or below this one; 0 or less: none. */
export function onTickBelow(instrument: Instrument, price: number): number {
  const all = bands(instrument);
  const prices = all.map(({ from, tick }, index) => {
    const top = Math.min(price, (all[index + 1]?.from ?? Infinity) - 1);
    const found = Math.floor(top / tick) * tick;
    return found >= from ? found : 0;
  });
  return Math.max(...prices);
}

/** Lowest price on the tick at or above this one; above `priceMax`: none. */
export function onTickAbove(instrument: Instrument, price: number): number {
  const all = bands(instrument);
  const prices = all.map(({ from, tick }, index) => {
    const found = Math.ceil(Math.max(price, from) / tick) * tick;
    return found < (all[index + 1]?.from ?? Infinity) ? found : Infinity;
  });
  return Math.min(...prices);
}

/** One tick worse than a price, in the eyes of an owner on this side. */
export function oneTickWorse(instrument: Instrument, side: Side, price: number): number {
  return side === Side.BUY ? price - tickAt(instrument, price) : price + tickAt(instrument, price);
}

/** The price that a post-only order gets in continuous trading, 0: it would take. RULES.md 1.8. */
export function postOnlyPrice(market: NaiveMarket, side: Side, postOnly: number, price: number): number {
  const best = opposing(market, side, price)
    .filter((order) => !order.allOrNone)
    .map(restingPrice)
    .sort((one, other) => comparePrices(side, other, one))[0];
  if (best === undefined) return price;
  if (postOnly === PostOnly.REJECT) return 0;
  const worse = oneTickWorse(market.instrument, side, best);
  const found =
    side === Side.BUY ? onTickBelow(market.instrument, worse) : onTickAbove(market.instrument, worse);
  return found >= 1 && found <= market.instrument.priceMax ? found : 0;
}
