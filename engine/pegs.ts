import type { BookCore } from "./book-core.ts";
import { EventReason, OrderType, Peg, Phase, Side } from "./codes.ts";
import type { Incoming } from "./incoming.ts";
import { tickAt } from "./instrument.ts";
import { INTEGER_MAX } from "./limits.ts";
import { flagsPeg } from "./order-extras.ts";
import { RankedOrders } from "./ranked-orders.ts";

/** Pegged orders: their effective prices, and their moves when the touch has changed. RULES.md 1.5 and 2.4. */
export class Pegs {
  private readonly core: BookCore;
  private readonly incoming: Incoming;
  /** The touch of the last move. */
  private bid = 0;
  private ask = 0;
  /** Of a move: the orders by priority, their ids, and their new effective prices. */
  private readonly moving = new RankedOrders();
  private readonly orderIds: number[] = [];
  private readonly effectives: number[] = [];

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
    this.gather();
    const { moving, orderIds, effectives } = this;
    for (let index = 0; index < moving.length; index++) this.putAt(moving.handle(index), 0);
    for (let index = 0; index < moving.length; index++) {
      if (core.phase !== Phase.CONTINUOUS) return;
      // It may have ended as a partner meanwhile.
      const handle = moving.handle(index);
      if (resting.orders.orderId(handle) !== orderIds[index] || effectives[index] === 0) continue;
      this.enter(handle, effectives[index]!);
    }
  }

  /** Puts all orders where the touch puts them, without trades: for a book that was restored or followed. */
  place(): void {
    this.gather();
    const { moving, effectives } = this;
    for (let index = 0; index < moving.length; index++) this.putAt(moving.handle(index), effectives[index]!);
    this.core.pegsDue = true;
  }

  /** All pegged orders by priority, and the prices at which the touch puts them. */
  private gather(): void {
    const { moving, orderIds, effectives } = this;
    const { orders, unshown } = this.core.resting;
    moving.clear();
    for (const side of [Side.BUY, Side.SELL]) {
      const pegged = unshown.peggedOf(side);
      for (let index = 0; index < pegged.length; index++) {
        moving.insert(pegged.handle(index), 0, pegged.priority(index));
      }
    }
    for (let index = 0; index < moving.length; index++) {
      orderIds[index] = orders.orderId(moving.handle(index));
      effectives[index] = this.effectivePriceOf(moving.handle(index));
    }
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
