// Offsets in a record; kept in this file, where the compiler can fold them.
const F64 = 2;
const PRICE = 0;
const QUANTITY = 1;
const I32 = 3;
const HEAD = 4;
const TAIL = 5;
const COUNT = 6;
const OFFSET = 7;

/**
 * Records of the price levels of both sides, 32 bytes each:
 *
 *      byte 0      8         16    20    24     28
 *           PRICE  QUANTITY  HEAD  TAIL  COUNT  OFFSET
 *
 * QUANTITY and COUNT are the sums over the queue of orders from HEAD (first in line) to TAIL. OFFSET is the level's
 * place in its side's window, or -1. Handles count from 1; 0 means none. Free records are a stack linked by HEAD.
 */
export class LevelTable {
  private f64: Float64Array;
  private i32: Int32Array;
  private free = 0;
  private unused = 1;
  private capacity = 8;

  constructor() {
    const buffer = new ArrayBuffer(this.capacity * 32);
    this.f64 = new Float64Array(buffer);
    this.i32 = new Int32Array(buffer);
  }

  /** An empty level. */
  allocate(price: number, offset: number): number {
    let handle = this.free;
    if (handle !== 0) {
      this.free = this.i32[(handle << I32) | HEAD]!;
    } else {
      if (this.unused === this.capacity) this.grow();
      handle = this.unused++;
    }
    const { f64, i32 } = this;
    f64[(handle << F64) | PRICE] = price;
    f64[(handle << F64) | QUANTITY] = 0;
    i32[(handle << I32) | HEAD] = 0;
    i32[(handle << I32) | TAIL] = 0;
    i32[(handle << I32) | COUNT] = 0;
    i32[(handle << I32) | OFFSET] = offset;
    return handle;
  }

  release(handle: number): void {
    this.i32[(handle << I32) | HEAD] = this.free;
    this.free = handle;
  }

  price(handle: number): number {
    return this.f64[(handle << F64) | PRICE]!;
  }

  quantity(handle: number): number {
    return this.f64[(handle << F64) | QUANTITY]!;
  }

  addQuantity(handle: number, by: number): void {
    this.f64[(handle << F64) | QUANTITY]! += by;
  }

  head(handle: number): number {
    return this.i32[(handle << I32) | HEAD]!;
  }

  setHead(handle: number, head: number): void {
    this.i32[(handle << I32) | HEAD] = head;
  }

  tail(handle: number): number {
    return this.i32[(handle << I32) | TAIL]!;
  }

  setTail(handle: number, tail: number): void {
    this.i32[(handle << I32) | TAIL] = tail;
  }

  count(handle: number): number {
    return this.i32[(handle << I32) | COUNT]!;
  }

  addCount(handle: number, by: number): void {
    this.i32[(handle << I32) | COUNT]! += by;
  }

  offset(handle: number): number {
    return this.i32[(handle << I32) | OFFSET]!;
  }

  setOffset(handle: number, offset: number): void {
    this.i32[(handle << I32) | OFFSET] = offset;
  }

  private grow(): void {
    this.capacity *= 2;
    const f64 = new Float64Array(this.capacity << F64);
    f64.set(this.f64);
    this.f64 = f64;
    this.i32 = new Int32Array(f64.buffer);
  }
}
