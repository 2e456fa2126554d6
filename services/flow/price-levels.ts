import { Side } from "../../proto/generated/evercross/v1/types.ts";
import type { BookLevel } from "./expected.ts";

/** Quantities by price of both sides, as market data tells them. */
export class PriceLevels {
  readonly #quantities = { [Side.BUY]: new Map<number, number>(), [Side.SELL]: new Map<number, number>() };
  /** Ascending, so the best bid is last and the best ask first. */
  readonly #prices: Record<1 | 2, number[]> = { [Side.BUY]: [], [Side.SELL]: [] };

  clear(): void {
    for (const side of [Side.BUY, Side.SELL]) {
      this.#quantities[side].clear();
      this.#prices[side].length = 0;
    }
  }

  /** The new total of a level; 0 ends it. */
  set(side: Side, price: number, quantity: number): void {
    const key = side === Side.BUY ? Side.BUY : Side.SELL;
    const quantities = this.#quantities[key];
    const known = quantities.has(price);
    if (quantity > 0) quantities.set(price, quantity);
    else quantities.delete(price);
    if (known === quantity > 0) return;
    const prices = this.#prices[key];
    let low = 0;
    let high = prices.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((prices[middle] as number) < price) low = middle + 1;
      else high = middle;
    }
    prices.splice(low, known ? 1 : 0, ...(known ? [] : [price]));
  }

  get(side: Side, price: number): number {
    return this.#quantities[side === Side.BUY ? Side.BUY : Side.SELL].get(price) ?? 0;
  }

  /** Up to `max` levels, best first. */
  best(side: Side, max = Number.POSITIVE_INFINITY): BookLevel[] {
    const key = side === Side.BUY ? Side.BUY : Side.SELL;
    const prices = this.#prices[key];
    const count = Math.min(max, prices.length);
    const levels: BookLevel[] = [];
    for (let index = 0; index < count; index++) {
      const price = (key === Side.BUY ? prices[prices.length - 1 - index] : prices[index]) as number;
      levels.push({ price, quantity: this.#quantities[key].get(price) as number });
    }
    return levels;
  }
}

/** The first difference of two lists of levels, in words; undefined when they are equal. */
export function levelsDiffer(
  side: Side,
  expected: readonly BookLevel[],
  got: readonly BookLevel[],
): string | undefined {
  const name = side === Side.BUY ? "bid" : "ask";
  const text = (level: BookLevel | undefined): string =>
    level === undefined ? "none" : `${level.quantity} at ${level.price}`;
  for (let index = 0; index < Math.max(expected.length, got.length); index++) {
    const [one, other] = [expected[index], got[index]];
    if (one?.price === other?.price && one?.quantity === other?.quantity) continue;
    return `${name} ${index}: expected ${text(one)}, got ${text(other)}`;
  }
  return undefined;
}
