import { Side } from "./codes.ts";
import { broken } from "./invariant.ts";
import { LevelTable } from "./level-table.ts";
import { PriceLadder } from "./price-ladder.ts";
import type { ShownBook } from "./shown-book.ts";

/** Told of each level that an event changed; `quantity` is what it now shows, 0: it is gone. */
export type LevelListener = (side: Side, price: number, quantity: number) => void;

/**
 * The shown quantity at each price, kept by following a symbol's events and nothing else: market depth. Its memory
 * grows with the levels, not with the orders: what a trade takes is shown at the trade's price in continuous trading; in
 * an auction, where orders trade best price first, at the best shown level of the order's side.
 */
export class LevelBook implements ShownBook {
  private readonly table = new LevelTable();
  private readonly bids: PriceLadder;
  private readonly asks: PriceLadder;
  private readonly changed: LevelListener | undefined;

  /** `tick`: the instrument's. */
  constructor(tick: number, changed?: LevelListener) {
    this.bids = new PriceLadder(this.table, Side.BUY, tick);
    this.asks = new PriceLadder(this.table, Side.SELL, tick);
    this.changed = changed;
  }

  shows(_event: number, _orderId: number, side: Side, price: number, shown: number): void {
    this.change(side, price, shown);
  }

  hides(_orderId: number, side: Side, price: number, shown: number): void {
    this.change(side, price, -shown);
  }

  traded(
    takerSide: Side,
    price: number,
    _takerOrderId: number,
    takerShown: number,
    _makerOrderId: number,
    makerShown: number,
    isAuction: boolean,
  ): void {
    const makerSide = takerSide === Side.BUY ? Side.SELL : Side.BUY;
    if (takerShown !== 0) this.change(takerSide, this.bestPrice(takerSide), -takerShown);
    if (makerShown !== 0) this.change(makerSide, isAuction ? this.bestPrice(makerSide) : price, -makerShown);
  }

  /** A level that is the same before and after is told once. */
  replaced(
    _event: number,
    _orderId: number,
    side: Side,
    oldPrice: number,
    oldShown: number,
    price: number,
    shown: number,
  ): void {
    if (price === oldPrice) {
      this.change(side, price, shown - oldShown);
      return;
    }
    this.change(side, oldPrice, -oldShown);
    this.change(side, price, shown);
  }

  /** Sets a level, for instance of a snapshot; 0 removes it. */
  set(side: Side, price: number, quantity: number): void {
    this.change(side, price, quantity - this.quantity(side, price));
  }

  /** What is shown at a price. */
  quantity(side: Side, price: number): number {
    const level = this.ladder(side).find(price);
    return level === 0 ? 0 : this.table.quantity(level);
  }

  /** The best shown price, 0: none. */
  bestPrice(side: Side): number {
    const { best } = this.ladder(side);
    return best === 0 ? 0 : this.table.price(best);
  }

  /** What is shown at the best price. */
  bestQuantity(side: Side): number {
    const { best } = this.ladder(side);
    return best === 0 ? 0 : this.table.quantity(best);
  }

  /** Up to `max` levels, best first. */
  levels(side: Side, max: number): { price: number; quantity: number }[] {
    const found: { price: number; quantity: number }[] = [];
    const ladder = this.ladder(side);
    for (let level = ladder.best; level !== 0 && found.length < max; level = ladder.next(level)) {
      found.push({
        price: this.table.price(level),
        quantity: this.table.quantity(level),
      });
    }
    return found;
  }

  private ladder(side: Side): PriceLadder {
    return side === Side.BUY ? this.bids : this.asks;
  }

  private change(side: Side, price: number, by: number): void {
    // An order without price is never shown.
    if (by === 0) return;
    if (price === 0) broken(`level book: an event changes by ${by} what is shown at no price`);
    const ladder = this.ladder(side);
    const level = ladder.obtain(price);
    this.table.addQuantity(level, by);
    const quantity = this.table.quantity(level);
    if (quantity < 0) broken(`level ${price}: an event takes ${-by} of ${quantity - by}`);
    if (quantity === 0) ladder.remove(level);
    this.changed?.(side, price, quantity);
  }
}
