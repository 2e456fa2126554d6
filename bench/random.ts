/** Reproducible numbers for workloads: mulberry32, one 32-bit state. The same seed gives the same flow on every machine. */
export class Random {
  private state: number;

  /** Any whole number; only its low 32 bits count. */
  constructor(seed: number) {
    this.state = seed | 0;
  }

  /** `[0, 1)`, in steps of 2^-32. */
  fraction(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), this.state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** `[0, bound)`, whole. */
  below(bound: number): number {
    return Math.floor(this.fraction() * bound);
  }

  /** Failures before the first success, where each trial succeeds once in `mean + 1`. */
  geometric(mean: number): number {
    return Math.floor(Math.log(1 - this.fraction()) / Math.log(mean / (mean + 1)));
  }
}
