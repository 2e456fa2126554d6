import type { OrderTable } from "./order-table.ts";

/**
 * Orders with an expiry, earliest first, then lowest order id: a binary heap of (expiry, order id, handle). What ended
 * otherwise stays in it until it comes up or until it is the larger part.
 */
export class ExpiryQueue {
  private readonly orders: OrderTable;
  private length = 0;
  /** Live orders with an expiry. */
  private live = 0;
  private expiries = new Float64Array(8);
  private orderIds = new Float64Array(8);
  private handles = new Int32Array(8);

  constructor(orders: OrderTable) {
    this.orders = orders;
  }

  add(handle: number, expiry: number): void {
    if (this.length > 16 && this.length > this.live * 2) this.sweep();
    if (this.length === this.handles.length) this.grow();
    this.live++;
    this.set(this.length, expiry, this.orders.orderId(handle), handle);
    this.rise(this.length++);
  }

  /** A live order with an expiry ended. */
  ended(): void {
    this.live--;
  }

  /** Expiry of the first order, Infinity: none. */
  first(): number {
    while (this.length > 0 && !this.isLive(0)) this.removeFirst();
    return this.length === 0 ? Infinity : this.expiries[0]!;
  }

  /** Handle of the first order; `first` must have told that there is one. */
  firstHandle(): number {
    return this.handles[0]!;
  }

  private isLive(at: number): boolean {
    return this.orders.orderId(this.handles[at]!) === this.orderIds[at]!;
  }

  private removeFirst(): void {
    this.length--;
    this.move(this.length, 0);
    this.sink(0);
  }

  private sweep(): void {
    let kept = 0;
    for (let at = 0; at < this.length; at++) {
      if (this.isLive(at)) this.move(at, kept++);
    }
    this.length = kept;
    for (let at = (kept >>> 1) - 1; at >= 0; at--) this.sink(at);
  }

  private isBefore(one: number, other: number): boolean {
    const difference = this.expiries[one]! - this.expiries[other]!;
    return difference < 0 || (difference === 0 && this.orderIds[one]! < this.orderIds[other]!);
  }

  private rise(from: number): void {
    let at = from;
    while (at > 0) {
      const above = (at - 1) >>> 1;
      if (!this.isBefore(at, above)) return;
      this.swap(at, above);
      at = above;
    }
  }

  private sink(from: number): void {
    let at = from;
    for (;;) {
      const left = at * 2 + 1;
      if (left >= this.length) return;
      const right = left + 1;
      const next = right < this.length && this.isBefore(right, left) ? right : left;
      if (!this.isBefore(next, at)) return;
      this.swap(at, next);
      at = next;
    }
  }

  private set(at: number, expiry: number, orderId: number, handle: number): void {
    this.expiries[at] = expiry;
    this.orderIds[at] = orderId;
    this.handles[at] = handle;
  }

  private move(from: number, to: number): void {
    this.set(to, this.expiries[from]!, this.orderIds[from]!, this.handles[from]!);
  }

  private swap(one: number, other: number): void {
    const expiry = this.expiries[one]!;
    const orderId = this.orderIds[one]!;
    const handle = this.handles[one]!;
    this.move(other, one);
    this.set(other, expiry, orderId, handle);
  }

  private grow(): void {
    const { expiries, orderIds, handles } = this;
    this.expiries = new Float64Array(handles.length * 2);
    this.orderIds = new Float64Array(handles.length * 2);
    this.handles = new Int32Array(handles.length * 2);
    this.expiries.set(expiries);
    this.orderIds.set(orderIds);
    this.handles.set(handles);
  }
}
