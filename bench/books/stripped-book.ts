import { CancelReason, EventBuffer, EventKind, EventReason, RejectReason, Side } from "../../engine/index.ts";
import { isPlainOrder, type Instrument } from "../../engine/instrument.ts";
import { LevelTable } from "../../engine/level-table.ts";
import { hashId, OrderIndex } from "../../engine/order-index.ts";
import { OrderTable, ownerAccount, ownerSide, packOwner } from "../../engine/order-table.ts";
import { PriceLadder } from "../../engine/price-ladder.ts";

// Of this file, so that the compiler can fold them; offsets as in the engine's event buffer.
const { BUY, SELL } = Side;
const { ACCEPTED, CANCELLED, TRADE } = EventKind;
const { FILL, NEW_ORDER } = EventReason;
const { IMMEDIATE_REMAINDER, REQUESTED } = CancelReason;
const DAY = 1;
const LIMIT = 1;
const ACCOUNT = 2;
const ORDER_ID = 3;
const CLIENT_ORDER_ID = 4;
const SIDE = 5;
const PRICE = 6;
const QUANTITY = 7;
const TYPE = 8;
const TIME_IN_FORCE = 9;
const LEAVES = 9;
const RESTING = 10;
const MAKER_ORDER_ID = 11;
const MAKER_ACCOUNT = 12;
const MAKER_CLIENT_ORDER_ID = 13;
const MAKER_LEAVES = 14;
const REASON = 15;

/**
 * What is left of the engine when every feature is taken out that a flow of limit orders and cancels does not use: it
 * checks the same input, finds orders by the same ids, keeps the same records and tells the same events, and knows of no
 * other type, term, phase, rule, account list, total, limit of a request, replacement, restore or replay.
 */
export class StrippedBook {
  readonly out = new EventBuffer();
  private readonly instrument: Instrument;
  private readonly orders = new OrderTable();
  private readonly levels = new LevelTable();
  private readonly index = new OrderIndex(this.orders);
  private readonly bids: PriceLadder;
  private readonly asks: PriceLadder;
  private event = 1;
  private orderId = 1;

  constructor(instrument: Instrument) {
    this.instrument = instrument;
    this.bids = new PriceLadder(this.levels, BUY, instrument.tick);
    this.asks = new PriceLadder(this.levels, SELL, instrument.tick);
  }

  /** A limit order, for the day or immediate-or-cancel. */
  newOrder(
    account: number,
    clientOrderId: number,
    side: number,
    timeInForce: number,
    price: number,
    quantity: number,
  ): void {
    const { orders, out } = this;
    if (!isPlainOrder(this.instrument, clientOrderId, side, LIMIT, timeInForce, price, quantity)) {
      throw new Error(`stripped book: order ${clientOrderId} of account ${account} has bad terms`);
    }
    const hash = hashId(account, clientOrderId);
    if (this.index.find(hash, account, clientOrderId) !== 0) {
      out.rejected(this.event++, account, clientOrderId, RejectReason.DUPLICATE_ORDER_ID);
      return;
    }
    const orderId = this.orderId++;
    const sequence = this.event++;
    const owner = packOwner(account, side, LIMIT, timeInForce);
    const handle = orders.add(orderId, clientOrderId, quantity, quantity, sequence, owner);
    const base = out.append(ACCEPTED, sequence);
    const { values } = out;
    values[base | ACCOUNT] = account;
    values[base | ORDER_ID] = orderId;
    values[base | CLIENT_ORDER_ID] = clientOrderId;
    values[base | SIDE] = side;
    values[base | PRICE] = price;
    values[base | QUANTITY] = quantity;
    values[base | TYPE] = LIMIT;
    values[base | TIME_IN_FORCE] = timeInForce;
    values[base | REASON] = NEW_ORDER;
    this.take(handle, side as Side, price);
    const leaves = orders.leaves(handle);
    out.values[base | RESTING] = timeInForce === DAY ? leaves : 0;
    if (leaves > 0 && timeInForce === DAY) {
      this.index.add(hash, handle);
      this.enqueue(handle, side as Side, price);
      return;
    }
    if (leaves > 0) this.tellCancelled(handle, side, price, 0, IMMEDIATE_REMAINDER);
    orders.release(handle);
  }

  /** Ends a live order. */
  cancel(account: number, clientOrderId: number): void {
    const { orders } = this;
    const hash = hashId(account, clientOrderId);
    const handle = this.index.find(hash, account, clientOrderId);
    if (handle === 0) {
      this.out.rejected(this.event++, account, clientOrderId, RejectReason.UNKNOWN_ORDER);
      return;
    }
    const price = this.levels.price(orders.level(handle));
    this.tellCancelled(handle, ownerSide(orders.owner(handle)), price, orders.leaves(handle), REQUESTED);
    this.dequeue(handle);
    this.index.remove(hash, handle);
    orders.release(handle);
  }

  private take(taker: number, side: Side, limit: number): void {
    const { orders, levels, out } = this;
    const opposite = side === BUY ? this.asks : this.bids;
    let leaves = orders.leaves(taker);
    while (leaves > 0 && opposite.best !== 0) {
      const price = levels.price(opposite.best);
      if (side === BUY ? price > limit : price < limit) break;
      const maker = levels.head(opposite.best);
      const makerLeaves = orders.leaves(maker);
      const executed = leaves < makerLeaves ? leaves : makerLeaves;
      leaves -= executed;
      const base = out.append(TRADE, this.event++);
      const { values } = out;
      values[base | ACCOUNT] = ownerAccount(orders.owner(taker));
      values[base | ORDER_ID] = orders.orderId(taker);
      values[base | CLIENT_ORDER_ID] = orders.clientOrderId(taker);
      values[base | SIDE] = side;
      values[base | PRICE] = price;
      values[base | QUANTITY] = executed;
      values[base | LEAVES] = leaves;
      values[base | MAKER_ORDER_ID] = orders.orderId(maker);
      values[base | MAKER_ACCOUNT] = ownerAccount(orders.owner(maker));
      values[base | MAKER_CLIENT_ORDER_ID] = orders.clientOrderId(maker);
      values[base | MAKER_LEAVES] = makerLeaves - executed;
      values[base | REASON] = FILL;
      if (executed < makerLeaves) {
        orders.setLeaves(maker, makerLeaves - executed);
        levels.addQuantity(orders.level(maker), -executed);
        continue;
      }
      this.dequeue(maker);
      this.index.remove(hashId(ownerAccount(orders.owner(maker)), orders.clientOrderId(maker)), maker);
      orders.release(maker);
    }
    orders.setLeaves(taker, leaves);
  }

  private tellCancelled(handle: number, side: number, price: number, rested: number, reason: number): void {
    const { orders, out } = this;
    const base = out.append(CANCELLED, this.event++);
    const { values } = out;
    values[base | ACCOUNT] = ownerAccount(orders.owner(handle));
    values[base | ORDER_ID] = orders.orderId(handle);
    values[base | CLIENT_ORDER_ID] = orders.clientOrderId(handle);
    values[base | SIDE] = side;
    values[base | PRICE] = price;
    values[base | QUANTITY] = orders.leaves(handle);
    values[base | RESTING] = rested;
    values[base | REASON] = reason;
  }

  private enqueue(handle: number, side: Side, price: number): void {
    const { orders, levels } = this;
    const level = (side === BUY ? this.bids : this.asks).obtain(price);
    const tail = levels.tail(level);
    if (tail === 0) levels.setHead(level, handle);
    else orders.setNext(tail, handle);
    levels.setTail(level, handle);
    levels.addCount(level, 1);
    levels.addQuantity(level, orders.leaves(handle));
    orders.setPrev(handle, tail);
    orders.setNext(handle, 0);
    orders.setLevel(handle, level);
  }

  private dequeue(handle: number): void {
    const { orders, levels } = this;
    const level = orders.level(handle);
    const next = orders.next(handle);
    const prev = orders.prev(handle);
    if (prev === 0 && next === 0) {
      (ownerSide(orders.owner(handle)) === BUY ? this.bids : this.asks).remove(level);
      return;
    }
    if (prev === 0) levels.setHead(level, next);
    else orders.setNext(prev, next);
    if (next === 0) levels.setTail(level, prev);
    else orders.setPrev(next, prev);
    levels.addCount(level, -1);
    levels.addQuantity(level, -orders.leaves(handle));
  }
}
