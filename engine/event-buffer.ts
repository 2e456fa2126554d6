import { EVENTS_INITIAL } from "./limits.ts";

export const EventKind = {
  ACCEPTED: 1,
  REJECTED: 2,
  TRADE: 3,
  CANCELLED: 4,
  REPLACED: 5,
  MASS_CANCELLED: 6,
} as const;
export type EventKind = (typeof EventKind)[keyof typeof EventKind];

/** Numbers that one event takes in `EventBuffer.values`: a power of two, 128 bytes. */
export const EVENT_WIDTH = 16;

/**
 * Offsets of an event's fields from its base, `index * EVENT_WIDTH`. All kinds have KIND, SEQUENCE and ACCOUNT; kinds
 * share offsets, and fields that a kind lacks hold anything:
 *
 *      offset          3         4                5     6      7         8          9              10       11              12             13                     14
 *      ACCEPTED        ORDER_ID  CLIENT_ORDER_ID  SIDE  PRICE  QUANTITY  TYPE       TIME_IN_FORCE  RESTING
 *      REJECTED                  CLIENT_ORDER_ID                         REASON
 *      TRADE, taker's  ORDER_ID  CLIENT_ORDER_ID  SIDE  PRICE  QUANTITY             LEAVES                  MAKER_ORDER_ID  MAKER_ACCOUNT  MAKER_CLIENT_ORDER_ID  MAKER_LEAVES
 *      CANCELLED       ORDER_ID  CLIENT_ORDER_ID  SIDE  PRICE  QUANTITY  REASON                    RESTED
 *      REPLACED        ORDER_ID  CLIENT_ORDER_ID  SIDE  PRICE  QUANTITY             LEAVES         RESTING  OLD_PRICE       OLD_LEAVES     PRIORITY_KEPT
 *      MASS_CANCELLED                                                    CANCELLED  REMAINING
 *
 * The meaning of each is that of the messages of `proto/evercross/v1/event.proto`.
 */
export const EventField = {
  KIND: 0,
  /** The event's number in the symbol's sequence, from 1, gap-free. */
  SEQUENCE: 1,
  /** Who asked; of `CANCELLED`: whose order it was. */
  ACCOUNT: 2,
  ORDER_ID: 3,
  /** Of `REJECTED`: 0 when what was sent is not an id. */
  CLIENT_ORDER_ID: 4,
  SIDE: 5,
  PRICE: 6,
  QUANTITY: 7,
  TYPE: 8,
  REASON: 8,
  CANCELLED: 8,
  TIME_IN_FORCE: 9,
  LEAVES: 9,
  REMAINING: 9,
  RESTING: 10,
  RESTED: 10,
  MAKER_ORDER_ID: 11,
  OLD_PRICE: 11,
  MAKER_ACCOUNT: 12,
  OLD_LEAVES: 12,
  MAKER_CLIENT_ORDER_ID: 13,
  /** 1 or 0. */
  PRIORITY_KEPT: 13,
  MAKER_LEAVES: 14,
} as const;

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
    const base = this.length * EVENT_WIDTH;
    if (base === this.values.length) this.grow();
    this.length++;
    const values = this.values;
    values[base] = kind;
    values[base + SEQUENCE] = sequence;
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
  ): number {
    const base = this.append(EventKind.ACCEPTED, sequence);
    const values = this.values;
    values[base + ACCOUNT] = account;
    values[base + ORDER_ID] = orderId;
    values[base + CLIENT_ORDER_ID] = clientOrderId;
    values[base + SIDE] = side;
    values[base + PRICE] = price;
    values[base + QUANTITY] = quantity;
    values[base + AT_8] = type;
    values[base + AT_9] = timeInForce;
    values[base + AT_10] = resting;
    return base;
  }

  rejected(sequence: number, account: number, clientOrderId: number, reason: number): number {
    const base = this.append(EventKind.REJECTED, sequence);
    const values = this.values;
    values[base + ACCOUNT] = account;
    values[base + CLIENT_ORDER_ID] = clientOrderId;
    values[base + AT_8] = reason;
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
    makerAccount: number,
    makerOrderId: number,
    makerClientOrderId: number,
    makerLeaves: number,
  ): number {
    const base = this.append(EventKind.TRADE, sequence);
    const values = this.values;
    values[base + ACCOUNT] = takerAccount;
    values[base + ORDER_ID] = takerOrderId;
    values[base + CLIENT_ORDER_ID] = takerClientOrderId;
    values[base + SIDE] = takerSide;
    values[base + PRICE] = price;
    values[base + QUANTITY] = quantity;
    values[base + AT_9] = takerLeaves;
    values[base + AT_11] = makerOrderId;
    values[base + AT_12] = makerAccount;
    values[base + AT_13] = makerClientOrderId;
    values[base + AT_14] = makerLeaves;
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
    reason: number,
  ): number {
    const base = this.append(EventKind.CANCELLED, sequence);
    const values = this.values;
    values[base + ACCOUNT] = account;
    values[base + ORDER_ID] = orderId;
    values[base + CLIENT_ORDER_ID] = clientOrderId;
    values[base + SIDE] = side;
    values[base + PRICE] = price;
    values[base + QUANTITY] = quantity;
    values[base + AT_8] = reason;
    values[base + AT_10] = rested;
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
    price: number,
    quantity: number,
    leaves: number,
    resting: number,
    priorityKept: boolean,
  ): number {
    const base = this.append(EventKind.REPLACED, sequence);
    const values = this.values;
    values[base + ACCOUNT] = account;
    values[base + ORDER_ID] = orderId;
    values[base + CLIENT_ORDER_ID] = clientOrderId;
    values[base + SIDE] = side;
    values[base + PRICE] = price;
    values[base + QUANTITY] = quantity;
    values[base + AT_9] = leaves;
    values[base + AT_10] = resting;
    values[base + AT_11] = oldPrice;
    values[base + AT_12] = oldLeaves;
    values[base + AT_13] = priorityKept ? 1 : 0;
    return base;
  }

  massCancelled(sequence: number, account: number, cancelled: number, remaining: number): number {
    const base = this.append(EventKind.MASS_CANCELLED, sequence);
    const values = this.values;
    values[base + ACCOUNT] = account;
    values[base + AT_8] = cancelled;
    values[base + AT_9] = remaining;
    return base;
  }

  private grow(): void {
    const values = new Float64Array(this.values.length * 2);
    values.set(this.values);
    this.values = values;
  }
}
