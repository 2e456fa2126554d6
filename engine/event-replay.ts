import { OrderType, Side, TimeInForce } from "./codes.ts";
import { EventField, EventKind } from "./event-buffer.ts";
import { type Instrument, isOrderId, isTickPrice } from "./instrument.ts";
import { broken } from "./invariant.ts";
import { isAccount } from "./order-table.ts";
import type { RestingOrders } from "./resting-orders.ts";

const F = EventField;

/**
 * Changes the resting orders as events say, and checks that each event follows from them. An order that enters is
 * put in line with what its event says will rest; until the next request starts, it is also the taker, whose fills
 * must bring it down to just that.
 */
export class EventReplay {
  private readonly instrument: Instrument;
  private readonly resting: RestingOrders;
  private values: Float64Array = new Float64Array(0);
  private base = 0;
  /** Order id of the request's taker, 0 when there is none. */
  private taker = 0;
  private takerAccount = 0;
  private takerClientOrderId = 0;
  private takerSide = 0;
  /** 0 of a market order. */
  private takerPrice = 0;
  private takerLeaves = 0;
  private takerRests = 0;

  constructor(instrument: Instrument, resting: RestingOrders) {
    this.instrument = instrument;
    this.resting = resting;
  }

  /** Applies the event at `base`; returns the id that the next accepted order gets. */
  apply(values: Float64Array, base: number, nextEvent: number, nextOrderId: number): number {
    this.values = values;
    this.base = base;
    const kind = this.field(F.KIND) as EventKind;
    if (this.field(F.SEQUENCE) !== nextEvent) this.contradicts(`the book stands before event ${nextEvent}`);
    if (!isAccount(this.field(F.ACCOUNT)))
      this.contradicts(`account ${this.field(F.ACCOUNT)} is not a handle`);
    switch (kind) {
      case EventKind.ACCEPTED:
        this.finish();
        this.accepted(nextOrderId);
        return nextOrderId + 1;
      case EventKind.TRADE:
        this.trade();
        return nextOrderId;
      case EventKind.CANCELLED:
        if (this.field(F.RESTED) === 0) this.cancelledTaker();
        else this.cancelledMaker();
        return nextOrderId;
      case EventKind.REPLACED:
        this.finish();
        this.replaced();
        return nextOrderId;
      case EventKind.REJECTED:
        this.finish();
        return nextOrderId;
      case EventKind.MASS_CANCELLED:
        this.finish();
        this.expect("remaining", this.field(F.REMAINING), this.resting.rings.count(this.field(F.ACCOUNT)));
        return nextOrderId;
      default:
        kind satisfies never;
        return this.contradicts(`there is no kind ${this.field(F.KIND)}`);
    }
  }

  /** Ends the request that was applied last; it must be whole. */
  finish(): void {
    const { taker } = this;
    this.taker = 0;
    if (taker !== 0 && this.takerLeaves !== this.takerRests) {
      broken(
        `book ${this.instrument.symbol}: order ${taker} was left with ${this.takerLeaves} by its fills ` +
          `although its event says that ${this.takerRests} rest`,
      );
    }
    if (taker !== 0 && this.resting.isCrossed()) {
      broken(`book ${this.instrument.symbol}: order ${taker} rests although it crosses the other side`);
    }
  }

  private accepted(nextOrderId: number): void {
    const account = this.field(F.ACCOUNT);
    const clientOrderId = this.field(F.CLIENT_ORDER_ID);
    const side = this.field(F.SIDE);
    const quantity = this.field(F.QUANTITY);
    const rests = this.field(F.RESTING);
    this.expect("order id", this.field(F.ORDER_ID), nextOrderId);
    if (side !== Side.BUY && side !== Side.SELL) this.contradicts(`there is no side ${side}`);
    if (!isOrderId(quantity)) this.contradicts(`${quantity} is not a quantity`);
    if (!isOrderId(clientOrderId) || this.resting.find(account, clientOrderId) !== 0) {
      this.contradicts(`client order id ${clientOrderId} is not free`);
    }
    this.setTaker(quantity, rests);
    if (rests === 0) return;
    const type = this.field(F.TYPE);
    const timeInForce = this.field(F.TIME_IN_FORCE);
    if (type !== OrderType.LIMIT || timeInForce !== TimeInForce.DAY)
      this.contradicts("an order of its kind cannot rest");
    const priority = this.field(F.SEQUENCE);
    const { resting } = this;
    const handle = resting.add(
      nextOrderId,
      account,
      clientOrderId,
      side,
      type,
      timeInForce,
      quantity,
      rests,
      priority,
    );
    resting.enqueue(handle, side, this.field(F.PRICE));
  }

  private trade(): void {
    const { resting } = this;
    const quantity = this.field(F.QUANTITY);
    const price = this.field(F.PRICE);
    this.expectTaker();
    this.takerLeaves -= quantity;
    if (!isOrderId(quantity)) this.contradicts(`${quantity} is not a quantity`);
    this.expect("taker's leaves", this.field(F.LEAVES), this.takerLeaves);
    if (this.takerLeaves < this.takerRests) this.contradicts(`the taker should keep ${this.takerRests}`);
    const ladder = this.takerSide === Side.BUY ? resting.asks : resting.bids;
    const maker = this.order(this.field(F.MAKER_ACCOUNT), F.MAKER_CLIENT_ORDER_ID, F.MAKER_ORDER_ID);
    if (ladder.best === 0 || resting.levels.head(ladder.best) !== maker)
      this.contradicts("the maker is not first in line");
    this.expect("price", price, resting.priceOf(maker));
    const limit = this.takerPrice;
    if (limit !== 0 && (this.takerSide === Side.BUY ? price > limit : price < limit)) {
      this.contradicts(`the price is worse than the taker's ${limit}`);
    }
    const left = resting.orders.leaves(maker) - quantity;
    this.expect("maker's leaves", this.field(F.MAKER_LEAVES), left);
    if (left < 0) this.contradicts("the maker has less than what was executed");
    if (left > 0) {
      resting.setLeaves(maker, left);
    } else {
      resting.dequeue(maker);
      resting.drop(maker);
    }
  }

  private cancelledTaker(): void {
    this.expectTaker();
    this.expect("price", this.field(F.PRICE), this.takerPrice);
    this.expect("quantity", this.field(F.QUANTITY), this.takerLeaves);
    if (this.takerRests !== 0) this.contradicts(`${this.takerRests} of the order should rest`);
    this.taker = 0;
  }

  private cancelledMaker(): void {
    this.finish();
    const { resting } = this;
    const order = this.order(this.field(F.ACCOUNT), F.CLIENT_ORDER_ID, F.ORDER_ID);
    this.expect("side", this.field(F.SIDE), resting.sideOf(order));
    this.expect("price", this.field(F.PRICE), resting.priceOf(order));
    this.expect("quantity", this.field(F.QUANTITY), resting.orders.leaves(order));
    this.expect("rested", this.field(F.RESTED), resting.orders.leaves(order));
    resting.dequeue(order);
    resting.drop(order);
  }

  private replaced(): void {
    const { resting } = this;
    const price = this.field(F.PRICE);
    const quantity = this.field(F.QUANTITY);
    const rests = this.field(F.RESTING);
    const order = this.order(this.field(F.ACCOUNT), F.CLIENT_ORDER_ID, F.ORDER_ID);
    const side = resting.sideOf(order);
    const oldLeaves = resting.orders.leaves(order);
    const leaves = quantity - (resting.orders.quantity(order) - oldLeaves);
    this.expect("side", this.field(F.SIDE), side);
    this.expect("old price", this.field(F.OLD_PRICE), resting.priceOf(order));
    this.expect("old leaves", this.field(F.OLD_LEAVES), oldLeaves);
    this.expect("leaves", this.field(F.LEAVES), leaves);
    if (!isOrderId(quantity) || leaves < 1) this.contradicts("nothing would be open");
    const kept = price === resting.priceOf(order) && leaves <= oldLeaves;
    this.expect("priority kept", this.field(F.PRIORITY_KEPT), kept ? 1 : 0);
    this.setTaker(leaves, rests);
    if (kept) {
      resting.setTerms(order, quantity, rests);
      return;
    }
    resting.dequeue(order);
    if (rests === 0) resting.drop(order);
    else resting.requeue(order, side, price, quantity, rests, this.field(F.SEQUENCE));
  }

  private setTaker(leaves: number, rests: number): void {
    if (rests !== 0 && (!isOrderId(rests) || rests > leaves))
      this.contradicts(`${rests} cannot rest of ${leaves}`);
    if (rests !== 0 && !isTickPrice(this.instrument, this.field(F.PRICE)))
      this.contradicts("its price is off the tick");
    this.taker = this.field(F.ORDER_ID);
    this.takerAccount = this.field(F.ACCOUNT);
    this.takerClientOrderId = this.field(F.CLIENT_ORDER_ID);
    this.takerSide = this.field(F.SIDE);
    this.takerPrice = this.field(F.PRICE);
    this.takerLeaves = leaves;
    this.takerRests = rests;
  }

  private expectTaker(): void {
    if (this.taker === 0) this.contradicts("no order entered before it");
    this.expect("order id", this.field(F.ORDER_ID), this.taker);
    this.expect("account", this.field(F.ACCOUNT), this.takerAccount);
    this.expect("client order id", this.field(F.CLIENT_ORDER_ID), this.takerClientOrderId);
    this.expect("side", this.field(F.SIDE), this.takerSide);
  }

  /** The live order that the event names. */
  private order(account: number, clientOrderIdField: number, orderIdField: number): number {
    const clientOrderId = this.field(clientOrderIdField);
    const orderId = this.field(orderIdField);
    const handle = this.resting.find(account, clientOrderId);
    if (handle === 0 || this.resting.orders.orderId(handle) !== orderId) {
      this.contradicts(
        `order ${orderId} (client order id ${clientOrderId} of account ${account}) is not live`,
      );
    }
    return handle;
  }

  private field(field: number): number {
    return this.values[this.base + field]!;
  }

  private expect(what: string, said: number, is: number): void {
    if (said !== is) this.contradicts(`its ${what} is ${said}, the book says ${is}`);
  }

  private contradicts(why: string): never {
    const kind = Object.entries(EventKind).find((entry) => entry[1] === this.field(F.KIND))?.[0] ?? "event";
    return broken(`book ${this.instrument.symbol}: ${kind} ${this.field(F.SEQUENCE)} contradicts it: ${why}`);
  }
}
