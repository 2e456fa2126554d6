import { AccountRings } from "./account-rings.ts";
import { Side } from "./codes.ts";
import { LevelTable } from "./level-table.ts";
import { hashId, OrderIndex } from "./order-index.ts";
import {
  type LiveOrder,
  OrderTable,
  ownerAccount,
  ownerSide,
  ownerTimeInForce,
  ownerType,
  packOwner,
} from "./order-table.ts";
import { PriceLadder } from "./price-ladder.ts";

// Of this file, so that the compiler can fold it.
const BUY = Side.BUY;

/**
 * The orders that rest, and every way to reach them. Knows nothing of crossing.
 *
 *      (account, client order id) ──index──┐
 *      account ──ring──────────────────────┼──→ order record ⇄ queue of its level ←── level record ←── ladder of its side
 *
 * Invariants: every live order is in the index, in its account's ring and, except inside a command, in the queue of
 * one level. A level's sums are those of its queue and are never 0; a side's total is the sum over its levels.
 */
export class RestingOrders {
  readonly orders = new OrderTable();
  readonly levels = new LevelTable();
  readonly bids: PriceLadder;
  readonly asks: PriceLadder;
  readonly rings: AccountRings;
  bidQuantity = 0;
  askQuantity = 0;
  private readonly index: OrderIndex;

  constructor(tick: number) {
    this.bids = new PriceLadder(this.levels, Side.BUY, tick);
    this.asks = new PriceLadder(this.levels, Side.SELL, tick);
    this.index = new OrderIndex(this.orders);
    this.rings = new AccountRings(this.orders);
  }

  /** Handle of the account's live order of this id, or 0. */
  find(account: number, clientOrderId: number): number {
    return this.index.find(hashId(account, clientOrderId), account, clientOrderId);
  }

  ladder(side: Side): PriceLadder {
    return side === BUY ? this.bids : this.asks;
  }

  /** Best price of a side, 0 when it is empty. */
  bestPrice(side: Side): number {
    const { best } = this.ladder(side);
    return best === 0 ? 0 : this.levels.price(best);
  }

  /** Whether the sides could trade with each other. */
  isCrossed(): boolean {
    const bid = this.bestPrice(Side.BUY);
    return this.asks.best !== 0 && bid >= this.bestPrice(Side.SELL);
  }

  /** Adds an order that is in no queue yet. The account must have no live order of this id, and none of a higher order id. */
  add(
    orderId: number,
    account: number,
    clientOrderId: number,
    side: number,
    type: number,
    timeInForce: number,
    quantity: number,
    leaves: number,
    priority: number,
  ): number {
    const owner = packOwner(account, side, type, timeInForce);
    const handle = this.record(orderId, owner, account, clientOrderId, quantity, leaves, priority);
    this.rings.append(account, handle);
    return handle;
  }

  /** `add` without the account's ring. */
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
    this.index.add(hashId(account, clientOrderId), handle);
    return handle;
  }

  /** Puts an order last in line at a price. */
  enqueue(handle: number, side: Side, price: number): void {
    const { orders, levels } = this;
    const level = this.ladder(side).obtain(price);
    const tail = levels.tail(level);
    if (tail === 0) levels.setHead(level, handle);
    else orders.setNext(tail, handle);
    levels.setTail(level, handle);
    levels.addCount(level, 1);
    orders.setPrev(handle, tail);
    orders.setNext(handle, 0);
    orders.setLevel(handle, level);
    this.count(level, side, orders.leaves(handle));
  }

  /** Takes an order out of its line; it stays live. */
  dequeue(handle: number): void {
    const { orders, levels } = this;
    const level = orders.level(handle);
    const next = orders.next(handle);
    const prev = orders.prev(handle);
    const side = this.sideOf(handle);
    if (side === BUY) this.bidQuantity -= orders.leaves(handle);
    else this.askQuantity -= orders.leaves(handle);
    if (prev === 0 && next === 0) {
      this.ladder(side).remove(level);
      return;
    }
    if (prev === 0) levels.setHead(level, next);
    else orders.setNext(prev, next);
    if (next === 0) levels.setTail(level, prev);
    else orders.setPrev(next, prev);
    levels.addCount(level, -1);
    levels.addQuantity(level, -orders.leaves(handle));
  }

  /** Forgets an order that is in no queue. */
  drop(handle: number): void {
    const { orders } = this;
    const account = ownerAccount(orders.owner(handle));
    this.index.remove(hashId(account, orders.clientOrderId(handle)), handle);
    this.rings.remove(account, handle);
    orders.release(handle);
  }

  /** What is open of a queued order becomes `leaves`, 1 or more; it keeps its place. */
  setLeaves(handle: number, leaves: number): void {
    const { orders } = this;
    this.count(orders.level(handle), this.sideOf(handle), leaves - orders.leaves(handle));
    orders.setLeaves(handle, leaves);
  }

  /** The order has a new total and less open, and keeps its place. */
  setTerms(handle: number, quantity: number, leaves: number): void {
    this.orders.setQuantity(handle, quantity);
    this.setLeaves(handle, leaves);
  }

  /** Puts an order that is in no queue last in line, with new terms. */
  requeue(
    handle: number,
    side: Side,
    price: number,
    quantity: number,
    leaves: number,
    priority: number,
  ): void {
    this.orders.setQuantity(handle, quantity);
    this.orders.setLeaves(handle, leaves);
    this.orders.setPriority(handle, priority);
    this.enqueue(handle, side, price);
  }

  accountOf(handle: number): number {
    return ownerAccount(this.orders.owner(handle));
  }

  sideOf(handle: number): Side {
    return ownerSide(this.orders.owner(handle));
  }

  priceOf(handle: number): number {
    return this.levels.price(this.orders.level(handle));
  }

  /** A queued order's fields. */
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
      price: this.priceOf(handle),
      quantity: orders.quantity(handle),
      leaves: orders.leaves(handle),
      priority: orders.priority(handle),
    };
  }

  private count(level: number, side: Side, change: number): void {
    this.levels.addQuantity(level, change);
    if (side === BUY) this.bidQuantity += change;
    else this.askQuantity += change;
  }
}
