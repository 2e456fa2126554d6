import type { OrderTable } from "./order-table.ts";

// Offsets in an account's record.
const SHIFT = 2;
const START = 0;
const COUNT = 1;
const CAPACITY = 2;

const CAPACITY_FIRST = 4;
/** Capacities are powers of two: one free list for each. */
const CLASSES = 32;

/**
 * The live orders of each account, in no order: lists in one array. Each order knows its place in its account's list, so
 * that it goes without a search; the last of the list, most likely a young order whose record is still cached, takes its
 * place:
 *
 *      accounts  │ START COUNT CAPACITY – │ START COUNT CAPACITY – │ …
 *                    ↓
 *      handles   … │ handle │ handle │ handle │ free │ …
 *                                ↑ position 1 in the record of the order
 *
 * A list that is full moves to a place of twice the size; places that were left are used again by lists of that size.
 */
export class AccountOrders {
  private readonly orders: OrderTable;
  private accounts = new Int32Array(16 << SHIFT);
  private handles = new Int32Array(64);
  private end = 0;
  /** Of each capacity, by its logarithm: start of a free place, plus one, which holds the next. */
  private readonly free = new Int32Array(CLASSES);

  constructor(orders: OrderTable) {
    this.orders = orders;
  }

  /** Live orders of the account. */
  count(account: number): number {
    return this.accounts[(account << SHIFT) | COUNT] ?? 0;
  }

  /** Handles of the account's orders, in no order; valid until one is added or removed. */
  all(account: number): Int32Array {
    const start = this.accounts[(account << SHIFT) | START] ?? 0;
    return this.handles.subarray(start, start + this.count(account));
  }

  add(account: number, handle: number): void {
    const base = account << SHIFT;
    if (base >= this.accounts.length) this.growAccounts(base);
    const count = this.accounts[base | COUNT]!;
    if (count === this.accounts[base | CAPACITY]!) this.growList(base, count);
    const { accounts } = this;
    this.handles[accounts[base | START]! + count] = handle;
    accounts[base | COUNT] = count + 1;
    this.orders.setPosition(handle, count);
  }

  /** The order must be there. */
  remove(account: number, handle: number): void {
    const { orders, accounts, handles } = this;
    const base = account << SHIFT;
    const last = accounts[base | COUNT]! - 1;
    const position = orders.position(handle);
    accounts[base | COUNT] = last;
    if (position === last) return;
    const start = accounts[base | START]!;
    const moved = handles[start + last]!;
    handles[start + position] = moved;
    orders.setPosition(moved, position);
  }

  private growList(base: number, count: number): void {
    const { accounts } = this;
    const capacity = count === 0 ? CAPACITY_FIRST : count * 2;
    const old = accounts[base | START]!;
    const start = this.allocate(capacity);
    this.handles.copyWithin(start, old, old + count);
    if (count > 0) this.release(old, count);
    accounts[base | START] = start;
    accounts[base | CAPACITY] = capacity;
  }

  private allocate(capacity: number): number {
    const size = 31 - Math.clz32(capacity);
    const found = this.free[size]!;
    if (found !== 0) {
      this.free[size] = this.handles[found - 1]!;
      return found - 1;
    }
    const start = this.end;
    this.end += capacity;
    if (this.end > this.handles.length) this.growHandles();
    return start;
  }

  private release(start: number, capacity: number): void {
    const size = 31 - Math.clz32(capacity);
    this.handles[start] = this.free[size]!;
    this.free[size] = start + 1;
  }

  private growHandles(): void {
    let { length } = this.handles;
    while (length < this.end) length *= 2;
    const handles = new Int32Array(length);
    handles.set(this.handles);
    this.handles = handles;
  }

  private growAccounts(base: number): void {
    let { length } = this.accounts;
    while (length <= base) length *= 2;
    const accounts = new Int32Array(length);
    accounts.set(this.accounts);
    this.accounts = accounts;
  }
}
