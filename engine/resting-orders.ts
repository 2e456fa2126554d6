import { AccountRings } from "./account-rings.ts";
import { Side } from "./codes.ts";
import { LevelF64, LevelI32, LevelTable } from "./level-table.ts";
import { hashId, OrderIndex } from "./order-index.ts";
import {
  type LiveOrder,
  OrderF64,
  OrderI32,
  OrderTable,
  ownerAccount,
  ownerSide,
  ownerTimeInForce,
  ownerType,
  packOwner,
} from "./order-table.ts";
import { PriceLadder } from "./price-ladder.ts";

const ORDER_F64 = 8;
const ORDER_I32 = 16;
const LEVEL_F64 = 4;
const LEVEL_I32 = 8;

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
    return side === Side.BUY ? this.bids : this.asks;
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
    const handle = this.orders.allocate();
    const { f64, i32 } = this.orders;
    f64[handle * ORDER_F64 + OrderF64.ORDER_ID] = orderId;
    f64[handle * ORDER_F64 + OrderF64.CLIENT_ORDER_ID] = clientOrderId;
    f64[handle * ORDER_F64 + OrderF64.QUANTITY] = quantity;
    f64[handle * ORDER_F64 + OrderF64.LEAVES] = leaves;
    f64[handle * ORDER_F64 + OrderF64.PRIORITY] = priority;
    i32[handle * ORDER_I32 + OrderI32.OWNER] = owner;
    this.index.add(hashId(account, clientOrderId), handle);
    return handle;
  }

  /** Puts an order last in line at a price. */
  enqueue(handle: number, side: Side, price: number): void {
    const level = this.ladder(side).obtain(price);
    const orders = this.orders.i32;
    const levels = this.levels.i32;
    const tail = levels[level * LEVEL_I32 + LevelI32.TAIL]!;
    if (tail === 0) levels[level * LEVEL_I32 + LevelI32.HEAD] = handle;
    else orders[tail * ORDER_I32 + OrderI32.NEXT] = handle;
    levels[level * LEVEL_I32 + LevelI32.TAIL] = handle;
    levels[level * LEVEL_I32 + LevelI32.COUNT]!++;
    orders[handle * ORDER_I32 + OrderI32.PREV] = tail;
    orders[handle * ORDER_I32 + OrderI32.NEXT] = 0;
    orders[handle * ORDER_I32 + OrderI32.LEVEL] = level;
    this.count(level, side, this.orders.f64[handle * ORDER_F64 + OrderF64.LEAVES]!);
  }

  /** Takes an order out of its line; it stays live. */
  dequeue(handle: number): void {
    const orders = this.orders.i32;
    const levels = this.levels.i32;
    const level = orders[handle * ORDER_I32 + OrderI32.LEVEL]!;
    const next = orders[handle * ORDER_I32 + OrderI32.NEXT]!;
    const prev = orders[handle * ORDER_I32 + OrderI32.PREV]!;
    if (prev === 0) levels[level * LEVEL_I32 + LevelI32.HEAD] = next;
    else orders[prev * ORDER_I32 + OrderI32.NEXT] = next;
    if (next === 0) levels[level * LEVEL_I32 + LevelI32.TAIL] = prev;
    else orders[next * ORDER_I32 + OrderI32.PREV] = prev;
    levels[level * LEVEL_I32 + LevelI32.COUNT]!--;
    const side = this.sideOf(handle);
    this.count(level, side, -this.orders.f64[handle * ORDER_F64 + OrderF64.LEAVES]!);
    if (prev === 0 && next === 0) this.ladder(side).remove(level);
  }

  /** Forgets an order that is in no queue. */
  drop(handle: number): void {
    const account = this.accountOf(handle);
    this.index.remove(
      hashId(account, this.orders.f64[handle * ORDER_F64 + OrderF64.CLIENT_ORDER_ID]!),
      handle,
    );
    this.rings.remove(account, handle);
    this.orders.release(handle);
  }

  /** What is open of a queued order becomes `leaves`, 1 or more; it keeps its place. */
  setLeaves(handle: number, leaves: number): void {
    const at = handle * ORDER_F64 + OrderF64.LEAVES;
    const level = this.orders.i32[handle * ORDER_I32 + OrderI32.LEVEL]!;
    this.count(level, this.sideOf(handle), leaves - this.orders.f64[at]!);
    this.orders.f64[at] = leaves;
  }

  /** The order has a new total and less open, and keeps its place. */
  setTerms(handle: number, quantity: number, leaves: number): void {
    this.orders.f64[handle * ORDER_F64 + OrderF64.QUANTITY] = quantity;
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
    const { f64 } = this.orders;
    f64[handle * ORDER_F64 + OrderF64.QUANTITY] = quantity;
    f64[handle * ORDER_F64 + OrderF64.LEAVES] = leaves;
    f64[handle * ORDER_F64 + OrderF64.PRIORITY] = priority;
    this.enqueue(handle, side, price);
  }

  orderIdOf(handle: number): number {
    return this.orders.f64[handle * ORDER_F64 + OrderF64.ORDER_ID]!;
  }

  clientOrderIdOf(handle: number): number {
    return this.orders.f64[handle * ORDER_F64 + OrderF64.CLIENT_ORDER_ID]!;
  }

  leavesOf(handle: number): number {
    return this.orders.f64[handle * ORDER_F64 + OrderF64.LEAVES]!;
  }

  quantityOf(handle: number): number {
    return this.orders.f64[handle * ORDER_F64 + OrderF64.QUANTITY]!;
  }

  accountOf(handle: number): number {
    return ownerAccount(this.orders.i32[handle * ORDER_I32 + OrderI32.OWNER]!);
  }

  sideOf(handle: number): Side {
    return ownerSide(this.orders.i32[handle * ORDER_I32 + OrderI32.OWNER]!);
  }

  priceOf(handle: number): number {
    return this.levels.price(this.orders.i32[handle * ORDER_I32 + OrderI32.LEVEL]!);
  }

  /** First in line at a level. */
  head(level: number): number {
    return this.levels.i32[level * LEVEL_I32 + LevelI32.HEAD]!;
  }

  /** Behind an order in its line, or 0. */
  behind(handle: number): number {
    return this.orders.i32[handle * ORDER_I32 + OrderI32.NEXT]!;
  }

  levelQuantity(level: number): number {
    return this.levels.f64[level * LEVEL_F64 + LevelF64.QUANTITY]!;
  }

  levelOrders(level: number): number {
    return this.levels.i32[level * LEVEL_I32 + LevelI32.COUNT]!;
  }

  /** A queued order's fields. */
  describe(handle: number): LiveOrder {
    const owner = this.orders.i32[handle * ORDER_I32 + OrderI32.OWNER]!;
    return {
      orderId: this.orderIdOf(handle),
      account: ownerAccount(owner),
      clientOrderId: this.clientOrderIdOf(handle),
      side: ownerSide(owner),
      type: ownerType(owner),
      timeInForce: ownerTimeInForce(owner),
      price: this.priceOf(handle),
      quantity: this.quantityOf(handle),
      leaves: this.leavesOf(handle),
      priority: this.orders.f64[handle * ORDER_F64 + OrderF64.PRIORITY]!,
    };
  }

  private count(level: number, side: Side, change: number): void {
    this.levels.f64[level * LEVEL_F64 + LevelF64.QUANTITY]! += change;
    if (side === Side.BUY) this.bidQuantity += change;
    else this.askQuantity += change;
  }
}
