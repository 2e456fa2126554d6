import type { AccountRules } from "../../../engine/account-rules.ts";
import { type BookSnapshot, type BookState, SNAPSHOT_VERSION } from "../../../engine/book-snapshot.ts";
import type { Level } from "../../../engine/book-view.ts";
import {
  CancelReason,
  EventReason,
  OrderType,
  Phase,
  RejectReason,
  type Side,
  type TimeInForce,
} from "../../../engine/codes.ts";
import { checkQuantity, type Instrument, isOrderId } from "../../../engine/instrument.ts";
import { INTEGER_MAX, REQUEST_CANCELS_MAX, REQUEST_EVENTS_MAX } from "../../../engine/limits.ts";
import type { LiveOrder } from "../../../engine/live-order.ts";
import { OrderEntry, OWN_ACCOUNT } from "../../../engine/order-entry.ts";
import type { EventObject } from "../event-objects.ts";
import { auctionOutcome } from "./naive-auction.ts";
import { changeRefusal, entryRefusal, phaseRefusal, termsRefusal } from "./naive-checks.ts";
import { bringIn } from "./naive-entry.ts";
import { type Fields, NaiveMarket } from "./naive-market.ts";
import { byOrderId, comparePrices, listed, type NaiveOrder, ownerOf } from "./naive-order.ts";
import { changePhase, isAuction, sideOf } from "./naive-phases.ts";
import { postOnlyPrice } from "./naive-price.ts";
import { nextStep } from "./naive-settling.ts";
import { moveTrigger, trailed } from "./naive-waiting.ts";

/** What a replacement asks for; a trigger price of 0: as it is. */
interface Change {
  readonly price: number;
  readonly quantity: number;
  readonly triggerPrice: number;
}

/** The rules of RULES.md in the plainest form: one array of orders, looked through each time. The fast book must do just this. */
export class NaiveBook {
  private readonly market: NaiveMarket;
  /** Whether something still follows from the last request. */
  pending = false;

  constructor(instrument: Instrument) {
    this.market = new NaiveMarket(instrument);
  }

  get nextEvent(): number {
    return this.market.nextEvent;
  }

  get nextOrderId(): number {
    return this.market.nextOrderId;
  }

  /** The events since the last call. */
  takeEvents(): EventObject[] {
    const { events } = this.market;
    this.market.events = [];
    return events;
  }

  configureAccount(account: number, rules: AccountRules): void {
    this.market.accounts.configure(account, rules);
  }

  newOrder(
    account: number,
    clientOrderId: number,
    side: number,
    type: number,
    timeInForce: number,
    price: number,
    quantity: number,
  ): void {
    this.enter(account, new OrderEntry().plain(clientOrderId, side, type, timeInForce, price, quantity));
  }

  enter(account: number, entry: OrderEntry): void {
    this.request(account, (isTooFast) => {
      const owner = entry.forAccount === OWN_ACCOUNT ? account : entry.forAccount;
      const reason = this.barred(isTooFast, owner) || entryRefusal(this.market, account, entry);
      if (reason === 0) this.accept(account, entry);
      else this.reject(account, entry.clientOrderId, reason);
    });
  }

  cancel(account: number, clientOrderId: number): void {
    this.request(account, () => {
      const order = this.market.named(account, clientOrderId);
      if (order === undefined) this.rejectUnknown(account, clientOrderId);
      else this.market.end(order, CancelReason.REQUESTED);
    });
  }

  replace(account: number, clientOrderId: number, price: number, quantity: number, triggerPrice = 0): void {
    this.request(account, (isTooFast) => {
      const { market } = this;
      const order = market.named(account, clientOrderId);
      if (isTooFast) return this.reject(account, clientOrderId, RejectReason.RATE_LIMIT);
      if (order === undefined) return this.rejectUnknown(account, clientOrderId);
      const bad = termsRefusal(market, order, price, quantity, triggerPrice);
      if (bad !== 0) return this.reject(account, clientOrderId, bad);
      if (order.quantity - order.leaves >= quantity) {
        return market.end(order, CancelReason.REPLACED_BELOW_EXECUTED);
      }
      const change = { price, quantity, triggerPrice };
      const isKept = keepsPriority(order, change);
      const reason = changeRefusal(market, order, ownerOf(order), price, quantity, isKept);
      if (reason !== 0) return this.reject(account, clientOrderId, reason);
      if (isKept) this.shrink(order, quantity, EventReason.REPLACEMENT);
      else this.enterAgain(order, change);
    });
  }

  reduce(account: number, clientOrderId: number, by: number): void {
    this.request(account, () => {
      const { market } = this;
      const order = market.named(account, clientOrderId);
      if (order === undefined) return this.rejectUnknown(account, clientOrderId);
      const reason = checkQuantity(market.instrument, by) || phaseRefusal(market, order.timeInForce, 0);
      if (reason !== 0) return this.reject(account, clientOrderId, reason);
      if (by >= order.leaves) return market.end(order, CancelReason.REQUESTED);
      this.shrink(order, order.quantity - by, EventReason.REDUCTION);
    });
  }

  massCancel(account: number, side = 0, low = 0, high = INTEGER_MAX, forAccount = -1): void {
    this.request(account, () => {
      const matching = this.market.orders
        .filter((order) => order.account === account && (side === 0 || order.side === side))
        .filter((order) => order.price >= low && order.price <= high)
        .filter((order) => forAccount === -1 || ownerOf(order) === forAccount)
        .sort(byOrderId);
      const ended = matching.slice(0, REQUEST_CANCELS_MAX);
      for (const order of ended) this.market.end(order, CancelReason.MASS_CANCEL);
      this.market.emit("MASS_CANCELLED", {
        ACCOUNT: account,
        CANCELLED: ended.length,
        REMAINING: matching.length - ended.length,
        REASON: CancelReason.MASS_CANCEL,
      });
    });
  }

  refuse(account: number, clientOrderId: number, reason: RejectReason): void {
    this.request(account, () => this.reject(account, clientOrderId, reason));
  }

  setPhase(phase: Phase, until: number, reason: number): void {
    this.run(() => changePhase(this.market, phase, until, reason));
  }

  setReference(price: number): void {
    this.run(() => {
      this.market.referencePrice = price;
      this.market.emit("REFERENCE", { PRICE: price, REASON: EventReason.OPERATOR });
    });
  }

  block(account: number, blocked: boolean): void {
    this.run(() => {
      this.market.accounts.block(account, blocked);
      this.market.emit("BLOCKED", {
        ACCOUNT: account,
        BLOCKED: Number(blocked),
        REASON: EventReason.OPERATOR,
      });
    });
  }

  indicate(): void {
    if (!isAuction(this.market.phase)) return;
    const { price, volume, surplus } = auctionOutcome(this.market) ?? { price: 0, volume: 0, surplus: 0 };
    this.market.emit("INDICATIVE", {
      SIDE: sideOf(surplus),
      PRICE: price,
      QUANTITY: volume,
      IMBALANCE: Math.abs(surplus),
      REASON: EventReason.INDICATION,
    });
  }

  advance(now: number): void {
    const { market } = this;
    this.run(() => {
      market.now = now;
      const isOver = market.phase === Phase.VOLATILITY_AUCTION && market.until !== 0 && now >= market.until;
      if (isOver) changePhase(market, Phase.CONTINUOUS, 0, EventReason.TIME_REACHED);
    });
  }

  proceed(): void {
    this.run(() => undefined);
  }

  orders(): LiveOrder[] {
    return listed(this.market.orders);
  }

  state(): BookState {
    const { nextEvent, nextOrderId, phase, until, lastPrice, referencePrice, uncross, accounts } =
      this.market;
    const own = { nextEvent, nextOrderId, phase, until, lastPrice, referencePrice };
    return { ...own, uncross, accounts: accounts.state() };
  }

  snapshot(): BookSnapshot {
    return { version: SNAPSHOT_VERSION, ...this.state(), orders: this.orders() };
  }

  /** The shown book, best price first. */
  levels(side: Side, max: number): Level[] {
    const shown = this.market.orders.filter((order) => order.side === side && order.shown > 0);
    const prices = [...new Set(shown.map((order) => order.price))];
    return prices
      .sort((one, other) => comparePrices(side, one, other))
      .slice(0, max)
      .map((price) => {
        const here = shown.filter((order) => order.price === price);
        return { price, quantity: here.reduce((sum, order) => sum + order.shown, 0), orders: here.length };
      });
  }

  private request(account: number, execute: (isTooFast: boolean) => void): void {
    const { market } = this;
    this.run(() => execute(market.accounts.isTooFast(market.instrument, account, market.now)));
  }

  /** Does what is asked, then what follows from it, up to the bound of one portion. RULES.md 2.4. */
  private run(execute: () => void): void {
    const { market } = this;
    const first = market.nextEvent;
    const bound = market.instrument.requestEvents ?? REQUEST_EVENTS_MAX;
    execute();
    let next = nextStep(market);
    while (next !== undefined && market.nextEvent - first < bound) {
      next();
      next = nextStep(market);
    }
    this.pending = next !== undefined;
    for (const { account, position, cash } of market.accounts.takeChanged()) {
      market.emit("POSITION", {
        ACCOUNT: account,
        POSITION: position,
        CASH: cash,
        REASON: EventReason.TRADED,
      });
    }
  }

  private barred(isTooFast: boolean, owner: number): 0 | RejectReason {
    if (isTooFast) return RejectReason.RATE_LIMIT;
    return this.market.accounts.isBlocked(owner) ? RejectReason.ACCOUNT_BLOCKED : 0;
  }

  private accept(account: number, entry: OrderEntry): void {
    const { market } = this;
    const order = this.orderOf(account, entry);
    if (hasFurtherTerms(order, entry.minQuantity)) this.tellTerms(order, entry.minQuantity);
    const accepted = market.emitOf(order, "ACCEPTED", {
      TYPE: order.type,
      TIME_IN_FORCE: order.timeInForce,
      QUANTITY: order.quantity,
      RESTING: 0,
      SHOWN: 0,
      REASON: order.price === entry.price ? EventReason.NEW_ORDER : EventReason.REPRICED,
    });
    market.orders.push(order);
    const partner = market.numbered(order.partner);
    if (partner !== undefined) partner.partner = order.orderId;
    bringIn(market, order, accepted, entry.minQuantity);
  }

  private orderOf(account: number, entry: OrderEntry): NaiveOrder {
    const { market } = this;
    const { offset, price } = entry;
    const side = entry.side as Side;
    const isTrailed = entry.type === OrderType.TRAILING_STOP && entry.triggerPrice === 0;
    return {
      orderId: market.nextOrderId++,
      account,
      clientOrderId: entry.clientOrderId,
      side,
      type: entry.type as OrderType,
      timeInForce: entry.timeInForce as TimeInForce,
      price: this.bookPrice(side, entry.postOnly, price),
      quantity: entry.quantity,
      leaves: entry.quantity,
      shown: 0,
      priority: market.nextEvent,
      displayQuantity: entry.displayQuantity,
      triggerPrice: isTrailed ? trailed(side, market.lastPrice, offset) : entry.triggerPrice,
      offset,
      peg: entry.peg as LiveOrder["peg"],
      expiry: entry.expiry,
      hidden: entry.hidden,
      allOrNone: entry.allOrNone,
      // A -0 is 0.
      postOnly: (entry.postOnly + 0) as LiveOrder["postOnly"],
      selfTrade: (entry.selfTrade + 0) as LiveOrder["selfTrade"],
      partner: entry.oco === 0 ? 0 : (market.named(account, entry.oco)?.orderId ?? 0),
      forAccount: entry.forAccount + 0,
      isIncoming: true,
      isMoving: false,
      effective: 0,
    };
  }

  /** What a post-only order's price becomes; others keep theirs. */
  private bookPrice(side: Side, postOnly: number, price: number): number {
    const mayChange = postOnly !== 0 && this.market.phase === Phase.CONTINUOUS;
    return mayChange ? postOnlyPrice(this.market, side, postOnly, price) : price;
  }

  /** An entry of its own with the sequence of the `ACCEPTED` that comes next. */
  private tellTerms(order: NaiveOrder, minQuantity: number): void {
    const fields = {
      SEQUENCE: this.market.nextEvent,
      ACCOUNT: order.account,
      DISPLAY_QUANTITY: order.displayQuantity,
      MIN_QUANTITY: minQuantity,
      PEG: order.peg,
      TRIGGER_PRICE: order.triggerPrice,
      OFFSET: order.offset,
      EXPIRY: order.expiry,
      HIDDEN: Number(order.hidden),
      ALL_OR_NONE: Number(order.allOrNone),
      POST_ONLY: order.postOnly,
      SELF_TRADE: order.selfTrade,
      PARTNER: order.partner,
      FOR_ACCOUNT: order.forAccount,
      REASON: 0,
    };
    this.market.events.push({ kind: "TERMS", fields });
  }

  /** A smaller total; the order keeps its place. */
  private shrink(order: NaiveOrder, quantity: number, reason: EventReason): void {
    const before = { ...order };
    order.leaves -= order.quantity - quantity;
    order.quantity = quantity;
    order.shown = Math.min(order.shown, order.leaves);
    this.tellReplaced(order, before, {
      RESTING: order.leaves,
      NEW_SHOWN: order.shown,
      PRIORITY_KEPT: 1,
      REASON: reason,
    });
  }

  /** The order leaves its place and enters again. */
  private enterAgain(order: NaiveOrder, { price, quantity, triggerPrice }: Change): void {
    const { market } = this;
    const before = { ...order };
    const asked = price;
    order.leaves += quantity - order.quantity;
    order.quantity = quantity;
    order.price = this.bookPrice(order.side, order.postOnly, asked);
    order.priority = market.nextEvent;
    market.takeOut(order);
    const reason = order.price === asked ? EventReason.REPLACEMENT : EventReason.REPRICED;
    const replaced = this.tellReplaced(order, before, {
      RESTING: 0,
      NEW_SHOWN: 0,
      PRIORITY_KEPT: 0,
      REASON: reason,
    });
    const isMoved = triggerPrice !== 0 && triggerPrice !== order.triggerPrice;
    if (isMoved) moveTrigger(market, order, triggerPrice, EventReason.REPLACEMENT);
    bringIn(market, order, replaced);
  }

  private tellReplaced(order: NaiveOrder, before: NaiveOrder, fields: Fields): Fields {
    return this.market.emitOf(order, "REPLACED", {
      OLD_PRICE: before.price,
      OLD_LEAVES: before.leaves,
      OLD_SHOWN: before.shown,
      QUANTITY: order.quantity,
      LEAVES: order.leaves,
      ...fields,
    });
  }

  private rejectUnknown(account: number, clientOrderId: number): void {
    const reason = isOrderId(clientOrderId) ? RejectReason.UNKNOWN_ORDER : RejectReason.INVALID_ORDER_ID;
    this.reject(account, clientOrderId, reason);
  }

  private reject(account: number, clientOrderId: number, reason: RejectReason): void {
    const id = isOrderId(clientOrderId) ? clientOrderId : 0;
    this.market.emit("REJECTED", { ACCOUNT: account, CLIENT_ORDER_ID: id, REASON: reason });
  }
}

function keepsPriority(order: NaiveOrder, { price, quantity, triggerPrice }: Change): boolean {
  const isSameTrigger = triggerPrice === 0 || triggerPrice === order.triggerPrice;
  return isSameTrigger && price === order.price && quantity <= order.quantity;
}

function hasFurtherTerms(order: NaiveOrder, minQuantity: number): boolean {
  const { displayQuantity, triggerPrice, offset, peg, expiry, postOnly, selfTrade, partner } = order;
  const numbers = [
    minQuantity,
    displayQuantity,
    triggerPrice,
    offset,
    peg,
    expiry,
    postOnly,
    selfTrade,
    partner,
  ];
  return (
    order.hidden ||
    order.allOrNone ||
    order.forAccount !== OWN_ACCOUNT ||
    numbers.some((number) => number !== 0)
  );
}
