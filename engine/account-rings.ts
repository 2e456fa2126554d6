import type { OrderTable } from "./order-table.ts";

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
    const { accounts, orders } = this;
    const first = accounts[account * 2]!;
    if (first === 0) {
      accounts[account * 2] = handle;
      orders.setAccountNext(handle, handle);
      orders.setAccountPrev(handle, handle);
    } else {
      const last = orders.accountPrev(first);
      orders.setAccountNext(last, handle);
      orders.setAccountPrev(handle, last);
      orders.setAccountNext(handle, first);
      orders.setAccountPrev(first, handle);
    }
    accounts[account * 2 + 1]!++;
  }

  remove(account: number, handle: number): void {
    const { accounts, orders } = this;
    const next = orders.accountNext(handle);
    if (next === handle) {
      accounts[account * 2] = 0;
    } else {
      const prev = orders.accountPrev(handle);
      orders.setAccountNext(prev, next);
      orders.setAccountPrev(next, prev);
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
