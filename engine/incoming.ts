import type { BookCore } from "./book-core.ts";
import { CancelReason, CollarAction, OrderType, Phase } from "./codes.ts";
import { FillTrial } from "./fill-trial.ts";
import type { Phases } from "./phases.ts";
import { Sweep } from "./sweep.ts";

/** What becomes of an order that comes in: how far it trades, and why what is left of it ends. */
export class Incoming {
  readonly sweep: Sweep;
  private readonly core: BookCore;
  private readonly phases: Phases;
  private readonly trial: FillTrial;
  /** The collar that a trade would have broken where that starts a volatility auction, 0: none. */
  private breach: typeof CancelReason.STATIC_COLLAR | typeof CancelReason.DYNAMIC_COLLAR | 0 = 0;

  constructor(core: BookCore, phases: Phases) {
    this.core = core;
    this.phases = phases;
    this.sweep = new Sweep(core);
    this.trial = new FillTrial(core);
  }

  /** Whether so much of the core's taker would be executed at once. */
  canExecute(quantity: number): boolean {
    return this.trial.executable() >= quantity;
  }

  /** Lets the core's taker trade. */
  trade(): void {
    this.sweep.run();
  }

  /**
   * Ends what is left of the core's taker if it must end, with its `CANCELLED`. Returns what lives on. `type`: what it is
   * now; `rests`: whether it may live on.
   */
  finish(type: OrderType, rests: boolean): number {
    const { core } = this;
    const { taker } = core;
    if (taker.leaves === 0) return 0;
    if (taker.breach !== 0) {
      const isAuction = core.instrument.collars?.action === CollarAction.AUCTION;
      if (isAuction) this.breach = taker.breach;
      if (!isAuction || !rests) taker.ended = taker.breach;
    }
    if (taker.ended === 0 && !rests) {
      const isProtected = type === OrderType.MARKET && taker.price !== 0;
      taker.ended = isProtected ? CancelReason.PRICE_PROTECTION : CancelReason.IMMEDIATE_REMAINDER;
    }
    if (taker.ended === 0) return taker.leaves;
    core.out.cancelled(
      core.event++,
      taker.account,
      taker.orderId,
      taker.clientOrderId,
      taker.side,
      taker.price,
      taker.leaves,
      0,
      0,
      taker.ended,
    );
    return 0;
  }

  /** The phase that a broken collar asks for, once the order that broke it is done with. */
  startAuctionOnBreach(): void {
    const { core, breach } = this;
    this.breach = 0;
    if (breach === 0) return;
    const { auctionUs } = core.instrument.collars!;
    this.phases.change(Phase.VOLATILITY_AUCTION, auctionUs === 0 ? 0 : core.now + auctionUs, breach);
  }
}
