/** One thing that is due. `cancelled` ones are passed over. */
export interface Due {
  readonly at: number;
  readonly order: number;
  run: (() => void) | undefined;
}

/**
 * The simulated world's time: events in order of their time, those of one time in the order in which they were scheduled.
 * `soon` runs after the present event and before the next, in order. Times are milliseconds from the world's beginning.
 */
export class EventQueue {
  readonly #heap: Due[] = [];
  readonly #soon: (() => void)[] = [];
  #now = 0;
  #order = 0;
  #events = 0;

  get now(): number {
    return this.#now;
  }

  /** How many events have run. */
  get events(): number {
    return this.#events;
  }

  after(delayMs: number, run: () => void): Due {
    return this.at(this.#now + delayMs, run);
  }

  /** Throws `RangeError` for a time that is past or none. */
  at(at: number, run: () => void): Due {
    if (!(at >= this.#now)) throw new RangeError(`an event at ${at} comes after ${this.#now}`);
    const due = { at, order: this.#order++, run };
    const heap = this.#heap;
    let index = heap.push(due) - 1;
    while (index > 0) {
      const up = (index - 1) >> 1;
      const above = heap[up] as Due;
      if (before(above, due)) break;
      heap[index] = above;
      index = up;
    }
    heap[index] = due;
    return due;
  }

  soon(run: () => void): void {
    this.#soon.push(run);
  }

  cancel(due: Due | undefined): void {
    if (due !== undefined) due.run = undefined;
  }

  /** Runs all that is due before `until`, and stands there afterwards; stops early when `stop` says so. */
  runUntil(until: number, stop: () => boolean): void {
    this.#drain();
    for (let due = this.#heap[0]; due !== undefined && due.at <= until; due = this.#heap[0]) {
      this.#pop();
      if (due.run === undefined) continue;
      this.#now = due.at;
      this.#events += 1;
      due.run();
      this.#drain();
      if (stop()) return;
    }
    this.#now = Math.max(this.#now, until);
  }

  #drain(): void {
    const soon = this.#soon;
    if (soon.length === 0) return;
    for (let index = 0; index < soon.length; index++) (soon[index] as () => void)();
    this.#events += soon.length;
    soon.length = 0;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop() as Due;
    const { length } = heap;
    if (length === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= length) break;
      if (child + 1 < length && before(heap[child + 1] as Due, heap[child] as Due)) child += 1;
      const below = heap[child] as Due;
      if (before(last, below)) break;
      heap[index] = below;
      index = child;
    }
    heap[index] = last;
  }
}

function before(a: Due, b: Due): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
