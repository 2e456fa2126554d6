import type { BookCore } from "./book-core.ts";
import { MatchingPolicy, SelfTrade, Side } from "./codes.ts";
import { LevelPlan } from "./level-plan.ts";
import { INTEGER_MAX } from "./limits.ts";
import type { Taker } from "./taker.ts";

/**
 * A sweep tried without effect, RULES.md 3.4: how much of the core's taker would be executed at once. It meets the same
 * orders in the same order as `Sweep`; a test holds the two together.
 */
export class FillTrial {
  private readonly core: BookCore;
  private readonly policy: MatchingPolicy;
  /** Icebergs of a price that show again, and what is open of each; of this round and of the next. */
  private round: LevelPlan;
  private nextRound: LevelPlan;
  private reserves = new Map<number, number>();
  private readonly plan: LevelPlan;
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
  }

  /** What would be executed, up to the taker's `leaves`. */
  executable(): number {
    const { core } = this;
    const { taker, resting, collars } = core;
    const { levels, orders, unshown } = resting;
    const opposite = taker.side === Side.BUY ? Side.SELL : Side.BUY;
    const isBuy = taker.side === Side.BUY;
    collars.move(core.referencePrice, core.lastPrice);
    this.remaining = taker.leaves;
    this.executed = 0;
    this.fills = 0;
    this.isOver = false;
    this.gone.clear();
    const shown = resting.ladder(opposite);
    const hidden = unshown.hidden.of(opposite);
    const pegged = unshown.peggedOf(opposite);
    const whole = unshown.allOrNoneOf(opposite);
    let level = shown.best;
    let hiddenLevel = hidden.best;
    let hiddenOrder = hiddenLevel === 0 ? 0 : levels.head(hiddenLevel);
    let peg = 0;
    let all = 0;
    const priceOfKey = (key: number): number => (isBuy ? key : INTEGER_MAX - key);
    while (this.remaining > 0 && !this.isOver) {
      while (
        all < whole.length &&
        (orders.leaves(whole.handle(all)) > this.remaining || this.gone.has(whole.handle(all)))
      ) {
        all++;
      }
      const atShown = level === 0 ? Infinity : this.key(taker, levels.price(level));
      const atHidden = hiddenOrder === 0 ? Infinity : this.key(taker, levels.price(hiddenLevel));
      const atPeg = peg < pegged.length ? pegged.key(peg) : Infinity;
      const atAll = all < whole.length ? whole.key(all) : Infinity;
      const best = Math.min(atShown, atHidden, atPeg, atAll);
      if (best === Infinity) break;
      const price = priceOfKey(best);
      if (!taker.accepts(price)) break;
      this.isAllowed = collars.breach(price) === 0;
      if (best === atShown) {
        this.tryLevel(taker, levels.head(level));
        level = shown.next(level);
        continue;
      }
      const priorities = [
        atHidden === best ? orders.priority(hiddenOrder) : Infinity,
        atPeg === best ? pegged.priority(peg) : Infinity,
        atAll === best ? whole.priority(all) : Infinity,
      ] as const;
      const first = Math.min(...priorities);
      let maker = 0;
      if (first === priorities[0]) {
        maker = hiddenOrder;
        hiddenOrder = orders.next(hiddenOrder);
        if (hiddenOrder === 0) {
          hiddenLevel = hidden.next(hiddenLevel);
          if (hiddenLevel !== 0) hiddenOrder = levels.head(hiddenLevel);
        }
      } else if (first === priorities[1]) {
        maker = pegged.handle(peg++);
      } else {
        maker = whole.handle(all++);
      }
      if (!this.gone.has(maker)) this.meet(taker, maker, orders.leaves(maker), orders.leaves(maker));
    }
    return this.executed;
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
    for (let index = 0; index < plan.length && this.remaining > 0 && !this.isOver; index++) {
      const handle = plan.handle(index);
      if (plan.amount(index) === 0 || this.gone.has(handle)) continue;
      const open = reserves.get(handle)!;
      const isOwn = this.meet(taker, handle, plan.amount(index), open);
      const left = open - plan.amount(index);
      if (isOwn || left === 0) continue;
      reserves.set(handle, left);
      this.nextRound.add(handle, Math.min(core.resting.extras.display(handle), left));
    }
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
