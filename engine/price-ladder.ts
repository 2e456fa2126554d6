import { Side } from "./codes.ts";
import { FarPrices } from "./far-prices.ts";
import type { LevelTable } from "./level-table.ts";
import { INTEGER_MAX, WINDOW_TICKS_MAX, WINDOW_TICKS_MIN } from "./limits.ts";
import { PriceWindow } from "./price-window.ts";

/**
 * The price levels of one side, best first. A price's key is its distance from the side's best possible price, so
 * that on both sides a lower key is a better price:
 *
 *      key    0 ─────────────── base ────────────────── base + span ─────────────── 2^53 - 1
 *             far prices (tree)  │ window (bitmap of ticks) │  far prices (tree)
 *                                     ↑ best, in quiet times a quarter behind base
 *
 * A level is in the window exactly when its key is in the window's range. The window moves to the best price, and
 * grows, after enough levels near the best were made outside it; levels too far for any window never move it. A
 * move costs no more than was spent on those misses, so no flow makes an operation's average cost grow with the
 * depth of the book.
 */
export class PriceLadder {
  /** The best level's handle, or 0. */
  best = 0;
  private readonly levels: LevelTable;
  private readonly tick: number;
  private readonly keyOf: (price: number) => number;
  private readonly isBuy: boolean;
  private readonly far: FarPrices;
  private window = new PriceWindow(0);
  private base = 0;
  private span = 0;
  private misses = 0;

  constructor(levels: LevelTable, side: Side, tick: number) {
    this.levels = levels;
    this.tick = tick;
    this.isBuy = side === Side.BUY;
    this.keyOf = side === Side.BUY ? (price) => INTEGER_MAX - price : (price) => price;
    this.far = new FarPrices(levels, this.keyOf);
  }

  /** The level of this price, made if there is none. The price must be a multiple of the tick. */
  obtain(price: number): number {
    const distance = this.key(price) - this.base;
    if (distance >= 0 && distance < this.span) {
      const offset = (distance / this.tick) | 0;
      const found = this.window.slots[offset]!;
      if (found !== 0) return found;
      const level = this.levels.allocate(price, offset);
      this.window.set(offset, level);
      this.raiseBest(level, price);
      return level;
    }
    return this.obtainFar(price);
  }

  /** The level of this price, or 0. */
  find(price: number): number {
    const distance = this.key(price) - this.base;
    if (distance >= 0 && distance < this.span) return this.window.slots[(distance / this.tick) | 0]!;
    return this.far.find(this.key(price));
  }

  /** Removes a level, whose queue is empty, and frees its record. */
  remove(level: number): void {
    const offset = this.levels.offset(level);
    if (offset >= 0) this.window.unset(offset);
    else this.far.remove(level);
    this.levels.release(level);
    if (level === this.best) this.best = this.first();
  }

  /** The next worse level, or 0. */
  next(level: number): number {
    const offset = this.levels.offset(level);
    if (offset >= 0) {
      const behind = this.window.next(offset);
      return behind >= 0 ? this.window.slots[behind]! : this.far.ceiling(this.base + this.span);
    }
    const key = this.key(this.levels.price(level));
    const beyond = this.far.ceiling(key + 1);
    if (key > this.base) return beyond;
    return this.better(beyond, this.firstInWindow());
  }

  private key(price: number): number {
    return this.isBuy ? INTEGER_MAX - price : price;
  }

  private first(): number {
    const near = this.firstInWindow();
    return this.far.size === 0 ? near : this.better(near, this.far.first);
  }

  private firstInWindow(): number {
    const offset = this.window.first();
    return offset < 0 ? 0 : this.window.slots[offset]!;
  }

  /** The better of two levels, of which either may be none. */
  private better(one: number, other: number): number {
    if (one === 0) return other;
    if (other === 0) return one;
    return this.key(this.levels.price(one)) < this.key(this.levels.price(other)) ? one : other;
  }

  private raiseBest(level: number, price: number): void {
    if (this.best === 0) {
      this.best = level;
      return;
    }
    const best = this.levels.price(this.best);
    if (this.isBuy ? price > best : price < best) this.best = level;
  }

  private obtainFar(price: number): number {
    if (this.best === 0) {
      this.moveTo(this.key(price), Math.max(this.window.size, WINDOW_TICKS_MIN));
      return this.obtain(price);
    }
    const found = this.far.find(this.key(price));
    if (found !== 0) return found;
    const level = this.levels.allocate(price, -1);
    this.far.insert(level);
    this.raiseBest(level, price);
    this.countMiss(price);
    return level;
  }

  private countMiss(price: number): void {
    const best = this.key(this.levels.price(this.best));
    if (this.key(price) - best >= (WINDOW_TICKS_MAX / 2) * this.tick) return;
    if (++this.misses * 4 < this.window.size) return;
    this.moveTo(best, Math.min(this.window.size * 4, WINDOW_TICKS_MAX));
  }

  /** A new window of `size` ticks with a quarter of it on the better side of `key`. */
  private moveTo(key: number, size: number): void {
    const old = this.window;
    // Aligned to the keys of the prices that there can be: those of one side are equal modulo the tick.
    const ahead = Math.min(size / 4, Math.floor(key / this.tick)) * this.tick;
    // A window without levels is as good as new.
    if (size !== old.size || old.first() >= 0) this.window = new PriceWindow(size);
    this.base = key - ahead;
    this.span = size * this.tick;
    this.misses = 0;
    for (let offset = old.first(); offset >= 0; offset = old.next(offset)) this.place(old.slots[offset]!);
    for (;;) {
      const level = this.far.ceiling(this.base);
      if (level === 0 || this.key(this.levels.price(level)) >= this.base + this.span) return;
      this.far.remove(level);
      this.place(level);
    }
  }

  private place(level: number): void {
    const distance = this.key(this.levels.price(level)) - this.base;
    const near = distance >= 0 && distance < this.span;
    const offset = near ? distance / this.tick : -1;
    this.levels.setOffset(level, offset);
    if (near) this.window.set(offset, level);
    else this.far.insert(level);
  }
}
