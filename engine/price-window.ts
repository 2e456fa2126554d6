/** Index of the lowest set bit; the word must not be 0. */
function lowestBit(word: number): number {
  return 31 - Math.clz32(word & -word);
}

/**
 * The levels of a range of consecutive ticks, found by offset and, through a bitmap of three layers, in order:
 *
 *      top      one word:                bit t  ⇔  summary[t] ≠ 0
 *      summary  a word per 1,024 ticks:  bit s  ⇔  words[32 t + s] ≠ 0
 *      words    a word per 32 ticks:     bit w  ⇔  slots[32 (32 t + s) + w] ≠ 0
 *      slots    one handle per tick, 0: no level
 *
 * The first offset in use is three find-first-set instructions away, however many levels there are. Sizes are powers
 * of two, up to 32,768 ticks.
 */
export class PriceWindow {
  readonly size: number;
  readonly slots: Int32Array;
  private readonly words: Int32Array;
  private readonly summary: Int32Array;
  private top = 0;

  constructor(size: number) {
    this.size = size;
    this.slots = new Int32Array(size);
    this.words = new Int32Array((size + 31) >>> 5);
    this.summary = new Int32Array((size + 1023) >>> 10);
  }

  set(offset: number, level: number): void {
    this.slots[offset] = level;
    this.words[offset >>> 5]! |= 1 << (offset & 31);
    this.summary[offset >>> 10]! |= 1 << ((offset >>> 5) & 31);
    this.top |= 1 << (offset >>> 10);
  }

  unset(offset: number): void {
    this.slots[offset] = 0;
    if ((this.words[offset >>> 5]! &= ~(1 << (offset & 31))) !== 0) return;
    if ((this.summary[offset >>> 10]! &= ~(1 << ((offset >>> 5) & 31))) !== 0) return;
    this.top &= ~(1 << (offset >>> 10));
  }

  /** Lowest offset in use, or -1. */
  first(): number {
    if (this.top === 0) return -1;
    const t = lowestBit(this.top);
    const s = (t << 5) | lowestBit(this.summary[t]!);
    return (s << 5) | lowestBit(this.words[s]!);
  }

  /** Lowest offset in use behind `offset`, or -1. */
  next(offset: number): number {
    // -2 << n has the bits above n; for n = 31 it has none.
    let s = offset >>> 5;
    const inWord = this.words[s]! & (-2 << (offset & 31));
    if (inWord !== 0) return (s << 5) | lowestBit(inWord);
    let t = s >>> 5;
    const inSummary = this.summary[t]! & (-2 << (s & 31));
    if (inSummary === 0) {
      const inTop = this.top & (-2 << t);
      if (inTop === 0) return -1;
      t = lowestBit(inTop);
      s = (t << 5) | lowestBit(this.summary[t]!);
    } else {
      s = (t << 5) | lowestBit(inSummary);
    }
    return (s << 5) | lowestBit(this.words[s]!);
  }
}
