import { wrongTerm } from "./accepted-terms.ts";
import type { BookCore } from "./book-core.ts";
import { EventReason, MatchingPolicy, OrderType, Phase, Side, TimeInForce } from "./codes.ts";
import { isWaitingType } from "./entry-check.ts";
import { EventField, EventKind } from "./event-buffer.ts";
import { isOrderId, isTickPrice } from "./instrument.ts";
import { broken } from "./invariant.ts";
import { packFlags } from "./order-extras.ts";
import {
  isAccount,
  ownerAccount,
  ownerPlace,
  ownerTimeInForce,
  ownerType,
  packOwner,
  packSpecial,
  Place,
} from "./order-table.ts";
import { placeOf } from "./resting-orders.ts";

const F = EventField;

/**
 * Changes a book as events say, and checks that each event follows from it. An order that enters is put in its place
 * with what its event says will live; until the next one enters, it is also the taker, whose fills must bring it down to
 * just that.
 */
export class EventReplay {
  private readonly core: BookCore;
  private values: Float64Array = new Float64Array(0);
  private base = 0;
  /** Base of the `TERMS` that the next `ACCEPTED` completes, -1: none. */
  private terms = -1;
  /** Order id of the taker, 0: there is none. */
  private taker = 0;
  private takerAccount = 0;
  private takerClientOrderId = 0;
  private takerSide = 0;
  /** Its own price, and the worst one that it may pay; 0: any. */
  private takerPrice = 0;
  private takerLimit = 0;
  private takerQuantity = 0;
  private takerLeaves = 0;
  private takerRests = 0;

  constructor(core: BookCore) {
    this.core = core;
  }

  /** Applies the event at `base`. */
  apply(values: Float64Array, base: number): void {
    const { core } = this;
    this.values = values;
    this.base = base;
    const kind = this.field(F.KIND) as EventKind;
    if (this.field(F.SEQUENCE) !== core.event) this.contradicts(`the book stands before event ${core.event}`);
    if (!isAccount(this.field(F.ACCOUNT)))
      this.contradicts(`account ${this.field(F.ACCOUNT)} is not a handle`);
    if (kind === EventKind.TERMS) {
      this.terms = base;
      return;
    }
    if (this.terms >= 0 && kind !== EventKind.ACCEPTED) this.contradicts("an order's terms come before it");
    if (!this.applyToOrder(kind)) this.applyToBook(kind);
    core.event++;
  }

  /** Ends the request that was applied last; it must be whole. */
  finish(): void {
    this.endTaker();
    const { core } = this;
    if (this.terms >= 0) broken(`book ${core.instrument.symbol}: an order's terms are its last event`);
    if (core.phase === Phase.CONTINUOUS && core.resting.isCrossed()) {
      broken(`book ${core.instrument.symbol}: an order rests although it crosses the other side`);
    }
  }

  /** False: the event is of the book, not of an order. */
  private applyToOrder(kind: EventKind): boolean {
    switch (kind) {
      case EventKind.ACCEPTED:
        this.accepted();
        return true;
      case EventKind.TRADE:
        if (this.field(F.REASON) === EventReason.AUCTION_FILL) this.auctionTrade();
        else this.trade();
        return true;
      case EventKind.CANCELLED:
        if (this.field(F.RESTED) === 0) this.cancelledTaker();
        else this.cancelledResting();
        return true;
      case EventKind.REPLACED:
        this.replaced();
        return true;
      case EventKind.ENTERED:
        this.entered();
        return true;
      case EventKind.REFRESHED:
        this.refreshed();
        return true;
      case EventKind.TRIGGER_MOVED:
        this.triggerMoved();
        return true;
      case EventKind.DECREMENTED:
        if (this.field(F.RESTED) === 0) this.decrementedTaker();
        else this.decrementedResting();
        return true;
      default:
        return false;
    }
  }

  private applyToBook(kind: EventKind): void {
    const { core } = this;
    this.endTaker();
    const account = this.field(F.ACCOUNT);
    if (kind === EventKind.PHASE) {
      this.phase();
    } else if (kind === EventKind.UNCROSS) {
      core.uncross = {
        price: this.field(F.PRICE),
        volume: this.field(F.QUANTITY),
        imbalance: this.field(F.IMBALANCE),
        side: this.field(F.SIDE) as 0 | Side,
        nextPhase: this.field(F.PHASE) as Phase,
        until: this.field(F.UNTIL),
        reason: this.field(F.REASON),
      };
    } else if (kind === EventKind.POSITION) {
      core.accounts.setPosition(account, this.field(F.POSITION), this.field(F.CASH));
    } else if (kind === EventKind.BLOCKED) {
      const isBlocked = this.field(F.BLOCKED) === 1;
      if (!isBlocked) this.expect("blocked", this.field(F.BLOCKED), 0);
      core.accounts.block(account, isBlocked);
      core.blockDue = true;
    } else if (kind === EventKind.REFERENCE) {
      core.referencePrice = this.field(F.PRICE);
    } else if (!(kind in STATELESS)) {
      this.contradicts(`there is no kind ${this.field(F.KIND)}`);
    }
  }

  private phase(): void {
    const { core } = this;
    const phase = this.field(F.PHASE) as Phase;
    if (!Object.values(Phase).includes(phase)) this.contradicts(`there is no phase ${phase}`);
    core.phase = phase;
    core.until = this.field(F.UNTIL);
    core.referencePrice = this.field(F.PRICE);
    core.uncross = undefined;
    core.phaseEndDue = true;
  }

  private accepted(): void {
    this.endTaker();
    const { core } = this;
    const account = this.field(F.ACCOUNT);
    const clientOrderId = this.field(F.CLIENT_ORDER_ID);
    const side = this.field(F.SIDE);
    const quantity = this.field(F.QUANTITY);
    this.expect("order id", this.field(F.ORDER_ID), core.orderId);
    core.orderId++;
    if (side !== Side.BUY && side !== Side.SELL) this.contradicts(`there is no side ${side}`);
    if (!isOrderId(quantity)) this.contradicts(`${quantity} is not a quantity`);
    if (!isOrderId(clientOrderId) || core.resting.find(account, clientOrderId) !== 0) {
      this.contradicts(`client order id ${clientOrderId} is not free`);
    }
    const { terms } = this;
    this.terms = -1;
    if (terms >= 0) this.expect("account", account, this.values[terms + F.ACCOUNT]!);
    const price = this.field(F.PRICE);
    this.setTaker(quantity, price, price);
    if (this.takerRests > 0) this.settleNew(terms, account, clientOrderId, side, quantity);
    else this.expect("shown quantity", this.field(F.SHOWN), 0);
  }

  private settleNew(
    terms: number,
    account: number,
    clientOrderId: number,
    side: Side,
    quantity: number,
  ): void {
    const { core } = this;
    const { resting } = core;
    const type = this.field(F.TYPE) as OrderType;
    const timeInForce = this.field(F.TIME_IN_FORCE) as TimeInForce;
    const price = this.field(F.PRICE);
    const rests = this.takerRests;
    const priority = this.field(F.SEQUENCE);
    const of = (field: number): number => (terms < 0 ? 0 : this.values[terms + field]!);
    const place = placeOf(type, timeInForce, of(F.HIDDEN) === 1, of(F.ALL_OR_NONE) === 1);
    if (terms >= 0 || type !== OrderType.LIMIT || timeInForce !== TimeInForce.DAY) {
      const wrong = wrongTerm(this.values, this.base, terms);
      if (wrong !== undefined) this.contradicts(`an order with its ${wrong} cannot rest`);
    }
    const orderId = this.field(F.ORDER_ID);
    if (terms < 0 && place === Place.BOOK) {
      const owner = packOwner(account, side, type, timeInForce);
      const handle = resting.add(orderId, owner, account, clientOrderId, quantity, rests, priority);
      resting.enqueue(handle, side, price);
      this.expect("shown quantity", this.field(F.SHOWN), rests);
      if (core.accounts.limited) core.accounts.open(account, side, price, rests);
      return;
    }
    const owner = packSpecial(account, side, type, timeInForce, place);
    const handle = resting.add(orderId, owner, account, clientOrderId, quantity, rests, priority);
    const flags = packFlags(
      of(F.HIDDEN) === 1,
      of(F.ALL_OR_NONE) === 1,
      of(F.PEG),
      of(F.POST_ONLY),
      of(F.SELF_TRADE),
    );
    const { extras } = resting;
    extras.add(handle, price, flags, terms < 0 ? -1 : of(F.FOR_ACCOUNT));
    extras.setDisplay(handle, of(F.DISPLAY_QUANTITY));
    extras.setShown(handle, Math.min(of(F.DISPLAY_QUANTITY), rests));
    extras.setTrigger(handle, of(F.TRIGGER_PRICE));
    extras.setOffset(handle, of(F.OFFSET));
    extras.setExpiry(handle, of(F.EXPIRY));
    if (of(F.EXPIRY) !== 0) core.expiries.add(handle, of(F.EXPIRY));
    core.settle(handle);
    this.expect("shown quantity", this.field(F.SHOWN), resting.shownOf(handle));
    this.linkPartner(handle, of(F.PARTNER));
  }

  private linkPartner(handle: number, partner: number): void {
    if (partner === 0) return;
    const { resting } = this.core;
    const own = resting.byAccount.all(resting.accountOf(handle));
    // Entered earlier by the same session, most often just before.
    const other = own.findLast((candidate) => resting.orders.orderId(candidate) === partner);
    if (other !== undefined) resting.link(handle, other);
    else this.contradicts(`its partner, order ${partner}, is not live`);
  }

  private trade(): void {
    const { resting, accounts } = this.core;
    const quantity = this.field(F.QUANTITY);
    const price = this.field(F.PRICE);
    this.expectTaker();
    this.takerLeaves -= quantity;
    if (!isOrderId(quantity)) this.contradicts(`${quantity} is not a quantity`);
    this.expect("taker's shown quantity", this.field(F.TAKER_SHOWN), 0);
    this.expect("taker's leaves", this.field(F.LEAVES), this.takerLeaves);
    if (this.takerLeaves < this.takerRests) this.contradicts(`the taker should keep ${this.takerRests}`);
    const maker = this.order(this.field(F.MAKER_ACCOUNT), F.MAKER_CLIENT_ORDER_ID, F.MAKER_ORDER_ID);
    if (resting.sideOf(maker) === this.takerSide) this.contradicts("both orders are of one side");
    if (this.isPlainBook() && !accounts.grouped) {
      const ladder = this.takerSide === Side.BUY ? resting.asks : resting.bids;
      const isFirst = ladder.best !== 0 && resting.levels.head(ladder.best) === maker;
      if (!isFirst) this.contradicts("the maker is not first in line");
    }
    if (ownerPlace(resting.orders.owner(maker)) !== Place.PEGGED) {
      this.expect("price", price, resting.ownPrice(maker));
    }
    const limit = this.takerLimit;
    if (limit !== 0 && (this.takerSide === Side.BUY ? price > limit : price < limit)) {
      this.contradicts(`the price is worse than the taker's ${limit}`);
    }
    this.fill(maker, quantity, this.field(F.MAKER_LEAVES), this.field(F.MAKER_SHOWN), "maker's");
    this.core.lastPrice = price;
  }

  private auctionTrade(): void {
    this.endTaker();
    const quantity = this.field(F.QUANTITY);
    if (!isOrderId(quantity)) this.contradicts(`${quantity} is not a quantity`);
    const buy = this.order(this.field(F.ACCOUNT), F.CLIENT_ORDER_ID, F.ORDER_ID);
    const sell = this.order(this.field(F.MAKER_ACCOUNT), F.MAKER_CLIENT_ORDER_ID, F.MAKER_ORDER_ID);
    const { resting } = this.core;
    if (resting.sideOf(buy) !== Side.BUY || resting.sideOf(sell) !== Side.SELL)
      this.contradicts("an auction pairs a buy with a sell");
    this.expect("side", this.field(F.SIDE), Side.BUY);
    this.expect("price", this.field(F.PRICE), this.core.uncross?.price ?? 0);
    this.fill(buy, quantity, this.field(F.LEAVES), this.field(F.TAKER_SHOWN), "buyer's");
    this.fill(sell, quantity, this.field(F.MAKER_LEAVES), this.field(F.MAKER_SHOWN), "seller's");
    this.core.lastPrice = this.field(F.PRICE);
  }

  /** Takes an executed quantity off a resting order. */
  private fill(handle: number, quantity: number, leaves: number, shown: number, whose: string): void {
    const { core } = this;
    const left = core.resting.orders.leaves(handle) - quantity;
    this.expect(`${whose} leaves`, leaves, left);
    if (left < 0) this.contradicts(`the ${whose} order has less than what was executed`);
    this.expect(`${whose} shown quantity`, shown, Math.min(quantity, core.resting.shownOf(handle)));
    if (left === 0) core.remove(handle);
    else core.shrink(handle, quantity);
  }

  private cancelledTaker(): void {
    this.expectTaker();
    this.expect("quantity", this.field(F.QUANTITY), this.takerLeaves);
    this.expect("price", this.field(F.PRICE), this.takerPrice);
    this.expect("shown", this.field(F.SHOWN), 0);
    if (this.takerRests !== 0) this.contradicts(`${this.takerRests} of the order should rest`);
    this.taker = 0;
  }

  private cancelledResting(): void {
    const { resting } = this.core;
    const order = this.order(this.field(F.ACCOUNT), F.CLIENT_ORDER_ID, F.ORDER_ID);
    this.expect("side", this.field(F.SIDE), resting.sideOf(order));
    this.expect("price", this.field(F.PRICE), resting.ownPrice(order));
    this.expect("quantity", this.field(F.QUANTITY), resting.orders.leaves(order));
    this.expect("rested", this.field(F.RESTED), resting.orders.leaves(order));
    this.expect("shown", this.field(F.SHOWN), resting.shownOf(order));
    this.core.remove(order);
  }

  private replaced(): void {
    this.endTaker();
    const { core } = this;
    const { resting } = core;
    const { orders, extras } = resting;
    const price = this.field(F.PRICE);
    const quantity = this.field(F.QUANTITY);
    const order = this.order(this.field(F.ACCOUNT), F.CLIENT_ORDER_ID, F.ORDER_ID);
    const oldLeaves = orders.leaves(order);
    const leaves = quantity - (orders.quantity(order) - oldLeaves);
    this.expect("side", this.field(F.SIDE), resting.sideOf(order));
    this.expect("old price", this.field(F.OLD_PRICE), resting.ownPrice(order));
    this.expect("old leaves", this.field(F.OLD_LEAVES), oldLeaves);
    this.expect("old shown quantity", this.field(F.OLD_SHOWN), resting.shownOf(order));
    this.expect("leaves", this.field(F.LEAVES), leaves);
    if (!isOrderId(quantity) || leaves < 1) this.contradicts("nothing would be open");
    this.setTaker(leaves, price, price);
    const isKept = this.field(F.PRIORITY_KEPT) === 1;
    if (!isKept) this.expect("priority kept", this.field(F.PRIORITY_KEPT), 0);
    if (isKept) {
      if (price !== resting.ownPrice(order) || leaves > oldLeaves)
        this.contradicts("it cannot keep its priority");
      this.expect("shown quantity", this.field(F.NEW_SHOWN), Math.min(resting.shownOf(order), leaves));
      if (core.accounts.limited) {
        core.accounts.open(resting.beneficiary(order), resting.sideOf(order), price, leaves - oldLeaves);
      }
      orders.setQuantity(order, quantity);
      resting.setOpen(order, leaves, this.field(F.NEW_SHOWN));
      return;
    }
    core.lift(order);
    if (this.takerRests === 0) {
      this.expect("shown quantity", this.field(F.NEW_SHOWN), 0);
      core.discard(order);
      return;
    }
    resting.changeLeaves(order, this.takerRests - oldLeaves);
    orders.setQuantity(order, quantity);
    orders.setPriority(order, this.field(F.SEQUENCE));
    if (resting.isSpecial(order)) {
      extras.setPrice(order, price);
      if (resting.isIceberg(order)) extras.setShown(order, Math.min(extras.display(order), this.takerRests));
      core.settle(order);
      this.expect("shown quantity", this.field(F.NEW_SHOWN), resting.shownOf(order));
      return;
    }
    resting.enqueue(order, this.takerSide as Side, price);
    this.expect("shown quantity", this.field(F.NEW_SHOWN), this.takerRests);
    if (core.accounts.limited) core.accounts.open(this.takerAccount, this.takerSide, price, this.takerRests);
  }

  private entered(): void {
    this.endTaker();
    const { core } = this;
    const { resting } = core;
    const { orders, extras } = resting;
    const order = this.order(this.field(F.ACCOUNT), F.CLIENT_ORDER_ID, F.ORDER_ID);
    const owner = orders.owner(order);
    this.expect("side", this.field(F.SIDE), resting.sideOf(order));
    this.expect("quantity", this.field(F.QUANTITY), orders.quantity(order));
    this.expect("leaves", this.field(F.LEAVES), orders.leaves(order));
    const type = enteredType(ownerType(owner));
    this.expect("type", this.field(F.TYPE), type);
    const ownPrice = resting.ownPrice(order);
    if (type !== OrderType.PEGGED) this.expect("price", this.field(F.PRICE), ownPrice);
    this.setTaker(orders.leaves(order), ownPrice, this.field(F.PRICE));
    core.lift(order);
    if (this.takerRests === 0) {
      this.expect("shown quantity", this.field(F.SHOWN), 0);
      core.discard(order);
      return;
    }
    resting.changeLeaves(order, this.takerRests - orders.leaves(order));
    if (type !== ownerType(owner)) {
      const place = (extras.flags(order) & 1) === 0 ? Place.BOOK : Place.HIDDEN;
      const side = this.takerSide;
      orders.setOwner(order, packSpecial(ownerAccount(owner), side, type, ownerTimeInForce(owner), place));
      orders.setPriority(order, this.field(F.SEQUENCE));
      extras.setTrigger(order, 0);
      extras.setOffset(order, 0);
      extras.setShown(order, Math.min(extras.display(order), this.takerRests));
    }
    core.settle(order);
    this.expect("shown quantity", this.field(F.SHOWN), resting.shownOf(order));
  }

  private refreshed(): void {
    const { resting } = this.core;
    const { extras, orders } = resting;
    const order = this.order(this.field(F.ACCOUNT), F.CLIENT_ORDER_ID, F.ORDER_ID);
    if (!resting.isIceberg(order)) this.contradicts("the order is no iceberg");
    if (extras.shown(order) !== 0) this.contradicts("the order still shows something");
    this.expectOfOrder(order, orders.quantity(order));
    this.expect("leaves", this.field(F.LEAVES), orders.leaves(order));
    this.expect("shown quantity", this.field(F.SHOWN), Math.min(extras.display(order), orders.leaves(order)));
    resting.withdraw(order);
    extras.setShown(order, this.field(F.SHOWN));
    orders.setPriority(order, this.field(F.SEQUENCE));
    resting.insert(order);
  }

  private triggerMoved(): void {
    this.endTaker();
    const { resting } = this.core;
    const order = this.order(this.field(F.ACCOUNT), F.CLIENT_ORDER_ID, F.ORDER_ID);
    if (ownerPlace(resting.orders.owner(order)) !== Place.WAITING)
      this.contradicts("the order does not wait");
    this.expect("side", this.field(F.SIDE), resting.sideOf(order));
    if (!isOrderId(this.field(F.PRICE))) this.contradicts(`${this.field(F.PRICE)} is not a price`);
    resting.withdraw(order);
    resting.extras.setTrigger(order, this.field(F.PRICE));
    resting.orders.setPriority(order, this.field(F.SEQUENCE));
    resting.insert(order);
  }

  private decrementedTaker(): void {
    this.expectTaker();
    this.takerLeaves -= this.field(F.QUANTITY);
    this.takerQuantity -= this.field(F.QUANTITY);
    this.expect("leaves", this.field(F.LEAVES), this.takerLeaves);
    this.expect("new quantity", this.field(F.NEW_QUANTITY), this.takerQuantity);
    this.expect("price", this.field(F.PRICE), this.takerPrice);
    this.expect("shown quantity", this.field(F.SHOWN), 0);
    if (this.takerRests === 0) return;
    const order = this.order(this.field(F.ACCOUNT), F.CLIENT_ORDER_ID, F.ORDER_ID);
    this.core.resting.orders.setQuantity(order, this.field(F.NEW_QUANTITY));
  }

  private decrementedResting(): void {
    const { core } = this;
    const { orders } = core.resting;
    const by = this.field(F.QUANTITY);
    const order = this.order(this.field(F.ACCOUNT), F.CLIENT_ORDER_ID, F.ORDER_ID);
    if (!isOrderId(by) || by >= orders.leaves(order)) this.contradicts("nothing would be open");
    this.expect("rested", this.field(F.RESTED), by);
    this.expectOfOrder(order, by);
    this.expect("shown quantity", this.field(F.SHOWN), core.shrink(order, by));
    orders.setQuantity(order, orders.quantity(order) - by);
    this.expect("leaves", this.field(F.LEAVES), orders.leaves(order));
    this.expect("new quantity", this.field(F.NEW_QUANTITY), orders.quantity(order));
  }

  /** Nothing but plain orders, served by price and time. */
  private isPlainBook(): boolean {
    const { instrument, resting } = this.core;
    const { policy = MatchingPolicy.PRICE_TIME } = instrument;
    return policy === MatchingPolicy.PRICE_TIME && resting.extras.count === 0;
  }

  /** Of the event's order: side, own price and what its QUANTITY is. */
  private expectOfOrder(order: number, quantity: number): void {
    const { resting } = this.core;
    this.expect("side", this.field(F.SIDE), resting.sideOf(order));
    this.expect("price", this.field(F.PRICE), resting.ownPrice(order));
    this.expect("quantity", this.field(F.QUANTITY), quantity);
  }

  private setTaker(leaves: number, price: number, limit: number): void {
    const rests = this.field(F.RESTING);
    if (rests !== 0 && (!isOrderId(rests) || rests > leaves))
      this.contradicts(`${rests} cannot rest of ${leaves}`);
    if (rests !== 0 && limit !== 0 && this.field(F.KIND) !== EventKind.ENTERED) {
      if (!isTickPrice(this.core.instrument, limit)) this.contradicts("its price is off the tick");
    }
    this.taker = this.field(F.ORDER_ID);
    this.takerAccount = this.field(F.ACCOUNT);
    this.takerClientOrderId = this.field(F.CLIENT_ORDER_ID);
    this.takerSide = this.field(F.SIDE);
    this.takerPrice = price;
    this.takerLimit = limit;
    this.takerQuantity = this.field(F.QUANTITY);
    this.takerLeaves = leaves;
    this.takerRests = rests;
  }

  /** The taker, if there is one, is done; it must have come to what its event said. */
  private endTaker(): void {
    const { taker } = this;
    this.taker = 0;
    if (taker === 0 || this.takerLeaves === this.takerRests) return;
    broken(
      `book ${this.core.instrument.symbol}: order ${taker} was left with ${this.takerLeaves} by its fills ` +
        `although its event says that ${this.takerRests} rest`,
    );
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
    const handle = this.core.resting.find(account, clientOrderId);
    if (handle === 0 || this.core.resting.orders.orderId(handle) !== orderId) {
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
    return broken(
      `book ${this.core.instrument.symbol}: ${kind} ${this.field(F.SEQUENCE)} contradicts it: ${why}`,
    );
  }
}

/** What an order that waited, or rested unseen, is when it comes in. */
function enteredType(type: OrderType): OrderType {
  if (type === OrderType.STOP_LIMIT) return OrderType.LIMIT;
  return isWaitingType(type) ? OrderType.MARKET : type;
}

/** Events that change nothing in a book. */
const STATELESS: Readonly<Record<number, true>> = {
  [EventKind.REJECTED]: true,
  [EventKind.MASS_CANCELLED]: true,
  [EventKind.INDICATIVE]: true,
};
