/** What a book's fills amount to: equal digests mean the same fills in the same order. */
export interface Fills {
  readonly count: number;
  readonly quantity: number;
  /** Sum of the fills' prices. */
  readonly priceSum: number;
  /** Over every fill's taker, maker, price and quantity, in order: 64 bits in hexadecimal. */
  readonly hash: string;
}

/** Takes fills one after the other. */
export class FillDigest {
  private count = 0;
  private quantity = 0;
  private priceSum = 0;
  private one = 0x811c9dc5 | 0;
  private other = 0x9747b28c | 0;

  add(taker: number, maker: number, price: number, quantity: number): void {
    this.count++;
    this.quantity += quantity;
    this.priceSum += price;
    this.mix(taker);
    this.mix(maker);
    this.mix(price);
    this.mix(quantity);
  }

  get fills(): Fills {
    const word = (value: number): string => (value >>> 0).toString(16).padStart(8, "0");
    const { count, quantity, priceSum } = this;
    return { count, quantity, priceSum, hash: word(this.one) + word(this.other) };
  }

  private mix(value: number): void {
    const low = value | 0;
    const high = (value / 4_294_967_296) | 0;
    this.one = Math.imul(this.one ^ low, 0x01000193) ^ Math.imul(high, 0x85ebca6b);
    this.other = Math.imul((this.other << 13) | (this.other >>> 19), 5) + (low ^ Math.imul(high, 0xc2b2ae35));
  }
}

export const sameFills = (one: Fills, other: Fills): boolean =>
  one.count === other.count &&
  one.quantity === other.quantity &&
  one.priceSum === other.priceSum &&
  one.hash === other.hash;
