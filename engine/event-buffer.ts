import { EventReason } from "./codes.ts";
import { EVENT_WIDTH, EventKind } from "./event-fields.ts";
import { EVENTS_INITIAL } from "./limits.ts";

// Literals of this file: an imported object's fields would be loaded again at every write.
const SEQUENCE = 1;
const ACCOUNT = 2;
const ORDER_ID = 3;
const CLIENT_ORDER_ID = 4;
const SIDE = 5;
const PRICE = 6;
const QUANTITY = 7;
const AT_8 = 8;
const AT_9 = 9;
const AT_10 = 10;
const AT_11 = 11;
const AT_12 = 12;
const AT_13 = 13;
const AT_14 = 14;
const REASON = 15;

/**
 * Events of one request or of one batch, as numbers. Written by a book, or by whoever decodes stored events in order
 * to apply them; read by the fields' offsets. It belongs to its creator and may serve many books in turn. Growing
 * replaces `values`: take it anew after each request.
 */
export class EventBuffer {
  values = new Float64Array(EVENTS_INITIAL * EVENT_WIDTH);
  /** Events held. */
  length = 0;

  /** Forgets all events and keeps the memory. */
  clear(): void {
    this.length = 0;
  }

  /** Appends an event of which only kind and sequence are set; returns its base. */
  append(kind: EventKind, sequence: number): number {
    const base = this.length << 4;
    if (base === this.values.length) this.grow();
    this.length++;
    const values = this.values;
    values[base] = kind;
    values[base | SEQUENCE] = sequence;
    return base;
  }

  accepted(
    sequence: number,
    account: number,
    orderId: number,
    clientOrderId: number,
    side: number,
    type: number,
    timeInForce: number,
    price: number,
    quantity: number,
    resting: number,
    shown: number,
    reason: number,
  ): number {
    const base = this.append(EventKind.ACCEPTED, sequence);
    const values = this.values;
    values[base | ACCOUNT] = account;
    values[base | ORDER_ID] = orderId;
    values[base | CLIENT_ORDER_ID] = clientOrderId;
    values[base | SIDE] = side;
    values[base | PRICE] = price;
    values[base | QUANTITY] = quantity;
    values[base | AT_8] = type;
    values[base | AT_9] = timeInForce;
    values[base | AT_10] = resting;
    values[base | AT_11] = shown;
    values[base | REASON] = reason;
    return base;
  }

  rejected(sequence: number, account: number, clientOrderId: number, reason: number): number {
    const base = this.append(EventKind.REJECTED, sequence);
    const values = this.values;
    values[base | ACCOUNT] = account;
    values[base | CLIENT_ORDER_ID] = clientOrderId;
    values[base | REASON] = reason;
    return base;
  }

  trade(
    sequence: number,
    price: number,
    quantity: number,
    takerSide: number,
    takerAccount: number,
    takerOrderId: number,
    takerClientOrderId: number,
    takerLeaves: number,
    takerShown: number,
    makerAccount: number,
    makerOrderId: number,
    makerClientOrderId: number,
    makerLeaves: number,
    makerShown: number,
    reason: number,
  ): number {
    const base = this.append(EventKind.TRADE, sequence);
    const values = this.values;
    values[base | ACCOUNT] = takerAccount;
    values[base | ORDER_ID] = takerOrderId;
    values[base | CLIENT_ORDER_ID] = takerClientOrderId;
    values[base | SIDE] = takerSide;
    values[base | PRICE] = price;
    values[base | QUANTITY] = quantity;
    values[base | AT_8] = takerShown;
    values[base | AT_9] = takerLeaves;
    values[base | AT_10] = makerShown;
    values[base | AT_11] = makerOrderId;
    values[base | AT_12] = makerAccount;
    values[base | AT_13] = makerClientOrderId;
    values[base | AT_14] = makerLeaves;
    values[base | REASON] = reason;
    return base;
  }

  cancelled(
    sequence: number,
    account: number,
    orderId: number,
    clientOrderId: number,
    side: number,
    price: number,
    quantity: number,
    rested: number,
    shown: number,
    reason: number,
  ): number {
    const base = this.append(EventKind.CANCELLED, sequence);
    const values = this.values;
    values[base | ACCOUNT] = account;
    values[base | ORDER_ID] = orderId;
    values[base | CLIENT_ORDER_ID] = clientOrderId;
    values[base | SIDE] = side;
    values[base | PRICE] = price;
    values[base | QUANTITY] = quantity;
    values[base | AT_10] = rested;
    values[base | AT_11] = shown;
    values[base | REASON] = reason;
    return base;
  }

  replaced(
    sequence: number,
    account: number,
    orderId: number,
    clientOrderId: number,
    side: number,
    oldPrice: number,
    oldLeaves: number,
    oldShown: number,
    price: number,
    quantity: number,
    leaves: number,
    resting: number,
    shown: number,
    priorityKept: number,
    reason: number,
  ): number {
    const base = this.append(EventKind.REPLACED, sequence);
    const values = this.values;
    values[base | ACCOUNT] = account;
    values[base | ORDER_ID] = orderId;
    values[base | CLIENT_ORDER_ID] = clientOrderId;
    values[base | SIDE] = side;
    values[base | PRICE] = price;
    values[base | QUANTITY] = quantity;
    values[base | AT_8] = shown;
    values[base | AT_9] = leaves;
    values[base | AT_10] = resting;
    values[base | AT_11] = oldPrice;
    values[base | AT_12] = oldLeaves;
    values[base | AT_13] = priorityKept;
    values[base | AT_14] = oldShown;
    values[base | REASON] = reason;
    return base;
  }

  massCancelled(
    sequence: number,
    account: number,
    cancelled: number,
    remaining: number,
    reason: number,
  ): number {
    const base = this.append(EventKind.MASS_CANCELLED, sequence);
    const values = this.values;
    values[base | ACCOUNT] = account;
    values[base | AT_8] = cancelled;
    values[base | AT_9] = remaining;
    values[base | REASON] = reason;
    return base;
  }

  /** `orderId` and all else is in the `ACCEPTED` that must follow; `partner` is an order id. */
  terms(
    sequence: number,
    account: number,
    displayQuantity: number,
    minQuantity: number,
    peg: number,
    triggerPrice: number,
    offset: number,
    expiry: number,
    hidden: number,
    allOrNone: number,
    postOnly: number,
    selfTrade: number,
    partner: number,
    forAccount: number,
  ): number {
    const base = this.append(EventKind.TERMS, sequence);
    const values = this.values;
    values[base | ACCOUNT] = account;
    values[base | 3] = displayQuantity;
    values[base | 4] = minQuantity;
    values[base | 5] = peg;
    values[base | 6] = triggerPrice;
    values[base | 7] = offset;
    values[base | AT_8] = expiry;
    values[base | AT_9] = hidden;
    values[base | AT_10] = allOrNone;
    values[base | AT_11] = postOnly;
    values[base | AT_12] = selfTrade;
    values[base | AT_13] = partner;
    values[base | AT_14] = forAccount;
    values[base | REASON] = 0;
    return base;
  }

  entered(
    sequence: number,
    account: number,
    orderId: number,
    clientOrderId: number,
    side: number,
    type: number,
    price: number,
    quantity: number,
    leaves: number,
    resting: number,
    shown: number,
    reason: number,
  ): number {
    const base = this.append(EventKind.ENTERED, sequence);
    const values = this.values;
    values[base | ACCOUNT] = account;
    values[base | ORDER_ID] = orderId;
    values[base | CLIENT_ORDER_ID] = clientOrderId;
    values[base | SIDE] = side;
    values[base | PRICE] = price;
    values[base | QUANTITY] = quantity;
    values[base | AT_8] = type;
    values[base | AT_9] = leaves;
    values[base | AT_10] = resting;
    values[base | AT_11] = shown;
    values[base | REASON] = reason;
    return base;
  }

  refreshed(
    sequence: number,
    account: number,
    orderId: number,
    clientOrderId: number,
    side: number,
    price: number,
    quantity: number,
    leaves: number,
    shown: number,
    reason: number,
  ): number {
    const base = this.append(EventKind.REFRESHED, sequence);
    const values = this.values;
    values[base | ACCOUNT] = account;
    values[base | ORDER_ID] = orderId;
    values[base | CLIENT_ORDER_ID] = clientOrderId;
    values[base | SIDE] = side;
    values[base | PRICE] = price;
    values[base | QUANTITY] = quantity;
    values[base | AT_9] = leaves;
    values[base | AT_11] = shown;
    values[base | REASON] = reason;
    return base;
  }

  triggerMoved(
    sequence: number,
    account: number,
    orderId: number,
    clientOrderId: number,
    side: number,
    triggerPrice: number,
    reason: number,
  ): number {
    const base = this.append(EventKind.TRIGGER_MOVED, sequence);
    const values = this.values;
    values[base | ACCOUNT] = account;
    values[base | ORDER_ID] = orderId;
    values[base | CLIENT_ORDER_ID] = clientOrderId;
    values[base | SIDE] = side;
    values[base | PRICE] = triggerPrice;
    values[base | REASON] = reason;
    return base;
  }

  decremented(
    sequence: number,
    account: number,
    orderId: number,
    clientOrderId: number,
    side: number,
    price: number,
    quantity: number,
    newQuantity: number,
    leaves: number,
    rested: number,
    shown: number,
    reason: number,
  ): number {
    const base = this.append(EventKind.DECREMENTED, sequence);
    const values = this.values;
    values[base | ACCOUNT] = account;
    values[base | ORDER_ID] = orderId;
    values[base | CLIENT_ORDER_ID] = clientOrderId;
    values[base | SIDE] = side;
    values[base | PRICE] = price;
    values[base | QUANTITY] = quantity;
    values[base | AT_8] = newQuantity;
    values[base | AT_9] = leaves;
    values[base | AT_10] = rested;
    values[base | AT_11] = shown;
    values[base | REASON] = reason;
    return base;
  }

  phase(sequence: number, phase: number, until: number, referencePrice: number, reason: number): number {
    const base = this.append(EventKind.PHASE, sequence);
    const values = this.values;
    values[base | ACCOUNT] = 0;
    values[base | PRICE] = referencePrice;
    values[base | AT_8] = phase;
    values[base | AT_9] = until;
    values[base | REASON] = reason;
    return base;
  }

  /** `nextPhase` and `until` are those of the `PHASE` that follows the last trade. */
  uncross(
    sequence: number,
    side: number,
    price: number,
    volume: number,
    imbalance: number,
    nextPhase: number,
    until: number,
    reason: number,
  ): number {
    const base = this.append(EventKind.UNCROSS, sequence);
    const values = this.values;
    values[base | ACCOUNT] = 0;
    values[base | SIDE] = side;
    values[base | PRICE] = price;
    values[base | QUANTITY] = volume;
    values[base | AT_8] = nextPhase;
    values[base | AT_9] = until;
    values[base | AT_10] = imbalance;
    values[base | REASON] = reason;
    return base;
  }

  indicative(sequence: number, side: number, price: number, volume: number, imbalance: number): number {
    const base = this.append(EventKind.INDICATIVE, sequence);
    const values = this.values;
    values[base | ACCOUNT] = 0;
    values[base | SIDE] = side;
    values[base | PRICE] = price;
    values[base | QUANTITY] = volume;
    values[base | AT_10] = imbalance;
    values[base | REASON] = EventReason.INDICATION;
    return base;
  }

  position(sequence: number, account: number, position: number, cash: number): number {
    const base = this.append(EventKind.POSITION, sequence);
    const values = this.values;
    values[base | ACCOUNT] = account;
    values[base | 3] = position;
    values[base | 4] = cash;
    values[base | REASON] = EventReason.TRADED;
    return base;
  }

  blocked(sequence: number, account: number, blocked: number, reason: number): number {
    const base = this.append(EventKind.BLOCKED, sequence);
    const values = this.values;
    values[base | ACCOUNT] = account;
    values[base | AT_8] = blocked;
    values[base | REASON] = reason;
    return base;
  }

  reference(sequence: number, price: number, reason: number): number {
    const base = this.append(EventKind.REFERENCE, sequence);
    const values = this.values;
    values[base | ACCOUNT] = 0;
    values[base | PRICE] = price;
    values[base | REASON] = reason;
    return base;
  }

  private grow(): void {
    const values = new Float64Array(this.values.length * 2);
    values.set(this.values);
    this.values = values;
  }
}
