import type { MonitorTiming } from "./timing.ts";

/** The numbered beats of a monitor, the first one is 1, and when the polls of the last ones were sent. */
export class Beats {
  readonly #beatMs: number;
  readonly #sentAt: number[];
  #count = 0;
  #dueAt = -Infinity;

  constructor({ beatMs, silenceMs }: MonitorTiming) {
    this.#beatMs = beatMs;
    // A poll that is older than the silence that fails a child need not be known; ticks that come unevenly may bring beats together.
    this.#sentAt = Array.from({ length: 2 * Math.ceil(silenceMs / beatMs) + 2 }, () => -Infinity);
  }

  /** The number of the last one. */
  get count(): number {
    return this.#count;
  }

  /** True when a beat begins now. */
  begins(now: number): boolean {
    if (now < this.#dueAt) return false;
    const next = this.#dueAt + this.#beatMs;
    this.#dueAt = next > now ? next : now + this.#beatMs;
    this.#count += 1;
    this.#sentAt[this.#count % this.#sentAt.length] = now;
    return true;
  }

  /** When the polls of this beat were sent; -Infinity: too long ago to be known. */
  sentAt(beat: number): number {
    if (beat <= this.#count - this.#sentAt.length) return -Infinity;
    return this.#sentAt[beat % this.#sentAt.length] ?? -Infinity;
  }
}
