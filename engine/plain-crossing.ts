import type { BookCore } from "./book-core.ts";
import { CancelReason, EventReason, OrderType, RejectReason, Side, TimeInForce } from "./codes.ts";
import { type EventBuffer, EventField } from "./event-buffer.ts";
import { INTEGER_MAX, ORDERS_MAX, SIDE_QUANTITY_MAX } from "./limits.ts";
import { ownerAccount, packOwner } from "./order-table.ts";
import type { RestingOrders } from "./resting-orders.ts";

// Of this file, so that the compiler can fold them.
const BUY = Side.BUY;
const LIMIT = OrderType.LIMIT;
const FILL_OR_KILL = TimeInForce.FILL_OR_KILL;
const IMMEDIATE_OR_CANCEL = TimeInForce.IMMEDIATE_OR_CANCEL;
const { RESTING, SHOWN } = EventField;
const { FILL, NEW_ORDER } = EventReason;

/**
 * Continuous trading by price, then time, of a limit or market order in a book that holds nothing but plain orders and
 * has no further rules: nearly every order of nearly every market. Does what `NewOrders` does to such an order.
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
    const { core, resting } = this;
    const rests = timeInForce !== IMMEDIATE_OR_CANCEL && timeInForce !== FILL_OR_KILL;
    const reason = this.refusal(account, clientOrderId, side, rests, quantity);
    if (reason !== 0) {
      core.reject(account, clientOrderId, reason);
      return;
    }
    const orderId = core.orderId++;
    const sequence = core.event++;
    const base = this.out.accepted(
      sequence,
      account,
      orderId,
      clientOrderId,
      side,
      type,
      timeInForce,
      price,
      quantity,
      0,
      0,
      NEW_ORDER,
    );
    const limit = price !== 0 ? price : side === BUY ? INTEGER_MAX : 0;
    let leaves = quantity;
    let ended: CancelReason | 0 = 0;
    if (timeInForce === FILL_OR_KILL && !this.canFill(side, limit, quantity)) {
      ended = CancelReason.FILL_OR_KILL;
    } else if (this.crosses(side, limit)) {
      leaves = this.take(account, orderId, clientOrderId, side, limit, quantity);
      if (leaves === 0) return;
      if (this.crosses(side, limit)) ended = CancelReason.SWEEP_LIMIT;
    }
    if (ended === 0 && !rests) {
      ended =
        type !== LIMIT && price !== 0 ? CancelReason.PRICE_PROTECTION : CancelReason.IMMEDIATE_REMAINDER;
    }
    if (ended !== 0) {
      this.out.cancelled(core.event++, account, orderId, clientOrderId, side, price, leaves, 0, 0, ended);
      return;
    }
    const owner = packOwner(account, side, type, timeInForce);
    const handle = resting.add(orderId, owner, account, clientOrderId, quantity, leaves, sequence);
    resting.enqueue(handle, side, price);
    const { values } = this.out;
    values[base + RESTING] = leaves;
    values[base + SHOWN] = leaves;
  }

  /** 0 when the book has room for the order and the account no order of its id. */
  private refusal(
    account: number,
    clientOrderId: number,
    side: Side,
    rests: boolean,
    quantity: number,
  ): 0 | RejectReason {
    const { resting } = this;
    if (resting.find(account, clientOrderId) !== 0) return RejectReason.DUPLICATE_ORDER_ID;
    if (!rests) return 0;
    if (resting.orders.live >= ORDERS_MAX) return RejectReason.BOOK_FULL;
    return resting.sideQuantity(side) + quantity > SIDE_QUANTITY_MAX ? RejectReason.BOOK_FULL : 0;
  }

  private crosses(side: Side, limit: number): boolean {
    if (side === BUY) {
      const { best } = this.resting.asks;
      return best !== 0 && this.resting.levels.price(best) <= limit;
    }
    const { best } = this.resting.bids;
    return best !== 0 && this.resting.levels.price(best) >= limit;
  }

  /** Executes against the other side, best price and first in line first; returns what is left. */
  private take(
    account: number,
    orderId: number,
    clientOrderId: number,
    side: Side,
    limit: number,
    quantity: number,
  ): number {
    const { resting, core } = this;
    const { fillsMax } = core;
    const opposite = side === BUY ? resting.asks : resting.bids;
    let leaves = quantity;
    for (let fills = 0; leaves > 0 && fills < fillsMax && this.crosses(side, limit); fills++) {
      const price = resting.levels.price(opposite.best);
      const maker = resting.levels.head(opposite.best);
      const makerLeaves = resting.orders.leaves(maker);
      const executed = leaves < makerLeaves ? leaves : makerLeaves;
      leaves -= executed;
      core.lastPrice = price;
      this.out.trade(
        core.event++,
        price,
        executed,
        side,
        account,
        orderId,
        clientOrderId,
        leaves,
        0,
        ownerAccount(resting.orders.owner(maker)),
        resting.orders.orderId(maker),
        resting.orders.clientOrderId(maker),
        makerLeaves - executed,
        executed,
        FILL,
      );
      if (executed < makerLeaves) {
        resting.setLeaves(maker, makerLeaves - executed);
      } else {
        resting.dequeue(maker);
        resting.drop(maker);
      }
    }
    return leaves;
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
