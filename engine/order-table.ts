import type { OrderType, Side, TimeInForce } from "./codes.ts";
import { ACCOUNTS_MAX } from "./limits.ts";

// Offsets in a record; kept in this file, where the compiler can fold them.
// Shifts of a handle to its record in each view.
const F64 = 3;
const ORDER_ID = 0;
const CLIENT_ORDER_ID = 1;
const QUANTITY = 2;
const LEAVES = 3;
const PRIORITY = 4;
const I32 = 4;
const NEXT = 10;
const PREV = 11;
const POSITION = 12;
const EXTRA = 13;
const LEVEL = 14;
const OWNER = 15;

/** Where a live order is, RULES.md 1.4. */
export const Place = { BOOK: 0, HIDDEN: 1, PEGGED: 2, ALL_OR_NONE: 3, WAITING: 4, AUCTION: 5 } as const;
export type Place = (typeof Place)[keyof typeof Place];

/** Of an owner word: the order has further terms, or another place than the shown book. */
export const SPECIAL = 1 << 8;

/** Account, place and kind in one word: `account << 12 | place << 9 | special << 8 | timeInForce << 5 | type << 2 | side`. */
export function packOwner(account: number, side: number, type: number, timeInForce: number): number {
  return (account << 12) | (timeInForce << 5) | (type << 2) | side;
}

/** The word of an order that is not plain. */
export function packSpecial(
  account: number,
  side: number,
  type: number,
  timeInForce: number,
  place: Place,
): number {
  return packOwner(account, side, type, timeInForce) | SPECIAL | (place << 9);
}
export const ownerAccount = (owner: number): number => owner >>> 12;
export const ownerSide = (owner: number): Side => (owner & 3) as Side;
export const ownerType = (owner: number): OrderType => ((owner >>> 2) & 7) as OrderType;
export const ownerTimeInForce = (owner: number): TimeInForce => ((owner >>> 5) & 7) as TimeInForce;
export const ownerPlace = (owner: number): Place => ((owner >>> 9) & 7) as Place;

export const isAccount = (account: number): boolean => account >>> 0 === account && account < ACCOUNTS_MAX;

/**
 * Records of the live orders. One record is 64 bytes, so an order that is touched is one or two lines of the cache:
 *
 *      byte 0        8                16        24      32        40    44    48        52     56     60
 *           ORDER_ID CLIENT_ORDER_ID  QUANTITY  LEAVES  PRIORITY  NEXT  PREV  POSITION  EXTRA  LEVEL  OWNER
 *           └──────────────── f64 view ──────────────────────┘    └───────────── i32 view ──────────────┘
 *
 * Two typed arrays over one buffer. An order's handle is its record's number, from 1; 0 means none. NEXT and PREV
 * make the queue of a level; POSITION is the place in the list of its account. Free records are a stack linked
 * by NEXT: the one used last is used next, while it is still cached. The price is the level's.
 */
export class OrderTable {
  live = 0;
  private f64: Float64Array;
  private i32: Int32Array;
  private free = 0;
  private unused = 1;
  private capacity = 8;

  constructor() {
    const buffer = new ArrayBuffer(this.capacity * 64);
    this.f64 = new Float64Array(buffer);
    this.i32 = new Int32Array(buffer);
  }

  /** A new record's handle; the links are the caller's to set. */
  add(
    orderId: number,
    clientOrderId: number,
    quantity: number,
    leaves: number,
    priority: number,
    owner: number,
  ): number {
    const handle = this.allocate();
    const { f64 } = this;
    const base = handle << F64;
    f64[base | ORDER_ID] = orderId;
    f64[base | CLIENT_ORDER_ID] = clientOrderId;
    f64[base | QUANTITY] = quantity;
    f64[base | LEAVES] = leaves;
    f64[base | PRIORITY] = priority;
    this.i32[(handle << I32) | OWNER] = owner;
    return handle;
  }

  release(handle: number): void {
    this.live--;
    this.f64[(handle << F64) | ORDER_ID] = 0;
    this.i32[(handle << I32) | NEXT] = this.free;
    this.free = handle;
  }

  orderId(handle: number): number {
    return this.f64[(handle << F64) | ORDER_ID]!;
  }

  clientOrderId(handle: number): number {
    return this.f64[(handle << F64) | CLIENT_ORDER_ID]!;
  }

  quantity(handle: number): number {
    return this.f64[(handle << F64) | QUANTITY]!;
  }

  setQuantity(handle: number, quantity: number): void {
    this.f64[(handle << F64) | QUANTITY] = quantity;
  }

  leaves(handle: number): number {
    return this.f64[(handle << F64) | LEAVES]!;
  }

  setLeaves(handle: number, leaves: number): void {
    this.f64[(handle << F64) | LEAVES] = leaves;
  }

  priority(handle: number): number {
    return this.f64[(handle << F64) | PRIORITY]!;
  }

  setPriority(handle: number, priority: number): void {
    this.f64[(handle << F64) | PRIORITY] = priority;
  }

  next(handle: number): number {
    return this.i32[(handle << I32) | NEXT]!;
  }

  setNext(handle: number, next: number): void {
    this.i32[(handle << I32) | NEXT] = next;
  }

  prev(handle: number): number {
    return this.i32[(handle << I32) | PREV]!;
  }

  setPrev(handle: number, prev: number): void {
    this.i32[(handle << I32) | PREV] = prev;
  }

  /** Place in its account's list. */
  position(handle: number): number {
    return this.i32[(handle << I32) | POSITION]!;
  }

  setPosition(handle: number, position: number): void {
    this.i32[(handle << I32) | POSITION] = position;
  }

  /** Record of its further terms; of special orders only. */
  extra(handle: number): number {
    return this.i32[(handle << I32) | EXTRA]!;
  }

  setExtra(handle: number, extra: number): void {
    this.i32[(handle << I32) | EXTRA] = extra;
  }

  level(handle: number): number {
    return this.i32[(handle << I32) | LEVEL]!;
  }

  setLevel(handle: number, level: number): void {
    this.i32[(handle << I32) | LEVEL] = level;
  }

  owner(handle: number): number {
    return this.i32[(handle << I32) | OWNER]!;
  }

  setOwner(handle: number, owner: number): void {
    this.i32[(handle << I32) | OWNER] = owner;
  }

  /** Handles are below this. */
  get end(): number {
    return this.unused;
  }

  /** Whether the record of this handle is in use. */
  isLive(handle: number): boolean {
    return this.f64[(handle << F64) | ORDER_ID] !== 0;
  }

  private allocate(): number {
    this.live++;
    const handle = this.free;
    if (handle !== 0) {
      this.free = this.i32[(handle << I32) | NEXT]!;
      return handle;
    }
    if (this.unused === this.capacity) this.grow();
    return this.unused++;
  }

  private grow(): void {
    this.capacity *= 2;
    const f64 = new Float64Array(this.capacity << F64);
    f64.set(this.f64);
    this.f64 = f64;
    this.i32 = new Int32Array(f64.buffer);
  }
}
