import { CancelReason, OrderType, RejectReason, Side, TimeInForce } from "../../engine/codes.ts";
import type { Instrument } from "../../engine/instrument.ts";
import {
  ORDERS_MAX,
  REQUEST_CANCELS_MAX,
  REQUEST_FILLS_MAX,
  SIDE_QUANTITY_MAX,
} from "../../engine/limits.ts";
import type { Level } from "../../engine/book-view.ts";
import type { LiveOrder } from "../../engine/order-table.ts";
import type { EventObject } from "./event-objects.ts";

type Order = { -readonly [Field in keyof LiveOrder]: LiveOrder[Field] };

/** Why one cannot enter, written as the rules are told. */
function refusal(
  instrument: Instrument,
  terms: Omit<Order, "orderId" | "account" | "leaves" | "priority">,
): number {
  const { clientOrderId, side, type, timeInForce, price, quantity } = terms;
  if (!Number.isSafeInteger(clientOrderId) || clientOrderId < 1) return RejectReason.INVALID_ORDER_ID;
  if (!Object.values(Side).includes(side)) return RejectReason.INVALID_SIDE;
  if (!Object.values(OrderType).includes(type)) return RejectReason.INVALID_ORDER_TYPE;
  if (!Object.values(TimeInForce).includes(timeInForce)) return RejectReason.INVALID_TIME_IN_FORCE;
  if (type === OrderType.MARKET && timeInForce === TimeInForce.DAY) return RejectReason.INVALID_TIME_IN_FORCE;
  return quantityRefusal(instrument, quantity) || priceRefusal(instrument, type, price);
}

function quantityRefusal(instrument: Instrument, quantity: number): number {
  if (quantity > instrument.quantityMax) return RejectReason.QUANTITY_TOO_LARGE;
  if (!Number.isSafeInteger(quantity) || quantity < 1) return RejectReason.INVALID_QUANTITY;
  return quantity % instrument.lot === 0 ? 0 : RejectReason.QUANTITY_OFF_LOT;
}

function priceRefusal(instrument: Instrument, type: OrderType, price: number): number {
  if (type === OrderType.MARKET) return Object.is(price, 0) ? 0 : RejectReason.INVALID_PRICE;
  if (price > instrument.priceMax) return RejectReason.PRICE_TOO_HIGH;
  if (!Number.isSafeInteger(price) || price < 1) return RejectReason.INVALID_PRICE;
  return price % instrument.tick === 0 ? 0 : RejectReason.PRICE_OFF_TICK;
}

const sum = (orders: readonly Order[]): number => orders.reduce((total, order) => total + order.leaves, 0);

/** The rules of the order book in the plainest form: two sorted arrays. The fast book must do just this. */
export class NaiveBook {
  nextEvent = 1;
  nextOrderId = 1;
  private readonly instrument: Instrument;
  private readonly sides: Record<Side, Order[]> = { [Side.BUY]: [], [Side.SELL]: [] };
  private events: EventObject[] = [];

  constructor(instrument: Instrument) {
    this.instrument = instrument;
  }

  /** The events since the last call. */
  takeEvents(): EventObject[] {
    const { events } = this;
    this.events = [];
    return events;
  }

  orders(): LiveOrder[] {
    return [...this.sides[Side.BUY], ...this.sides[Side.SELL]];
  }

  levels(side: Side, max: number): Level[] {
    const prices = [...new Set(this.sides[side].map((order) => order.price))];
    return prices.slice(0, max).map((price) => {
      const here = this.sides[side].filter((order) => order.price === price);
      return { price, quantity: sum(here), orders: here.length };
    });
  }

  newOrder(
    account: number,
    clientOrderId: number,
    side: Side,
    type: OrderType,
    timeInForce: TimeInForce,
    price: number,
    quantity: number,
  ): void {
    const terms = { clientOrderId, side, type, timeInForce, price, quantity };
    const reason = refusal(this.instrument, terms) || this.admission(account, terms);
    if (reason !== 0) return this.reject(account, clientOrderId, reason);
    const orderId = this.nextOrderId++;
    const order: Order = { ...terms, orderId, account, leaves: quantity, priority: this.nextEvent };
    const accepted = this.emit("ACCEPTED", {
      ACCOUNT: account,
      ORDER_ID: orderId,
      CLIENT_ORDER_ID: clientOrderId,
      SIDE: side,
      TYPE: type,
      TIME_IN_FORCE: timeInForce,
      PRICE: price,
      QUANTITY: quantity,
      RESTING: 0,
    });
    if (timeInForce === TimeInForce.FILL_OR_KILL && !this.canFill(order)) {
      return this.cancelled(order, 0, CancelReason.FILL_OR_KILL);
    }
    this.take(order);
    if (order.leaves === 0) return;
    if (this.match(order) !== undefined) return this.cancelled(order, 0, CancelReason.SWEEP_LIMIT);
    if (timeInForce !== TimeInForce.DAY) return this.cancelled(order, 0, CancelReason.IMMEDIATE_REMAINDER);
    this.enter(order);
    accepted["RESTING"] = order.leaves;
  }

  cancel(account: number, clientOrderId: number): void {
    const order = this.named(account, clientOrderId);
    if (order === undefined) return this.reject(account, clientOrderId, this.unknown(clientOrderId));
    this.end(order, CancelReason.REQUESTED);
  }

  replace(account: number, clientOrderId: number, price: number, quantity: number): void {
    const order = this.named(account, clientOrderId);
    if (order === undefined) return this.reject(account, clientOrderId, this.unknown(clientOrderId));
    const reason =
      quantityRefusal(this.instrument, quantity) || priceRefusal(this.instrument, order.type, price);
    if (reason !== 0) return this.reject(account, clientOrderId, reason);
    const executed = order.quantity - order.leaves;
    if (executed >= quantity) return this.end(order, CancelReason.REPLACED_BELOW_EXECUTED);
    const others = this.sides[order.side].filter((other) => other !== order);
    if (sum(others) + quantity - executed > SIDE_QUANTITY_MAX) {
      return this.reject(account, clientOrderId, RejectReason.BOOK_FULL);
    }
    this.change(order, price, quantity, executed);
  }

  massCancel(account: number): void {
    const own = this.orders().filter((order) => order.account === account) as Order[];
    own.sort((one, other) => one.orderId - other.orderId);
    const ended = own.slice(0, REQUEST_CANCELS_MAX);
    for (const order of ended) this.end(order, CancelReason.MASS_CANCEL);
    this.emit("MASS_CANCELLED", {
      ACCOUNT: account,
      CANCELLED: ended.length,
      REMAINING: own.length - ended.length,
    });
  }

  private change(order: Order, price: number, quantity: number, executed: number): void {
    const priority = this.nextEvent;
    const leaves = quantity - executed;
    const kept = price === order.price && quantity <= order.quantity;
    const replaced = this.emit("REPLACED", {
      ACCOUNT: order.account,
      ORDER_ID: order.orderId,
      CLIENT_ORDER_ID: order.clientOrderId,
      SIDE: order.side,
      OLD_PRICE: order.price,
      OLD_LEAVES: order.leaves,
      PRICE: price,
      QUANTITY: quantity,
      LEAVES: leaves,
      RESTING: kept ? leaves : 0,
      PRIORITY_KEPT: kept ? 1 : 0,
    });
    if (kept) {
      Object.assign(order, { quantity, leaves });
      return;
    }
    this.leave(order);
    Object.assign(order, { price, quantity, leaves, priority });
    this.take(order);
    if (order.leaves === 0) return;
    if (this.match(order) !== undefined) return this.cancelled(order, 0, CancelReason.SWEEP_LIMIT);
    this.enter(order);
    replaced["RESTING"] = order.leaves;
  }

  private admission(
    account: number,
    terms: Pick<Order, "clientOrderId" | "side" | "timeInForce" | "quantity">,
  ): number {
    if (this.named(account, terms.clientOrderId) !== undefined) return RejectReason.DUPLICATE_ORDER_ID;
    if (terms.timeInForce !== TimeInForce.DAY) return 0;
    if (this.orders().length >= ORDERS_MAX) return RejectReason.BOOK_FULL;
    return sum(this.sides[terms.side]) + terms.quantity > SIDE_QUANTITY_MAX ? RejectReason.BOOK_FULL : 0;
  }

  /** The order that would trade next with this one. */
  private match(taker: Order): Order | undefined {
    const maker = this.opposite(taker)[0];
    return maker !== undefined && this.wants(taker, maker) ? maker : undefined;
  }

  private wants(taker: Order, maker: Order): boolean {
    if (taker.type === OrderType.MARKET) return true;
    return taker.side === Side.BUY ? maker.price <= taker.price : maker.price >= taker.price;
  }

  private opposite(order: Order): Order[] {
    return this.sides[order.side === Side.BUY ? Side.SELL : Side.BUY];
  }

  private canFill(taker: Order): boolean {
    const makers = this.opposite(taker).filter((maker) => this.wants(taker, maker));
    let missing = taker.leaves;
    const needed = makers.findIndex((maker) => (missing -= maker.leaves) <= 0) + 1;
    return needed > 0 && needed <= REQUEST_FILLS_MAX;
  }

  private take(taker: Order): void {
    for (let fills = 0; taker.leaves > 0 && fills < REQUEST_FILLS_MAX; fills++) {
      const maker = this.match(taker);
      if (maker === undefined) return;
      const executed = Math.min(taker.leaves, maker.leaves);
      taker.leaves -= executed;
      maker.leaves -= executed;
      this.emit("TRADE", {
        ACCOUNT: taker.account,
        ORDER_ID: taker.orderId,
        CLIENT_ORDER_ID: taker.clientOrderId,
        SIDE: taker.side,
        PRICE: maker.price,
        QUANTITY: executed,
        LEAVES: taker.leaves,
        MAKER_ORDER_ID: maker.orderId,
        MAKER_ACCOUNT: maker.account,
        MAKER_CLIENT_ORDER_ID: maker.clientOrderId,
        MAKER_LEAVES: maker.leaves,
      });
      if (maker.leaves === 0) this.leave(maker);
    }
  }

  private enter(order: Order): void {
    const better = (one: Order): boolean =>
      order.side === Side.BUY ? one.price >= order.price : one.price <= order.price;
    const place = this.sides[order.side].findIndex((one) => !better(one));
    this.sides[order.side].splice(place < 0 ? this.sides[order.side].length : place, 0, order);
  }

  private leave(order: Order): void {
    this.sides[order.side].splice(this.sides[order.side].indexOf(order), 1);
  }

  private end(order: Order, reason: CancelReason): void {
    this.leave(order);
    this.cancelled(order, order.leaves, reason);
  }

  private cancelled(order: Order, rested: number, reason: CancelReason): void {
    this.emit("CANCELLED", {
      ACCOUNT: order.account,
      ORDER_ID: order.orderId,
      CLIENT_ORDER_ID: order.clientOrderId,
      SIDE: order.side,
      PRICE: order.price,
      QUANTITY: order.leaves,
      RESTED: rested,
      REASON: reason,
    });
  }

  private named(account: number, clientOrderId: number): Order | undefined {
    const isNamed = (order: Order): boolean =>
      order.account === account && order.clientOrderId === clientOrderId;
    return this.sides[Side.BUY].find(isNamed) ?? this.sides[Side.SELL].find(isNamed);
  }

  private unknown(clientOrderId: number): number {
    const isId = Number.isSafeInteger(clientOrderId) && clientOrderId >= 1;
    return isId ? RejectReason.UNKNOWN_ORDER : RejectReason.INVALID_ORDER_ID;
  }

  private reject(account: number, clientOrderId: number, reason: number): void {
    const isId = Number.isSafeInteger(clientOrderId) && clientOrderId >= 1;
    this.emit("REJECTED", { ACCOUNT: account, CLIENT_ORDER_ID: isId ? clientOrderId : 0, REASON: reason });
  }

  private emit(kind: EventObject["kind"], fields: EventObject["fields"]): Record<string, number> {
    const all = { SEQUENCE: this.nextEvent++, ...fields };
    this.events.push({ kind, fields: all });
    return all;
  }
}
