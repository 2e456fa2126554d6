import { Side } from "./codes.ts";
import { broken } from "./invariant.ts";
import { LevelTable } from "./level-table.ts";
import { PriceLadder } from "./price-ladder.ts";
import type { ShownBook } from "./shown-book.ts";

/** An order as everybody may see it. */
export interface ShownOrder {
  /** The book's number of the order. */
  readonly orderId: number;
  readonly side: Side;
  readonly price: number;
  /** 1 or more: an order that shows nothing is not here. */
  readonly shown: number;
  /** Its place: of the orders of one side and price the lowest is first. The event that gave it, if there was one since. */
  readonly priority: number;
}

/** Told of each order that an event changed; `shown` 0: it is shown no more. With another `priority` it went to the end of its line. */
export type OrderListener = (
  orderId: number,
  side: Side,
  price: number,
  shown: number,
  priority: number,
) => void;

// Numbers of one record, and their offsets.
const F64 = 3;
const ORDER_ID = 0;
const SHOWN = 1;
const PRIORITY = 2;
const I32 = 4;
const NEXT = 0;
const PREV = 1;
const LEVEL = 2;
const SIDE = 3;

/**
 * Every shown order in its line, kept by following a symbol's events and nothing else: market depth by order.
 *
 *      level 102    order 7 ⇄ order 9 ⇄ order 4      lines in ascending priority
 *      level 101    order 3
 *
 * A record takes 40 bytes and its entry by order id about as much; handles count from 1, free ones are linked by NEXT.
 */
export class OrderFeed implements ShownBook {
  private readonly table = new LevelTable();
  private readonly bids: PriceLadder;
  private readonly asks: PriceLadder;
  private readonly changed: OrderListener | undefined;
  private readonly handles = new Map<number, number>();
  private readonly restored: ShownOrder[] = [];
  private f64 = new Float64Array(F64 * 8);
  private i32 = new Int32Array(I32 * 8);
  private free = 0;
  private unused = 1;

  /** `tick`: the instrument's. */
  constructor(tick: number, changed?: OrderListener) {
    this.bids = new PriceLadder(this.table, Side.BUY, tick);
    this.asks = new PriceLadder(this.table, Side.SELL, tick);
    this.changed = changed;
  }

  /** Orders that are shown. */
  get size(): number {
    return this.handles.size;
  }

  /** Takes one order of a snapshot, in any order; they are there after `finishRestore`. Nobody is told. */
  restore(order: ShownOrder): void {
    this.restored.push(order);
  }

  finishRestore(): void {
    this.restored.sort((one, other) => one.priority - other.priority);
    for (const { orderId, side, price, shown, priority } of this.restored) {
      this.append(orderId, side, price, shown, priority);
    }
    this.restored.length = 0;
  }

  shows(event: number, orderId: number, side: Side, price: number, shown: number): void {
    if (shown === 0) return;
    const handle = this.handles.get(orderId);
    if (handle !== undefined) this.remove(handle);
    this.append(orderId, side, price, shown, event);
    this.changed?.(orderId, side, price, shown, event);
  }

  hides(orderId: number, side: Side, price: number, shown: number): void {
    if (shown === 0) return;
    this.requirePlace(orderId, side, price);
    this.take(orderId, shown);
  }

  traded(
    _takerSide: Side,
    _price: number,
    takerOrderId: number,
    takerShown: number,
    makerOrderId: number,
    makerShown: number,
    _isAuction: boolean,
  ): void {
    if (takerShown !== 0) this.take(takerOrderId, takerShown);
    if (makerShown !== 0) this.take(makerOrderId, makerShown);
  }

  /** An order that stays shown is told once, at its new place. */
  replaced(
    event: number,
    orderId: number,
    side: Side,
    oldPrice: number,
    oldShown: number,
    price: number,
    shown: number,
    isPriorityKept: boolean,
  ): void {
    if (oldShown !== 0) this.requirePlace(orderId, side, oldPrice);
    const by = shown - oldShown;
    if (isPriorityKept) {
      if (by !== 0) this.take(orderId, -by);
      return;
    }
    if (shown === 0) {
      if (oldShown !== 0) this.take(orderId, oldShown);
      return;
    }
    this.shows(event, orderId, side, price, shown);
  }

  /** An order that is shown. */
  find(orderId: number): ShownOrder | undefined {
    const handle = this.handles.get(orderId);
    return handle === undefined ? undefined : this.at(handle);
  }

  /** The orders of a side, best price first, then in the order of their line. Not to be mixed with events. */
  *orders(side: Side): IterableIterator<ShownOrder> {
    const ladder = this.ladder(side);
    for (let level = ladder.best; level !== 0; level = ladder.next(level)) {
      for (let handle = this.table.head(level); handle !== 0; handle = this.i32[handle * I32 + NEXT]!) {
        yield this.at(handle);
      }
    }
  }

  private ladder(side: Side): PriceLadder {
    return side === Side.BUY ? this.bids : this.asks;
  }

  private at(handle: number): ShownOrder {
    const { f64, i32 } = this;
    return {
      orderId: f64[handle * F64 + ORDER_ID]!,
      side: i32[handle * I32 + SIDE]! as Side,
      price: this.table.price(i32[handle * I32 + LEVEL]!),
      shown: f64[handle * F64 + SHOWN]!,
      priority: f64[handle * F64 + PRIORITY]!,
    };
  }

  private requirePlace(orderId: number, side: Side, price: number): void {
    const handle = this.handles.get(orderId);
    if (handle === undefined) broken(`order ${orderId}: an event speaks of it, and it is not shown`);
    const order = this.at(handle);
    if (order.side !== side || order.price !== price) {
      broken(
        `order ${orderId} is shown on side ${order.side} at ${order.price}, an event says ${side} at ${price}`,
      );
    }
  }

  /** The order shows so much less, and stays where it is. */
  private take(orderId: number, by: number): void {
    const handle = this.handles.get(orderId);
    if (handle === undefined) broken(`order ${orderId}: an event takes ${by} of it, and it is not shown`);
    const { side, price, priority, shown: before } = this.at(handle);
    const shown = before - by;
    if (shown < 0) broken(`order ${orderId}: an event takes ${by} of the ${before} that it shows`);
    if (shown === 0) this.remove(handle);
    else this.f64[handle * F64 + SHOWN] = shown;
    this.changed?.(orderId, side, price, shown, priority);
  }

  private append(orderId: number, side: Side, price: number, shown: number, priority: number): void {
    if (this.handles.has(orderId)) broken(`order ${orderId} is shown twice`);
    const handle = this.allocate();
    const level = this.ladder(side).obtain(price);
    const { f64, i32, table } = this;
    const tail = table.tail(level);
    if (tail !== 0 && f64[tail * F64 + PRIORITY]! >= priority) {
      broken(`order ${orderId}: its priority ${priority} is not behind all others at ${price}`);
    }
    f64[handle * F64 + ORDER_ID] = orderId;
    f64[handle * F64 + SHOWN] = shown;
    f64[handle * F64 + PRIORITY] = priority;
    i32[handle * I32 + NEXT] = 0;
    i32[handle * I32 + PREV] = tail;
    i32[handle * I32 + LEVEL] = level;
    i32[handle * I32 + SIDE] = side;
    if (tail === 0) table.setHead(level, handle);
    else i32[tail * I32 + NEXT] = handle;
    table.setTail(level, handle);
    this.handles.set(orderId, handle);
  }

  private remove(handle: number): void {
    const { f64, i32, table } = this;
    const level = i32[handle * I32 + LEVEL]!;
    const next = i32[handle * I32 + NEXT]!;
    const prev = i32[handle * I32 + PREV]!;
    if (prev === 0) table.setHead(level, next);
    else i32[prev * I32 + NEXT] = next;
    if (next === 0) table.setTail(level, prev);
    else i32[next * I32 + PREV] = prev;
    if (table.head(level) === 0) this.ladder(i32[handle * I32 + SIDE]! as Side).remove(level);
    this.handles.delete(f64[handle * F64 + ORDER_ID]!);
    i32[handle * I32 + NEXT] = this.free;
    this.free = handle;
  }

  private allocate(): number {
    const handle = this.free;
    if (handle !== 0) {
      this.free = this.i32[handle * I32 + NEXT]!;
      return handle;
    }
    if (this.unused * F64 === this.f64.length) {
      const f64 = new Float64Array(this.f64.length * 2);
      f64.set(this.f64);
      this.f64 = f64;
      const i32 = new Int32Array(this.i32.length * 2);
      i32.set(this.i32);
      this.i32 = i32;
    }
    return this.unused++;
  }
}
