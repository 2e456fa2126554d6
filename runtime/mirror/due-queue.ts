interface Due<T> {
  readonly value: T;
  readonly at: number;
}

/** What is due at some time each, the earliest first: a binary heap. */
export class DueQueue<T> {
  readonly #heap: Due<T>[] = [];

  /** Infinity: nothing waits. */
  get nextAt(): number {
    return this.#heap[0]?.at ?? Infinity;
  }

  push(value: T, at: number): void {
    const heap = this.#heap;
    let place = heap.length;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      const above = heap[parent] as Due<T>;
      if (above.at <= at) break;
      heap[place] = above;
      place = parent;
    }
    heap[place] = { value, at };
  }

  /** The earliest, if it is due. */
  take(now: number): T | undefined {
    const heap = this.#heap;
    const first = heap[0];
    if (first === undefined || first.at > now) return undefined;
    const last = heap.pop() as Due<T>;
    if (heap.length > 0) this.#sink(last);
    return first.value;
  }

  #sink(moved: Due<T>): void {
    const heap = this.#heap;
    for (let place = 0; ;) {
      const left = 2 * place + 1;
      const right = heap[left + 1];
      const child = right !== undefined && right.at < (heap[left] as Due<T>).at ? left + 1 : left;
      const below = heap[child];
      if (below === undefined || below.at >= moved.at) {
        heap[place] = moved;
        return;
      }
      heap[place] = below;
      place = child;
    }
  }
}
