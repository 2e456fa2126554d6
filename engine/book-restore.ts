import { checkPriceOf, isRestingTime, isWaitingType } from "./entry-check.ts";
import type { BookCore } from "./book-core.ts";
import type { BookState } from "./book-snapshot.ts";
import { OrderType, Phase, Side, TimeInForce } from "./codes.ts";
import { type Instrument, isOrderId, isTickPrice } from "./instrument.ts";
import { broken } from "./invariant.ts";
import { ORDERS_MAX, SIDE_QUANTITY_MAX } from "./limits.ts";
import type { LiveOrder } from "./live-order.ts";
import { OWN_ACCOUNT } from "./order-entry.ts";
import { packFlags } from "./order-extras.ts";
import { isAccount, packOwner, packSpecial, Place } from "./order-table.ts";
import { placeOf } from "./resting-orders.ts";

/** A few milliseconds' work. */
const SLICE_ORDERS = 32_768;

/** Builds a book from a snapshot's orders, which may come in any order: first records, then queues. */
export class BookRestore {
  private readonly core: BookCore;
  private readonly instrument: Instrument;
  /** By handle, less one. */
  private readonly prices: number[] = [];
  private readonly partners: number[] = [];
  private readonly byOrderId = new Map<number, number>();

  constructor(core: BookCore) {
    this.core = core;
    this.instrument = core.instrument;
  }

  take(order: LiveOrder): void {
    const { orderId, account, clientOrderId, side, type, timeInForce, quantity, leaves, priority } = order;
    const { resting } = this.core;
    const wrong = this.wrongField(order);
    if (wrong !== undefined)
      broken(`${this.name(orderId)}: ${wrong} is ${String(order[wrong])}, which no live order can have`);
    if (resting.orders.live >= ORDERS_MAX) broken(`${this.name(orderId)}: more than ${ORDERS_MAX} orders`);
    if (resting.find(account, clientOrderId) !== 0) {
      broken(`${this.name(orderId)}: client order id ${clientOrderId} of its account is taken`);
    }
    const place = placeOf(type, timeInForce, order.hidden, order.allOrNone);
    const isSpecial = place !== Place.BOOK || hasFurtherTerms(order);
    const owner = isSpecial
      ? packSpecial(account, side, type, timeInForce, place)
      : packOwner(account, side, type, timeInForce);
    const handle = resting.record(orderId, owner, account, clientOrderId, quantity, leaves, priority);
    this.prices.push(order.price);
    this.partners.push(order.partner);
    if (order.partner !== 0) this.byOrderId.set(orderId, handle);
    if (isSpecial) this.addExtras(handle, order);
  }

  /** Puts the orders into their places, `SLICE_ORDERS` with each step. */
  *finish(state: BookState): Generator<undefined, void, undefined> {
    const { resting } = this.core;
    const { orders } = resting;
    this.setState(state);
    const keys = new Float64Array(orders.live);
    for (let index = 0; index < keys.length; index++) keys[index] = orders.orderId(index + 1);
    const byId = this.ranked("order id", keys, state.nextOrderId);
    yield;
    for (let from = 0; from < byId.length; from += SLICE_ORDERS) {
      for (const handle of byId.subarray(from, from + SLICE_ORDERS))
        resting.byAccount.add(resting.accountOf(handle), handle);
      yield;
    }
    for (let index = 0; index < keys.length; index++) keys[index] = orders.priority(index + 1);
    const byPriority = this.ranked("priority", keys, state.nextEvent);
    yield;
    for (let from = 0; from < byPriority.length; from += SLICE_ORDERS) {
      for (const handle of byPriority.subarray(from, from + SLICE_ORDERS)) this.place(handle);
      yield;
    }
    this.linkPartners();
    if (resting.bidQuantity > SIDE_QUANTITY_MAX || resting.askQuantity > SIDE_QUANTITY_MAX) {
      broken(`book ${this.instrument.symbol}: a side's orders add up to more than 2^53 - 1`);
    }
    if (state.phase === Phase.CONTINUOUS && resting.isCrossed())
      broken(`book ${this.instrument.symbol}: its best bid is not below its best ask`);
  }

  private setState(state: BookState): void {
    const { core } = this;
    core.event = state.nextEvent;
    core.orderId = state.nextOrderId;
    core.phase = state.phase;
    core.until = state.until;
    core.lastPrice = state.lastPrice;
    core.referencePrice = state.referencePrice;
    core.uncross = state.uncross;
    for (const { account, position, cash, blocked, messageTime, messages } of state.accounts) {
      if (position !== 0 || cash !== 0) core.accounts.setPosition(account, position, cash);
      if (blocked) core.accounts.block(account, true);
      if (messages !== 0) core.rate.restore(account, messageTime, messages);
    }
  }

  private addExtras(handle: number, order: LiveOrder): void {
    const { core } = this;
    const { extras } = core.resting;
    const { hidden, allOrNone, peg, postOnly, selfTrade, expiry } = order;
    extras.add(handle, order.price, packFlags(hidden, allOrNone, peg, postOnly, selfTrade), order.forAccount);
    extras.setDisplay(handle, order.displayQuantity);
    extras.setShown(handle, order.displayQuantity === 0 ? 0 : order.shown);
    extras.setTrigger(handle, order.triggerPrice);
    extras.setOffset(handle, order.offset);
    extras.setExpiry(handle, expiry);
    if (expiry !== 0) core.expiries.add(handle, expiry);
  }

  private place(handle: number): void {
    const { core } = this;
    const { resting } = core;
    if (resting.isSpecial(handle)) {
      core.settle(handle);
      return;
    }
    const price = this.prices[handle - 1]!;
    const side = resting.sideOf(handle);
    resting.enqueue(handle, side, price);
    if (core.accounts.limited)
      core.accounts.open(resting.accountOf(handle), side, price, resting.orders.leaves(handle));
  }

  /** An order's row names the partner that it was entered with, which may have ended since. */
  private linkPartners(): void {
    const { resting } = this.core;
    if (this.partners.every((partner) => partner === 0)) return;
    for (let handle = 1; handle <= this.partners.length; handle++) {
      this.byOrderId.set(resting.orders.orderId(handle), handle);
    }
    this.partners.forEach((partner, index) => {
      const other = partner === 0 ? undefined : this.byOrderId.get(partner);
      if (other !== undefined) resting.link(index + 1, other);
    });
  }

  private wrongField(order: LiveOrder): keyof LiveOrder | undefined {
    if (!isOrderId(order.orderId)) return "orderId";
    if (!isAccount(order.account)) return "account";
    if (!isOrderId(order.clientOrderId)) return "clientOrderId";
    if (order.side !== Side.BUY && order.side !== Side.SELL) return "side";
    if (!(order.type >= OrderType.LIMIT && order.type <= OrderType.PEGGED)) return "type";
    if (!this.isPossibleTime(order)) return "timeInForce";
    // The instrument's maxima may have been lowered since; its tick is built into the ladder.
    if (!this.isPossiblePrice(order)) return "price";
    if (!isOrderId(order.quantity)) return "quantity";
    if (!isOrderId(order.leaves) || order.leaves > order.quantity) return "leaves";
    const isIceberg = order.displayQuantity !== 0;
    if (isIceberg && !(order.shown >= 0 && order.shown <= order.leaves)) return "shown";
    if (isWaitingType(order.type) && !isOrderId(order.triggerPrice)) return "triggerPrice";
    return isOrderId(order.priority) ? undefined : "priority";
  }

  private isPossibleTime({ type, timeInForce }: LiveOrder): boolean {
    const isAuction = timeInForce === TimeInForce.AT_THE_OPEN || timeInForce === TimeInForce.AT_THE_CLOSE;
    if (type === OrderType.MARKET) return isAuction;
    return isRestingTime(timeInForce) || (isAuction && type === OrderType.LIMIT);
  }

  private isPossiblePrice({ type, price }: LiveOrder): boolean {
    return (
      isTickPrice(this.instrument, price) || (price === 0 && checkPriceOf(this.instrument, type, 0) === 0)
    );
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

function hasFurtherTerms(order: LiveOrder): boolean {
  return (
    order.displayQuantity !== 0 ||
    order.triggerPrice !== 0 ||
    order.offset !== 0 ||
    order.peg !== 0 ||
    order.expiry !== 0 ||
    order.postOnly !== 0 ||
    order.selfTrade !== 0 ||
    order.forAccount !== OWN_ACCOUNT
  );
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
