import type { BookCore } from "./book-core.ts";
import { CancelReason, EventReason, MatchingPolicy, SelfTrade, Side } from "./codes.ts";
import { LevelPlan } from "./level-plan.ts";
import { INTEGER_MAX } from "./limits.ts";
import type { RankedOrders } from "./ranked-orders.ts";
import type { Taker } from "./taker.ts";

/**
 * Continuous trading of an order that comes in with everything that rests: shown and hidden, pegged and all-or-none
 * orders, icebergs, self-trade prevention, partners, collars and every matching policy. RULES.md 3.
 */
export class Sweep {
  private readonly core: BookCore;
  private readonly plan: LevelPlan;
  private readonly policy: MatchingPolicy;
  /** What `next` found. */
  private maker = 0;
  private price = 0;
  private isShown = false;
  /** Fills and meetings of the order that comes in. */
  private fills = 0;

  constructor(core: BookCore) {
    this.core = core;
    this.plan = new LevelPlan(core.resting.orders);
    this.policy = core.instrument.policy ?? MatchingPolicy.PRICE_TIME;
  }

  /** Trades the core's taker as far as it goes: its `leaves`, `ended` and `breach` say how it went. */
  run(): void {
    const { taker, fillsMax } = this.core;
    this.core.collars.move(this.core.referencePrice, this.core.lastPrice);
    this.fills = 0;
    while (goesOn(taker)) {
      const maker = this.next(taker);
      if (maker === 0) return;
      if (this.fills >= fillsMax) taker.ended = CancelReason.SWEEP_LIMIT;
      else if (this.isShown && this.policy !== MatchingPolicy.PRICE_TIME) this.sweepLevel(taker);
      else this.meet(taker, maker, this.available(maker));
    }
  }

  /** The best price of the other side at which an order could trade with one that rests there, 0: none. All-or-none orders apart. */
  bestExecutable(side: Side): number {
    const { resting } = this.core;
    const opposite = side === Side.BUY ? Side.SELL : Side.BUY;
    const better = (one: number, other: number): number => {
      if (one === 0 || other === 0) return one + other;
      return side === Side.BUY ? Math.min(one, other) : Math.max(one, other);
    };
    const { best } = resting.unshown.hidden.of(opposite);
    const pegged = resting.unshown.peggedOf(opposite);
    return better(
      resting.bestPrice(opposite),
      better(best === 0 ? 0 : resting.levels.price(best), peggedPrice(pegged, opposite)),
    );
  }

  /** Whether the core's taker would meet an order that rests. */
  meetsAny(): boolean {
    return this.next(this.core.taker) !== 0;
  }

  /** The order that the taker trades with next, 0: none. Sets `maker`, `price` and `isShown`. */
  private next(taker: Taker): number {
    const { resting } = this.core;
    const { levels } = resting;
    const opposite = taker.side === Side.BUY ? Side.SELL : Side.BUY;
    const level = resting.ladder(opposite).best;
    this.isShown = level !== 0;
    this.maker = level === 0 ? 0 : levels.head(level);
    this.price = level === 0 ? 0 : levels.price(level);
    // Only special orders are anywhere else.
    if (resting.extras.count > 0) this.lookUnshown(taker, opposite);
    return this.maker !== 0 && taker.accepts(this.price) ? this.maker : 0;
  }

  private lookUnshown(taker: Taker, opposite: Side): void {
    const { levels, orders, unshown, extras } = this.core.resting;
    const hidden = unshown.hidden.of(opposite).best;
    if (hidden !== 0) this.offer(taker, levels.price(hidden), levels.head(hidden));
    const pegged = unshown.peggedOf(opposite);
    const atPeg = peggedPrice(pegged, opposite);
    if (atPeg !== 0) this.offer(taker, atPeg, pegged.handle(0));
    if (taker.passesAllOrNone) return;
    const whole = unshown.allOrNoneOf(opposite);
    for (let index = 0; index < whole.length; index++) {
      const handle = whole.handle(index);
      if (orders.leaves(handle) > taker.leaves) continue;
      this.offer(taker, extras.price(handle), handle);
      return;
    }
  }

  /** An order that is not shown is next when its price is better, or as good and nothing shown there, and it is the first. */
  private offer(taker: Taker, price: number, handle: number): void {
    if (this.maker !== 0 && price !== this.price) {
      if (taker.side === Side.BUY ? price > this.price : price < this.price) return;
    } else if (this.maker !== 0) {
      const { orders } = this.core.resting;
      if (this.isShown || orders.priority(handle) > orders.priority(this.maker)) return;
    }
    this.maker = handle;
    this.price = price;
    this.isShown = false;
  }

  private available(maker: number): number {
    const { resting } = this.core;
    return this.isShown ? resting.shownOf(maker) : resting.orders.leaves(maker);
  }

  /** One round over the shown orders of the best price, by the policy. */
  private sweepLevel(taker: Taker): void {
    const { resting, fillsMax, instrument } = this.core;
    const { levels, orders } = resting;
    const { plan } = this;
    const level = resting.ladder(taker.side === Side.BUY ? Side.SELL : Side.BUY).best;
    if (this.policy === MatchingPolicy.PRO_RATA && taker.group !== 0) {
      this.gather(levels.head(level));
      for (let index = 0; index < plan.length && goesOn(taker) && this.fills < fillsMax; index++) {
        if (!plan.isLive(index) || this.core.groupOf(plan.handle(index)) !== taker.group) continue;
        this.meet(taker, plan.handle(index), 0);
      }
      if (!goesOn(taker) || this.fills >= fillsMax) return;
      // The level may have gone with those.
      const best = resting.ladder(taker.side === Side.BUY ? Side.SELL : Side.BUY).best;
      if (best === 0 || levels.price(best) !== this.price) return;
    }
    this.gather(levels.head(resting.ladder(taker.side === Side.BUY ? Side.SELL : Side.BUY).best));
    plan.share(this.policy, taker.leaves, instrument.lot);
    for (let index = 0; index < plan.length && goesOn(taker); index++) {
      if (this.fills >= fillsMax) return;
      if (plan.amount(index) === 0 || !plan.isLive(index)) continue;
      this.meet(taker, plan.handle(index), Math.min(plan.amount(index), orders.leaves(plan.handle(index))));
    }
  }

  private gather(head: number): void {
    const { resting } = this.core;
    this.plan.clear();
    for (let handle = head; handle !== 0; handle = resting.orders.next(handle)) {
      this.plan.add(handle, resting.shownOf(handle));
    }
  }

  private meet(taker: Taker, maker: number, available: number): void {
    this.fills++;
    if (taker.group !== 0 && this.core.groupOf(maker) === taker.group) {
      this.preventSelfTrade(taker, maker);
      return;
    }
    taker.breach = this.core.collars.breach(this.price);
    if (taker.breach === 0) this.fill(taker, maker, taker.leaves < available ? taker.leaves : available);
  }

  private fill(taker: Taker, maker: number, executed: number): void {
    const { core, price } = this;
    const { resting, out, accounts } = core;
    const { orders } = resting;
    const makerLeaves = orders.leaves(maker) - executed;
    const makerAccount = resting.accountOf(maker);
    const makerBeneficiary = resting.beneficiary(maker);
    const makerOrderId = orders.orderId(maker);
    const makerClientOrderId = orders.clientOrderId(maker);
    const partner = resting.isSpecial(maker) ? resting.extras.partner(maker) : 0;
    const isPartner = taker.partner === maker;
    const makerShown = this.isShown ? executed : 0;
    const sequence = core.event++;
    taker.leaves -= executed;
    core.lastPrice = price;
    if (accounts.limited) {
      accounts.traded(taker.beneficiary, taker.side, price, executed);
      accounts.traded(makerBeneficiary, taker.side === Side.BUY ? Side.SELL : Side.BUY, price, executed);
    }
    out.trade(
      sequence,
      price,
      executed,
      taker.side,
      taker.account,
      taker.orderId,
      taker.clientOrderId,
      taker.leaves,
      0,
      makerAccount,
      makerOrderId,
      makerClientOrderId,
      makerLeaves,
      makerShown,
      EventReason.FILL,
    );
    if (makerLeaves === 0) {
      core.remove(maker);
    } else {
      core.shrink(maker, executed);
      core.refresh(maker, EventReason.REFRESH);
    }
    if (isPartner) {
      if (makerLeaves !== 0) core.end(maker, CancelReason.ONE_CANCELS_OTHER);
      if (taker.leaves !== 0) taker.ended = CancelReason.ONE_CANCELS_OTHER;
      return;
    }
    if (taker.partner !== 0) core.end(taker.partner, CancelReason.ONE_CANCELS_OTHER);
    if (partner !== 0) core.end(partner, CancelReason.ONE_CANCELS_OTHER);
  }

  /** RULES.md 3.3. */
  private preventSelfTrade(taker: Taker, maker: number): void {
    const { core } = this;
    if (taker.selfTrade === SelfTrade.DECREMENT) {
      this.decrement(taker, maker);
      return;
    }
    if (taker.selfTrade !== SelfTrade.CANCEL_NEWEST) core.end(maker, CancelReason.SELF_TRADE);
    if (taker.selfTrade !== SelfTrade.CANCEL_OLDEST) taker.ended = CancelReason.SELF_TRADE;
  }

  private decrement(taker: Taker, maker: number): void {
    const { core } = this;
    const makerLeaves = core.resting.orders.leaves(maker);
    if (makerLeaves > taker.leaves) {
      decrementResting(core, maker, taker.leaves);
      taker.ended = CancelReason.SELF_TRADE;
      return;
    }
    if (makerLeaves === taker.leaves) taker.ended = CancelReason.SELF_TRADE;
    else decrementIncoming(core, taker, makerLeaves);
    core.end(maker, CancelReason.SELF_TRADE);
  }
}

/** The order that comes in loses open quantity to its own group, and goes on. */
function decrementIncoming(core: BookCore, taker: Taker, by: number): void {
  taker.leaves -= by;
  taker.quantity -= by;
  core.out.decremented(
    core.event++,
    taker.account,
    taker.orderId,
    taker.clientOrderId,
    taker.side,
    taker.price,
    by,
    taker.quantity,
    taker.leaves,
    0,
    0,
    EventReason.SELF_TRADE,
  );
}

/** A resting order loses open quantity to its own group, and lives on. */
export function decrementResting(core: BookCore, handle: number, by: number): void {
  const { resting } = core;
  const { orders } = resting;
  const quantity = orders.quantity(handle) - by;
  const sequence = core.event++;
  const shown = core.shrink(handle, by);
  orders.setQuantity(handle, quantity);
  core.out.decremented(
    sequence,
    resting.accountOf(handle),
    orders.orderId(handle),
    orders.clientOrderId(handle),
    resting.sideOf(handle),
    resting.ownPrice(handle),
    by,
    quantity,
    orders.leaves(handle),
    by,
    shown,
    EventReason.SELF_TRADE,
  );
  core.refresh(handle, EventReason.REFRESH);
}

function goesOn(taker: Taker): boolean {
  return taker.leaves > 0 && taker.ended === 0 && taker.breach === 0;
}

/** Effective price of the best pegged order, 0: none, or all are dormant. */
function peggedPrice(pegged: RankedOrders, side: Side): number {
  if (pegged.length === 0 || pegged.key(0) === Infinity) return 0;
  return side === Side.BUY ? INTEGER_MAX - pegged.key(0) : pegged.key(0);
}
