import { Side } from "./codes.ts";
import { broken } from "./invariant.ts";
import { LevelTable } from "./level-table.ts";
import { PriceLadder } from "./price-ladder.ts";

/**
 * The quantity at each price, kept by following a symbol's events and nothing else: market depth. Each method takes
 * the fields of one event and returns the new quantity of the level that it changed (0: the level is gone), so that
 * a follower can pass the change on. Levels are right after each whole request. Throws `InvariantError` when an event
 * takes more from a level than is there.
 */
export class LevelBook {
  private readonly table = new LevelTable();
  private readonly bids: PriceLadder;
  private readonly asks: PriceLadder;

  /** `tick`: the instrument's. */
  constructor(tick: number) {
    this.bids = new PriceLadder(this.table, Side.BUY, tick);
    this.asks = new PriceLadder(this.table, Side.SELL, tick);
  }

  /** Of an `ACCEPTED` event; `resting` may be 0: nothing changes. */
  accepted(side: Side, price: number, resting: number): number {
    return this.change(side, price, resting);
  }

  /** Of a `TRADE` event: the maker, on the other side, gets smaller. */
  trade(takerSide: Side, price: number, quantity: number): number {
    return this.change(takerSide === Side.BUY ? Side.SELL : Side.BUY, price, -quantity);
  }

  /** Of a `CANCELLED` event; `rested` may be 0: nothing changes. */
  cancelled(side: Side, price: number, rested: number): number {
    return this.change(side, price, -rested);
  }

  /** Of a `REPLACED` event: first the old price's level, by `replacedOld`, then the new one's. They may be the same. */
  replacedOld(side: Side, oldPrice: number, oldLeaves: number): number {
    return this.change(side, oldPrice, -oldLeaves);
  }

  /** `resting` may be 0: nothing changes. */
  replacedNew(side: Side, price: number, resting: number): number {
    return this.change(side, price, resting);
  }

  /** Sets a level, for instance of a snapshot; 0 removes it. */
  set(side: Side, price: number, quantity: number): void {
    this.change(side, price, quantity - this.quantity(side, price));
  }

  /** What is open at a price. */
  quantity(side: Side, price: number): number {
    const level = this.ladder(side).find(price);
    return level === 0 ? 0 : this.table.quantity(level);
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

  private change(side: Side, price: number, by: number): number {
    // A market order has no price, and what never rested no level.
    if (by === 0) return price === 0 ? 0 : this.quantity(side, price);
    const ladder = this.ladder(side);
    const level = ladder.obtain(price);
    this.table.addQuantity(level, by);
    const quantity = this.table.quantity(level);
    if (quantity < 0) broken(`level ${price}: an event takes ${-by} of ${quantity - by}`);
    if (quantity === 0) ladder.remove(level);
    return quantity;
  }
}
