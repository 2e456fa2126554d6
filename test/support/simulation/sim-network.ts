import type { Random } from "../../../services/flow/random.ts";
import type { SimClock } from "./sim-clock.ts";

export interface SimRates {
  /** Probabilities, 0 to 1. */
  readonly loss: number;
  readonly duplicate: number;
  /** Probability that a connection breaks right behind a message to a client. */
  readonly cut: number;
  /** The longest that a message is under way, in milliseconds; the shortest is nothing. */
  readonly delay: number;
}

/** At-most-once messaging at its worst: loses, repeats, delays and so reorders. */
export class SimNetwork {
  readonly #clock: SimClock;
  readonly #random: Random;
  #rates: SimRates;
  #down = 0;

  constructor(clock: SimClock, random: Random, rates: SimRates) {
    this.#clock = clock;
    this.#random = random;
    this.#rates = rates;
  }

  send(deliver: () => void): void {
    const { loss, duplicate, delay } = this.#rates;
    if (this.#down > 0 || this.#random.chance(loss)) return;
    const copies = this.#random.chance(duplicate) ? 2 : 1;
    for (let i = 0; i < copies; i++) {
      this.#clock.after(this.#random.below(delay + 1), () => {
        if (this.#down === 0) deliver();
      });
    }
  }

  /** Whether a connection breaks here. */
  cuts(): boolean {
    return this.#random.chance(this.#rates.cut);
  }

  /** The broker dies for a while; `up` is called when it is back. */
  outage(duration: number, up: () => void): void {
    this.#down += 1;
    this.#clock.after(duration, () => {
      this.#down -= 1;
      if (this.#down === 0) up();
    });
  }

  /** From now on nothing is lost or repeated; what is under way still is. */
  heal(): void {
    this.#rates = { loss: 0, duplicate: 0, cut: 0, delay: 5 };
  }
}
