import type { BookCore } from "./book-core.ts";
import { EventReason, OrderType, Side } from "./codes.ts";
import type { Incoming } from "./incoming.ts";

/** All-or-none orders that rest: whether one of them can now be filled whole. RULES.md 2.4. */
export class AllOrNone {
  private readonly core: BookCore;
  private readonly incoming: Incoming;

  constructor(core: BookCore, incoming: Incoming) {
    this.core = core;
    this.incoming = incoming;
  }

  /** Fills the first order that can be. False: none can. */
  next(): boolean {
    const { core, incoming } = this;
    for (const side of [Side.BUY, Side.SELL]) {
      const orders = core.resting.unshown.allOrNoneOf(side);
      for (let index = 0; index < orders.length; index++) {
        core.beginTaking(orders.handle(index));
        if (!incoming.canExecute(core.taker.leaves)) continue;
        this.enter(orders.handle(index));
        return true;
      }
    }
    return false;
  }

  private enter(handle: number): void {
    const { core, incoming } = this;
    const { taker } = core;
    core.out.entered(
      core.event++,
      taker.account,
      taker.orderId,
      taker.clientOrderId,
      taker.side,
      OrderType.LIMIT,
      taker.price,
      taker.quantity,
      taker.leaves,
      0,
      0,
      EventReason.ALL_OR_NONE_MATCHED,
    );
    core.lift(handle);
    incoming.trade();
    incoming.finish(OrderType.LIMIT, false);
    core.discard(handle);
    incoming.startAuctionOnBreach();
  }
}
