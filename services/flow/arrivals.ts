import type { Random } from "./random.ts";

/** How much of the traffic is answers to traffic, and how fast an excitement dies. */
const BRANCHING = 0.7;
const DECAY_PER_MEAN_GAP = 0.2;

/**
 * Arrival times of a self-exciting process (Hawkes, exponential kernel), by Ogata's thinning: each arrival raises the
 * rate for a while, so that arrivals come in bursts.
 */
export class Arrivals {
  readonly #random: Random;
  readonly #base: number;
  readonly #jump: number;
  readonly #decay: number;
  #excitement = 0;
  #timeUs = 0;

  /** `perSecond`: mean arrivals in a second. */
  constructor(random: Random, perSecond: number) {
    const perUs = perSecond / 1_000_000;
    this.#random = random;
    this.#base = perUs * (1 - BRANCHING);
    this.#decay = perUs * DECAY_PER_MEAN_GAP;
    this.#jump = BRANCHING * this.#decay;
  }

  /** Microseconds since the start of the next arrival, a whole number that never falls. */
  next(): number {
    for (;;) {
      const bound = this.#base + this.#excitement;
      const gap = -Math.log(1 - this.#random.unit()) / bound;
      this.#timeUs += gap;
      this.#excitement *= Math.exp(-this.#decay * gap);
      if (this.#random.unit() * bound > this.#base + this.#excitement) continue;
      this.#excitement += this.#jump;
      return Math.floor(this.#timeUs);
    }
  }
}
