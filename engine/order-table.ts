import type { OrderType, Side, TimeInForce } from "./codes.ts";
import { ACCOUNTS_MAX } from "./limits.ts";

/** A live order, spelled out. */
export interface LiveOrder {
  /** Assigned by the book: 1, 2, 3 … in order of acceptance. */
  readonly orderId: number;
  /** Handle of the owner, `[0, ACCOUNTS_MAX)`. */
  readonly account: number;
  readonly clientOrderId: number;
  readonly side: Side;
  readonly type: OrderType;
  readonly timeInForce: TimeInForce;
  readonly price: number;
  /** Total, what was executed included. */
  readonly quantity: number;
  /** Still open: 1 to `quantity`. */
  readonly leaves: number;
  /** Sequence of the event that gave the order its place; unique in the book. */
  readonly priority: number;
}

/** An order's record seen as doubles: `f64[handle * 8 + OrderF64.…]`. */
export const OrderF64 = { ORDER_ID: 0, CLIENT_ORDER_ID: 1, QUANTITY: 2, LEAVES: 3, PRIORITY: 4 } as const;

/** The same record seen as 32-bit integers: `i32[handle * 16 + OrderI32.…]`. */
export const OrderI32 = {
  NEXT: 10,
  PREV: 11,
  ACCOUNT_NEXT: 12,
  ACCOUNT_PREV: 13,
  LEVEL: 14,
  OWNER: 15,
} as const;

const F64 = 8;
const I32 = 16;
const NEXT = OrderI32.NEXT;

/** Account and kind in one word: `account << 8 | timeInForce << 4 | type << 2 | side`. */
export function packOwner(account: number, side: number, type: number, timeInForce: number): number {
  return (account << 8) | (timeInForce << 4) | (type << 2) | side;
}
export const ownerAccount = (owner: number): number => owner >>> 8;
export const ownerSide = (owner: number): Side => (owner & 3) as Side;
export const ownerType = (owner: number): OrderType => ((owner >>> 2) & 3) as OrderType;
export const ownerTimeInForce = (owner: number): TimeInForce => ((owner >>> 4) & 15) as TimeInForce;

export const isAccount = (account: number): boolean => account >>> 0 === account && account < ACCOUNTS_MAX;

/**
 * Records of the live orders. One record is 64 bytes, so an order that is touched is one or two lines of the cache:
 *
 *      byte 0        8                16        24      32        40    44    48            52            56     60
 *           ORDER_ID CLIENT_ORDER_ID  QUANTITY  LEAVES  PRIORITY  NEXT  PREV  ACCOUNT_NEXT  ACCOUNT_PREV  LEVEL  OWNER
 *           └──────────────── f64 view ──────────────────────┘    └──────────────────── i32 view ─────────────────────┘
 *
 * Two typed arrays over one buffer. An order's handle is its record's number, from 1; 0 means none. NEXT and PREV
 * make the queue of a level, ACCOUNT_NEXT and ACCOUNT_PREV the ring of an account. Free records are a stack linked
 * by NEXT: the one used last is used next, while it is still cached. The price is the level's.
 */
export class OrderTable {
  f64: Float64Array;
  i32: Int32Array;
  live = 0;
  private free = 0;
  private unused = 1;
  private capacity = 8;

  constructor() {
    const buffer = new ArrayBuffer(this.capacity * 64);
    this.f64 = new Float64Array(buffer);
    this.i32 = new Int32Array(buffer);
  }

  /** A record's handle; every field is the caller's to set. */
  allocate(): number {
    this.live++;
    const handle = this.free;
    if (handle !== 0) {
      this.free = this.i32[handle * I32 + NEXT]!;
      return handle;
    }
    if (this.unused === this.capacity) this.grow();
    return this.unused++;
  }

  release(handle: number): void {
    this.live--;
    this.i32[handle * I32 + NEXT] = this.free;
    this.free = handle;
  }

  private grow(): void {
    this.capacity *= 2;
    const f64 = new Float64Array(this.capacity * F64);
    f64.set(this.f64);
    this.f64 = f64;
    this.i32 = new Int32Array(f64.buffer);
  }
}
