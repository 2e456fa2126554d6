/** Milliseconds between two looks at the clock, how late one must be to tell of a machine that stood still, and for how long it counts. */
const TICK_MS = 50;
const LATE_MS = 300;
const COUNTS_MS = 2000;

/**
 * Notices when this process did not get to run: then others did not either, and who missed its beats for that was rightly taken for
 * failed although nobody had hit it.
 */
export class StarvationWatch {
  readonly #moments: number[] = [];
  readonly #timer: NodeJS.Timeout;
  #last = performance.now();

  constructor() {
    this.#timer = setInterval(() => {
      const now = performance.now();
      if (now - this.#last > LATE_MS) this.#moments.push(now);
      this.#last = now;
    }, TICK_MS);
  }

  /** Whether it was so at this moment, or shortly before. */
  isStarvedAt(atMs: number): boolean {
    return this.#moments.some((moment) => atMs >= moment - LATE_MS && atMs <= moment + COUNTS_MS);
  }

  get count(): number {
    return this.#moments.length;
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
