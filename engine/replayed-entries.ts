import { wrongTerm } from "./accepted-terms.ts";
import type { AppliedEvent } from "./applied-event.ts";
import type { BookCore } from "./book-core.ts";
import { OrderType, Side, TimeInForce } from "./codes.ts";
import { isWaitingType } from "./entry-check.ts";
import { EventField } from "./event-fields.ts";
import { isOrderId } from "./instrument.ts";
import { packFlags } from "./order-extras.ts";
import { ownerAccount, ownerTimeInForce, ownerType, packOwner, packSpecial, Place } from "./order-table.ts";
import type { ReplayedTaker } from "./replayed-taker.ts";
import { placeOf } from "./resting-orders.ts";

const F = EventField;

/** Events by which an order comes in: it is put in its place with what its event says will live, and is the taker. */
export class ReplayedEntries {
  private readonly core: BookCore;
  private readonly event: AppliedEvent;
  private readonly taker: ReplayedTaker;

  constructor(core: BookCore, event: AppliedEvent, taker: ReplayedTaker) {
    this.core = core;
    this.event = event;
    this.taker = taker;
  }

  /** `terms`: base of the `TERMS` before it, -1: none. */
  accepted(terms: number): void {
    this.taker.end();
    const { core } = this;
    const account = this.event.of(F.ACCOUNT);
    const clientOrderId = this.event.of(F.CLIENT_ORDER_ID);
    const side = this.event.of(F.SIDE);
    const quantity = this.event.of(F.QUANTITY);
    this.event.expect("order id", this.event.of(F.ORDER_ID), core.orderId);
    core.orderId++;
    if (side !== Side.BUY && side !== Side.SELL) this.event.contradicts(`there is no side ${side}`);
    if (!isOrderId(quantity)) this.event.contradicts(`${quantity} is not a quantity`);
    if (!isOrderId(clientOrderId) || core.resting.find(account, clientOrderId) !== 0) {
      this.event.contradicts(`client order id ${clientOrderId} is not free`);
    }
    if (terms >= 0) this.event.expect("account", account, this.event.values[terms + F.ACCOUNT]!);
    const price = this.event.of(F.PRICE);
    this.taker.begin(quantity, price, price);
    if (this.taker.rests > 0) this.settleNew(terms, account, clientOrderId, side, quantity);
    else this.event.expect("shown quantity", this.event.of(F.SHOWN), 0);
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
    const type = this.event.of(F.TYPE) as OrderType;
    const timeInForce = this.event.of(F.TIME_IN_FORCE) as TimeInForce;
    const price = this.event.of(F.PRICE);
    const rests = this.taker.rests;
    const priority = this.event.of(F.SEQUENCE);
    const of = (field: number): number => (terms < 0 ? 0 : this.event.values[terms + field]!);
    const place = placeOf(type, timeInForce, of(F.HIDDEN) === 1, of(F.ALL_OR_NONE) === 1);
    if (terms >= 0 || type !== OrderType.LIMIT || timeInForce !== TimeInForce.DAY) {
      const wrong = wrongTerm(this.event.values, this.event.base, terms);
      if (wrong !== undefined) this.event.contradicts(`an order with its ${wrong} cannot rest`);
    }
    const orderId = this.event.of(F.ORDER_ID);
    if (terms < 0 && place === Place.BOOK) {
      const owner = packOwner(account, side, type, timeInForce);
      const handle = resting.add(orderId, owner, account, clientOrderId, quantity, rests, priority);
      resting.enqueue(handle, side, price);
      this.event.expect("shown quantity", this.event.of(F.SHOWN), rests);
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
    this.event.expect("shown quantity", this.event.of(F.SHOWN), resting.shownOf(handle));
    this.linkPartner(handle, of(F.PARTNER));
  }

  private linkPartner(handle: number, partner: number): void {
    if (partner === 0) return;
    const { resting } = this.core;
    const own = resting.byAccount.all(resting.accountOf(handle));
    // Entered earlier by the same session, most often just before.
    const other = own.findLast((candidate) => resting.orders.orderId(candidate) === partner);
    if (other !== undefined) resting.link(handle, other);
    else this.event.contradicts(`its partner, order ${partner}, is not live`);
  }

  replaced(): void {
    this.taker.end();
    const { core } = this;
    const { resting } = core;
    const { orders, extras } = resting;
    const price = this.event.of(F.PRICE);
    const quantity = this.event.of(F.QUANTITY);
    const order = this.event.order(this.event.of(F.ACCOUNT), F.CLIENT_ORDER_ID, F.ORDER_ID);
    const oldLeaves = orders.leaves(order);
    const leaves = quantity - (orders.quantity(order) - oldLeaves);
    this.event.expect("side", this.event.of(F.SIDE), resting.sideOf(order));
    this.event.expect("old price", this.event.of(F.OLD_PRICE), resting.ownPrice(order));
    this.event.expect("old leaves", this.event.of(F.OLD_LEAVES), oldLeaves);
    this.event.expect("old shown quantity", this.event.of(F.OLD_SHOWN), resting.shownOf(order));
    this.event.expect("leaves", this.event.of(F.LEAVES), leaves);
    if (!isOrderId(quantity) || leaves < 1) this.event.contradicts("nothing would be open");
    this.taker.begin(leaves, price, price);
    const isKept = this.event.of(F.PRIORITY_KEPT) === 1;
    if (!isKept) this.event.expect("priority kept", this.event.of(F.PRIORITY_KEPT), 0);
    if (isKept) {
      if (price !== resting.ownPrice(order) || leaves > oldLeaves)
        this.event.contradicts("it cannot keep its priority");
      this.event.expect(
        "shown quantity",
        this.event.of(F.NEW_SHOWN),
        Math.min(resting.shownOf(order), leaves),
      );
      if (core.accounts.limited) {
        core.accounts.open(resting.beneficiary(order), resting.sideOf(order), price, leaves - oldLeaves);
      }
      orders.setQuantity(order, quantity);
      resting.setOpen(order, leaves, this.event.of(F.NEW_SHOWN));
      return;
    }
    core.lift(order);
    if (this.taker.rests === 0) {
      this.event.expect("shown quantity", this.event.of(F.NEW_SHOWN), 0);
      core.discard(order);
      return;
    }
    resting.changeLeaves(order, this.taker.rests - oldLeaves);
    orders.setQuantity(order, quantity);
    orders.setPriority(order, this.event.of(F.SEQUENCE));
    if (resting.isSpecial(order)) {
      extras.setPrice(order, price);
      if (resting.isIceberg(order)) extras.setShown(order, Math.min(extras.display(order), this.taker.rests));
      core.settle(order);
      this.event.expect("shown quantity", this.event.of(F.NEW_SHOWN), resting.shownOf(order));
      return;
    }
    resting.enqueue(order, this.taker.side as Side, price);
    this.event.expect("shown quantity", this.event.of(F.NEW_SHOWN), this.taker.rests);
    if (core.accounts.limited)
      core.accounts.open(this.taker.account, this.taker.side, price, this.taker.rests);
  }

  entered(): void {
    this.taker.end();
    const { core } = this;
    const { resting } = core;
    const { orders, extras } = resting;
    const order = this.event.order(this.event.of(F.ACCOUNT), F.CLIENT_ORDER_ID, F.ORDER_ID);
    const owner = orders.owner(order);
    this.event.expect("side", this.event.of(F.SIDE), resting.sideOf(order));
    this.event.expect("quantity", this.event.of(F.QUANTITY), orders.quantity(order));
    this.event.expect("leaves", this.event.of(F.LEAVES), orders.leaves(order));
    const type = enteredType(ownerType(owner));
    this.event.expect("type", this.event.of(F.TYPE), type);
    const ownPrice = resting.ownPrice(order);
    if (type !== OrderType.PEGGED) this.event.expect("price", this.event.of(F.PRICE), ownPrice);
    this.taker.begin(orders.leaves(order), ownPrice, this.event.of(F.PRICE));
    core.lift(order);
    if (this.taker.rests === 0) {
      this.event.expect("shown quantity", this.event.of(F.SHOWN), 0);
      core.discard(order);
      return;
    }
    resting.changeLeaves(order, this.taker.rests - orders.leaves(order));
    if (type !== ownerType(owner)) {
      const place = (extras.flags(order) & 1) === 0 ? Place.BOOK : Place.HIDDEN;
      const side = this.taker.side;
      orders.setOwner(order, packSpecial(ownerAccount(owner), side, type, ownerTimeInForce(owner), place));
      orders.setPriority(order, this.event.of(F.SEQUENCE));
      extras.setTrigger(order, 0);
      extras.setOffset(order, 0);
      extras.setShown(order, Math.min(extras.display(order), this.taker.rests));
    }
    core.settle(order);
    this.event.expect("shown quantity", this.event.of(F.SHOWN), resting.shownOf(order));
  }
}

/** What an order that waited, or rested unseen, is when it comes in. */
function enteredType(type: OrderType): OrderType {
  if (type === OrderType.STOP_LIMIT) return OrderType.LIMIT;
  return isWaitingType(type) ? OrderType.MARKET : type;
}
