import type { OrdersSnapshot, OrdersUpdate, ShownOrder } from "../../proto/generated/evercross/v1/gateway.ts";
import { Side } from "../../proto/generated/evercross/v1/types.ts";

/** Every shown order of a symbol, as the messages of its feed tell. */
export class ShownOrders {
  readonly #orders = new Map<number, ShownOrder>();
  #paging = false;
  /** The orders are the state after this event; undefined before the first whole snapshot. */
  event: number | undefined;

  snapshot(snapshot: OrdersSnapshot): void {
    if (!this.#paging) this.#orders.clear();
    for (const order of snapshot.orders) this.#orders.set(order.orderId, order);
    this.#paging = !snapshot.last;
    if (snapshot.last) this.event = snapshot.event;
  }

  update(update: OrdersUpdate): void {
    for (const { order } of update.changes) {
      if (order === undefined) continue;
      if (order.quantity === 0) this.#orders.delete(order.orderId);
      else this.#orders.set(order.orderId, order);
    }
    this.event = update.event;
  }

  /** One side's orders as they are executed: best price first, then by priority. */
  side(side: Side): ShownOrder[] {
    const better = side === Side.BUY ? -1 : 1;
    return [...this.#orders.values()]
      .filter((order) => order.side === side)
      .sort((one, other) => better * (one.price - other.price) || one.priority - other.priority);
  }
}
