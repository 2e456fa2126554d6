import { OrderI32, type OrderTable } from "./order-table.ts";

const I32 = 16;
const NEXT = OrderI32.ACCOUNT_NEXT;
const PREV = OrderI32.ACCOUNT_PREV;

/**
 * The live orders of each account, in ascending order id, as a ring through the order records:
 *
 *      accounts │ first count │ first count │ …        first ⇄ order ⇄ order ⇄ (first)
 *
 * The first order's predecessor is the last, so appending needs no more than the first.
 */
export class AccountRings {
  private readonly orders: OrderTable;
  private accounts = new Int32Array(16);

  constructor(orders: OrderTable) {
    this.orders = orders;
  }

  /** The account's order of the lowest id, or 0. */
  first(account: number): number {
    return this.accounts[account * 2] ?? 0;
  }

  /** Live orders of the account. */
  count(account: number): number {
    return this.accounts[account * 2 + 1] ?? 0;
  }

  /** The order's id must be above those of all that are there. */
  append(account: number, handle: number): void {
    if (account * 2 >= this.accounts.length) this.grow(account);
    const { accounts } = this;
    const { i32 } = this.orders;
    const first = accounts[account * 2]!;
    if (first === 0) {
      accounts[account * 2] = handle;
      i32[handle * I32 + NEXT] = handle;
      i32[handle * I32 + PREV] = handle;
    } else {
      const last = i32[first * I32 + PREV]!;
      i32[last * I32 + NEXT] = handle;
      i32[handle * I32 + PREV] = last;
      i32[handle * I32 + NEXT] = first;
      i32[first * I32 + PREV] = handle;
    }
    accounts[account * 2 + 1]!++;
  }

  remove(account: number, handle: number): void {
    const { accounts } = this;
    const { i32 } = this.orders;
    const next = i32[handle * I32 + NEXT]!;
    if (next === handle) {
      accounts[account * 2] = 0;
    } else {
      const prev = i32[handle * I32 + PREV]!;
      i32[prev * I32 + NEXT] = next;
      i32[next * I32 + PREV] = prev;
      if (accounts[account * 2] === handle) accounts[account * 2] = next;
    }
    accounts[account * 2 + 1]!--;
  }

  private grow(account: number): void {
    let length = this.accounts.length;
    while (length <= account * 2) length *= 2;
    const accounts = new Int32Array(length);
    accounts.set(this.accounts);
    this.accounts = accounts;
  }
}
