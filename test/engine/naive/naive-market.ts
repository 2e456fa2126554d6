import { CancelReason, EventReason, Phase, Side } from "../../../engine/codes.ts";
import type { UncrossState } from "../../../engine/book-snapshot.ts";
import type { Instrument } from "../../../engine/instrument.ts";
import type { EventObject, FieldName, KindName } from "../event-objects.ts";
import { NaiveAccounts } from "./naive-accounts.ts";
import { type NaiveOrder, placeOf } from "./naive-order.ts";

export type Fields = Partial<Record<FieldName, number>>;

/** The best shown prices, 0: none. */
export interface Touch {
  readonly bid: number;
  readonly ask: number;
}

/** All that a book is, and what happens to orders whoever causes it: fills, refreshes, ends. */
export class NaiveMarket {
  readonly instrument: Instrument;
  accounts = new NaiveAccounts();
  /** Every live order, in no particular order. */
  orders: NaiveOrder[] = [];
  events: EventObject[] = [];
  now = 0;
  nextEvent = 1;
  nextOrderId = 1;
  phase: Phase;
  until = 0;
  lastPrice = 0;
  referencePrice: number;
  /** An uncross that is under way. */
  uncross: UncrossState | undefined;
  /** The touch when pegged orders last moved; none since the phase became another than continuous. */
  pegTouch: Touch | undefined;

  constructor(instrument: Instrument) {
    this.instrument = instrument;
    this.phase = instrument.initialPhase ?? Phase.CONTINUOUS;
    this.referencePrice = instrument.referencePrice ?? 0;
  }

  /** Another market in which something can be tried. */
  copy(): NaiveMarket {
    const copy = new NaiveMarket(this.instrument);
    copy.accounts = this.accounts.copy();
    copy.orders = this.orders.map((order) => ({ ...order }));
    copy.now = this.now;
    copy.nextEvent = this.nextEvent;
    copy.phase = this.phase;
    copy.lastPrice = this.lastPrice;
    copy.referencePrice = this.referencePrice;
    return copy;
  }

  emit(kind: KindName, fields: Fields): Fields {
    const all = { SEQUENCE: this.nextEvent++, ACCOUNT: 0, ...fields };
    this.events.push({ kind, fields: all });
    return all;
  }

  emitOf(order: NaiveOrder, kind: KindName, fields: Fields): Fields {
    return this.emit(kind, {
      ACCOUNT: order.account,
      ORDER_ID: order.orderId,
      CLIENT_ORDER_ID: order.clientOrderId,
      SIDE: order.side,
      PRICE: order.price,
      ...fields,
    });
  }

  isLive(order: NaiveOrder): boolean {
    return this.orders.includes(order);
  }

  named(account: number, clientOrderId: number): NaiveOrder | undefined {
    return this.orders.find((order) => order.account === account && order.clientOrderId === clientOrderId);
  }

  numbered(orderId: number): NaiveOrder | undefined {
    return this.orders.find((order) => order.orderId === orderId);
  }

  touch(): Touch {
    const prices = (side: Side): number[] =>
      this.orders
        .filter((order) => order.side === side && !order.isIncoming && placeOf(order) === "BOOK")
        .map((order) => order.price);
    const bids = prices(Side.BUY);
    const asks = prices(Side.SELL);
    return {
      bid: bids.length === 0 ? 0 : Math.max(...bids),
      ask: asks.length === 0 ? 0 : Math.min(...asks),
    };
  }

  /** Takes an order out of its place to trade. */
  takeOut(order: NaiveOrder): void {
    order.isIncoming = true;
    order.shown = 0;
  }

  rest(order: NaiveOrder): void {
    order.isIncoming = false;
    order.shown =
      placeOf(order) === "BOOK" ? Math.min(order.displayQuantity || order.leaves, order.leaves) : 0;
  }

  /** Ends what is open of an order. */
  end(order: NaiveOrder, reason: CancelReason): void {
    this.emitOf(order, "CANCELLED", {
      QUANTITY: order.leaves,
      RESTED: order.isIncoming ? 0 : order.leaves,
      SHOWN: order.shown,
      REASON: reason,
    });
    this.remove(order);
    const partner = this.numbered(order.partner);
    if (partner !== undefined) partner.partner = 0;
  }

  /** The taker is the buyer when it rests too, in an auction. RULES.md 2.2. */
  trade(taker: NaiveOrder, maker: NaiveOrder, price: number, quantity: number, reason: EventReason): void {
    const takerShown = this.lose(taker, quantity);
    const makerShown = this.lose(maker, quantity);
    this.lastPrice = price;
    this.accounts.traded(taker, price, quantity);
    this.accounts.traded(maker, price, quantity);
    this.emitOf(taker, "TRADE", {
      PRICE: price,
      QUANTITY: quantity,
      TAKER_SHOWN: takerShown,
      LEAVES: taker.leaves,
      MAKER_SHOWN: makerShown,
      MAKER_ORDER_ID: maker.orderId,
      MAKER_ACCOUNT: maker.account,
      MAKER_CLIENT_ORDER_ID: maker.clientOrderId,
      MAKER_LEAVES: maker.leaves,
      REASON: reason,
    });
    for (const order of [taker, maker]) if (order.leaves === 0) this.remove(order);
    for (const order of [taker, maker]) this.refresh(order);
    for (const order of [taker, maker]) this.endPartner(order);
  }

  /** Shrinks an order by what it lost to one of its own group. */
  decrement(order: NaiveOrder, quantity: number): void {
    const shown = this.lose(order, quantity);
    order.quantity -= quantity;
    this.emitOf(order, "DECREMENTED", {
      QUANTITY: quantity,
      NEW_QUANTITY: order.quantity,
      LEAVES: order.leaves,
      RESTED: order.isIncoming ? 0 : quantity,
      SHOWN: shown,
      REASON: CancelReason.SELF_TRADE,
    });
    this.refresh(order);
  }

  /** One cancels other: ends the partner of an order that traded or was triggered. */
  endPartner(order: NaiveOrder): void {
    const partner = this.numbered(order.partner);
    order.partner = 0;
    if (partner !== undefined) this.end(partner, CancelReason.ONE_CANCELS_OTHER);
  }

  /** Takes from the open and the shown quantity; returns how much of the shown. */
  private lose(order: NaiveOrder, quantity: number): number {
    const shown = Math.min(order.shown, quantity);
    order.leaves -= quantity;
    order.shown -= shown;
    return shown;
  }

  /** An iceberg whose shown part is used up shows again, at the end of its line. */
  private refresh(order: NaiveOrder): void {
    const isUsedUp = order.displayQuantity > 0 && !order.isIncoming && order.shown === 0;
    if (!isUsedUp || order.leaves === 0) return;
    this.rest(order);
    order.priority = this.nextEvent;
    this.emitOf(order, "REFRESHED", {
      QUANTITY: order.quantity,
      LEAVES: order.leaves,
      SHOWN: order.shown,
      REASON: EventReason.REFRESH,
    });
  }

  private remove(order: NaiveOrder): void {
    this.orders = this.orders.filter((one) => one !== order);
  }
}
