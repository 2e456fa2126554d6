import type { OrderTable } from "./order-table.ts";

const NONE = new Int32Array(0);

/**
 * The live orders of each account, in no order. Each order knows its place in its account's list, so that it goes without
 * a search; the last of the list, most likely a young order whose record is still cached, takes its place:
 *
 *      lists   account 0 │ handle │ handle │ handle │ …      counts │ 3 │ …
 *                             ↑ position 1 in the record of the order
 */
export class AccountOrders {
  private readonly orders: OrderTable;
  private lists: Int32Array[] = [];
  private counts = new Int32Array(16);

  constructor(orders: OrderTable) {
    this.orders = orders;
  }

  /** Live orders of the account. */
  count(account: number): number {
    return this.counts[account] ?? 0;
  }

  /** Handles of the account's orders, in no order; valid until one is added or removed. */
  all(account: number): Int32Array {
    return (this.lists[account] ?? NONE).subarray(0, this.count(account));
  }

  add(account: number, handle: number): void {
    if (account >= this.counts.length) this.growAccounts(account);
    const count = this.counts[account]!;
    let list = this.lists[account] ?? NONE;
    if (count === list.length) list = this.growList(account, list);
    list[count] = handle;
    this.orders.setPosition(handle, count);
    this.counts[account] = count + 1;
  }

  /** The order must be there. */
  remove(account: number, handle: number): void {
    const { orders } = this;
    const list = this.lists[account]!;
    const last = --this.counts[account]!;
    const position = orders.position(handle);
    if (position === last) return;
    const moved = list[last]!;
    list[position] = moved;
    orders.setPosition(moved, position);
  }

  private growList(account: number, old: Int32Array): Int32Array {
    const list = new Int32Array(Math.max(4, old.length * 2));
    list.set(old);
    // Without holes, so that the engine keeps the array of lists dense.
    while (this.lists.length < account) this.lists.push(NONE);
    this.lists[account] = list;
    return list;
  }

  private growAccounts(account: number): void {
    let { length } = this.counts;
    while (length <= account) length *= 2;
    const counts = new Int32Array(length);
    counts.set(this.counts);
    this.counts = counts;
  }
}
