import type { Due, EventQueue } from "../sim/event-queue.ts";

/** A process that can be killed, stopped and woken. What comes to it while it is stopped waits; its timers are then overdue. */
export class SimProcess {
  readonly name: string;
  readonly #clock: EventQueue;
  readonly #held: { readonly timer: boolean; readonly run: () => void }[] = [];
  readonly #ends: (() => void)[] = [];
  #ended = false;
  #stopped = false;

  constructor(name: string, clock: EventQueue) {
    this.name = name;
    this.#clock = clock;
  }

  get ended(): boolean {
    return this.#ended;
  }

  get stopped(): boolean {
    return this.#stopped;
  }

  after(delayMs: number, run: () => void): Due {
    return this.#clock.after(delayMs, () => this.#take(true, run));
  }

  /** Something arrives from outside. */
  hear(run: () => void): void {
    this.#take(false, run);
  }

  onEnd(run: () => void): void {
    this.#ends.push(run);
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#held.length = 0;
    for (const run of this.#ends) run();
  }

  stop(): void {
    this.#stopped = true;
  }

  /** What waited is done at once, timers or messages first: an event loop may begin with either. */
  wake(timersFirst: boolean): void {
    if (!this.#stopped || this.#ended) return;
    this.#stopped = false;
    const held = this.#held.splice(0);
    for (const timer of [timersFirst, !timersFirst])
      for (const each of held) if (each.timer === timer) this.#take(timer, each.run);
  }

  #take(timer: boolean, run: () => void): void {
    if (this.#ended) return;
    if (this.#stopped) this.#held.push({ timer, run });
    else run();
  }
}
