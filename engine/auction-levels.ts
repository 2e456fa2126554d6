/** Price and quantity of the levels of one side, in the order in which they were added. */
class LevelList {
  count = 0;
  private prices = new Float64Array(16);
  private quantities = new Float64Array(16);

  add(price: number, quantity: number): void {
    const last = this.count - 1;
    if (last >= 0 && this.prices[last] === price) {
      this.quantities[last]! += quantity;
      return;
    }
    if (this.count === this.prices.length) this.grow();
    this.prices[this.count] = price;
    this.quantities[this.count++] = quantity;
  }

  price(index: number, none: number): number {
    return index < this.count ? this.prices[index]! : none;
  }

  quantity(index: number): number {
    return index < this.count ? this.quantities[index]! : 0;
  }

  private grow(): void {
    const prices = new Float64Array(this.count * 2);
    prices.set(this.prices);
    this.prices = prices;
    const quantities = new Float64Array(this.count * 2);
    quantities.set(this.quantities);
    this.quantities = quantities;
  }
}

/**
 * What takes part in an auction, as price and quantity of each side's levels, best first, to be filled anew for each
 * price. Market buys are a level at 2^53 - 1, market sells one at 0. A side needs no more of its levels than those
 * that cross the other's best one; more do no harm.
 */
export class AuctionLevels {
  private readonly buys = new LevelList();
  private readonly sells = new LevelList();

  /** Forgets all levels and keeps the memory. */
  clear(): void {
    this.buys.count = 0;
    this.sells.count = 0;
  }

  /** Highest price first; the same price again adds to its level. `quantity` is 1 or more. */
  addBuy(price: number, quantity: number): void {
    this.buys.add(price, quantity);
  }

  /** Lowest price first; the same price again adds to its level. `quantity` is 1 or more. */
  addSell(price: number, quantity: number): void {
    this.sells.add(price, quantity);
  }

  /** Of the level of this place, from 0; `-Infinity` behind the last. */
  buyPrice(index: number): number {
    return this.buys.price(index, -Infinity);
  }

  /** 0 behind the last. */
  buyQuantity(index: number): number {
    return this.buys.quantity(index);
  }

  /** `Infinity` behind the last. */
  sellPrice(index: number): number {
    return this.sells.price(index, Infinity);
  }

  /** 0 behind the last. */
  sellQuantity(index: number): number {
    return this.sells.quantity(index);
  }
}
