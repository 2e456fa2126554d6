/**
 * A few orders in ascending order of (key, priority), in parallel arrays: for pegged, all-or-none and trailing orders,
 * of which a book has a bounded number. An insertion moves what lies behind it.
 */
export class RankedOrders {
  length = 0;
  private keys = new Float64Array(8);
  private priorities = new Float64Array(8);
  private handles = new Int32Array(8);

  /** Forgets all orders and keeps the memory. */
  clear(): void {
    this.length = 0;
  }

  handle(index: number): number {
    return this.handles[index]!;
  }

  key(index: number): number {
    return this.keys[index]!;
  }

  priority(index: number): number {
    return this.priorities[index]!;
  }

  insert(handle: number, key: number, priority: number): void {
    if (this.length === this.handles.length) this.grow();
    const at = this.place(key, priority);
    this.keys.copyWithin(at + 1, at, this.length);
    this.priorities.copyWithin(at + 1, at, this.length);
    this.handles.copyWithin(at + 1, at, this.length);
    this.keys[at] = key;
    this.priorities[at] = priority;
    this.handles[at] = handle;
    this.length++;
  }

  /** The order must be there with these. */
  remove(key: number, priority: number): void {
    const at = this.place(key, priority);
    this.keys.copyWithin(at, at + 1, this.length);
    this.priorities.copyWithin(at, at + 1, this.length);
    this.handles.copyWithin(at, at + 1, this.length);
    this.length--;
  }

  /** Index of the first order that is not before (key, priority). */
  private place(key: number, priority: number): number {
    let from = 0;
    let to = this.length;
    while (from < to) {
      const middle = (from + to) >>> 1;
      const other = this.keys[middle]!;
      if (other < key || (other === key && this.priorities[middle]! < priority)) from = middle + 1;
      else to = middle;
    }
    return from;
  }

  private grow(): void {
    const { keys, priorities, handles } = this;
    this.keys = new Float64Array(keys.length * 2);
    this.priorities = new Float64Array(keys.length * 2);
    this.handles = new Int32Array(keys.length * 2);
    this.keys.set(keys);
    this.priorities.set(priorities);
    this.handles.set(handles);
  }
}
