import { OrderType, Side, TimeInForce } from "./codes.ts";
import { type Instrument, isOrderId, isTickPrice } from "./instrument.ts";
import { broken } from "./invariant.ts";
import { ORDERS_MAX, SIDE_QUANTITY_MAX } from "./limits.ts";
import { isAccount, type LiveOrder, packOwner } from "./order-table.ts";
import type { RestingOrders } from "./resting-orders.ts";

/**
 * A snapshot on its way into an empty book. Orders come in any order, as a rule by order id, while their places in
 * line depend on their priorities: they are collected first and lined up once, at the end.
 */
export class BookRestore {
  private readonly instrument: Instrument;
  private readonly resting: RestingOrders;
  /** By handle less 1: an empty book hands out 1, 2, 3 … The other fields wait in their records. */
  private readonly prices: number[] = [];

  constructor(instrument: Instrument, resting: RestingOrders) {
    this.instrument = instrument;
    this.resting = resting;
  }

  take(order: LiveOrder): void {
    const { orderId, account, clientOrderId, side, type, timeInForce, quantity, leaves, priority } = order;
    const wrong = this.wrongField(order);
    if (wrong !== undefined)
      broken(`${this.name(orderId)}: ${wrong} is ${order[wrong]}, which no live order can have`);
    if (this.resting.orders.live >= ORDERS_MAX)
      broken(`${this.name(orderId)}: more than ${ORDERS_MAX} orders`);
    if (this.resting.find(account, clientOrderId) !== 0) {
      broken(`${this.name(orderId)}: client order id ${clientOrderId} of its account is taken`);
    }
    const owner = packOwner(account, side, type, timeInForce);
    this.resting.record(orderId, owner, account, clientOrderId, quantity, leaves, priority);
    this.prices.push(order.price);
  }

  finish(position: { readonly nextEvent: number; readonly nextOrderId: number }): void {
    const { resting, prices } = this;
    const { orders } = resting;
    const keys = new Float64Array(orders.live);
    for (let index = 0; index < keys.length; index++) keys[index] = orders.orderId(index + 1);
    for (const handle of this.ranked("order id", keys, position.nextOrderId)) {
      resting.rings.append(resting.accountOf(handle), handle);
    }
    for (let index = 0; index < keys.length; index++) keys[index] = orders.priority(index + 1);
    for (const handle of this.ranked("priority", keys, position.nextEvent)) {
      resting.enqueue(handle, resting.sideOf(handle), prices[handle - 1]!);
    }
    if (resting.bidQuantity > SIDE_QUANTITY_MAX || resting.askQuantity > SIDE_QUANTITY_MAX) {
      broken(`book ${this.instrument.symbol}: a side's orders add up to more than 2^53 - 1`);
    }
    if (resting.isCrossed()) broken(`book ${this.instrument.symbol}: its best bid is not below its best ask`);
  }

  private wrongField(order: LiveOrder): keyof LiveOrder | undefined {
    if (!isOrderId(order.orderId)) return "orderId";
    if (!isAccount(order.account)) return "account";
    if (!isOrderId(order.clientOrderId)) return "clientOrderId";
    if (order.side !== Side.BUY && order.side !== Side.SELL) return "side";
    if (order.type !== OrderType.LIMIT) return "type";
    if (order.timeInForce !== TimeInForce.DAY) return "timeInForce";
    // The instrument's maxima may have been lowered since; its tick is built into the ladder.
    if (!isTickPrice(this.instrument, order.price)) return "price";
    if (!isOrderId(order.quantity)) return "quantity";
    if (!isOrderId(order.leaves) || order.leaves > order.quantity) return "leaves";
    return isOrderId(order.priority) ? undefined : "priority";
  }

  /** All handles in ascending order of their keys, which must differ and be below `next`. */
  private ranked(what: string, keys: Float64Array, next: number): Int32Array {
    // A sort of plain numbers, then a search for each, is several times faster than a sort of handles by key.
    const sorted = isAscending(keys) ? keys : keys.toSorted();
    const twice = sorted.find((key, index) => key === sorted[index - 1]);
    if (twice !== undefined) broken(`book ${this.instrument.symbol}: two orders have the ${what} ${twice}`);
    const last = sorted.at(-1) ?? 0;
    if (!isOrderId(next) || last >= next) {
      broken(`book ${this.instrument.symbol}: next ${what} is ${next} although ${last} was given`);
    }
    const handles = new Int32Array(keys.length);
    for (let index = 0, rank = -1; index < keys.length; index++) {
      const key = keys[index]!;
      // Rows mostly come in order already: then the next rank is the right one.
      rank = sorted[rank + 1] === key ? rank + 1 : lowerBound(sorted, key);
      handles[rank] = index + 1;
    }
    return handles;
  }

  private name(orderId: number): string {
    return `book ${this.instrument.symbol}, restored order ${orderId}`;
  }
}

function isAscending(values: Float64Array): boolean {
  for (let at = 1; at < values.length; at++) {
    if (values[at - 1]! >= values[at]!) return false;
  }
  return true;
}

/** Index of the first value that is not below `key`. */
function lowerBound(values: Float64Array, key: number): number {
  let from = 0;
  let to = values.length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (values[middle]! < key) from = middle + 1;
    else to = middle;
  }
  return from;
}
