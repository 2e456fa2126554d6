interface Event {
  readonly at: number;
  readonly run: () => void;
}

/** Fake time in milliseconds: runs what is due, in order of time, then of asking. */
export class SimClock {
  now = 0;
  /** In descending order of time, so that the next is taken off the end. */
  readonly #events: Event[] = [];

  after(delay: number, run: () => void): void {
    const at = this.now + delay;
    let low = 0;
    let high = this.#events.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#events[middle] as Event).at > at) low = middle + 1;
      else high = middle;
    }
    this.#events.splice(low, 0, { at, run });
  }

  /** Again and again, until it says false. */
  every(period: number, run: () => boolean): void {
    this.after(period, () => {
      if (run()) this.every(period, run);
    });
  }

  /** Runs until `done`, or to the deadline; says whether it was done. */
  run(deadline: number, done: () => boolean): boolean {
    while (!done()) {
      const event = this.#events.at(-1);
      if (event === undefined || event.at > deadline) {
        this.now = Math.max(this.now, deadline);
        return done();
      }
      this.#events.pop();
      this.now = event.at;
      event.run();
    }
    return true;
  }
}
