import type { BookCore } from "./book-core.ts";
import { CollarAction, PostOnly, RejectReason, Side } from "./codes.ts";
import { isFarFromReference } from "./collar.ts";
import { tickAt } from "./instrument.ts";
import type { Sweep } from "./sweep.ts";

/** Checks of RULES.md 2.1 that new orders and replacements share. Each gives 0 or the reason of the refusal. */
export class OrderChecks {
  private readonly core: BookCore;
  private readonly sweep: Sweep;

  constructor(core: BookCore, sweep: Sweep) {
    this.core = core;
    this.sweep = sweep;
  }

  /** Notional, distance from the reference and collars of a limit, 0: none. */
  price(side: number, price: number, quantity: number): 0 | RejectReason {
    if (price === 0) return 0;
    const { instrument, collars, referencePrice, lastPrice } = this.core;
    const { notionalMax, fatFingerWidth } = instrument;
    if (notionalMax !== undefined && price * quantity > notionalMax) return RejectReason.NOTIONAL_TOO_LARGE;
    if (fatFingerWidth !== undefined && isFarFromReference(side, price, referencePrice, fatFingerWidth)) {
      return RejectReason.FAR_FROM_REFERENCE;
    }
    if (instrument.collars?.action !== CollarAction.REJECT) return 0;
    collars.move(referencePrice, lastPrice);
    return collars.isBeyond(side, price) ? RejectReason.OUTSIDE_COLLAR : 0;
  }

  /** Position and credit. `oldPrice` and `oldLeaves`: what is open of the order itself. */
  limits(
    account: number,
    side: number,
    price: number,
    leaves: number,
    oldPrice: number,
    oldLeaves: number,
  ): 0 | RejectReason {
    const { accounts } = this.core;
    return accounts.limited ? accounts.check(account, side, price, leaves, oldPrice, oldLeaves) : 0;
  }

  /** The price at which a post-only order rests: its own, or one that does not take; 0: it is refused. */
  postOnlyPrice(side: Side, price: number, postOnly: number): number {
    const best = this.sweep.bestExecutable(side);
    if (best === 0 || (side === Side.BUY ? best > price : best < price)) return price;
    if (postOnly !== PostOnly.REPRICE) return 0;
    const { instrument } = this.core;
    const { priceMax } = instrument;
    const step = tickAt(instrument, best);
    const aim = side === Side.BUY ? best - step : best + step;
    if (aim < 1 || aim > priceMax) return 0;
    const tick = tickAt(instrument, aim);
    const rounded = (side === Side.BUY ? Math.floor(aim / tick) : Math.ceil(aim / tick)) * tick;
    return rounded < 1 || rounded > priceMax ? 0 : rounded;
  }
}
