import { CancelReason, Side } from "./codes.ts";
import { INTEGER_MAX } from "./limits.ts";

// Of this file, so that the compiler can fold them.
const BUY = Side.BUY;
const { DYNAMIC_COLLAR, STATIC_COLLAR } = CancelReason;

/** Hundredths of a percent in one. */
const WHOLE = 10_000;

/**
 * How far a price may be from a reference: ⌊reference × width / 10000⌋, `width` in hundredths of a percent, both
 * `[0, 2^53 - 1]`. Exact up to 2^53 - 1, and that when it would be more.
 */
export function collarDistance(reference: number, width: number): number {
  const wholes = Math.floor(reference / WHOLE);
  const rest = reference - wholes * WHOLE;
  const widthWholes = Math.floor(width / WHOLE);
  // rest × width / 10000 in two parts, as the product could be past 2^53 - 1.
  const ofRest = rest * widthWholes + Math.floor((rest * (width - widthWholes * WHOLE)) / WHOLE);
  // A product or sum past 2^53 - 1 may be rounded, but never to 2^53 - 1 or less.
  return Math.min(INTEGER_MAX, wholes * width + ofRest);
}

/** Whether a limit price (0: none) is worse for its owner than the reference (0: none) by more than the width. */
export function isFarFromReference(side: number, price: number, reference: number, width: number): boolean {
  if (price === 0 || reference === 0) return false;
  return (side === BUY ? price - reference : reference - price) > collarDistance(reference, width);
}

/** The prices at which orders may trade, RULES.md 5.2. Ends are inside. Until `move` all prices are. */
export class PriceCollars {
  /** Lowest and highest price within both collars: 0 and 2^53 - 1 where there is none. */
  lowest = 0;
  highest = INTEGER_MAX;
  private readonly staticWidth: number;
  private readonly dynamicWidth: number;
  private staticReference = 0;
  private dynamicReference = 0;
  private staticLowest = 0;
  private staticHighest = INTEGER_MAX;

  /** Widths in hundredths of a percent, `[0, COLLAR_WIDTH_MAX]`; 0: no such collar. */
  constructor(staticWidth: number, dynamicWidth: number) {
    this.staticWidth = staticWidth;
    this.dynamicWidth = dynamicWidth;
  }

  /** The references of a request: the reference price, and the last price before its sweep. 0: none. */
  move(staticReference: number, dynamicReference: number): void {
    if (staticReference === this.staticReference && dynamicReference === this.dynamicReference) return;
    this.staticReference = staticReference;
    this.dynamicReference = dynamicReference;
    this.staticLowest = 0;
    this.staticHighest = INTEGER_MAX;
    if (this.staticWidth !== 0 && staticReference !== 0) {
      const distance = collarDistance(staticReference, this.staticWidth);
      this.staticLowest = Math.max(0, staticReference - distance);
      this.staticHighest = Math.min(INTEGER_MAX, staticReference + distance);
    }
    this.lowest = this.staticLowest;
    this.highest = this.staticHighest;
    if (this.dynamicWidth !== 0 && dynamicReference !== 0) {
      const distance = collarDistance(dynamicReference, this.dynamicWidth);
      this.lowest = Math.max(this.lowest, dynamicReference - distance);
      this.highest = Math.min(this.highest, dynamicReference + distance);
    }
  }

  /** Which collar a trade at this price would break, the static one first; 0: none. */
  breach(price: number): 0 | typeof STATIC_COLLAR | typeof DYNAMIC_COLLAR {
    if (price >= this.lowest && price <= this.highest) return 0;
    return price < this.staticLowest || price > this.staticHighest ? STATIC_COLLAR : DYNAMIC_COLLAR;
  }

  /** Whether a limit price (0: none) is beyond a collar: a buy above, a sell below. */
  isBeyond(side: number, price: number): boolean {
    return side === BUY ? price > this.highest : price !== 0 && price < this.lowest;
  }
}
