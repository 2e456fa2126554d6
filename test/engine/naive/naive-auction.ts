import { AuctionRule, EventReason, OrderType, Phase, Side, TimeInForce } from "../../../engine/codes.ts";
import { INTEGER_MAX } from "../../../engine/limits.ts";
import type { NaiveMarket } from "./naive-market.ts";
import { allows, comparePrices, type NaiveOrder, placeOf } from "./naive-order.ts";
import { isOfOneGroup, prevent } from "./naive-self-trade.ts";

/** What an auction gives at a price. */
export interface Outcome {
  readonly price: number;
  readonly volume: number;
  /** Demand less supply. */
  readonly surplus: number;
}

function participants(market: NaiveMarket): NaiveOrder[] {
  return market.orders.filter((order) => {
    const place = placeOf(order);
    if (place !== "AUCTION") return place === "BOOK" || place === "HIDDEN";
    return order.timeInForce === TimeInForce.AT_THE_OPEN
      ? market.phase === Phase.OPENING_AUCTION
      : market.phase === Phase.CLOSING_AUCTION;
  });
}

/** A market order counts as the best price that there can be. */
function worth({ side, type, price }: NaiveOrder): number {
  if (type !== OrderType.MARKET) return price;
  return side === Side.BUY ? INTEGER_MAX : 0;
}

/** Orders of a side that trade at this price, first in line first. */
function eligible(market: NaiveMarket, side: Side, price: number): NaiveOrder[] {
  return participants(market)
    .filter((order) => order.side === side && allows(side, order.price, price))
    .sort((one, other) => comparePrices(side, worth(one), worth(other)) || one.priority - other.priority);
}

function outcomeAt(market: NaiveMarket, price: number): Outcome {
  const open = (side: Side): number =>
    eligible(market, side, price).reduce((sum, order) => sum + order.leaves, 0);
  const demand = open(Side.BUY);
  const supply = open(Side.SELL);
  return { price, volume: Math.min(demand, supply), surplus: demand - supply };
}

const size = (outcome: Outcome): number => Math.abs(outcome.surplus);

/** The limits of those who take part; an order that trades at any price has none. */
function limitsOf(market: NaiveMarket, side: Side): number[] {
  return participants(market)
    .filter((order) => order.side === side && order.type !== OrderType.MARKET)
    .map((order) => order.price)
    .filter((price) => side === Side.SELL || price !== INTEGER_MAX);
}

/** The auction's price and what it gives, undefined: none. RULES.md 4.3. */
export function auctionOutcome(market: NaiveMarket): Outcome | undefined {
  const { tick, auctionRule = AuctionRule.XETRA } = market.instrument;
  const reference = Math.floor((market.lastPrice || market.referencePrice) / tick) * tick;
  const rule = reference === 0 ? AuctionRule.SHANGHAI : auctionRule;
  const outcomes = candidates(market, rule, reference).map((price) => outcomeAt(market, price));
  const volume = Math.max(0, ...outcomes.map((outcome) => outcome.volume));
  if (volume === 0) return undefined;
  const most = outcomes.filter((outcome) => outcome.volume === volume);
  const least = Math.min(...most.map(size));
  const left = most.filter((outcome) => size(outcome) === least);
  const price =
    rule === AuctionRule.NASDAQ
      ? nearest(entered(market, left), reference)
      : rule === AuctionRule.XETRA
        ? nearest(extremes(left).toReversed(), reference)
        : middle(extremes(left), tick);
  return outcomeAt(market, price);
}

/** Prices at which the auction could be, ascending. Of all on the tick those next to a limit and the reference suffice. */
function candidates(market: NaiveMarket, rule: AuctionRule, reference: number): number[] {
  const { tick } = market.instrument;
  const limits = [...limitsOf(market, Side.BUY), ...limitsOf(market, Side.SELL)];
  const all =
    rule === AuctionRule.NASDAQ
      ? [...limits.flatMap((price) => [price - tick, price, price + tick]), tick, reference]
      : limits;
  const prices = limits.length === 0 ? [reference] : all.filter((price) => price <= INTEGER_MAX);
  return [...new Set(prices)].filter((price) => price > 0).sort((one, other) => one - other);
}

/** Where demand exceeds supply only the highest, where supply exceeds demand only the lowest. */
function extremes(left: readonly Outcome[]): number[] {
  const prices = (isOne: (surplus: number) => boolean): number[] =>
    left.filter(({ surplus }) => isOne(surplus)).map(({ price }) => price);
  const demand = prices((surplus) => surplus > 0).slice(-1);
  const supply = prices((surplus) => surplus < 0).slice(0, 1);
  return [...demand, ...prices((surplus) => surplus === 0), ...supply];
}

/** Of the lowest and the highest, rounded down to the tick. */
function middle(prices: readonly number[], tick: number): number {
  const lowest = Math.min(...prices);
  return Math.floor((lowest + Math.floor((Math.max(...prices) - lowest) / 2)) / tick) * tick;
}

/** Limits of the side of which something remains; when there are none, all that are left. */
function entered(market: NaiveMarket, left: readonly Outcome[]): number[] {
  const isEntered = ({ price, surplus }: Outcome): boolean =>
    surplus !== 0 && limitsOf(market, surplus > 0 ? Side.BUY : Side.SELL).includes(price);
  const some = left.filter(isEntered);
  return (some.length > 0 ? some : left).map(({ price }) => price);
}

/** Of two that are equally near, the first. */
function nearest(prices: readonly number[], reference: number): number {
  const away = prices.map((price) => Math.abs(price - reference));
  return prices[away.indexOf(Math.min(...away))] as number;
}

/** The next two that meet in the uncross under way. */
export function nextPair(market: NaiveMarket): { buy: NaiveOrder; sell: NaiveOrder } | undefined {
  const { uncross } = market;
  if (uncross === undefined || uncross.volume === 0) return undefined;
  const [buy] = eligible(market, Side.BUY, uncross.price);
  const [sell] = eligible(market, Side.SELL, uncross.price);
  return buy === undefined || sell === undefined ? undefined : { buy, sell };
}

/** The next two meet. RULES.md 4.4. */
export function pair(market: NaiveMarket, { buy, sell }: { buy: NaiveOrder; sell: NaiveOrder }): void {
  const { uncross } = market;
  if (uncross === undefined) return;
  const quantity = Math.min(buy.leaves, sell.leaves, uncross.volume);
  if (isOfOneGroup(market, buy, sell)) {
    market.uncross = { ...uncross, volume: uncross.volume - quantity };
    return buy.priority > sell.priority ? prevent(market, buy, sell) : prevent(market, sell, buy);
  }
  market.uncross = { ...uncross, volume: uncross.volume - quantity };
  market.trade(buy, sell, uncross.price, quantity, EventReason.AUCTION_FILL);
}
