import type { BookCore } from "./book-core.ts";
import { CancelReason, EventReason, OrderType, Phase, RejectReason } from "./codes.ts";
import { checkPriceOf, checkTriggerPrice } from "./entry-check.ts";
import type { Incoming } from "./incoming.ts";
import { checkQuantity, isOrderId } from "./instrument.ts";
import { REQUEST_CANCELS_MAX, SIDE_QUANTITY_MAX } from "./limits.ts";
import type { OrderChecks } from "./order-checks.ts";
import { flagsPostOnly } from "./order-extras.ts";
import { ownerPlace, ownerType, Place } from "./order-table.ts";
import type { Pegs } from "./pegs.ts";
import { acceptsChanges } from "./phases.ts";
import { moveTrigger } from "./triggers.ts";

/** Cancels, replacements, reductions and mass cancels of live orders. RULES.md 2.3. */
export class OrderChanges {
  private readonly core: BookCore;
  private readonly incoming: Incoming;
  private readonly pegs: Pegs;
  private readonly checks: OrderChecks;

  constructor(core: BookCore, incoming: Incoming, pegs: Pegs, checks: OrderChecks) {
    this.core = core;
    this.incoming = incoming;
    this.pegs = pegs;
    this.checks = checks;
  }

  cancel(account: number, clientOrderId: number): void {
    const handle = this.named(account, clientOrderId);
    if (handle !== 0) this.core.end(handle, CancelReason.REQUESTED);
  }

  replace(
    account: number,
    clientOrderId: number,
    price: number,
    quantity: number,
    triggerPrice: number,
  ): void {
    const { core } = this;
    const { resting } = core;
    if (core.rate.count(account, core.now)) {
      core.reject(account, clientOrderId, RejectReason.RATE_LIMIT);
      return;
    }
    const handle = this.named(account, clientOrderId);
    if (handle === 0) return;
    const wrong = this.checkTerms(handle, price, quantity, triggerPrice);
    const oldLeaves = resting.orders.leaves(handle);
    const leaves = quantity - (resting.orders.quantity(handle) - oldLeaves);
    if (wrong !== 0) {
      core.reject(account, clientOrderId, wrong);
      return;
    }
    if (leaves <= 0) {
      core.end(handle, CancelReason.REPLACED_BELOW_EXECUTED);
      return;
    }
    const oldPrice = resting.ownPrice(handle);
    const movesTrigger = triggerPrice !== 0 && triggerPrice !== resting.extras.trigger(handle);
    const kept = price === oldPrice && leaves <= oldLeaves && !movesTrigger;
    const newPrice = kept ? price : this.enteringPrice(handle, price);
    const refused = this.checkChange(handle, price, quantity, leaves, newPrice);
    if (refused !== 0) core.reject(account, clientOrderId, refused);
    else if (kept) this.keep(handle, quantity, leaves, EventReason.REPLACEMENT);
    else
      this.enterAgain(
        handle,
        newPrice,
        quantity,
        leaves,
        movesTrigger ? triggerPrice : 0,
        newPrice !== price,
      );
  }

  reduce(account: number, clientOrderId: number, by: number): void {
    const { core } = this;
    const { orders } = core.resting;
    const handle = this.named(account, clientOrderId);
    if (handle === 0) return;
    const wrong =
      checkQuantity(core.instrument, by) || (acceptsChanges(core.phase) ? 0 : RejectReason.WRONG_PHASE);
    const leaves = orders.leaves(handle) - by;
    if (wrong !== 0) core.reject(account, clientOrderId, wrong);
    else if (leaves <= 0) core.end(handle, CancelReason.REQUESTED);
    else this.keep(handle, orders.quantity(handle) - by, leaves, EventReason.REDUCTION);
  }

  massCancel(account: number, side: number, low: number, high: number, forAccount: number): void {
    const { core } = this;
    const { resting } = core;
    const matching = resting.byAccount.all(account).filter((handle) => {
      if (side !== 0 && resting.sideOf(handle) !== side) return false;
      if (forAccount !== -1 && resting.beneficiary(handle) !== forAccount) return false;
      const price = resting.ownPrice(handle);
      return price >= low && price <= high;
    });
    const ending = this.eldest(matching, REQUEST_CANCELS_MAX);
    for (const handle of ending) core.end(handle, CancelReason.MASS_CANCEL);
    const ended = ending.length;
    const remaining = matching.length - ended;
    core.out.massCancelled(core.event++, account, ended, remaining, EventReason.MASS_CANCEL);
  }

  /** Those of the lowest order ids, up to `max`, lowest first. */
  private eldest(handles: Int32Array, max: number): Int32Array {
    const { orders } = this.core.resting;
    let chosen = handles;
    if (handles.length > max) {
      // A sort of plain numbers is many times faster than one of handles by their orders' ids.
      const last = Float64Array.from(handles, (handle) => orders.orderId(handle)).sort()[max - 1]!;
      chosen = handles.filter((handle) => orders.orderId(handle) <= last);
    }
    return chosen.sort((one, other) => orders.orderId(one) - orders.orderId(other));
  }

  /** The live order that a request names; without one the request is refused, and 0. */
  private named(account: number, clientOrderId: number): number {
    const { core } = this;
    const isId = isOrderId(clientOrderId);
    const handle = isId ? core.resting.find(account, clientOrderId) : 0;
    if (handle === 0) {
      core.reject(account, clientOrderId, isId ? RejectReason.UNKNOWN_ORDER : RejectReason.INVALID_ORDER_ID);
    }
    return handle;
  }

  private checkTerms(
    handle: number,
    price: number,
    quantity: number,
    triggerPrice: number,
  ): 0 | RejectReason {
    const { instrument, phase, resting } = this.core;
    const owner = resting.orders.owner(handle);
    const type = ownerType(owner);
    const isWaiting = ownerPlace(owner) === Place.WAITING;
    const keepsTrigger = Object.is(triggerPrice, 0);
    const wrong =
      checkQuantity(instrument, quantity) ||
      checkPriceOf(instrument, type, price) ||
      (keepsTrigger ? 0 : checkTriggerPrice(instrument, triggerPrice));
    if (wrong !== 0) return wrong;
    if ((!keepsTrigger && !isWaiting) || (type === OrderType.MARKET && price !== 0)) {
      return RejectReason.INVALID_COMBINATION;
    }
    return acceptsChanges(phase) ? 0 : RejectReason.WRONG_PHASE;
  }

  /** The price at which a replacement comes in: what was asked, or where a post-only order does not take; 0: it would. */
  private enteringPrice(handle: number, price: number): number {
    const { core } = this;
    const { resting } = core;
    const postOnly = resting.isSpecial(handle) ? flagsPostOnly(resting.extras.flags(handle)) : 0;
    if (postOnly === 0 || core.phase !== Phase.CONTINUOUS) return price;
    return this.checks.postOnlyPrice(resting.sideOf(handle), price, postOnly);
  }

  private checkChange(
    handle: number,
    price: number,
    quantity: number,
    leaves: number,
    newPrice: number,
  ): 0 | RejectReason {
    const { checks, core } = this;
    const { resting } = core;
    const side = resting.sideOf(handle);
    const oldPrice = resting.ownPrice(handle);
    const oldLeaves = resting.orders.leaves(handle);
    const reason =
      checks.price(side, price, quantity) ||
      checks.limits(resting.beneficiary(handle), side, price, leaves, oldPrice, oldLeaves);
    if (reason !== 0) return reason;
    if (newPrice === 0 && price !== 0) return RejectReason.WOULD_TAKE;
    const isFull = resting.sideQuantity(side) - oldLeaves + leaves > SIDE_QUANTITY_MAX;
    return isFull ? RejectReason.BOOK_FULL : 0;
  }

  /** Gives an order less quantity; it stays where it is. */
  private keep(handle: number, quantity: number, leaves: number, reason: EventReason): void {
    const { core } = this;
    const { resting } = core;
    const price = resting.ownPrice(handle);
    const oldLeaves = resting.orders.leaves(handle);
    const shown = Math.min(resting.shownOf(handle), leaves);
    this.tellReplaced(handle, price, oldLeaves, price, quantity, leaves, leaves, shown, 1, reason);
    if (core.accounts.limited) {
      core.accounts.open(resting.beneficiary(handle), resting.sideOf(handle), price, leaves - oldLeaves);
    }
    resting.orders.setQuantity(handle, quantity);
    resting.setOpen(handle, leaves, shown);
  }

  /** The order leaves its place, trades at its new terms where it can, and goes last in line. */
  private enterAgain(
    handle: number,
    price: number,
    quantity: number,
    leaves: number,
    triggerPrice: number,
    isRepriced: boolean,
  ): void {
    const { core, incoming } = this;
    const { resting, taker } = core;
    const { orders, extras } = resting;
    const sequence = core.event;
    const reason = isRepriced ? EventReason.REPRICED : EventReason.REPLACEMENT;
    const base = this.tellReplaced(
      handle,
      resting.ownPrice(handle),
      orders.leaves(handle),
      price,
      quantity,
      leaves,
      0,
      0,
      0,
      reason,
    );
    core.beginTaking(handle);
    core.lift(handle);
    resting.changeLeaves(handle, leaves - orders.leaves(handle));
    orders.setQuantity(handle, quantity);
    orders.setPriority(handle, sequence);
    taker.begin(taker.account, taker.orderId, taker.clientOrderId, taker.side, price, quantity, leaves);
    this.restoreTaker(handle);
    const effective = this.setPrice(handle, price);
    this.trade(handle, effective);
    const left = incoming.finish(OrderType.LIMIT, true);
    if (left === 0) {
      core.discard(handle);
    } else {
      resting.changeLeaves(handle, left - orders.leaves(handle));
      orders.setQuantity(handle, taker.quantity);
      if (resting.isIceberg(handle)) extras.setShown(handle, Math.min(extras.display(handle), left));
      if (resting.isSpecial(handle)) core.settle(handle, effective);
      else this.enqueue(handle, price);
      core.tellResting(base, handle, true);
      if (triggerPrice !== 0) moveTrigger(core, handle, triggerPrice, EventReason.REPLACEMENT);
    }
    incoming.startAuctionOnBreach();
  }

  /** What `begin` of the taker forgets of a live order. */
  private restoreTaker(handle: number): void {
    const { core } = this;
    const { resting, taker, accounts } = core;
    taker.beneficiary = resting.beneficiary(handle);
    taker.partner = resting.isSpecial(handle) ? resting.extras.partner(handle) : 0;
    if (!accounts.grouped) return;
    taker.group = accounts.group(taker.beneficiary);
    taker.selfTrade = core.selfTradeOf(handle);
  }

  /** Sets a lifted order's own price; returns the effective one of a pegged order. */
  private setPrice(handle: number, price: number): number {
    const { resting } = this.core;
    if (!resting.isSpecial(handle)) return 0;
    resting.extras.setPrice(handle, price);
    const isPegged = ownerPlace(resting.orders.owner(handle)) === Place.PEGGED;
    return isPegged ? this.pegs.effectivePriceOf(handle) : 0;
  }

  private trade(handle: number, effective: number): void {
    const { core, incoming } = this;
    const { resting, taker } = core;
    const place = ownerPlace(resting.orders.owner(handle));
    if (core.phase !== Phase.CONTINUOUS || place === Place.WAITING || place === Place.AUCTION) return;
    if (resting.isSpecial(handle) && flagsPostOnly(resting.extras.flags(handle)) !== 0) return;
    if (place === Place.PEGGED) {
      if (effective === 0) return;
      taker.limit = effective;
    }
    if (place === Place.ALL_OR_NONE && !incoming.canExecute(taker.leaves)) return;
    incoming.trade();
  }

  private enqueue(handle: number, price: number): void {
    const { resting, accounts } = this.core;
    const side = resting.sideOf(handle);
    resting.enqueue(handle, side, price);
    if (accounts.limited)
      accounts.open(resting.beneficiary(handle), side, price, resting.orders.leaves(handle));
  }

  private tellReplaced(
    handle: number,
    oldPrice: number,
    oldLeaves: number,
    price: number,
    quantity: number,
    leaves: number,
    rests: number,
    shown: number,
    priorityKept: number,
    reason: EventReason,
  ): number {
    const { core } = this;
    const { resting } = core;
    return core.out.replaced(
      core.event++,
      resting.accountOf(handle),
      resting.orders.orderId(handle),
      resting.orders.clientOrderId(handle),
      resting.sideOf(handle),
      oldPrice,
      oldLeaves,
      resting.shownOf(handle),
      price,
      quantity,
      leaves,
      rests,
      shown,
      priorityKept,
      reason,
    );
  }
}
