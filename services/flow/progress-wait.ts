interface Waiter {
  readonly done: () => boolean;
  readonly wake: () => void;
}

/** Waiting that a stop ends: for a promise, or for a condition that is looked at whenever something has happened. */
export class ProgressWait {
  readonly #waiters = new Set<Waiter>();
  /** Why it was stopped; undefined while it goes on. */
  reason: string | undefined;

  stop(reason: string): void {
    if (this.reason !== undefined) return;
    this.reason = reason;
    for (const waiter of this.#waiters) waiter.wake();
    this.#waiters.clear();
  }

  /** The promise's end or the stop, whichever is first. A rejection is passed on. */
  race(promise: Promise<unknown>): Promise<void> {
    if (this.reason !== undefined) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const waiter = { done: () => false, wake: resolve };
      this.#waiters.add(waiter);
      promise
        .then(
          () => resolve(),
          (error: unknown) => reject(error as Error),
        )
        .finally(() => this.#waiters.delete(waiter));
    });
  }

  /** Resolves when `done` is true at a call of `progressed`, or at the stop. */
  until(done: () => boolean): Promise<void> {
    if (done() || this.reason !== undefined) return Promise.resolve();
    return new Promise((wake) => this.#waiters.add({ done, wake }));
  }

  progressed(): void {
    for (const waiter of this.#waiters) {
      if (!waiter.done()) continue;
      this.#waiters.delete(waiter);
      waiter.wake();
    }
  }
}
