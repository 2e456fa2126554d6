import { Side } from "./codes.ts";
import { isOrderId } from "./instrument.ts";
import { isAccount, type LiveOrder } from "./order-table.ts";
import { RestingOrders } from "./resting-orders.ts";

/** One price level as others see it. */
export interface Level {
  readonly price: number;
  readonly quantity: number;
  readonly orders: number;
}

/** What can be read of a book. */
export abstract class BookView {
  protected readonly resting: RestingOrders;

  constructor(tick: number) {
    this.resting = new RestingOrders(tick);
  }

  /** Orders that rest. */
  get liveOrders(): number {
    return this.resting.orders.live;
  }

  /** Open quantity of all bids. */
  get bidQuantity(): number {
    return this.resting.bidQuantity;
  }

  /** Open quantity of all asks. */
  get askQuantity(): number {
    return this.resting.askQuantity;
  }

  /** Highest price that is bid, 0 when none is. */
  bestBid(): number {
    return this.resting.bestPrice(Side.BUY);
  }

  /** Lowest price that is asked, 0 when none is. */
  bestAsk(): number {
    return this.resting.bestPrice(Side.SELL);
  }

  /** Up to `max` levels of a side, best first. */
  levels(side: Side, max: number): Level[] {
    const found: Level[] = [];
    const ladder = this.resting.ladder(side);
    for (let level = ladder.best; level !== 0 && found.length < max; level = ladder.next(level)) {
      found.push({
        price: this.resting.levels.price(level),
        quantity: this.resting.levels.quantity(level),
        orders: this.resting.levels.count(level),
      });
    }
    return found;
  }

  /** The account's live order of this id. */
  find(account: number, clientOrderId: number): LiveOrder | undefined {
    const handle =
      isAccount(account) && isOrderId(clientOrderId) ? this.resting.find(account, clientOrderId) : 0;
    return handle === 0 ? undefined : this.resting.describe(handle);
  }

  /** Every live order: bids, then asks; of a side the best price first, of a price the first in line. */
  *orders(): Generator<LiveOrder, void, undefined> {
    for (const side of [Side.BUY, Side.SELL]) {
      const ladder = this.resting.ladder(side);
      for (let level = ladder.best; level !== 0; level = ladder.next(level)) {
        for (
          let order = this.resting.levels.head(level);
          order !== 0;
          order = this.resting.orders.next(order)
        ) {
          yield this.resting.describe(order);
        }
      }
    }
  }
}
