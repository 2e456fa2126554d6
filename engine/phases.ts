import type { Auction } from "./auction.ts";
import type { BookCore } from "./book-core.ts";
import { CancelReason, type EventReason, Phase, TimeInForce } from "./codes.ts";
import { ownerTimeInForce } from "./order-table.ts";

/** Phases of the day: what each accepts, how one becomes the next, and which orders end with it. RULES.md 4.1 and 4.2. */
export class Phases {
  private readonly core: BookCore;
  private readonly auction: Auction;

  constructor(core: BookCore, auction: Auction) {
    this.core = core;
    this.auction = auction;
  }

  /** Begins a change: with an uncross, that the next steps carry out, or at once. */
  change(next: Phase, until: number, reason: EventReason): void {
    const { core } = this;
    if (next === core.phase || !this.uncrosses(next)) {
      this.announce(next, until, reason);
      return;
    }
    const { price, volume, imbalance, side } = this.auction.price();
    if (price === 0) this.announce(next, until, reason);
    else this.auction.announce({ price, volume, imbalance, side, nextPhase: next, until, reason });
  }

  /** One portion of the uncross that is under way, and after the last one the new phase. */
  goOn(): void {
    const { core } = this;
    if (!this.auction.uncross()) return;
    const { price, nextPhase, until, reason } = core.uncross!;
    // Self-trade prevention and ended partners may leave orders that still meet, at this price or another one.
    const again = this.auction.price();
    if (again.price !== 0) {
      this.auction.announce({ ...again, nextPhase, until, reason });
      return;
    }
    core.uncross = undefined;
    core.referencePrice = price;
    this.announce(nextPhase, until, reason as EventReason);
  }

  /** Why an order of this time in force ends in the present phase, 0: it does not. */
  endOf(timeInForce: TimeInForce): CancelReason | 0 {
    const { phase } = this.core;
    if (timeInForce === TimeInForce.AT_THE_OPEN) {
      const isOver =
        phase === Phase.CONTINUOUS ||
        phase === Phase.VOLATILITY_AUCTION ||
        phase === Phase.CLOSING_AUCTION ||
        phase === Phase.CLOSED;
      return isOver ? CancelReason.AUCTION_REMAINDER : 0;
    }
    if (phase !== Phase.CLOSED) return 0;
    if (timeInForce === TimeInForce.AT_THE_CLOSE) return CancelReason.AUCTION_REMAINDER;
    return timeInForce === TimeInForce.DAY ? CancelReason.EXPIRED : 0;
  }

  endOfOrder(handle: number): CancelReason | 0 {
    return this.endOf(ownerTimeInForce(this.core.resting.orders.owner(handle)));
  }

  private announce(next: Phase, until: number, reason: EventReason): void {
    const { core } = this;
    if (next === Phase.CLOSED && next !== core.phase && core.lastPrice !== 0)
      core.referencePrice = core.lastPrice;
    if (next !== core.phase) {
      core.pegsDue = true;
      core.trailDue = true;
      core.phaseEndDue = true;
    }
    core.phase = next;
    core.until = until;
    core.out.phase(core.event++, next, until, core.referencePrice, reason);
  }

  private uncrosses(next: Phase): boolean {
    const { phase } = this.core;
    if (next === Phase.CONTINUOUS) return true;
    return next === Phase.CLOSED && phase !== Phase.CONTINUOUS && phase !== Phase.HALT;
  }
}

/** Whether a phase accepts new orders of this time in force. `trades`: the order asks for something that only trading can give. */
export function acceptsOrders(phase: Phase, timeInForce: number, trades: boolean): boolean {
  if (phase === Phase.HALT || phase === Phase.CLOSED) return false;
  if (phase === Phase.CONTINUOUS) return timeInForce !== TimeInForce.AT_THE_OPEN;
  if (trades || timeInForce === TimeInForce.IMMEDIATE_OR_CANCEL || timeInForce === TimeInForce.FILL_OR_KILL) {
    return false;
  }
  const isBeforeOpening = phase === Phase.PRE_OPEN || phase === Phase.OPENING_AUCTION;
  return isBeforeOpening || timeInForce !== TimeInForce.AT_THE_OPEN;
}

/** Whether a phase accepts changes of live orders. */
export function acceptsChanges(phase: Phase): boolean {
  return phase !== Phase.HALT && phase !== Phase.CLOSED;
}
