import { OrderType, Side, TimeInForce } from "./codes.ts";
import type { LevelTable } from "./level-table.ts";
import { INTEGER_MAX } from "./limits.ts";
import { ownerPlace, ownerSide, ownerTimeInForce, ownerType, Place } from "./order-table.ts";
import { PriceLadder } from "./price-ladder.ts";
import { RankedOrders } from "./ranked-orders.ts";

/** Key of a price by which better comes first. */
const keyOf = (side: Side, price: number): number => (side === Side.BUY ? INTEGER_MAX - price : price);

/** A price for each side, of which most books never need any. */
class Sides {
  readonly buys: PriceLadder;
  readonly sells: PriceLadder;

  constructor(levels: LevelTable, tick: number) {
    this.buys = new PriceLadder(levels, Side.BUY, tick);
    this.sells = new PriceLadder(levels, Side.SELL, tick);
  }

  of(side: Side): PriceLadder {
    return side === Side.BUY ? this.buys : this.sells;
  }
}

/**
 * The places of live orders that the book does not show, by price:
 *
 *      hidden     ladder of each side
 *      rising     ladder: triggered when the last price is at its price or above, lowest first
 *      falling    ladder: triggered when it is at its price or below, highest first
 *      opening    ladder of each side, market orders at 2^53 - 1 and at 0
 *      closing    the same
 *      pegged     ranked by effective price; what has none at the end
 *      allOrNone  ranked by price
 *      trailing   those that wait and follow the last price, ranked by priority (they are in rising or falling as well)
 */
export class UnshownOrders {
  readonly hidden: Sides;
  readonly opening: Sides;
  readonly closing: Sides;
  readonly trailing = new RankedOrders();
  /** Pegged and all-or-none orders: those that any change of the book may set in motion. */
  restless = 0;
  private readonly triggers: Sides;
  private readonly pegged = [new RankedOrders(), new RankedOrders()] as const;
  private readonly allOrNone = [new RankedOrders(), new RankedOrders()] as const;

  constructor(levels: LevelTable, tick: number) {
    this.hidden = new Sides(levels, tick);
    // What waits may wait for a price off the tick; market orders lie at prices that are none.
    this.triggers = new Sides(levels, 1);
    this.opening = new Sides(levels, 1);
    this.closing = new Sides(levels, 1);
  }

  get rising(): PriceLadder {
    return this.triggers.sells;
  }

  get falling(): PriceLadder {
    return this.triggers.buys;
  }

  /** The ladder of an order of the places `HIDDEN`, `WAITING` and `AUCTION`. */
  ladder(owner: number): PriceLadder {
    const side = ownerSide(owner);
    const place = ownerPlace(owner);
    if (place === Place.HIDDEN) return this.hidden.of(side);
    if (place === Place.AUCTION) {
      const isOpening = ownerTimeInForce(owner) === TimeInForce.AT_THE_OPEN;
      return (isOpening ? this.opening : this.closing).of(side);
    }
    return waitsForRise(side, ownerType(owner)) ? this.rising : this.falling;
  }

  /** Orders by effective price, best first; those with key `Infinity` are dormant. */
  peggedOf(side: Side): RankedOrders {
    return this.pegged[side - 1]!;
  }

  allOrNoneOf(side: Side): RankedOrders {
    return this.allOrNone[side - 1]!;
  }

  get peggedCount(): number {
    return this.pegged[0].length + this.pegged[1].length;
  }

  get allOrNoneCount(): number {
    return this.allOrNone[0].length + this.allOrNone[1].length;
  }

  /** `price` 0: dormant. */
  insertPegged(side: Side, handle: number, price: number, priority: number): void {
    this.restless++;
    this.peggedOf(side).insert(handle, price === 0 ? Infinity : keyOf(side, price), priority);
  }

  removePegged(side: Side, price: number, priority: number): void {
    this.restless--;
    this.peggedOf(side).remove(price === 0 ? Infinity : keyOf(side, price), priority);
  }

  insertAllOrNone(side: Side, handle: number, price: number, priority: number): void {
    this.restless++;
    this.allOrNoneOf(side).insert(handle, keyOf(side, price), priority);
  }

  removeAllOrNone(side: Side, price: number, priority: number): void {
    this.restless--;
    this.allOrNoneOf(side).remove(keyOf(side, price), priority);
  }
}

/** Whether an order of this type is triggered by a price at its trigger price or above. */
function waitsForRise(side: Side, type: OrderType): boolean {
  return (side === Side.BUY) !== (type === OrderType.MARKET_IF_TOUCHED);
}
