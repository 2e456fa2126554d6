import type { BookCore } from "./book-core.ts";
import {
  CancelReason,
  EventReason,
  OrderType,
  Phase,
  RejectReason,
  type Side,
  TimeInForce,
} from "./codes.ts";
import { checkEntry } from "./entry-check.ts";
import type { Incoming } from "./incoming.ts";
import {
  ALL_OR_NONE_ORDERS_MAX,
  ORDERS_MAX,
  PEGGED_ORDERS_MAX,
  SIDE_QUANTITY_MAX,
  TRAILING_ORDERS_MAX,
} from "./limits.ts";
import { OrderChecks } from "./order-checks.ts";
import { OWN_ACCOUNT, type OrderEntry } from "./order-entry.ts";
import { packFlags } from "./order-extras.ts";
import { isAccount, packOwner, packSpecial, Place } from "./order-table.ts";
import type { Pegs } from "./pegs.ts";
import { acceptsOrders } from "./phases.ts";
import { placeOf } from "./resting-orders.ts";
import { isOrderId } from "./instrument.ts";
import type { Triggers } from "./triggers.ts";

/** New orders of every kind: checked, accepted, traded, and put where they live. */
export class NewOrders {
  readonly checks: OrderChecks;
  private readonly core: BookCore;
  private readonly incoming: Incoming;
  private readonly pegs: Pegs;
  private readonly triggers: Triggers;
  /** Of the order at hand. */
  private price = 0;
  private triggerPrice = 0;
  private partner = 0;
  private place: Place = Place.BOOK;

  constructor(core: BookCore, incoming: Incoming, pegs: Pegs, triggers: Triggers) {
    this.core = core;
    this.incoming = incoming;
    this.pegs = pegs;
    this.triggers = triggers;
    this.checks = new OrderChecks(core, incoming.sweep);
  }

  enter(account: number, entry: OrderEntry): void {
    const { core } = this;
    const isPastRate = core.rate.count(account, core.now);
    const reason = isPastRate ? RejectReason.RATE_LIMIT : this.refusal(account, entry);
    if (reason === 0) this.accept(account, entry);
    else core.reject(account, entry.clientOrderId, reason);
  }

  /** The first reason not to accept it, 0: there is none. Works out what depends on the book. */
  private refusal(account: number, entry: OrderEntry): 0 | RejectReason {
    const { core, checks } = this;
    const { accounts, resting, instrument } = core;
    const { clientOrderId, side, type, timeInForce, price, quantity } = entry;
    const beneficiary = entry.forAccount === OWN_ACCOUNT ? account : entry.forAccount;
    if (accounts.anyBlocked && isAccount(beneficiary) && accounts.isBlocked(beneficiary))
      return RejectReason.ACCOUNT_BLOCKED;
    const terms = checkEntry(instrument, entry, core.now);
    if (terms !== 0) return terms;
    if (!acceptsOrders(core.phase, timeInForce, entry.minQuantity !== 0)) return RejectReason.WRONG_PHASE;
    if (resting.find(account, clientOrderId) !== 0) return RejectReason.DUPLICATE_ORDER_ID;
    this.place = placeOf(type, timeInForce, entry.hidden, entry.allOrNone);
    return (
      checks.price(side, price, quantity) ||
      this.workOutTrigger(entry) ||
      this.findPartner(account, entry.oco) ||
      checks.limits(beneficiary, side, price, quantity, 0, 0) ||
      this.workOutPrice(entry) ||
      this.capacity(entry)
    );
  }

  private workOutTrigger({ type, side, triggerPrice, offset }: OrderEntry): 0 | RejectReason {
    this.triggerPrice = triggerPrice;
    if (type !== OrderType.TRAILING_STOP || triggerPrice !== 0) return 0;
    if (this.core.lastPrice === 0) return RejectReason.NO_REFERENCE_PRICE;
    this.triggerPrice = this.triggers.trailedPrice(side as Side, offset);
    return isOrderId(this.triggerPrice) ? 0 : RejectReason.INVALID_OFFSET;
  }

  private findPartner(account: number, oco: number): 0 | RejectReason {
    const { resting } = this.core;
    this.partner = 0;
    if (oco === 0) return 0;
    this.partner = resting.find(account, oco);
    const isFree =
      this.partner !== 0 && (!resting.isSpecial(this.partner) || resting.extras.partner(this.partner) === 0);
    return isFree ? 0 : RejectReason.UNKNOWN_PARTNER;
  }

  private workOutPrice({ side, price, postOnly }: OrderEntry): 0 | RejectReason {
    this.price = price;
    if (postOnly === 0 || this.core.phase !== Phase.CONTINUOUS) return 0;
    this.price = this.checks.postOnlyPrice(side as Side, price, postOnly);
    return this.price === 0 ? RejectReason.WOULD_TAKE : 0;
  }

  private capacity({ side, type, timeInForce, quantity }: OrderEntry): 0 | RejectReason {
    const { resting } = this.core;
    const { unshown } = resting;
    const isImmediate =
      timeInForce === TimeInForce.IMMEDIATE_OR_CANCEL || timeInForce === TimeInForce.FILL_OR_KILL;
    if (isImmediate) return 0;
    const isFull =
      resting.orders.live >= ORDERS_MAX ||
      resting.sideQuantity(side) + quantity > SIDE_QUANTITY_MAX ||
      (this.place === Place.PEGGED && unshown.peggedCount >= PEGGED_ORDERS_MAX) ||
      (this.place === Place.ALL_OR_NONE && unshown.allOrNoneCount >= ALL_OR_NONE_ORDERS_MAX) ||
      (type === OrderType.TRAILING_STOP && unshown.trailing.length >= TRAILING_ORDERS_MAX);
    return isFull ? RejectReason.BOOK_FULL : 0;
  }

  private accept(account: number, entry: OrderEntry): void {
    const { core, incoming } = this;
    const { taker, out } = core;
    const { side, type, timeInForce, quantity } = entry;
    const orderId = core.orderId++;
    const sequence = core.event++;
    const isSpecial = this.tellTerms(sequence, account, entry);
    const base = out.accepted(
      sequence,
      account,
      orderId,
      entry.clientOrderId,
      side,
      type,
      timeInForce,
      this.price,
      quantity,
      0,
      0,
      this.price === entry.price ? EventReason.NEW_ORDER : EventReason.REPRICED,
    );
    taker.begin(account, orderId, entry.clientOrderId, side as Side, this.price, quantity, quantity);
    if (entry.forAccount !== OWN_ACCOUNT) taker.beneficiary = entry.forAccount;
    taker.partner = this.partner;
    if (core.accounts.grouped) {
      taker.group = core.accounts.group(taker.beneficiary);
      taker.selfTrade = entry.selfTrade !== 0 ? entry.selfTrade : core.accounts.selfTrade(taker.beneficiary);
    }
    const effective =
      this.place === Place.PEGGED
        ? this.pegs.effectivePrice(side as Side, entry.peg, entry.offset, this.price)
        : 0;
    this.trade(entry, effective);
    const rests = timeInForce !== TimeInForce.IMMEDIATE_OR_CANCEL && timeInForce !== TimeInForce.FILL_OR_KILL;
    const left = incoming.finish(type as OrderType, rests);
    if (left > 0) {
      const handle = this.settle(entry, sequence, left, isSpecial, effective);
      core.tellResting(base, handle, false);
    }
    incoming.startAuctionOnBreach();
  }

  /** Lets the order trade as its terms say. */
  private trade(entry: OrderEntry, effective: number): void {
    const { core, incoming, place } = this;
    const { taker } = core;
    if (core.phase !== Phase.CONTINUOUS || place === Place.WAITING || place === Place.AUCTION) return;
    if (entry.postOnly !== 0) return;
    if (place === Place.PEGGED) {
      if (effective === 0) return;
      taker.limit = effective;
    }
    if (place === Place.ALL_OR_NONE && !incoming.canExecute(taker.leaves)) return;
    if (entry.timeInForce === TimeInForce.FILL_OR_KILL && !incoming.canExecute(taker.leaves)) {
      taker.ended = CancelReason.FILL_OR_KILL;
      return;
    }
    if (entry.minQuantity !== 0 && !incoming.canExecute(entry.minQuantity)) {
      taker.ended = CancelReason.MINIMUM_QUANTITY;
      return;
    }
    incoming.trade();
  }

  /** `TERMS`, when there are any. Returns whether the order is a special one. */
  private tellTerms(sequence: number, account: number, entry: OrderEntry): boolean {
    const {
      displayQuantity,
      minQuantity,
      peg,
      offset,
      expiry,
      hidden,
      allOrNone,
      postOnly,
      selfTrade,
      forAccount,
    } = entry;
    const isSpecial =
      displayQuantity !== 0 ||
      this.triggerPrice !== 0 ||
      offset !== 0 ||
      peg !== 0 ||
      expiry !== 0 ||
      hidden ||
      allOrNone ||
      postOnly !== 0 ||
      selfTrade !== 0 ||
      forAccount !== OWN_ACCOUNT;
    if (isSpecial || minQuantity !== 0 || this.partner !== 0) {
      this.core.out.terms(
        sequence,
        account,
        displayQuantity,
        minQuantity,
        peg,
        this.triggerPrice,
        offset,
        expiry,
        hidden ? 1 : 0,
        allOrNone ? 1 : 0,
        postOnly,
        selfTrade,
        this.partner === 0 ? 0 : this.core.resting.orders.orderId(this.partner),
        forAccount,
      );
    }
    // The minimum is forgotten; partners are made special when they are linked.
    return isSpecial || this.place !== Place.BOOK;
  }

  /** Puts what is left of the order into its place. */
  private settle(
    entry: OrderEntry,
    sequence: number,
    left: number,
    isSpecial: boolean,
    effective: number,
  ): number {
    const { core } = this;
    const { resting, taker } = core;
    const { extras } = resting;
    const { type, timeInForce, side } = entry;
    const { account, orderId, clientOrderId } = taker;
    const owner = isSpecial
      ? packSpecial(account, side, type, timeInForce, this.place)
      : packOwner(account, side, type, timeInForce);
    const handle = resting.add(orderId, owner, account, clientOrderId, taker.quantity, left, sequence);
    if (!isSpecial) {
      resting.enqueue(handle, side as Side, this.price);
      if (core.accounts.limited) core.accounts.open(taker.beneficiary, side, this.price, left);
    } else {
      const { hidden, allOrNone, peg, postOnly, selfTrade } = entry;
      extras.add(
        handle,
        this.price,
        packFlags(hidden, allOrNone, peg, postOnly, selfTrade),
        entry.forAccount,
      );
      extras.setDisplay(handle, entry.displayQuantity);
      extras.setShown(handle, Math.min(entry.displayQuantity, left));
      extras.setTrigger(handle, this.triggerPrice);
      extras.setOffset(handle, entry.offset);
      extras.setExpiry(handle, entry.expiry);
      if (entry.expiry !== 0) core.expiries.add(handle, entry.expiry);
      core.settle(handle, effective);
      if (type === OrderType.TRAILING_STOP) core.trailDue = true;
    }
    if (taker.partner !== 0) resting.link(handle, taker.partner);
    return handle;
  }
}
