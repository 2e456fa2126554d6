import type { BookCore } from "./book-core.ts";
import { CancelReason, EventReason, OrderType, RejectReason, Side, TimeInForce } from "./codes.ts";
import type { EventBuffer } from "./event-buffer.ts";
import { EventKind } from "./event-fields.ts";
import { INTEGER_MAX, ORDERS_MAX, SIDE_QUANTITY_MAX } from "./limits.ts";
import { ownerAccount, ownerSide, packOwner, SPECIAL } from "./order-table.ts";
import type { RestingOrders } from "./resting-orders.ts";

// Of this file, so that the compiler can fold them.
const BUY = Side.BUY;
const LIMIT = OrderType.LIMIT;
const FILL_OR_KILL = TimeInForce.FILL_OR_KILL;
const IMMEDIATE_OR_CANCEL = TimeInForce.IMMEDIATE_OR_CANCEL;
const { FILL, NEW_ORDER } = EventReason;
const { REQUESTED } = CancelReason;
const { ACCEPTED, CANCELLED, TRADE } = EventKind;

// Offsets of an event's fields, from `EventField`.
const ACCOUNT = 2;
const ORDER_ID = 3;
const CLIENT_ORDER_ID = 4;
const SIDE = 5;
const PRICE = 6;
const QUANTITY = 7;
const TYPE = 8;
const TAKER_SHOWN = 8;
const TIME_IN_FORCE = 9;
const LEAVES = 9;
const RESTING = 10;
const MAKER_SHOWN = 10;
const RESTED = 10;
const SHOWN = 11;
const MAKER_ORDER_ID = 11;
const MAKER_ACCOUNT = 12;
const MAKER_CLIENT_ORDER_ID = 13;
const MAKER_LEAVES = 14;
const REASON = 15;

/**
 * Continuous trading by price, then time, of a limit or market order in a book without further rules that holds nothing
 * but plain orders, or nothing else that the order meets: nearly every order of nearly every market. Does what
 * `NewOrders` does to such an order.
 *
 * Written for the compiler, which puts about 900 bytecodes of callees into a function and no more: few functions, each
 * within that, which pass handles rather than numbers that may not fit a machine word. An order has its record from
 * the start, also while it trades.
 */
export class PlainCrossing {
  private readonly core: BookCore;
  private readonly out: EventBuffer;
  private readonly resting: RestingOrders;

  constructor(core: BookCore) {
    this.core = core;
    this.out = core.out;
    this.resting = core.resting;
  }

  /** A new order whose terms are good. */
  newOrder(
    account: number,
    clientOrderId: number,
    side: Side,
    type: number,
    timeInForce: number,
    price: number,
    quantity: number,
  ): void {
    const { core, resting, out } = this;
    const { orders } = resting;
    const hash = resting.hashOf(account, clientOrderId);
    const rests = timeInForce !== IMMEDIATE_OR_CANCEL && timeInForce !== FILL_OR_KILL;
    if (resting.index.find(hash, account, clientOrderId) !== 0) {
      core.reject(account, clientOrderId, RejectReason.DUPLICATE_ORDER_ID);
      return;
    }
    if (rests && this.isFull(side, quantity)) {
      core.reject(account, clientOrderId, RejectReason.BOOK_FULL);
      return;
    }
    const orderId = core.orderId++;
    const sequence = core.event++;
    const owner = packOwner(account, side, type, timeInForce);
    const handle = orders.add(orderId, clientOrderId, quantity, quantity, sequence, owner);
    const base = out.append(ACCEPTED, sequence);
    const { values } = out;
    values[base | ACCOUNT] = account;
    values[base | ORDER_ID] = orderId;
    values[base | CLIENT_ORDER_ID] = clientOrderId;
    values[base | SIDE] = side;
    values[base | PRICE] = price;
    values[base | QUANTITY] = quantity;
    values[base | TYPE] = type;
    values[base | TIME_IN_FORCE] = timeInForce;
    values[base | RESTING] = quantity;
    values[base | SHOWN] = quantity;
    values[base | REASON] = NEW_ORDER;
    const limit = price !== 0 ? price : side === BUY ? INTEGER_MAX : 0;
    if (!rests || this.crosses(side, limit)) this.trade(handle, hash, base, limit);
    else this.rest(handle, hash, side, price);
  }

  /** Whether an order of good terms just rests, also in a book of special orders: none of them meets it, or moves for it. */
  merelyRests(side: Side, type: number, timeInForce: number, price: number): boolean {
    const { resting } = this;
    const { unshown } = resting;
    const rests = timeInForce !== IMMEDIATE_OR_CANCEL && timeInForce !== FILL_OR_KILL;
    if (unshown.restless !== 0 || type !== LIMIT || !rests || this.crosses(side, price)) return false;
    const { best } = side === BUY ? unshown.hidden.sells : unshown.hidden.buys;
    if (best === 0) return true;
    const hidden = resting.levels.price(best);
    return side === BUY ? hidden > price : hidden < price;
  }

  /** Ends a live order, if it is a plain one, in a book in which no other moves for it. False: nothing was done. */
  cancel(account: number, clientOrderId: number): boolean {
    const { core, resting, out } = this;
    const { orders } = resting;
    const hash = resting.hashOf(account, clientOrderId);
    const handle = resting.index.find(hash, account, clientOrderId);
    if (handle === 0) {
      core.reject(account, clientOrderId, RejectReason.UNKNOWN_ORDER);
      return true;
    }
    if ((orders.owner(handle) & SPECIAL) !== 0) return false;
    const side = ownerSide(orders.owner(handle));
    const leaves = orders.leaves(handle);
    const base = out.append(CANCELLED, core.event++);
    const { values } = out;
    values[base | ACCOUNT] = account;
    values[base | ORDER_ID] = orders.orderId(handle);
    values[base | CLIENT_ORDER_ID] = clientOrderId;
    values[base | SIDE] = side;
    values[base | PRICE] = resting.levels.price(orders.level(handle));
    values[base | QUANTITY] = leaves;
    values[base | RESTED] = leaves;
    values[base | SHOWN] = leaves;
    values[base | REASON] = REQUESTED;
    resting.dequeue(handle);
    this.forget(handle, hash, account, side);
    return true;
  }

  private isFull(side: Side, quantity: number): boolean {
    const { resting } = this;
    return resting.orders.live >= ORDERS_MAX || resting.sideQuantity(side) + quantity > SIDE_QUANTITY_MAX;
  }

  private crosses(side: Side, limit: number): boolean {
    const { resting } = this;
    const best = side === BUY ? resting.asks.best : resting.bids.best;
    if (best === 0) return false;
    const price = resting.levels.price(best);
    return side === BUY ? price <= limit : price >= limit;
  }

  /** An order that may trade or may not rest. Its `ACCEPTED` is at `base` of the events. */
  private trade(handle: number, hash: number, base: number, limit: number): void {
    const { core, resting, out } = this;
    const { orders } = resting;
    const { values } = out;
    const side = values[base | SIDE] as Side;
    const timeInForce = values[base | TIME_IN_FORCE]!;
    const price = values[base | PRICE]!;
    values[base | RESTING] = 0;
    values[base | SHOWN] = 0;
    let ended: CancelReason | 0 = 0;
    if (timeInForce === FILL_OR_KILL && !this.canFill(side, limit, orders.leaves(handle))) {
      ended = CancelReason.FILL_OR_KILL;
    } else {
      this.take(handle, side, limit);
      if (orders.leaves(handle) === 0) {
        orders.release(handle);
        return;
      }
      if (this.crosses(side, limit)) ended = CancelReason.SWEEP_LIMIT;
      else if (timeInForce === IMMEDIATE_OR_CANCEL) {
        const isProtected = out.values[base | TYPE] !== LIMIT && price !== 0;
        ended = isProtected ? CancelReason.PRICE_PROTECTION : CancelReason.IMMEDIATE_REMAINDER;
      }
    }
    const leaves = orders.leaves(handle);
    if (ended !== 0) {
      const account = ownerAccount(orders.owner(handle));
      const orderId = orders.orderId(handle);
      const clientOrderId = orders.clientOrderId(handle);
      out.cancelled(core.event++, account, orderId, clientOrderId, side, price, leaves, 0, 0, ended);
      orders.release(handle);
      return;
    }
    out.values[base | RESTING] = leaves;
    out.values[base | SHOWN] = leaves;
    this.rest(handle, hash, side, price);
  }

  /** Makes a new order a resting one. */
  private rest(handle: number, hash: number, side: Side, price: number): void {
    const { resting } = this;
    const { orders } = resting;
    const leaves = orders.leaves(handle);
    if (side === BUY) resting.bidQuantity += leaves;
    else resting.askQuantity += leaves;
    resting.index.add(hash, handle);
    resting.byAccount.add(ownerAccount(orders.owner(handle)), handle);
    resting.enqueue(handle, side, price);
  }

  /** Executes against the other side, best price and first in line first, as far as `limit`. */
  private take(taker: number, side: Side, limit: number): void {
    const { resting, core, out } = this;
    const { orders, levels } = resting;
    const opposite = side === BUY ? resting.asks : resting.bids;
    let leaves = orders.leaves(taker);
    for (let fills = 0; leaves > 0 && fills < core.fillsMax; fills++) {
      const level = opposite.best;
      if (level === 0) break;
      const price = levels.price(level);
      if (side === BUY ? price > limit : price < limit) break;
      const maker = levels.head(level);
      const makerLeaves = orders.leaves(maker);
      const executed = leaves < makerLeaves ? leaves : makerLeaves;
      const makerAccount = ownerAccount(orders.owner(maker));
      leaves -= executed;
      core.lastPrice = price;
      const base = out.append(TRADE, core.event++);
      const { values } = out;
      values[base | ACCOUNT] = ownerAccount(orders.owner(taker));
      values[base | ORDER_ID] = orders.orderId(taker);
      values[base | CLIENT_ORDER_ID] = orders.clientOrderId(taker);
      values[base | SIDE] = side;
      values[base | PRICE] = price;
      values[base | QUANTITY] = executed;
      values[base | TAKER_SHOWN] = 0;
      values[base | LEAVES] = leaves;
      values[base | MAKER_SHOWN] = executed;
      values[base | MAKER_ORDER_ID] = orders.orderId(maker);
      values[base | MAKER_ACCOUNT] = makerAccount;
      values[base | MAKER_CLIENT_ORDER_ID] = orders.clientOrderId(maker);
      values[base | MAKER_LEAVES] = makerLeaves - executed;
      values[base | REASON] = FILL;
      if (executed < makerLeaves) {
        resting.setLeaves(maker, makerLeaves - executed);
      } else {
        resting.dequeue(maker);
        const hash = resting.hashOf(makerAccount, orders.clientOrderId(maker));
        this.forget(maker, hash, makerAccount, side === BUY ? Side.SELL : BUY);
      }
    }
    orders.setLeaves(taker, leaves);
  }

  /** Forgets a plain order that has left its queue. */
  private forget(handle: number, hash: number, account: number, side: Side): void {
    const { resting } = this;
    const { orders } = resting;
    if (side === BUY) resting.bidQuantity -= orders.leaves(handle);
    else resting.askQuantity -= orders.leaves(handle);
    resting.index.remove(hash, handle);
    resting.byAccount.remove(account, handle);
    orders.release(handle);
  }

  /** Whether an order can be executed whole, within the fills that one order may cause. Reads level sums only, except
   * at the last level of an order that comes near that limit. */
  private canFill(side: Side, limit: number, quantity: number): boolean {
    const { resting } = this;
    const { fillsMax } = this.core;
    const opposite = side === BUY ? resting.asks : resting.bids;
    if (quantity > (side === BUY ? resting.askQuantity : resting.bidQuantity)) return false;
    let missing = quantity;
    let fills = 0;
    for (let level = opposite.best; level !== 0; level = opposite.next(level)) {
      const price = resting.levels.price(level);
      if (side === BUY ? price > limit : price < limit) return false;
      const here = resting.levels.quantity(level);
      if (here >= missing) {
        if (fills + resting.levels.count(level) <= fillsMax) return true;
        let order = resting.levels.head(level);
        for (; missing > 0 && fills < fillsMax; fills++) {
          missing -= resting.orders.leaves(order);
          order = resting.orders.next(order);
        }
        return missing <= 0;
      }
      missing -= here;
      fills += resting.levels.count(level);
      if (fills >= fillsMax) return false;
    }
    return false;
  }
}
