/**
 * How much of something may be used in a second, pure. What is used at once may exceed what is left: then nothing more
 * is granted until it is made good, so that the rate holds over time whatever the pieces are.
 */
export class Allowance {
  readonly #perMs: number;
  readonly #most: number;
  #left: number;
  #at: number;

  /** Up to a tenth of a second's worth may be saved up. Times in milliseconds of any clock. */
  constructor(now: number, perSecond: number) {
    this.#perMs = perSecond / 1000;
    this.#most = Math.max(1, perSecond / 10);
    this.#left = this.#most;
    this.#at = now;
  }

  use(now: number, amount: number): void {
    this.#refill(now);
    this.#left -= amount;
  }

  /** From when on something is granted: now or later. */
  grantedAt(now: number): number {
    this.#refill(now);
    return this.#left > 0 ? now : now - this.#left / this.#perMs + 1;
  }

  #refill(now: number): void {
    if (now > this.#at) this.#left = Math.min(this.#most, this.#left + (now - this.#at) * this.#perMs);
    // A clock that was set back neither grants nor takes.
    this.#at = now;
  }
}
