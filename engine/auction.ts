import { AuctionLevels } from "./auction-levels.ts";
import { type AuctionPrice, auctionPrice } from "./auction-price.ts";
import type { BookCore } from "./book-core.ts";
import type { UncrossState } from "./book-snapshot.ts";
import { AuctionRule, CancelReason, EventReason, Phase, SelfTrade, Side } from "./codes.ts";
import type { PriceLadder } from "./price-ladder.ts";
import type { RestingOrders } from "./resting-orders.ts";
import { decrementResting } from "./sweep.ts";

const INDICATED: readonly number[] = [Phase.OPENING_AUCTION, Phase.VOLATILITY_AUCTION, Phase.CLOSING_AUCTION];

/** Auctions: what they would give, and what they give. RULES.md 4.3 and 4.4. */
export class Auction {
  private readonly core: BookCore;
  private readonly levels = new AuctionLevels();

  constructor(core: BookCore) {
    this.core = core;
  }

  /** What the phase's auction would give now. */
  price(): AuctionPrice {
    const { instrument, lastPrice, referencePrice } = this.core;
    this.collect();
    const reference = lastPrice !== 0 ? lastPrice : referencePrice;
    return auctionPrice(this.levels, instrument.auctionRule ?? AuctionRule.XETRA, instrument.tick, reference);
  }

  /** Tells what the auction would give, in a phase that shows it. */
  indicate(): void {
    const { core } = this;
    if (!INDICATED.includes(core.phase) || core.uncross !== undefined) return;
    const { price, volume, imbalance, side } = this.price();
    core.out.indicative(core.event++, side, price, volume, imbalance);
  }

  /** One portion of the uncross that is under way. True when it is done. */
  uncross(): boolean {
    const { core } = this;
    const state = core.uncross;
    if (state === undefined) return true;
    const { price } = state;
    let { volume } = state;
    for (let met = 0; met < core.fillsMax && volume > 0; met++) {
      const buy = this.first(Side.BUY, price);
      const sell = this.first(Side.SELL, price);
      if (buy === 0 || sell === 0) volume = 0;
      else volume -= this.meet(buy, sell, price, volume);
    }
    this.announce({ ...state, volume }, volume > 0);
    return volume === 0;
  }

  /** What is under way becomes this; told, unless it is the end of it. */
  announce(state: UncrossState, isTold = true): void {
    const { core } = this;
    core.uncross = state;
    if (!isTold) return;
    const { price, volume, imbalance, side, nextPhase, until, reason } = state;
    core.out.uncross(core.event++, side, price, volume, imbalance, nextPhase, until, reason);
  }

  /** Ladders of a side that take part. */
  private ladders(side: Side): PriceLadder[] {
    const { resting, phase } = this.core;
    const { unshown } = resting;
    const ladders = [resting.ladder(side), unshown.hidden.of(side)];
    if (phase === Phase.OPENING_AUCTION) ladders.push(unshown.opening.of(side));
    if (phase === Phase.CLOSING_AUCTION) ladders.push(unshown.closing.of(side));
    return ladders;
  }

  private collect(): void {
    const { levels } = this;
    levels.clear();
    const bestBuy = this.bestPrice(Side.BUY);
    const bestSell = this.bestPrice(Side.SELL);
    if (bestBuy === undefined || bestSell === undefined) return;
    this.collectSide(Side.BUY, bestSell, (price, quantity) => levels.addBuy(price, quantity));
    this.collectSide(Side.SELL, bestBuy, (price, quantity) => levels.addSell(price, quantity));
  }

  private bestPrice(side: Side): number | undefined {
    const { levels } = this.core.resting;
    let best: number | undefined;
    for (const ladder of this.ladders(side)) {
      if (ladder.best === 0) continue;
      const price = levels.price(ladder.best);
      if (best === undefined || (side === Side.BUY ? price > best : price < best)) best = price;
    }
    return best;
  }

  /** Levels of a side, best first, up to the other side's best price. */
  private collectSide(side: Side, worst: number, add: (price: number, quantity: number) => void): void {
    const { levels } = this.core.resting;
    const ladders = this.ladders(side);
    const next = ladders.map((ladder) => ladder.best);
    for (;;) {
      let at = -1;
      for (let index = 0; index < next.length; index++) {
        if (next[index] === 0) continue;
        const price = levels.price(next[index]!);
        const best = at < 0 ? undefined : levels.price(next[at]!);
        if (best === undefined || (side === Side.BUY ? price > best : price < best)) at = index;
      }
      if (at < 0) return;
      const level = next[at]!;
      const price = levels.price(level);
      if (side === Side.BUY ? price < worst : price > worst) return;
      add(price, at === 0 ? this.openAt(level) : levels.quantity(level));
      next[at] = ladders[at]!.next(level);
    }
  }

  /** What is open at a shown level, the reserve of icebergs included. */
  private openAt(level: number): number {
    const { resting } = this.core;
    if (resting.extras.count === 0) return resting.levels.quantity(level);
    let open = 0;
    for (let order = resting.levels.head(level); order !== 0; order = resting.orders.next(order)) {
      open += resting.orders.leaves(order);
    }
    return open;
  }

  /** The order of a side that is served next at the auction's price, or 0: by price, then priority. */
  private first(side: Side, limit: number): number {
    const { levels, orders } = this.core.resting;
    let first = 0;
    let best = 0;
    for (const ladder of this.ladders(side)) {
      if (ladder.best === 0) continue;
      const price = levels.price(ladder.best);
      if (side === Side.BUY ? price < limit : price > limit) continue;
      const head = levels.head(ladder.best);
      const isBetter =
        first === 0 ||
        (price === best
          ? orders.priority(head) < orders.priority(first)
          : side === Side.BUY
            ? price > best
            : price < best);
      if (!isBetter) continue;
      first = head;
      best = price;
    }
    return first;
  }

  /** Pairs two orders; returns what it takes off the volume. */
  private meet(buy: number, sell: number, price: number, volume: number): number {
    const { core } = this;
    const { orders } = core.resting;
    const quantity = Math.min(orders.leaves(buy), orders.leaves(sell), volume);
    const group = core.accounts.grouped ? core.groupOf(buy) : 0;
    if (group !== 0 && group === core.groupOf(sell)) this.preventSelfTrade(buy, sell);
    else this.fill(buy, sell, price, quantity);
    return quantity;
  }

  private fill(buy: number, sell: number, price: number, quantity: number): void {
    const { core } = this;
    const { resting, accounts, out } = core;
    const { orders } = resting;
    const partnerOfBuy = partnerOf(resting, buy);
    const partnerOfSell = partnerOf(resting, sell);
    out.trade(
      core.event++,
      price,
      quantity,
      Side.BUY,
      resting.accountOf(buy),
      orders.orderId(buy),
      orders.clientOrderId(buy),
      orders.leaves(buy) - quantity,
      Math.min(quantity, resting.shownOf(buy)),
      resting.accountOf(sell),
      orders.orderId(sell),
      orders.clientOrderId(sell),
      orders.leaves(sell) - quantity,
      Math.min(quantity, resting.shownOf(sell)),
      EventReason.AUCTION_FILL,
    );
    core.lastPrice = price;
    if (accounts.limited) {
      accounts.traded(resting.beneficiary(buy), Side.BUY, price, quantity);
      accounts.traded(resting.beneficiary(sell), Side.SELL, price, quantity);
    }
    const isBuyDone = this.takeOff(buy, quantity);
    const isSellDone = this.takeOff(sell, quantity);
    if (partnerOfBuy === sell) {
      if (!isSellDone) core.end(sell, CancelReason.ONE_CANCELS_OTHER);
      if (!isBuyDone) core.end(buy, CancelReason.ONE_CANCELS_OTHER);
      return;
    }
    if (partnerOfBuy !== 0) core.end(partnerOfBuy, CancelReason.ONE_CANCELS_OTHER);
    if (partnerOfSell !== 0) core.end(partnerOfSell, CancelReason.ONE_CANCELS_OTHER);
  }

  /** Takes what was executed off an order. True: nothing is left of it. */
  private takeOff(handle: number, quantity: number): boolean {
    const { core } = this;
    if (core.resting.orders.leaves(handle) === quantity) {
      core.remove(handle);
      return true;
    }
    core.shrink(handle, quantity);
    core.refresh(handle, EventReason.REFRESH);
    return false;
  }

  /** RULES.md 3.3: the newer of the two counts as the one that comes in. */
  private preventSelfTrade(buy: number, sell: number): void {
    const { core } = this;
    const { orders } = core.resting;
    const isBuyNewer = orders.priority(buy) > orders.priority(sell);
    const newest = isBuyNewer ? buy : sell;
    const oldest = isBuyNewer ? sell : buy;
    const rule = core.selfTradeOf(newest);
    if (rule === SelfTrade.DECREMENT) {
      const ofNewest = orders.leaves(newest);
      const ofOldest = orders.leaves(oldest);
      if (ofNewest > ofOldest) decrementResting(core, newest, ofOldest);
      else if (ofOldest > ofNewest) decrementResting(core, oldest, ofNewest);
      if (ofOldest <= ofNewest) core.end(oldest, CancelReason.SELF_TRADE);
      if (ofNewest <= ofOldest) core.end(newest, CancelReason.SELF_TRADE);
      return;
    }
    if (rule !== SelfTrade.CANCEL_NEWEST) core.end(oldest, CancelReason.SELF_TRADE);
    if (rule !== SelfTrade.CANCEL_OLDEST) core.end(newest, CancelReason.SELF_TRADE);
  }
}

/** Handle of a live order's partner, 0: it has none. */
function partnerOf(resting: RestingOrders, handle: number): number {
  return resting.isSpecial(handle) ? resting.extras.partner(handle) : 0;
}
