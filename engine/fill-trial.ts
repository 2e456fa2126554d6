import type { BookCore } from "./book-core.ts";
import { MatchingPolicy, SelfTrade, Side } from "./codes.ts";
import { LevelPlan } from "./level-plan.ts";
import { INTEGER_MAX } from "./limits.ts";
import type { RankedOrders } from "./ranked-orders.ts";
import type { Taker } from "./taker.ts";

/**
 * A sweep tried without effect, RULES.md 3.4: how much of the core's taker would be executed at once. It meets the same
 * orders in the same order as `Sweep`; a test holds the two together.
 */
export class FillTrial {
  private readonly core: BookCore;
  private readonly policy: MatchingPolicy;
  /** Orders that a price shows, of this round and of the next, icebergs that show again, and what is open of each. */
  private round: LevelPlan;
  private nextRound: LevelPlan;
  private readonly refreshed: LevelPlan;
  private reserves = new Map<number, number>();
  private readonly plan: LevelPlan;
  /** Where the trial is: next shown level, hidden order and its level, pegged and all-or-none order. */
  private opposite: Side = Side.BUY;
  private level = 0;
  private hiddenLevel = 0;
  private hiddenOrder = 0;
  private peg = 0;
  private whole = 0;
  private remaining = 0;
  private executed = 0;
  private fills = 0;
  private isOver = false;
  /** Whether the price at hand is within the collars. */
  private isAllowed = true;
  /** Orders that would have ended on the way, with their partners. */
  private readonly gone = new Set<number>();

  constructor(core: BookCore) {
    this.core = core;
    this.policy = core.instrument.policy ?? MatchingPolicy.PRICE_TIME;
    this.plan = new LevelPlan(core.resting.orders);
    this.round = new LevelPlan(core.resting.orders);
    this.nextRound = new LevelPlan(core.resting.orders);
    this.refreshed = new LevelPlan(core.resting.orders);
  }

  /** What would be executed, up to the taker's `leaves`. */
  executable(): number {
    const { core } = this;
    const { taker, resting, collars } = core;
    const { levels, unshown } = resting;
    collars.move(core.referencePrice, core.lastPrice);
    this.opposite = taker.side === Side.BUY ? Side.SELL : Side.BUY;
    this.remaining = taker.leaves;
    this.executed = 0;
    this.fills = 0;
    this.isOver = false;
    this.gone.clear();
    this.level = resting.ladder(this.opposite).best;
    this.hiddenLevel = unshown.hidden.of(this.opposite).best;
    this.hiddenOrder = this.hiddenLevel === 0 ? 0 : levels.head(this.hiddenLevel);
    this.peg = 0;
    this.whole = 0;
    while (this.remaining > 0 && !this.isOver && this.tryBest(taker));
    return this.executed;
  }

  /** Tries what is at the best price that was not tried yet. False: nothing more at which the taker trades. */
  private tryBest(taker: Taker): boolean {
    const { resting, collars } = this.core;
    const { levels, orders, unshown } = resting;
    const pegged = unshown.peggedOf(this.opposite);
    const whole = unshown.allOrNoneOf(this.opposite);
    this.passBy(whole);
    const atShown = this.level === 0 ? Infinity : this.key(taker, levels.price(this.level));
    const atHidden = this.hiddenOrder === 0 ? Infinity : this.key(taker, levels.price(this.hiddenLevel));
    const atPeg = this.peg < pegged.length ? pegged.key(this.peg) : Infinity;
    const atWhole = this.whole < whole.length ? whole.key(this.whole) : Infinity;
    const best = Math.min(atShown, atHidden, atPeg, atWhole);
    if (best === Infinity) return false;
    // The key of a price is the price again.
    const price = this.key(taker, best);
    if (!taker.accepts(price)) return false;
    this.isAllowed = collars.breach(price) === 0;
    if (best === atShown) {
      this.tryLevel(taker, levels.head(this.level));
      this.level = resting.ladder(this.opposite).next(this.level);
      return true;
    }
    const ofHidden = atHidden === best ? orders.priority(this.hiddenOrder) : Infinity;
    const ofPeg = atPeg === best ? pegged.priority(this.peg) : Infinity;
    const ofWhole = atWhole === best ? whole.priority(this.whole) : Infinity;
    const first = Math.min(ofHidden, ofPeg, ofWhole);
    let maker = 0;
    if (first === ofHidden) maker = this.takeHidden();
    else if (first === ofPeg) maker = pegged.handle(this.peg++);
    else maker = whole.handle(this.whole++);
    if (!this.gone.has(maker)) this.meet(taker, maker, orders.leaves(maker), orders.leaves(maker));
    return true;
  }

  /** All-or-none orders that cannot trade with what is left never will. */
  private passBy(whole: RankedOrders): void {
    const { orders } = this.core.resting;
    for (; this.whole < whole.length; this.whole++) {
      const handle = whole.handle(this.whole);
      if (orders.leaves(handle) <= this.remaining && !this.gone.has(handle)) return;
    }
  }

  private takeHidden(): number {
    const { resting } = this.core;
    const maker = this.hiddenOrder;
    this.hiddenOrder = resting.orders.next(maker);
    if (this.hiddenOrder !== 0) return maker;
    this.hiddenLevel = resting.unshown.hidden.of(this.opposite).next(this.hiddenLevel);
    if (this.hiddenLevel !== 0) this.hiddenOrder = resting.levels.head(this.hiddenLevel);
    return maker;
  }

  /** Of the other side's prices the better ones have the lower keys. */
  private key(taker: Taker, price: number): number {
    return taker.side === Side.BUY ? price : INTEGER_MAX - price;
  }

  /** All that a shown price gives, in rounds: the icebergs that are refreshed in one are those of the next. */
  private tryLevel(taker: Taker, head: number): void {
    const { resting } = this.core;
    const { orders } = resting;
    if (resting.extras.count === 0 && taker.group === 0) {
      this.tryPlain(head);
      return;
    }
    this.reserves.clear();
    this.nextRound.clear();
    for (let handle = head; handle !== 0; handle = orders.next(handle)) {
      this.reserves.set(handle, orders.leaves(handle));
      this.nextRound.add(handle, resting.shownOf(handle));
    }
    while (this.nextRound.length > 0 && this.remaining > 0 && !this.isOver) {
      [this.round, this.nextRound] = [this.nextRound, this.round];
      this.nextRound.clear();
      this.tryRound(taker);
    }
  }

  private tryPlain(head: number): void {
    const { orders } = this.core.resting;
    for (
      let handle = head;
      handle !== 0 && this.remaining > 0 && !this.isOver;
      handle = orders.next(handle)
    ) {
      this.take(orders.leaves(handle));
    }
  }

  private tryRound(taker: Taker): void {
    const { core, round, plan, reserves } = this;
    const meetsFirst = this.policy === MatchingPolicy.PRO_RATA && taker.group !== 0;
    plan.clear();
    for (let index = 0; index < round.length; index++) {
      const handle = round.handle(index);
      if (this.gone.has(handle)) continue;
      if (meetsFirst && core.groupOf(handle) === taker.group) {
        if (this.remaining > 0 && !this.isOver) this.meet(taker, handle, 0, reserves.get(handle)!);
      } else {
        plan.add(handle, round.amount(index));
      }
    }
    if (this.remaining === 0 || this.isOver) return;
    plan.share(this.policy, this.remaining, core.instrument.lot);
    this.refreshed.clear();
    for (let index = 0; index < plan.length && this.remaining > 0 && !this.isOver; index++) {
      if (!this.gone.has(plan.handle(index))) this.tryShare(taker, index);
    }
    for (let index = 0; index < this.refreshed.length; index++) {
      this.nextRound.add(this.refreshed.handle(index), this.refreshed.amount(index));
    }
  }

  /** One order's share of a round; what it still shows, or shows again, is of the next. */
  private tryShare(taker: Taker, index: number): void {
    const { plan, reserves } = this;
    const handle = plan.handle(index);
    const amount = plan.amount(index);
    const open = reserves.get(handle)!;
    if (amount > 0 && this.meet(taker, handle, amount, open)) return;
    const left = open - amount;
    const stillShown = plan.shownAt(index) - amount;
    reserves.set(handle, left);
    if (stillShown > 0) this.nextRound.add(handle, stillShown);
    else if (left > 0) this.refreshed.add(handle, Math.min(this.core.resting.extras.display(handle), left));
  }

  /** Whether the maker is of the taker's group, and so does not trade. */
  private meet(taker: Taker, maker: number, available: number, open: number): boolean {
    if (taker.group === 0 || this.core.groupOf(maker) !== taker.group) {
      this.take(available);
      if (this.core.resting.isSpecial(maker) || taker.partner !== 0) this.endPartners(taker, maker);
      return false;
    }
    if (++this.fills > this.core.fillsMax) this.isOver = true;
    const rule = taker.selfTrade;
    if (rule === SelfTrade.DECREMENT) this.remaining -= Math.min(this.remaining, open);
    else if (rule !== SelfTrade.CANCEL_OLDEST) this.isOver = true;
    return true;
  }

  private endPartners(taker: Taker, maker: number): void {
    const { resting } = this.core;
    if (maker === taker.partner) {
      this.isOver = true;
      return;
    }
    if (resting.isSpecial(maker)) this.gone.add(resting.extras.partner(maker));
    this.gone.add(taker.partner);
  }

  private take(available: number): void {
    if (++this.fills > this.core.fillsMax || !this.isAllowed) {
      this.isOver = true;
      return;
    }
    const executed = Math.min(this.remaining, available);
    this.remaining -= executed;
    this.executed += executed;
  }
}
