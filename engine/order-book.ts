import { BookRestore } from "./book-restore.ts";
import { BookView } from "./book-view.ts";
import { CancelReason, OrderType, RejectReason, Side, TimeInForce } from "./codes.ts";
import { EVENT_WIDTH, type EventBuffer, EventField } from "./event-buffer.ts";
import { EventReplay } from "./event-replay.ts";
import {
  checkOrder,
  checkPrice,
  checkQuantity,
  type Instrument,
  isOrderId,
  requireInstrument,
} from "./instrument.ts";
import { broken } from "./invariant.ts";
import {
  INTEGER_MAX,
  ORDERS_MAX,
  REQUEST_CANCELS_MAX,
  REQUEST_FILLS_MAX,
  SIDE_QUANTITY_MAX,
} from "./limits.ts";
import { isAccount, type LiveOrder } from "./order-table.ts";

// Of this file, so that the compiler can fold them.
const BUY = Side.BUY;
const LIMIT = OrderType.LIMIT;
const DAY = TimeInForce.DAY;
const FILL_OR_KILL = TimeInForce.FILL_OR_KILL;
const RESTING = EventField.RESTING;

/** Where the book's two sequences stand: the numbers that the next event and the next order get, from 1. */
export interface BookPosition {
  readonly nextEvent: number;
  readonly nextOrderId: number;
}

/**
 * One symbol's book with continuous crossing by price, then time. A pure state machine: each command appends its
 * events to `out` and returns; the same commands give the same events. Bad input is answered by `REJECTED`, whatever
 * the numbers are; a broken invariant throws `InvariantError`, after which the book must not be used.
 *
 * 1. Outside a command the best bid is below the best ask.
 * 2. Each event has the next number of one gap-free sequence.
 * 3. An order's place in its level is the sequence of the event that gave it: that of its acceptance, or of the last
 *    replace that did not keep its priority.
 * 4. A command's events are: the acceptance or replacement, its fills in the order of execution, then the
 *    cancellation of what may not rest.
 */
export class OrderBook extends BookView {
  readonly instrument: Instrument;
  private readonly out: EventBuffer;
  private restore: BookRestore | undefined;
  private replay: EventReplay | undefined;
  private event = 1;
  private orderId = 1;

  constructor(instrument: Instrument, out: EventBuffer) {
    requireInstrument(instrument);
    super(instrument.tick);
    this.instrument = instrument;
    this.out = out;
  }

  /** A new order. Events: `REJECTED`, or `ACCEPTED`, fills, and `CANCELLED` when something is left that may not rest. */
  newOrder(
    account: number,
    clientOrderId: number,
    side: number,
    type: number,
    timeInForce: number,
    price: number,
    quantity: number,
  ): void {
    requireAccount(account);
    const reason =
      checkOrder(this.instrument, clientOrderId, side, type, timeInForce, price, quantity) ||
      this.admit(account, clientOrderId, side, timeInForce, quantity);
    if (reason !== 0) {
      this.reject(account, clientOrderId, reason);
      return;
    }
    const orderId = this.orderId++;
    const sequence = this.event++;
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
    );
    const limit = type === LIMIT ? price : side === BUY ? INTEGER_MAX : 0;
    let leaves = quantity;
    let ended: CancelReason | 0 = 0;
    if (timeInForce === FILL_OR_KILL && !this.canFill(side as Side, limit, quantity)) {
      ended = CancelReason.FILL_OR_KILL;
    } else {
      if (this.crosses(side as Side, limit)) {
        leaves = this.take(account, orderId, clientOrderId, side as Side, limit, quantity);
        if (leaves === 0) return;
        if (this.crosses(side as Side, limit)) ended = CancelReason.SWEEP_LIMIT;
      }
      if (ended === 0 && timeInForce !== DAY) ended = CancelReason.IMMEDIATE_REMAINDER;
    }
    if (ended !== 0) {
      this.out.cancelled(this.event++, account, orderId, clientOrderId, side, price, leaves, 0, ended);
      return;
    }
    const handle = this.resting.add(
      orderId,
      account,
      clientOrderId,
      side,
      type,
      timeInForce,
      quantity,
      leaves,
      sequence,
    );
    this.resting.enqueue(handle, side as Side, price);
    this.out.values[base + RESTING] = leaves;
  }

  /** Ends a live order. Events: `CANCELLED`, or `REJECTED`. */
  cancel(account: number, clientOrderId: number): void {
    requireAccount(account);
    const handle = isOrderId(clientOrderId) ? this.resting.find(account, clientOrderId) : -1;
    if (handle > 0) this.end(handle, CancelReason.REQUESTED);
    else
      this.reject(
        account,
        clientOrderId,
        handle === 0 ? RejectReason.UNKNOWN_ORDER : RejectReason.INVALID_ORDER_ID,
      );
  }

  /**
   * Gives a live order a new price and a new total quantity, what was executed included. It keeps its priority when
   * the price is the same and the quantity not higher; else it goes to the end of the line, after it has traded
   * with what it now crosses. Events: `REJECTED`; or `CANCELLED` when the new total is already executed; or
   * `REPLACED`, fills, and `CANCELLED` when the sweep limit ends it.
   */
  replace(account: number, clientOrderId: number, price: number, quantity: number): void {
    requireAccount(account);
    const handle = isOrderId(clientOrderId) ? this.resting.find(account, clientOrderId) : -1;
    if (handle <= 0) {
      this.reject(
        account,
        clientOrderId,
        handle === 0 ? RejectReason.UNKNOWN_ORDER : RejectReason.INVALID_ORDER_ID,
      );
      return;
    }
    const { resting } = this;
    const reason = checkQuantity(this.instrument, quantity) || checkPrice(this.instrument, price);
    const oldLeaves = resting.orders.leaves(handle);
    const leaves = quantity - (resting.orders.quantity(handle) - oldLeaves);
    const side = resting.sideOf(handle);
    if (reason !== 0) {
      this.reject(account, clientOrderId, reason);
    } else if (leaves <= 0) {
      this.end(handle, CancelReason.REPLACED_BELOW_EXECUTED);
    } else if (this.sideQuantity(side) - oldLeaves + leaves > SIDE_QUANTITY_MAX) {
      this.reject(account, clientOrderId, RejectReason.BOOK_FULL);
    } else {
      this.change(handle, side, price, quantity, leaves);
    }
  }

  /** Ends the account's orders, lowest order id first. Events: a `CANCELLED` for each, then `MASS_CANCELLED`. */
  massCancel(account: number): void {
    requireAccount(account);
    const { rings } = this.resting;
    const cancelled = Math.min(rings.count(account), REQUEST_CANCELS_MAX);
    for (let n = 0; n < cancelled; n++) this.end(rings.first(account), CancelReason.MASS_CANCEL);
    this.out.massCancelled(this.event++, account, cancelled, rings.count(account));
  }

  /** Records a request that was refused before it reached the book. Events: `REJECTED` with the reason given. */
  refuse(account: number, clientOrderId: number, reason: number): void {
    requireAccount(account);
    this.reject(account, clientOrderId, reason);
  }

  /** Sequence that the next event gets, from 1. */
  get nextEvent(): number {
    return this.event;
  }

  /** Id that the next accepted order gets, from 1. */
  get nextOrderId(): number {
    return this.orderId;
  }

  /**
   * Takes one order of a snapshot, in any order, into a book that has none and has executed nothing. The book is
   * usable after `finishRestore`. Throws `InvariantError` on fields that no live order can have.
   */
  restoreOrder(order: LiveOrder): void {
    if (this.event !== 1)
      broken(`book ${this.instrument.symbol}: restored although it has executed requests`);
    this.restore ??= new BookRestore(this.instrument, this.resting);
    this.restore.take(order);
  }

  /** Ends a restore, also one without orders. Throws `InvariantError` when the orders cannot all be in one book. */
  finishRestore(position: BookPosition): void {
    if (this.event !== 1)
      broken(`book ${this.instrument.symbol}: restored although it has executed requests`);
    this.restore ??= new BookRestore(this.instrument, this.resting);
    this.restore.finish(position);
    this.restore = undefined;
    this.event = position.nextEvent;
    this.orderId = position.nextOrderId;
  }

  /**
   * Changes the book as an event says that was decided before: for recovery, followers and audit. Crosses nothing
   * and writes nothing to `out`. Throws `InvariantError` when the event does not follow from the book: a gap, an
   * unknown order, a maker that was not first in line, a quantity that does not add up. After the last event call
   * `finishApply`; then the book takes commands.
   */
  applyEvent(events: EventBuffer, index: number): void {
    this.replay ??= new EventReplay(this.instrument, this.resting);
    if (index >= events.length) broken(`event ${index} applied of a buffer that holds ${events.length}`);
    this.orderId = this.replay.apply(events.values, index * EVENT_WIDTH, this.event, this.orderId);
    this.event++;
  }

  /** Throws `InvariantError` when the events applied end in the middle of a request. */
  finishApply(): void {
    this.replay?.finish();
  }

  /** 0 when the book has room for the order and the account no order of its id. */
  private admit(
    account: number,
    clientOrderId: number,
    side: number,
    timeInForce: number,
    quantity: number,
  ): 0 | RejectReason {
    if (this.resting.find(account, clientOrderId) !== 0) return RejectReason.DUPLICATE_ORDER_ID;
    if (timeInForce !== DAY) return 0;
    if (this.resting.orders.live >= ORDERS_MAX) return RejectReason.BOOK_FULL;
    return this.sideQuantity(side as Side) + quantity > SIDE_QUANTITY_MAX ? RejectReason.BOOK_FULL : 0;
  }

  private sideQuantity(side: Side): number {
    return side === BUY ? this.resting.bidQuantity : this.resting.askQuantity;
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
    const { resting } = this;
    const opposite = side === BUY ? resting.asks : resting.bids;
    let leaves = quantity;
    for (let fills = 0; leaves > 0 && fills < REQUEST_FILLS_MAX && this.crosses(side, limit); fills++) {
      const price = resting.levels.price(opposite.best);
      const maker = resting.levels.head(opposite.best);
      const makerLeaves = resting.orders.leaves(maker);
      const executed = leaves < makerLeaves ? leaves : makerLeaves;
      leaves -= executed;
      this.out.trade(
        this.event++,
        price,
        executed,
        side,
        account,
        orderId,
        clientOrderId,
        leaves,
        resting.accountOf(maker),
        resting.orders.orderId(maker),
        resting.orders.clientOrderId(maker),
        makerLeaves - executed,
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

  /** Whether an order can be executed whole, within the fills that one request may cause. Reads level sums only,
   * except at the last level of an order that comes near that limit. */
  private canFill(side: Side, limit: number, quantity: number): boolean {
    const { resting } = this;
    const opposite = side === BUY ? resting.asks : resting.bids;
    if (quantity > (side === BUY ? resting.askQuantity : resting.bidQuantity)) return false;
    let missing = quantity;
    let fills = 0;
    for (let level = opposite.best; level !== 0; level = opposite.next(level)) {
      const price = resting.levels.price(level);
      if (side === BUY ? price > limit : price < limit) return false;
      const here = resting.levels.quantity(level);
      if (here >= missing) {
        if (fills + resting.levels.count(level) <= REQUEST_FILLS_MAX) return true;
        let order = resting.levels.head(level);
        for (; missing > 0 && fills < REQUEST_FILLS_MAX; fills++) {
          missing -= resting.orders.leaves(order);
          order = resting.orders.next(order);
        }
        return missing <= 0;
      }
      missing -= here;
      fills += resting.levels.count(level);
      if (fills >= REQUEST_FILLS_MAX) return false;
    }
    return false;
  }

  /** Carries out a replace whose terms are good; `leaves` is what will be open of it. */
  private change(handle: number, side: Side, price: number, quantity: number, leaves: number): void {
    const { resting } = this;
    const sequence = this.event++;
    const account = resting.accountOf(handle);
    const orderId = resting.orders.orderId(handle);
    const clientOrderId = resting.orders.clientOrderId(handle);
    const oldPrice = resting.priceOf(handle);
    const oldLeaves = resting.orders.leaves(handle);
    const kept = price === oldPrice && leaves <= oldLeaves;
    const base = this.out.replaced(
      sequence,
      account,
      orderId,
      clientOrderId,
      side,
      oldPrice,
      oldLeaves,
      price,
      quantity,
      leaves,
      kept ? leaves : 0,
      kept,
    );
    if (kept) {
      resting.setTerms(handle, quantity, leaves);
      return;
    }
    resting.dequeue(handle);
    const left = this.take(account, orderId, clientOrderId, side, price, leaves);
    if (left > 0 && !this.crosses(side, price)) {
      resting.requeue(handle, side, price, quantity, left, sequence);
      this.out.values[base + RESTING] = left;
      return;
    }
    resting.drop(handle);
    if (left === 0) return;
    const reason = CancelReason.SWEEP_LIMIT;
    this.out.cancelled(this.event++, account, orderId, clientOrderId, side, price, left, 0, reason);
  }

  /** Ends a resting order. */
  private end(handle: number, reason: CancelReason): void {
    const { resting } = this;
    const leaves = resting.orders.leaves(handle);
    this.out.cancelled(
      this.event++,
      resting.accountOf(handle),
      resting.orders.orderId(handle),
      resting.orders.clientOrderId(handle),
      resting.sideOf(handle),
      resting.priceOf(handle),
      leaves,
      leaves,
      reason,
    );
    resting.dequeue(handle);
    resting.drop(handle);
  }

  private reject(account: number, clientOrderId: number, reason: number): void {
    this.out.rejected(this.event++, account, isOrderId(clientOrderId) ? clientOrderId : 0, reason);
  }
}

function requireAccount(account: number): void {
  if (!isAccount(account)) broken(`account ${account} is not a handle: a whole number from 0 to 2^20 - 1`);
}
