import type { BookCore } from "./book-core.ts";
import { EventReason, OrderType, Peg, Phase, Side } from "./codes.ts";
import type { Incoming } from "./incoming.ts";
import { tickAt } from "./instrument.ts";
import { INTEGER_MAX } from "./limits.ts";
import { flagsPeg } from "./order-extras.ts";

/** Pegged orders: their effective prices, and their moves when the touch has changed. RULES.md 1.5 and 2.4. */
export class Pegs {
  private readonly core: BookCore;
  private readonly incoming: Incoming;
  /** The touch of the last move. */
  private bid = 0;
  private ask = 0;

  constructor(core: BookCore, incoming: Incoming) {
    this.core = core;
    this.incoming = incoming;
  }

  /** Whether a move is due. */
  get due(): boolean {
    const { core, bid, ask } = this;
    if (core.resting.unshown.peggedCount === 0 || core.phase !== Phase.CONTINUOUS) return false;
    return (
      core.pegsDue || core.resting.bestPrice(Side.BUY) !== bid || core.resting.bestPrice(Side.SELL) !== ask
    );
  }

  /** Effective price by the present touch, 0: dormant. `price`: the order's own, 0: none. */
  effectivePrice(side: Side, peg: number, offset: number, price: number): number {
    const { resting, instrument, phase } = this.core;
    if (phase !== Phase.CONTINUOUS) return 0;
    const bid = resting.bestPrice(Side.BUY);
    const ask = resting.bestPrice(Side.SELL);
    const isBuy = side === Side.BUY;
    const followed = peg === Peg.MIDPOINT ? 0 : (peg === Peg.PRIMARY) === isBuy ? bid : ask;
    if (peg === Peg.MIDPOINT ? bid === 0 || ask === 0 : followed === 0) return 0;
    let effective = (peg === Peg.MIDPOINT ? bid + Math.floor((ask - bid) / 2) : followed) + offset;
    if (isBuy) {
      if (price !== 0) effective = Math.min(effective, price);
      if (ask !== 0) effective = Math.min(effective, ask - tickAt(instrument, ask));
    } else {
      if (price !== 0) effective = Math.max(effective, price);
      if (bid !== 0) effective = Math.max(effective, bid + tickAt(instrument, bid));
    }
    return effective < 1 || effective > INTEGER_MAX ? 0 : effective;
  }

  /** The same of a live order. */
  effectivePriceOf(handle: number): number {
    const { resting } = this.core;
    const { extras } = resting;
    const peg = flagsPeg(extras.flags(handle));
    return this.effectivePrice(resting.sideOf(handle), peg, extras.offset(handle), extras.price(handle));
  }

  /** Moves all pegged orders to where the touch now puts them, by priority; those that then trade come in. */
  move(): void {
    const { core } = this;
    const { resting } = core;
    core.pegsDue = false;
    this.bid = resting.bestPrice(Side.BUY);
    this.ask = resting.bestPrice(Side.SELL);
    const moving = this.all();
    for (const { handle } of moving) this.putAt(handle, 0);
    for (const { handle, orderId, effective } of moving) {
      if (core.phase !== Phase.CONTINUOUS) return;
      // It may have ended as a partner meanwhile.
      if (resting.orders.orderId(handle) !== orderId || effective === 0) continue;
      this.enter(handle, effective);
    }
  }

  /** Puts all orders where the touch puts them, without trades: for a book that was restored or followed. */
  place(): void {
    for (const { handle, effective } of this.all()) this.putAt(handle, effective);
    this.core.pegsDue = true;
  }

  private all(): { handle: number; orderId: number; effective: number }[] {
    const { resting } = this.core;
    const handles: number[] = [];
    for (const side of [Side.BUY, Side.SELL]) {
      const pegged = resting.unshown.peggedOf(side);
      for (let index = 0; index < pegged.length; index++) handles.push(pegged.handle(index));
    }
    handles.sort((one, other) => resting.orders.priority(one) - resting.orders.priority(other));
    return handles.map((handle) => ({
      handle,
      orderId: resting.orders.orderId(handle),
      effective: this.effectivePriceOf(handle),
    }));
  }

  private putAt(handle: number, effective: number): void {
    this.core.resting.withdraw(handle);
    this.core.resting.insert(handle, effective);
  }

  private enter(handle: number, effective: number): void {
    const { core, incoming } = this;
    const { resting, taker, out } = core;
    core.beginTaking(handle);
    taker.limit = effective;
    taker.passesAllOrNone = true;
    if (!incoming.sweep.meetsAny()) {
      this.putAt(handle, effective);
      return;
    }
    const base = out.entered(
      core.event++,
      taker.account,
      taker.orderId,
      taker.clientOrderId,
      taker.side,
      OrderType.PEGGED,
      effective,
      taker.quantity,
      taker.leaves,
      0,
      0,
      EventReason.PEG_MOVED,
    );
    core.lift(handle);
    incoming.trade();
    const left = incoming.finish(OrderType.PEGGED, true);
    if (left === 0) {
      core.discard(handle);
    } else {
      resting.changeLeaves(handle, left - resting.orders.leaves(handle));
      resting.orders.setQuantity(handle, taker.quantity);
      core.settle(handle, effective);
      core.tellResting(base, handle, false);
    }
    incoming.startAuctionOnBreach();
  }
}
