import { AccountOrders } from "./account-orders.ts";
import { OrderType, Side, TimeInForce } from "./codes.ts";
import { LevelTable } from "./level-table.ts";
import type { LiveOrder } from "./live-order.ts";
import { NO_FURTHER_TERMS } from "./live-order.ts";
import {
  flagsAllOrNone,
  flagsHidden,
  flagsPeg,
  flagsPostOnly,
  flagsSelfTrade,
  OrderExtras,
} from "./order-extras.ts";
import { hashId, OrderIndex } from "./order-index.ts";
import {
  OrderTable,
  ownerAccount,
  ownerPlace,
  ownerSide,
  ownerTimeInForce,
  ownerType,
  Place,
  SPECIAL,
} from "./order-table.ts";
import { PriceLadder } from "./price-ladder.ts";
import { UnshownOrders } from "./unshown-orders.ts";

// Of this file, so that the compiler can fold it.
const BUY = Side.BUY;

/**
 * The live orders, and every way to reach them. Knows nothing of crossing.
 *
 *      (account, client order id) ──index──┐
 *      account ──list──────────────────────┼──→ order record ⇄ queue of its level ←── level record ←── ladder of its side
 *                                          └──→ extras, of a special order
 *
 * Invariants: every live order is in the index, in its account's list and, except inside a command, in one place. A
 * level's quantity is what its queue shows (of places that are not shown: what is open) and is never 0. A side's total
 * is what all its live orders have open.
 */
export class RestingOrders {
  readonly orders = new OrderTable();
  readonly extras = new OrderExtras(this.orders);
  readonly levels = new LevelTable();
  readonly bids: PriceLadder;
  readonly asks: PriceLadder;
  readonly unshown: UnshownOrders;
  readonly byAccount: AccountOrders;
  bidQuantity = 0;
  askQuantity = 0;
  readonly index: OrderIndex;

  private readonly salt: number;

  /** `salt`: any 32 bits that clients do not know; it makes no difference but to the speed under attack. */
  constructor(tick: number, salt: number) {
    this.salt = salt;
    this.bids = new PriceLadder(this.levels, Side.BUY, tick);
    this.asks = new PriceLadder(this.levels, Side.SELL, tick);
    this.unshown = new UnshownOrders(this.levels, tick);
    this.index = new OrderIndex(this.orders);
    this.byAccount = new AccountOrders(this.orders);
  }

  /** By what the index finds an order. */
  hashOf(account: number, clientOrderId: number): number {
    return hashId(account, clientOrderId, this.salt);
  }

  /** Handle of the account's live order of this id, or 0. */
  find(account: number, clientOrderId: number): number {
    return this.index.find(this.hashOf(account, clientOrderId), account, clientOrderId);
  }

  /** The shown book's side. */
  ladder(side: Side): PriceLadder {
    return side === BUY ? this.bids : this.asks;
  }

  /** Best shown price of a side, 0 when nothing is shown. */
  bestPrice(side: Side): number {
    const { best } = this.ladder(side);
    return best === 0 ? 0 : this.levels.price(best);
  }

  /** Whether the shown sides could trade with each other. */
  isCrossed(): boolean {
    const bid = this.bestPrice(Side.BUY);
    return this.asks.best !== 0 && bid >= this.bestPrice(Side.SELL);
  }

  /** What all live orders of a side have open. */
  sideQuantity(side: number): number {
    return side === BUY ? this.bidQuantity : this.askQuantity;
  }

  /** Adds an order that is in no place yet. The account must have no live order of this id. */
  add(
    orderId: number,
    owner: number,
    account: number,
    clientOrderId: number,
    quantity: number,
    leaves: number,
    priority: number,
  ): number {
    const handle = this.record(orderId, owner, account, clientOrderId, quantity, leaves, priority);
    this.byAccount.add(account, handle);
    return handle;
  }

  /** `add` without the account's list. */
  record(
    orderId: number,
    owner: number,
    account: number,
    clientOrderId: number,
    quantity: number,
    leaves: number,
    priority: number,
  ): number {
    const handle = this.orders.add(orderId, clientOrderId, quantity, leaves, priority, owner);
    this.index.add(this.hashOf(account, clientOrderId), handle);
    if ((owner & 3) === BUY) this.bidQuantity += leaves;
    else this.askQuantity += leaves;
    return handle;
  }

  /** Puts a plain order last in line at a price. */
  enqueue(handle: number, side: Side, price: number): void {
    this.queueIn(this.ladder(side), handle, price, this.orders.leaves(handle));
  }

  /** Takes a plain order out of its line; it stays live. */
  dequeue(handle: number): void {
    const side = ownerSide(this.orders.owner(handle));
    this.unqueue(this.ladder(side), handle, this.orders.leaves(handle));
  }

  /** Puts an order into the place that its owner word names, last in line. A pegged order needs `effectivePrice`. */
  insert(handle: number, effectivePrice = 0): void {
    const owner = this.orders.owner(handle);
    const place = ownerPlace(owner);
    const side = ownerSide(owner);
    if (place === Place.BOOK) {
      this.queueIn(this.ladder(side), handle, this.ownPrice(handle), this.shownOf(handle));
      return;
    }
    const { unshown, extras, orders } = this;
    if (place === Place.PEGGED) {
      extras.setTrigger(handle, effectivePrice);
      unshown.insertPegged(side, handle, effectivePrice, orders.priority(handle));
    } else if (place === Place.ALL_OR_NONE) {
      unshown.insertAllOrNone(side, handle, extras.price(handle), orders.priority(handle));
    } else {
      if (ownerType(owner) === OrderType.TRAILING_STOP) {
        unshown.trailing.insert(handle, 0, orders.priority(handle));
      }
      this.queueIn(unshown.ladder(owner), handle, this.queuePrice(handle, owner), orders.leaves(handle));
    }
  }

  /** Takes an order out of its place; it stays live. */
  withdraw(handle: number): void {
    const { unshown, extras, orders } = this;
    const owner = orders.owner(handle);
    if ((owner & SPECIAL) === 0) {
      this.dequeue(handle);
      return;
    }
    const place = ownerPlace(owner);
    const side = ownerSide(owner);
    if (place === Place.BOOK) {
      this.unqueue(this.ladder(side), handle, this.shownOf(handle));
    } else if (place === Place.PEGGED) {
      unshown.removePegged(side, extras.trigger(handle), orders.priority(handle));
    } else if (place === Place.ALL_OR_NONE) {
      unshown.removeAllOrNone(side, extras.price(handle), orders.priority(handle));
    } else {
      if (ownerType(owner) === OrderType.TRAILING_STOP) unshown.trailing.remove(0, orders.priority(handle));
      this.unqueue(unshown.ladder(owner), handle, orders.leaves(handle));
    }
  }

  /** Forgets an order that is in no place; its partner lives on alone. */
  drop(handle: number): void {
    const { orders } = this;
    const owner = orders.owner(handle);
    const account = ownerAccount(owner);
    if ((owner & 3) === BUY) this.bidQuantity -= orders.leaves(handle);
    else this.askQuantity -= orders.leaves(handle);
    if ((owner & SPECIAL) !== 0) {
      this.unlink(handle);
      this.extras.release(handle);
    }
    this.index.remove(this.hashOf(account, orders.clientOrderId(handle)), handle);
    this.byAccount.remove(account, handle);
    orders.release(handle);
  }

  /** What is open of a plain queued order becomes `leaves`, 1 or more; it keeps its place. */
  setLeaves(handle: number, leaves: number): void {
    const { orders } = this;
    const change = leaves - orders.leaves(handle);
    this.levels.addQuantity(orders.level(handle), change);
    this.changeLeaves(handle, change);
  }

  /** The same of any order. `shown` counts for an iceberg only: what it shows then, which may be 0 until it is refreshed. */
  setOpen(handle: number, leaves: number, shown: number): void {
    const { orders } = this;
    const owner = orders.owner(handle);
    const place = ownerPlace(owner);
    if (place === Place.BOOK) {
      const before = this.shownOf(handle);
      if (this.isIceberg(handle)) this.extras.setShown(handle, shown);
      const after = this.isIceberg(handle) ? shown : leaves;
      this.levels.addQuantity(orders.level(handle), after - before);
    } else if (place !== Place.PEGGED && place !== Place.ALL_OR_NONE) {
      this.levels.addQuantity(orders.level(handle), leaves - orders.leaves(handle));
    }
    this.changeLeaves(handle, leaves - orders.leaves(handle));
  }

  /** Open quantity of an order that is in no place. */
  changeLeaves(handle: number, by: number): void {
    const { orders } = this;
    orders.setLeaves(handle, orders.leaves(handle) + by);
    if ((orders.owner(handle) & 3) === BUY) this.bidQuantity += by;
    else this.askQuantity += by;
  }

  /** Makes a plain order special, at the price that it is queued at. */
  makeSpecial(handle: number): void {
    const owner = this.orders.owner(handle);
    if ((owner & SPECIAL) !== 0) return;
    this.extras.add(handle, this.priceOf(handle), 0, NO_FURTHER_TERMS.forAccount);
    this.orders.setOwner(handle, owner | SPECIAL);
  }

  /** Makes two live orders each other's partner. */
  link(one: number, other: number): void {
    this.makeSpecial(one);
    this.makeSpecial(other);
    this.extras.setPartner(one, other);
    this.extras.setPartner(other, one);
  }

  /** Ends the partnership of a special order, if it has one. */
  unlink(handle: number): void {
    const partner = this.extras.partner(handle);
    if (partner === 0) return;
    this.extras.setPartner(handle, 0);
    this.extras.setPartner(partner, 0);
  }

  accountOf(handle: number): number {
    return ownerAccount(this.orders.owner(handle));
  }

  sideOf(handle: number): Side {
    return ownerSide(this.orders.owner(handle));
  }

  isSpecial(handle: number): boolean {
    return (this.orders.owner(handle) & SPECIAL) !== 0;
  }

  isIceberg(handle: number): boolean {
    return this.isSpecial(handle) && this.extras.display(handle) !== 0;
  }

  /** The account that the order is for. */
  beneficiary(handle: number): number {
    const forAccount = this.isSpecial(handle) ? this.extras.forAccount(handle) : -1;
    return forAccount < 0 ? this.accountOf(handle) : forAccount;
  }

  /** Price of a plain order that is queued. */
  priceOf(handle: number): number {
    return this.levels.price(this.orders.level(handle));
  }

  /** The order's own limit, 0: none. */
  ownPrice(handle: number): number {
    return this.isSpecial(handle) ? this.extras.price(handle) : this.priceOf(handle);
  }

  /** What of the order is shown. */
  shownOf(handle: number): number {
    const owner = this.orders.owner(handle);
    if ((owner & SPECIAL) === 0) return this.orders.leaves(handle);
    if (ownerPlace(owner) !== Place.BOOK) return 0;
    return this.extras.display(handle) === 0 ? this.orders.leaves(handle) : this.extras.shown(handle);
  }

  /** A live order's fields. */
  describe(handle: number): LiveOrder {
    const { orders } = this;
    const owner = orders.owner(handle);
    return {
      orderId: orders.orderId(handle),
      account: ownerAccount(owner),
      clientOrderId: orders.clientOrderId(handle),
      side: ownerSide(owner),
      type: ownerType(owner),
      timeInForce: ownerTimeInForce(owner),
      price: this.ownPrice(handle),
      quantity: orders.quantity(handle),
      leaves: orders.leaves(handle),
      shown: this.shownOf(handle),
      priority: orders.priority(handle),
      ...((owner & SPECIAL) === 0 ? NO_FURTHER_TERMS : this.describeExtras(handle, owner)),
    };
  }

  private describeExtras(handle: number, owner: number): typeof NO_FURTHER_TERMS {
    const { extras } = this;
    const flags = extras.flags(handle);
    const partner = extras.partner(handle);
    return {
      displayQuantity: extras.display(handle),
      triggerPrice: ownerPlace(owner) === Place.WAITING ? extras.trigger(handle) : 0,
      offset: extras.offset(handle),
      peg: flagsPeg(flags),
      expiry: extras.expiry(handle),
      hidden: flagsHidden(flags),
      allOrNone: flagsAllOrNone(flags),
      postOnly: flagsPostOnly(flags),
      selfTrade: flagsSelfTrade(flags),
      partner: partner === 0 ? 0 : this.orders.orderId(partner),
      forAccount: extras.forAccount(handle),
    };
  }

  /** The price by which an order is queued in a ladder that is not shown. */
  private queuePrice(handle: number, owner: number): number {
    if (ownerPlace(owner) === Place.WAITING) return this.extras.trigger(handle);
    if (ownerType(owner) !== OrderType.MARKET) return this.extras.price(handle);
    return ownerSide(owner) === BUY ? Number.MAX_SAFE_INTEGER : 0;
  }

  private queueIn(ladder: PriceLadder, handle: number, price: number, quantity: number): void {
    const { orders, levels } = this;
    const level = ladder.obtain(price);
    const tail = levels.tail(level);
    if (tail === 0) levels.setHead(level, handle);
    else orders.setNext(tail, handle);
    levels.setTail(level, handle);
    levels.addCount(level, 1);
    levels.addQuantity(level, quantity);
    orders.setPrev(handle, tail);
    orders.setNext(handle, 0);
    orders.setLevel(handle, level);
  }

  private unqueue(ladder: PriceLadder, handle: number, quantity: number): void {
    const { orders, levels } = this;
    const level = orders.level(handle);
    const next = orders.next(handle);
    const prev = orders.prev(handle);
    if (prev === 0 && next === 0) {
      ladder.remove(level);
      return;
    }
    if (prev === 0) levels.setHead(level, next);
    else orders.setNext(prev, next);
    if (next === 0) levels.setTail(level, prev);
    else orders.setPrev(next, prev);
    levels.addCount(level, -1);
    levels.addQuantity(level, -quantity);
  }
}

/** The place of an order of these terms. */
export function placeOf(type: number, timeInForce: number, hidden: boolean, allOrNone: boolean): Place {
  if (type >= OrderType.STOP && type <= OrderType.MARKET_IF_TOUCHED) return Place.WAITING;
  if (timeInForce >= TimeInForce.AT_THE_OPEN) return Place.AUCTION;
  if (type === OrderType.PEGGED) return Place.PEGGED;
  if (allOrNone) return Place.ALL_OR_NONE;
  return hidden ? Place.HIDDEN : Place.BOOK;
}
