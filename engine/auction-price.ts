import type { AuctionLevels } from "./auction-levels.ts";
import { AuctionRule, Side } from "./codes.ts";
import { INTEGER_MAX } from "./limits.ts";

/** What an auction gives. All is 0 when it has no price. */
export interface AuctionPrice {
  readonly price: number;
  readonly volume: number;
  /** By how much one side exceeds the other at the price. */
  readonly imbalance: number;
  /** The side that exceeds, 0: neither. */
  readonly side: 0 | Side;
}

const NO_PRICE: AuctionPrice = { price: 0, volume: 0, imbalance: 0, side: 0 };

/** What of the levels decides on the price. A next level that is not there is at -Infinity (buys) or Infinity, with quantity 0. */
interface Meeting {
  readonly volume: number;
  /** The last buys and sells that trade. Each price from `sell` to `buy` has the most volume, and no other. */
  readonly buy: number;
  readonly sell: number;
  /** What of these is left: of one side at most. */
  readonly buyLeft: number;
  readonly sellLeft: number;
  /** The next level of each side, of which nothing trades; `nextBuy` is below `nextSell`. */
  readonly nextBuy: number;
  readonly nextBuyQuantity: number;
  readonly nextSell: number;
  readonly nextSellQuantity: number;
}

/**
 * The price at which an auction is uncrossed, by the rules of one exchange; RULES.md 4.3.
 *
 *      price   buys   sells
 *       103      50       -        demand at 102: 150, supply: 120 → volume 120, demand exceeds by 30
 *       102     100      40        demand at 101: 160, supply:  80 → volume 80
 *       101      10      80        the price is 102
 *
 * - `SHANGHAI`: Trading Rules of the Shanghai Stock Exchange, chapter 3, execution price of the call auction: the price
 *   of the highest volume, at which all buys above it, all sells below it, and one side at it are executed; of several
 *   the one that leaves the least unexecuted; of several the middle.
 * - `XETRA`: Market Model for the Trading Venue Xetra, price determination in auctions: the limit of the highest volume
 *   and the lowest surplus; with a surplus of demand at all of several the highest, of supply the lowest; with both the
 *   highest of those and the lowest of these, or without any, the limit nearest to the reference price.
 * - `NASDAQ`: Equity 4, Rules 4752(d)(2) and 4754(b)(2): the price of the most shares; then of the least imbalance; then
 *   the entered price at which shares remain unexecuted; then the nearest to the reference, which in those rules is
 *   the middle of bid and ask, here the last price.
 *
 * `tick`: the instrument's smallest. `reference`: last or reference price, 0: none. One pass over the levels that
 * trade; all sums are below 2^53, as the book's sides are.
 */
export function auctionPrice(
  levels: AuctionLevels,
  rule: AuctionRule,
  tick: number,
  reference: number,
): AuctionPrice {
  const meeting = meet(levels);
  if (meeting.volume === 0) return NO_PRICE;
  const near = Math.floor(reference / tick) * tick;
  const price =
    rule === AuctionRule.NASDAQ && near !== 0
      ? nearestPrice(meeting, tick, near)
      : limitPrice(meeting, tick, near, rule === AuctionRule.SHANGHAI);
  if (price === 0) return NO_PRICE;
  const excess =
    meeting.buyLeft +
    (price === meeting.nextBuy ? meeting.nextBuyQuantity : 0) -
    meeting.sellLeft -
    (price === meeting.nextSell ? meeting.nextSellQuantity : 0);
  return {
    price,
    volume: meeting.volume,
    imbalance: Math.abs(excess),
    side: excess === 0 ? 0 : excess > 0 ? Side.BUY : Side.SELL,
  };
}

/** Lets buys and sells trade, best first, as long as they cross. */
function meet(levels: AuctionLevels): Meeting {
  let buy = 0;
  let sell = 0;
  let buyLeft = levels.buyQuantity(0);
  let sellLeft = levels.sellQuantity(0);
  let volume = 0;
  let lastBuy = 0;
  let lastSell = 0;
  while (buyLeft > 0 && sellLeft > 0 && levels.buyPrice(buy) >= levels.sellPrice(sell)) {
    lastBuy = buy;
    lastSell = sell;
    const traded = Math.min(buyLeft, sellLeft);
    volume += traded;
    buyLeft -= traded;
    sellLeft -= traded;
    if (buyLeft === 0) buyLeft = levels.buyQuantity(++buy);
    if (sellLeft === 0) sellLeft = levels.sellQuantity(++sell);
  }
  // A level that was begun and not used up is the last that trades; the next one is behind it.
  const buyBegun = buy === lastBuy;
  const sellBegun = sell === lastSell;
  const nextBuy = buyBegun ? buy + 1 : buy;
  const nextSell = sellBegun ? sell + 1 : sell;
  return {
    volume,
    buy: levels.buyPrice(lastBuy),
    sell: levels.sellPrice(lastSell),
    buyLeft: buyBegun ? buyLeft : 0,
    sellLeft: sellBegun ? sellLeft : 0,
    nextBuy: levels.buyPrice(nextBuy),
    nextBuyQuantity: levels.buyQuantity(nextBuy),
    nextSell: levels.sellPrice(nextSell),
    nextSellQuantity: levels.sellQuantity(nextSell),
  };
}

/**
 * Shanghai's and Xetra's price, among limits only. Of the prices from `sell` to `buy`, demand exceeds supply by `buyLeft`
 * above `nextBuy` and by more from there down; supply exceeds demand by `sellLeft` below `nextSell` and by more from there up.
 */
function limitPrice(meeting: Meeting, tick: number, reference: number, middle: boolean): number {
  const { buy, sell, nextBuy, nextSell } = meeting;
  // The limits that leave nothing or only `buyLeft` or `sellLeft`; a market order has none.
  const isBuyLimit = buy !== INTEGER_MAX && buy < nextSell;
  const isSellLimit = sell !== 0 && sell > nextBuy;
  let low = isSellLimit ? sell : buy;
  let high = isBuyLimit ? buy : sell;
  if (isBuyLimit || isSellLimit) {
    if (meeting.buyLeft > 0) low = high;
    if (meeting.sellLeft > 0) high = low;
  } else {
    const demand = nextBuy >= sell ? meeting.buyLeft + meeting.nextBuyQuantity : Infinity;
    const supply = nextSell <= buy ? meeting.sellLeft + meeting.nextSellQuantity : Infinity;
    // Market orders only.
    if (demand === Infinity && supply === Infinity) return reference;
    low = demand <= supply ? nextBuy : nextSell;
    high = supply <= demand ? nextSell : nextBuy;
  }
  if (middle || reference === 0) return low + Math.floor((high - low) / tick / 2) * tick;
  return reference - low < high - reference ? low : high;
}

/** Nasdaq's price, among all on the tick. */
function nearestPrice(meeting: Meeting, tick: number, reference: number): number {
  const { buy, sell, nextBuy, nextSell } = meeting;
  if (meeting.buyLeft > 0 && buy !== INTEGER_MAX) return buy;
  if (meeting.sellLeft > 0 && sell !== 0) return sell;
  // These leave nothing, or market orders of one side.
  const low = Math.max(tick, sell, nextBuy + tick);
  const high = Math.min(Math.floor(INTEGER_MAX / tick) * tick, buy, nextSell - tick);
  if (low <= high) return Math.min(high, Math.max(low, reference));
  // Nothing lies between the next two, of which one may be missing: the lesser imbalance, or the nearer.
  const demand = nextBuy > 0 ? meeting.buyLeft + meeting.nextBuyQuantity : Infinity;
  const supply = nextSell < Infinity ? meeting.sellLeft + meeting.nextSellQuantity : Infinity;
  if (demand !== supply) return demand < supply ? nextBuy : nextSell;
  return reference - nextBuy <= nextSell - reference ? nextBuy : nextSell;
}
