import { Phase, type Side } from "./codes.ts";
import { EventField, EventKind } from "./event-fields.ts";

const F = EventField;

/** What an auction would give, or gave. `price` 0: nothing. */
export interface AuctionResult {
  readonly price: number;
  readonly volume: number;
  /** By how much `side` exceeds the other; `side` 0: neither does. */
  readonly imbalance: number;
  readonly side: 0 | Side;
}

const NOTHING: AuctionResult = { price: 0, volume: 0, imbalance: 0, side: 0 };

/**
 * Phase and auctions of one symbol, kept by following its events and nothing else. To be told of each event of these
 * kinds; all others change nothing here.
 */
export class Indication {
  phase: Phase;
  /** Until when the phase lasts, microseconds since the epoch; 0: open. */
  until = 0;
  /** 0: none. */
  referencePrice: number;
  /** What the auction that is called would give, as it was told last. */
  indicative = NOTHING;
  /** The last `UNCROSS`: at which price the last auction ended, or goes on, and what is left to trade at it from there. */
  uncrossed = NOTHING;

  /** The instrument's, of a book that has executed nothing; else a snapshot's. */
  constructor(phase: Phase = Phase.CONTINUOUS, referencePrice = 0, until = 0) {
    this.phase = phase;
    this.referencePrice = referencePrice;
    this.until = until;
  }

  /** `PHASE`. What was indicated is over, unless only `until` is another. */
  phaseChanged(phase: Phase, until: number, referencePrice: number): void {
    if (phase !== this.phase) this.indicative = NOTHING;
    this.phase = phase;
    this.until = until;
    this.referencePrice = referencePrice;
  }

  /** `INDICATIVE`. */
  indicated(result: AuctionResult): void {
    this.indicative = result;
  }

  /** `UNCROSS`, also one that goes on, at the same price or another. */
  uncross(result: AuctionResult): void {
    this.uncrossed = result;
  }

  /** `REFERENCE`. */
  referenceChanged(price: number): void {
    this.referencePrice = price;
  }

  /** Takes the event at `base` of `EventBuffer.values`, of whatever kind it is. */
  follow(values: Float64Array, base: number): void {
    switch (values[base + F.KIND]!) {
      case EventKind.PHASE:
        return this.phaseChanged(
          values[base + F.PHASE]! as Phase,
          values[base + F.UNTIL]!,
          values[base + F.PRICE]!,
        );
      case EventKind.INDICATIVE:
        return this.indicated(resultAt(values, base));
      case EventKind.UNCROSS:
        return this.uncross(resultAt(values, base));
      case EventKind.REFERENCE:
        return this.referenceChanged(values[base + F.PRICE]!);
    }
  }
}

function resultAt(values: Float64Array, base: number): AuctionResult {
  return {
    price: values[base + F.PRICE]!,
    volume: values[base + F.QUANTITY]!,
    imbalance: values[base + F.IMBALANCE]!,
    side: values[base + F.SIDE]! as 0 | Side,
  };
}
