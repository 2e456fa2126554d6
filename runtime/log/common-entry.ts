/**
 * Finds the last entry that two logs have in common, pure: up to it they have all, behind it none. Looks back from the end in growing
 * steps, since what differs is short, and then halves what is left.
 */
export class CommonEntry {
  #low: number;
  /** The last one that is known to be in common, and the first that is known not to be. */
  #common: number | undefined;
  #differs: number;
  #step = 1;
  #next: number;

  /** Not before `low` and not behind `high` is it looked for. */
  constructor(low: number, high: number) {
    this.#low = low;
    this.#differs = high + 1;
    this.#next = high;
  }

  /** The entry to be compared next. */
  get next(): number {
    return this.#next;
  }

  /** Nothing before this entry can be compared. False: then there is no use in looking on. */
  raise(low: number): boolean {
    if (low >= this.#differs) return false;
    this.#low = Math.max(this.#low, low);
    this.#next = Math.max(this.#next, low);
    return true;
  }

  /** Whether `next` is the same in both. The entry when it is found; `none` when not even `low` is in common. */
  compared(same: boolean): number | "open" | "none" {
    if (same) this.#common = this.#next;
    else {
      if (this.#next === this.#low) return "none";
      this.#differs = this.#next;
    }
    if (this.#common === undefined) {
      this.#next = Math.max(this.#low, this.#next - this.#step);
      this.#step *= 2;
      return "open";
    }
    if (this.#common + 1 === this.#differs) return this.#common;
    this.#next = Math.floor((this.#common + this.#differs) / 2);
    return "open";
  }
}
