import { CancelReason, EventReason, MatchingPolicy, OrderType, type Side } from "../../../engine/codes.ts";
import type { Instrument } from "../../../engine/instrument.ts";
import { REQUEST_FILLS_MAX } from "../../../engine/limits.ts";
import type { NaiveMarket } from "./naive-market.ts";
import { allows, byPriority, comparePrices, type NaiveOrder, placeOf, restingPrice } from "./naive-order.ts";
import { isOfOneGroup, prevent } from "./naive-self-trade.ts";

/** A maker whose turn comes, and the most that it gives then. */
interface Turn {
  readonly maker: NaiveOrder;
  readonly gives: number;
}

/** The other side's orders with which one of this side and limit, 0: any price, could trade. Pegs that are dormant cannot. */
export function opposing(market: NaiveMarket, side: Side, limit: number): NaiveOrder[] {
  return market.orders.filter((order) => {
    const place = placeOf(order);
    const canTrade = place !== "WAITING" && place !== "AUCTION" && !order.isIncoming;
    const price = restingPrice(order);
    return canTrade && order.side !== side && price !== 0 && allows(side, limit, price);
  });
}

/** Up to what it trades, 0: any price. */
export function limitOf(order: NaiveOrder): number {
  return order.type === OrderType.PEGGED ? order.effective : order.price;
}

/** Orders at the best price at which this one would trade. */
export function bestOpposing(market: NaiveMarket, taker: NaiveOrder): NaiveOrder[] {
  const makers = opposing(market, taker.side, limitOf(taker)).filter(
    (maker) => !maker.allOrNone || (maker.leaves <= taker.leaves && !taker.isMoving),
  );
  const [best] = makers.sort((one, other) => comparePrices(one.side, restingPrice(one), restingPrice(other)));
  return best === undefined ? [] : makers.filter((maker) => restingPrice(maker) === restingPrice(best));
}

/** How far from `reference` a width in hundredths of a percent reaches. RULES.md 5.2. */
export function distance(reference: number, width: number): number {
  return Math.floor(reference / 10_000) * width + Math.floor(((reference % 10_000) * width) / 10_000);
}

/** Whether a price is outside of a collar; without a reference, or without a width, none is. */
export function isOutside(price: number, reference: number, width: number): boolean {
  return reference !== 0 && width !== 0 && Math.abs(price - reference) > distance(reference, width);
}

/** Which collar a price is outside of, 0: of none. */
function outsideCollar(market: NaiveMarket, price: number, lastPrice: number): 0 | CancelReason {
  const { staticWidth = 0, dynamicWidth = 0 } = market.instrument.collars ?? {};
  if (isOutside(price, market.referencePrice, staticWidth)) return CancelReason.STATIC_COLLAR;
  return isOutside(price, lastPrice, dynamicWidth) ? CancelReason.DYNAMIC_COLLAR : 0;
}

/** Trades an incoming order with what it meets. Returns why it had to stop, 0 when it met all that it could. */
export function sweep(market: NaiveMarket, taker: NaiveOrder): 0 | CancelReason {
  const { lastPrice, instrument } = market;
  let meetings = instrument.requestFills ?? REQUEST_FILLS_MAX;
  const meet = ({ maker, gives }: Turn): 0 | CancelReason => {
    if (meetings-- === 0) return CancelReason.SWEEP_LIMIT;
    if (isOfOneGroup(market, taker, maker)) {
      prevent(market, taker, maker);
      return 0;
    }
    const price = restingPrice(maker);
    const breach = outsideCollar(market, price, lastPrice);
    if (breach !== 0) return breach;
    market.trade(taker, maker, price, Math.min(taker.leaves, gives), EventReason.FILL);
    return 0;
  };
  for (;;) {
    const makers = bestOpposing(market, taker);
    if (makers.length === 0) return 0;
    for (const round of rounds(market, taker, makers)) {
      for (const turn of round()) {
        if (!market.isLive(taker)) return 0;
        const stop = market.isLive(turn.maker) ? meet(turn) : 0;
        if (stop !== 0) return stop;
      }
    }
    if (!market.isLive(taker)) return 0;
  }
}

/** How much of an incoming order would be executed by a sweep. RULES.md 3.4. */
export function tried(market: NaiveMarket, taker: NaiveOrder): number {
  const copy = market.copy();
  sweep(copy, copy.numbered(taker.orderId) as NaiveOrder);
  return copy.events
    .filter(({ kind }) => kind === "TRADE")
    .reduce((sum, { fields }) => sum + (fields.QUANTITY as number), 0);
}

/** Who trades next of the orders at the best price; the second list is made when the first is done. RULES.md 3.1. */
function rounds(market: NaiveMarket, taker: NaiveOrder, makers: readonly NaiveOrder[]): (() => Turn[])[] {
  const shown = makers.filter((maker) => maker.shown > 0).sort(byPriority);
  const [hidden] = [...makers].sort(byPriority);
  if (shown.length === 0)
    return [() => [{ maker: hidden as NaiveOrder, gives: (hidden as NaiveOrder).leaves }]];
  const turns = (orders: readonly NaiveOrder[]): Turn[] =>
    orders.map((maker) => ({ maker, gives: maker.shown }));
  switch (market.instrument.policy ?? MatchingPolicy.PRICE_TIME) {
    case MatchingPolicy.PRICE_TIME:
      return [() => turns(shown.slice(0, 1))];
    case MatchingPolicy.PRICE_SIZE_TIME:
      return [() => turns(shown.sort((one, other) => other.shown - one.shown || byPriority(one, other)))];
    case MatchingPolicy.PRO_RATA: {
      const own = shown.filter((maker) => isOfOneGroup(market, taker, maker));
      const others = (): NaiveOrder[] =>
        shown.filter((maker) => market.isLive(maker) && !own.includes(maker));
      return [() => turns(own), () => shares(market.instrument, taker.leaves, others())];
    }
  }
}

/** Splits an open quantity among orders that are given by priority. */
function shares({ lot }: Instrument, open: number, orders: readonly NaiveOrder[]): Turn[] {
  const all = orders.reduce((sum, order) => sum + order.shown, 0);
  if (open >= all) return orders.map((maker) => ({ maker, gives: maker.shown }));
  const first = orders.map((maker) => {
    const share = (BigInt(open) * BigInt(maker.shown)) / BigInt(all);
    return { maker, gives: Number(share - (share % BigInt(lot))) };
  });
  let left = open - first.reduce((sum, { gives }) => sum + gives, 0);
  const turns = first.map(({ maker, gives }) => {
    const more = Math.min(left, maker.shown - gives);
    left -= more;
    return { maker, gives: gives + more };
  });
  return turns.filter(({ gives }) => gives > 0);
}
