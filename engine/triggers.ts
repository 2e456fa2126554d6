import type { BookCore } from "./book-core.ts";
import { CancelReason, EventReason, OrderType, Side } from "./codes.ts";
import type { Incoming } from "./incoming.ts";
import { ownerAccount, ownerTimeInForce, ownerType, packSpecial, Place } from "./order-table.ts";

/** Orders that wait for a price: which is triggered next, and how trailing stops follow. RULES.md 2.4. */
export class Triggers {
  private readonly core: BookCore;
  private readonly incoming: Incoming;
  /** Last price by which all trailing stops are where they should be, unless `trailDue`. */
  private trailedAt = 0;

  constructor(core: BookCore, incoming: Incoming) {
    this.core = core;
    this.incoming = incoming;
  }

  /** Trigger price of a trailing stop by the last price: as near as its distance lets it be. */
  trailedPrice(side: Side, offset: number): number {
    const { lastPrice } = this.core;
    return side === Side.BUY ? lastPrice + offset : lastPrice - offset;
  }

  /** Moves the trailing stops for which the last price gives a better trigger price. True when any was moved. */
  trail(): boolean {
    const { core } = this;
    const { resting } = core;
    const { trailing } = resting.unshown;
    if (core.lastPrice === 0 || (!core.trailDue && core.lastPrice === this.trailedAt)) return false;
    core.trailDue = false;
    this.trailedAt = core.lastPrice;
    let moved = false;
    let index = 0;
    for (let left = trailing.length; left > 0; left--) {
      const handle = trailing.handle(index);
      const side = resting.sideOf(handle);
      const price = this.trailedPrice(side, resting.extras.offset(handle));
      const old = resting.extras.trigger(handle);
      if (side === Side.BUY ? price >= old : price <= old) {
        index++;
        continue;
      }
      // It goes to the end of the list, and the next one takes its place.
      moveTrigger(core, handle, price, EventReason.TRAILED);
      moved = true;
    }
    core.trailDue = false;
    return moved;
  }

  /** Triggers the next order whose price is reached. False: there is none. */
  next(): boolean {
    const { levels, unshown } = this.core.resting;
    const { lastPrice } = this.core;
    if (lastPrice === 0) return false;
    const rising = unshown.rising.best;
    if (rising !== 0 && levels.price(rising) <= lastPrice) {
      this.enter(levels.head(rising));
      return true;
    }
    const falling = unshown.falling.best;
    if (falling === 0 || levels.price(falling) < lastPrice) return false;
    this.enter(levels.head(falling));
    return true;
  }

  private enter(handle: number): void {
    const { core, incoming } = this;
    const { resting, taker, out } = core;
    const { orders, extras } = resting;
    const owner = orders.owner(handle);
    const type = ownerType(owner) === OrderType.STOP_LIMIT ? OrderType.LIMIT : OrderType.MARKET;
    const rests = type === OrderType.LIMIT;
    core.beginTaking(handle);
    const sequence = core.event++;
    const base = out.entered(
      sequence,
      taker.account,
      taker.orderId,
      taker.clientOrderId,
      taker.side,
      type,
      taker.price,
      taker.quantity,
      taker.leaves,
      0,
      0,
      EventReason.TRIGGERED,
    );
    core.lift(handle);
    if (taker.partner !== 0) core.end(taker.partner, CancelReason.ONE_CANCELS_OTHER);
    incoming.trade();
    const left = incoming.finish(type, rests);
    if (left === 0) {
      core.discard(handle);
    } else {
      const place = (extras.flags(handle) & 1) !== 0 ? Place.HIDDEN : Place.BOOK;
      orders.setOwner(
        handle,
        packSpecial(ownerAccount(owner), taker.side, type, ownerTimeInForce(owner), place),
      );
      orders.setPriority(handle, sequence);
      orders.setQuantity(handle, taker.quantity);
      resting.changeLeaves(handle, left - orders.leaves(handle));
      extras.setTrigger(handle, 0);
      extras.setOffset(handle, 0);
      extras.setShown(handle, Math.min(extras.display(handle), left));
      core.settle(handle);
      core.tellResting(base, handle, false);
    }
    incoming.startAuctionOnBreach();
  }
}

/** Gives a waiting order another trigger price; it goes to the end of the line there. */
export function moveTrigger(core: BookCore, handle: number, price: number, reason: EventReason): void {
  const { resting } = core;
  const sequence = core.event++;
  core.out.triggerMoved(
    sequence,
    resting.accountOf(handle),
    resting.orders.orderId(handle),
    resting.orders.clientOrderId(handle),
    resting.sideOf(handle),
    price,
    reason,
  );
  resting.withdraw(handle);
  resting.extras.setTrigger(handle, price);
  resting.orders.setPriority(handle, sequence);
  resting.insert(handle);
  core.trailDue = true;
}
