import type { Peg, PostOnly, SelfTrade } from "./codes.ts";
import type { OrderTable } from "./order-table.ts";

// Offsets in a record; kept in this file, where the compiler can fold them.
const F64 = 8;
const PRICE = 0;
const DISPLAY = 1;
const SHOWN = 2;
const TRIGGER = 3;
const OFFSET = 4;
const EXPIRY = 5;
const I32 = 16;
const PARTNER = 12;
const FOR_ACCOUNT = 13;
const FLAGS = 14;
const FREE = 15;

/** Instructions in one word: `selfTrade << 6 | postOnly << 4 | peg << 2 | allOrNone << 1 | hidden`. */
export function packFlags(
  hidden: boolean,
  allOrNone: boolean,
  peg: number,
  postOnly: number,
  selfTrade: number,
): number {
  return (selfTrade << 6) | (postOnly << 4) | (peg << 2) | (allOrNone ? 2 : 0) | (hidden ? 1 : 0);
}
export const flagsHidden = (flags: number): boolean => (flags & 1) !== 0;
export const flagsAllOrNone = (flags: number): boolean => (flags & 2) !== 0;
export const flagsPeg = (flags: number): 0 | Peg => ((flags >>> 2) & 3) as 0 | Peg;
export const flagsPostOnly = (flags: number): 0 | PostOnly => ((flags >>> 4) & 3) as 0 | PostOnly;
export const flagsSelfTrade = (flags: number): 0 | SelfTrade => ((flags >>> 6) & 7) as 0 | SelfTrade;

/**
 * What special orders have beyond a plain order's record, 64 bytes each, found by the EXTRA of that record:
 *
 *      byte 0      8        16     24       32      40      48       52           56     60
 *           PRICE  DISPLAY  SHOWN  TRIGGER  OFFSET  EXPIRY  PARTNER  FOR_ACCOUNT  FLAGS  next free
 *
 * PRICE is the order's own limit, since a pegged, waiting or market order is queued at another price. SHOWN counts for
 * icebergs only. PARTNER is a handle, 0: none; FOR_ACCOUNT -1: the session's own.
 */
export class OrderExtras {
  /** Special orders. */
  count = 0;
  private f64 = new Float64Array(0);
  private i32 = new Int32Array(0);
  private readonly orders: OrderTable;
  private free = 0;
  private unused = 1;
  private capacity = 0;

  constructor(orders: OrderTable) {
    this.orders = orders;
  }

  /** A record without any terms. */
  add(handle: number, price: number, flags: number, forAccount: number): void {
    const record = this.allocate();
    this.orders.setExtra(handle, record);
    this.count++;
    this.f64.fill(0, record * F64, record * F64 + F64);
    this.f64[record * F64 + PRICE] = price;
    this.i32[record * I32 + FLAGS] = flags;
    this.i32[record * I32 + FOR_ACCOUNT] = forAccount;
  }

  release(handle: number): void {
    const record = this.orders.extra(handle);
    this.i32[record * I32 + FREE] = this.free;
    this.free = record;
    this.count--;
  }

  price(handle: number): number {
    return this.f64[this.orders.extra(handle) * F64 + PRICE]!;
  }

  setPrice(handle: number, price: number): void {
    this.f64[this.orders.extra(handle) * F64 + PRICE] = price;
  }

  /** 0: not an iceberg. */
  display(handle: number): number {
    return this.f64[this.orders.extra(handle) * F64 + DISPLAY]!;
  }

  setDisplay(handle: number, display: number): void {
    this.f64[this.orders.extra(handle) * F64 + DISPLAY] = display;
  }

  shown(handle: number): number {
    return this.f64[this.orders.extra(handle) * F64 + SHOWN]!;
  }

  setShown(handle: number, shown: number): void {
    this.f64[this.orders.extra(handle) * F64 + SHOWN] = shown;
  }

  trigger(handle: number): number {
    return this.f64[this.orders.extra(handle) * F64 + TRIGGER]!;
  }

  setTrigger(handle: number, trigger: number): void {
    this.f64[this.orders.extra(handle) * F64 + TRIGGER] = trigger;
  }

  offset(handle: number): number {
    return this.f64[this.orders.extra(handle) * F64 + OFFSET]!;
  }

  setOffset(handle: number, offset: number): void {
    this.f64[this.orders.extra(handle) * F64 + OFFSET] = offset;
  }

  expiry(handle: number): number {
    return this.f64[this.orders.extra(handle) * F64 + EXPIRY]!;
  }

  setExpiry(handle: number, expiry: number): void {
    this.f64[this.orders.extra(handle) * F64 + EXPIRY] = expiry;
  }

  partner(handle: number): number {
    return this.i32[this.orders.extra(handle) * I32 + PARTNER]!;
  }

  setPartner(handle: number, partner: number): void {
    this.i32[this.orders.extra(handle) * I32 + PARTNER] = partner;
  }

  forAccount(handle: number): number {
    return this.i32[this.orders.extra(handle) * I32 + FOR_ACCOUNT]!;
  }

  flags(handle: number): number {
    return this.i32[this.orders.extra(handle) * I32 + FLAGS]!;
  }

  private allocate(): number {
    const record = this.free;
    if (record !== 0) {
      this.free = this.i32[record * I32 + FREE]!;
      return record;
    }
    if (this.unused >= this.capacity) this.grow();
    return this.unused++;
  }

  private grow(): void {
    this.capacity = Math.max(8, this.capacity * 2);
    const f64 = new Float64Array(this.capacity * F64);
    f64.set(this.f64);
    this.f64 = f64;
    this.i32 = new Int32Array(f64.buffer);
  }
}
