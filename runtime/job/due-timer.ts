import { DUE_TIMER_MAX_MS } from "../limits.ts";

/** One timer for a time that keeps changing: it calls back at that time or soon after, never before it is armed anew. */
export class DueTimer {
  readonly #onDue: () => void;
  #timer: NodeJS.Timeout | undefined;
  #dueUs = Infinity;

  constructor(onDue: () => void) {
    this.#onDue = onDue;
  }

  /** In microseconds since the Unix epoch, as is `nowUs`; Infinity: never. It may call back too early: look again then. */
  arm(dueUs: number, nowUs: number): void {
    if (dueUs === this.#dueUs) return;
    this.stop();
    this.#dueUs = dueUs;
    if (dueUs === Infinity) return;
    const delayMs = Math.min(Math.ceil((dueUs - nowUs) / 1000), DUE_TIMER_MAX_MS);
    this.#timer = setTimeout(() => {
      this.#dueUs = Infinity;
      this.#onDue();
    }, delayMs);
    this.#timer.unref();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#dueUs = Infinity;
  }
}
