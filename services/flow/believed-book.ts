import { Side } from "../../proto/generated/evercross/v1/types.ts";

export interface BelievedOrder {
  readonly orderId: number;
  readonly side: Side;
  price: number;
  /** Total, what was executed included. */
  quantity: number;
  leaves: number;
}

/**
 * What a generator believes of one symbol's book, so that its next request is a likely one. It follows price-time
 * priority plainly; were it wrong, requests would be rejected more often and nothing worse. Each side is one array,
 * worst price first, so that the touch is at its end.
 */
export class BelievedBook {
  readonly #bids: BelievedOrder[] = [];
  readonly #asks: BelievedOrder[] = [];

  orders(side: Side): readonly BelievedOrder[] {
    return side === Side.BUY ? this.#bids : this.#asks;
  }

  /** Best price of a side; undefined when it is empty. */
  best(side: Side): number | undefined {
    return this.orders(side).at(-1)?.price;
  }

  /** The order `depth` places behind the touch, or the deepest. */
  near(side: Side, depth: number): BelievedOrder | undefined {
    const orders = this.orders(side);
    return orders[Math.max(0, orders.length - 1 - depth)];
  }

  rest(order: BelievedOrder): void {
    const orders = order.side === Side.BUY ? this.#bids : this.#asks;
    // Behind (that is, at a lower index than) every order whose price is as good.
    let low = 0;
    let high = orders.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const price = (orders[middle] as BelievedOrder).price;
      const worse = order.side === Side.BUY ? price < order.price : price > order.price;
      if (worse) low = middle + 1;
      else high = middle;
    }
    orders.splice(low, 0, order);
  }

  remove(order: BelievedOrder): void {
    const orders = order.side === Side.BUY ? this.#bids : this.#asks;
    const at = orders.indexOf(order);
    if (at !== -1) orders.splice(at, 1);
  }

  /** What an order of `side` could take at `limit` or better. */
  available(side: Side, limit: number): number {
    const orders = side === Side.BUY ? this.#asks : this.#bids;
    let sum = 0;
    for (let at = orders.length - 1; at >= 0; at--) {
      const order = orders[at] as BelievedOrder;
      if (side === Side.BUY ? order.price > limit : order.price < limit) break;
      sum += order.leaves;
    }
    return sum;
  }

  /** Takes up to `quantity` at `limit` or better; returns what was not taken. */
  take(side: Side, limit: number, quantity: number): number {
    const orders = side === Side.BUY ? this.#asks : this.#bids;
    let left = quantity;
    while (left > 0) {
      const order = orders.at(-1);
      if (order === undefined || (side === Side.BUY ? order.price > limit : order.price < limit)) break;
      const executed = Math.min(left, order.leaves);
      order.leaves -= executed;
      left -= executed;
      if (order.leaves === 0) orders.pop();
    }
    return left;
  }
}
