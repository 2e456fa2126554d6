import { Side } from "../../engine/codes.ts";
import { LevelTable } from "../../engine/level-table.ts";
import { PriceLadder } from "../../engine/price-ladder.ts";

export const ACCEPTED = 1;
export const TRADE = 2;
export const CANCELLED = 3;
/** Numbers per event: `ACCEPTED id isBuy price quantity resting`, `TRADE taker maker price quantity makerLeaves`,
 * `CANCELLED id isBuy price quantity`. */
export const EVENT_FIELDS = 8;

const ORDER_F64 = 4;
const ID = 0;
const LEAVES = 1;
const ORDER_I32 = 8;
const NEXT = 4;
const PREV = 5;
const LEVEL = 6;
const IS_BUY = 7;

/**
 * Limit orders and cancels on structures of the engine's kinds, and nothing else: no accounts, sequences, order ids,
 * types, checks of input, limits of a request, replace, mass cancel, restore or replay. Orders are records of 32
 * bytes in one buffer, linked into the queues of their levels; the levels and their ladders are the engine's own.
 */
export class StrippedBook {
  /** Events since `clear`, `EVENT_FIELDS` numbers each; replaced when it grows. */
  values = new Float64Array(1024);
  /** Numbers used of `values`. */
  length = 0;
  private readonly levels = new LevelTable();
  private readonly bids: PriceLadder;
  private readonly asks: PriceLadder;
  private f64 = new Float64Array(ORDER_F64 * 8);
  private i32 = new Int32Array(this.f64.buffer);
  private free = 0;
  private unused = 1;
  /** Hash and handle of each order, open addressing with backward shift, at most half full. */
  private slots = new Int32Array(32);
  private mask = 15;
  private used = 0;

  constructor(tick: number) {
    this.bids = new PriceLadder(this.levels, Side.BUY, tick);
    this.asks = new PriceLadder(this.levels, Side.SELL, tick);
  }

  clear(): void {
    this.length = 0;
  }

  /** `rests`: whether what is left stays in the book. The id must not be live. */
  newOrder(id: number, isBuy: boolean, rests: boolean, price: number, quantity: number): void {
    if (this.find(id) !== 0) throw new Error(`stripped book: order ${id} is live already`);
    const accepted = this.event(ACCEPTED, id, isBuy ? 1 : 0, price, quantity);
    const opposite = isBuy ? this.asks : this.bids;
    let leaves = quantity;
    while (leaves > 0 && opposite.best !== 0) {
      const level = opposite.best;
      const best = this.levels.price(level);
      if (isBuy ? best > price : best < price) break;
      leaves = this.takeFirst(opposite, level, best, id, leaves);
    }
    if (leaves === 0) return;
    if (!rests) {
      this.event(CANCELLED, id, isBuy ? 1 : 0, price, leaves);
      return;
    }
    this.rest(id, isBuy, price, leaves);
    this.values[accepted + 5] = leaves;
  }

  /** Ends a live order. */
  cancel(id: number): void {
    const handle = this.find(id);
    if (handle === 0) throw new Error(`stripped book: order ${id} is not live`);
    const level = this.i32[handle * ORDER_I32 + LEVEL]!;
    const isBuy = this.i32[handle * ORDER_I32 + IS_BUY]!;
    this.event(CANCELLED, id, isBuy, this.levels.price(level), this.f64[handle * ORDER_F64 + LEAVES]!);
    this.dequeue(handle, level, isBuy === 1 ? this.bids : this.asks);
    this.forget(handle, id);
  }

  private takeFirst(
    ladder: PriceLadder,
    level: number,
    price: number,
    taker: number,
    leaves: number,
  ): number {
    const maker = this.levels.head(level);
    const makerLeaves = this.f64[maker * ORDER_F64 + LEAVES]!;
    const makerId = this.f64[maker * ORDER_F64 + ID]!;
    const executed = leaves < makerLeaves ? leaves : makerLeaves;
    const trade = this.event(TRADE, taker, makerId, price, executed);
    this.values[trade + 5] = makerLeaves - executed;
    if (executed < makerLeaves) {
      this.f64[maker * ORDER_F64 + LEAVES] = makerLeaves - executed;
      this.levels.addQuantity(level, -executed);
    } else {
      this.dequeue(maker, level, ladder);
      this.forget(maker, makerId);
    }
    return leaves - executed;
  }

  private rest(id: number, isBuy: boolean, price: number, leaves: number): void {
    const { levels } = this;
    const handle = this.allocate();
    const level = (isBuy ? this.bids : this.asks).obtain(price);
    const tail = levels.tail(level);
    if (tail === 0) levels.setHead(level, handle);
    else this.i32[tail * ORDER_I32 + NEXT] = handle;
    levels.setTail(level, handle);
    levels.addCount(level, 1);
    levels.addQuantity(level, leaves);
    this.f64[handle * ORDER_F64 + ID] = id;
    this.f64[handle * ORDER_F64 + LEAVES] = leaves;
    this.i32[handle * ORDER_I32 + NEXT] = 0;
    this.i32[handle * ORDER_I32 + PREV] = tail;
    this.i32[handle * ORDER_I32 + LEVEL] = level;
    this.i32[handle * ORDER_I32 + IS_BUY] = isBuy ? 1 : 0;
    this.index(id, handle);
  }

  private dequeue(handle: number, level: number, ladder: PriceLadder): void {
    const { levels, i32 } = this;
    const next = i32[handle * ORDER_I32 + NEXT]!;
    const prev = i32[handle * ORDER_I32 + PREV]!;
    if (prev === 0 && next === 0) {
      ladder.remove(level);
      return;
    }
    if (prev === 0) levels.setHead(level, next);
    else i32[prev * ORDER_I32 + NEXT] = next;
    if (next === 0) levels.setTail(level, prev);
    else i32[next * ORDER_I32 + PREV] = prev;
    levels.addCount(level, -1);
    levels.addQuantity(level, -this.f64[handle * ORDER_F64 + LEAVES]!);
  }

  private event(kind: number, first: number, second: number, price: number, quantity: number): number {
    const base = this.length;
    if (base === this.values.length) {
      const values = new Float64Array(base * 2);
      values.set(this.values);
      this.values = values;
    }
    const { values } = this;
    values[base] = kind;
    values[base + 1] = first;
    values[base + 2] = second;
    values[base + 3] = price;
    values[base + 4] = quantity;
    this.length = base + EVENT_FIELDS;
    return base;
  }

  private allocate(): number {
    const handle = this.free;
    if (handle !== 0) {
      this.free = this.i32[handle * ORDER_I32 + NEXT]!;
      return handle;
    }
    if (this.unused * ORDER_F64 === this.f64.length) {
      const f64 = new Float64Array(this.f64.length * 2);
      f64.set(this.f64);
      this.f64 = f64;
      this.i32 = new Int32Array(f64.buffer);
    }
    return this.unused++;
  }

  private find(id: number): number {
    const { slots, mask } = this;
    const hash = hashOf(id);
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const handle = slots[slot * 2 + 1]!;
      if (handle === 0) return 0;
      if (slots[slot * 2] === hash && this.f64[handle * ORDER_F64 + ID] === id) return handle;
    }
  }

  private index(id: number, handle: number): void {
    if (this.used * 2 > this.mask) this.growIndex();
    this.used++;
    this.place(hashOf(id), handle);
  }

  private place(hash: number, handle: number): void {
    const { slots, mask } = this;
    let slot = hash & mask;
    while (slots[slot * 2 + 1] !== 0) slot = (slot + 1) & mask;
    slots[slot * 2] = hash;
    slots[slot * 2 + 1] = handle;
  }

  /** Takes an order that is in no queue out of the index, and frees its record. */
  private forget(handle: number, id: number): void {
    const { slots, mask } = this;
    let gap = hashOf(id) & mask;
    while (slots[gap * 2 + 1] !== handle) gap = (gap + 1) & mask;
    for (let slot = (gap + 1) & mask; slots[slot * 2 + 1] !== 0; slot = (slot + 1) & mask) {
      if (((slot - slots[slot * 2]!) & mask) < ((slot - gap) & mask)) continue;
      slots[gap * 2] = slots[slot * 2]!;
      slots[gap * 2 + 1] = slots[slot * 2 + 1]!;
      gap = slot;
    }
    slots[gap * 2 + 1] = 0;
    this.used--;
    this.i32[handle * ORDER_I32 + NEXT] = this.free;
    this.free = handle;
  }

  private growIndex(): void {
    const old = this.slots;
    this.slots = new Int32Array(old.length * 2);
    this.mask = this.mask * 2 + 1;
    for (let at = 0; at < old.length; at += 2) if (old[at + 1] !== 0) this.place(old[at]!, old[at + 1]!);
  }
}

function hashOf(id: number): number {
  let hash = Math.imul((id | 0) ^ Math.imul((id / 4_294_967_296) | 0, 0x9e3779b1), 0xcc9e2d51);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return hash ^ (hash >>> 13);
}
