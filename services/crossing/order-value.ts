import { OrderRow, type OrderTerms } from "../../proto/generated/evercross/v1/event.ts";
import type { OrderType, Side, TimeInForce } from "../../proto/generated/evercross/v1/types.ts";
import { MessageScan } from "./message-scan.ts";
import { TextCache } from "./text-cache.ts";

/** The integers of an `OrderRow` and its session; 0 is not stored. */
export interface OrderValue {
  readonly orderId: number;
  readonly session: string;
  readonly clientOrderId: number;
  readonly side: number;
  readonly type: number;
  readonly timeInForce: number;
  readonly price: number;
  readonly quantity: number;
  readonly leaves: number;
  readonly priority: number;
  readonly shown: number;
}

/** What an `OrderRow` has in addition when its order is not a plain one. */
export interface SpecialValue {
  /** Without account. */
  readonly terms: OrderTerms;
  /** Empty: the session's own. */
  readonly account: string;
}

/** Field number of an `OrderRow`; what else of it is no integer has a higher one. */
const SESSION = 2;

/** Eleven fields of a byte of tag and at most eight of integer each, and the session's length. */
const FIELDS_BYTES = 110;
const CHARACTER_BYTES = 3;

class Writer {
  bytes = Buffer.allocUnsafe(FIELDS_BYTES + 64 * CHARACTER_BYTES);
  at = 0;

  begin(session: string): void {
    this.at = 0;
    const room = FIELDS_BYTES + session.length * CHARACTER_BYTES;
    if (this.bytes.length < room) this.bytes = Buffer.allocUnsafe(room);
  }

  integer(tag: number, value: number): void {
    if (value === 0) return;
    this.bytes[this.at++] = tag;
    this.varint(value);
  }

  varint(value: number): void {
    let rest = value;
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) this.bytes[this.at++] = (rest % 0x80) | 0x80;
    this.bytes[this.at++] = rest;
  }

  text(tag: number, value: string): void {
    if (value === "") return;
    this.bytes[this.at++] = tag;
    this.varint(Buffer.byteLength(value));
    this.at += this.bytes.write(value, this.at);
  }

  finish(): Uint8Array {
    return Buffer.from(this.bytes.subarray(0, this.at));
  }
}

const writer = new Writer();

/** A whole order as an encoded `OrderRow`. */
export function orderValue(order: OrderValue, special: SpecialValue | undefined): Uint8Array {
  if (special !== undefined) {
    const { side, type, timeInForce } = order as OrderRow;
    return OrderRow.encode({ ...order, side, type, timeInForce, ...special, triggerPrice: 0 }).finish();
  }
  writer.begin(order.session);
  writer.integer(0x08, order.orderId);
  writer.text(0x12, order.session);
  writer.integer(0x18, order.clientOrderId);
  writer.integer(0x20, order.side);
  writer.integer(0x28, order.type);
  writer.integer(0x30, order.timeInForce);
  return open(order.price, order.quantity, order.leaves, order.priority, order.shown);
}

/** What adds to an order's row as an encoded `OrderRow`; 0 for what it does not state. */
export function partValue(
  price: number,
  quantity: number,
  leaves: number,
  priority: number,
  shown: number,
): Uint8Array {
  writer.begin("");
  return open(price, quantity, leaves, priority, shown);
}

function open(price: number, quantity: number, leaves: number, priority: number, shown: number): Uint8Array {
  writer.integer(0x38, price);
  writer.integer(0x40, quantity);
  writer.integer(0x48, leaves);
  writer.integer(0x50, priority);
  writer.integer(0x58, shown);
  return writer.finish();
}

/** The same of a waiting order: where its trigger price and its priority now are. */
export function triggerValue(triggerPrice: number, priority: number): Uint8Array {
  writer.begin("");
  writer.integer(0x50, priority);
  writer.integer(0x70, triggerPrice);
  return writer.finish();
}

/** The same of an order that waited and now rests. */
export function typeValue(type: number): Uint8Array {
  writer.begin("");
  writer.integer(0x28, type);
  return writer.finish();
}

/** Sessions come again and again: their names are decoded once. */
const sessions = new TextCache();

/** An encoded `OrderRow`. A restart reads one for each live order. Throws `RangeError` when it cannot be read. */
export function readOrderValue(value: Uint8Array): OrderRow {
  const scan = new MessageScan(value);
  const numbers = scan.flat();
  if (scan.nested > SESSION) return readSpecial(value);
  return {
    orderId: numbers[1] as number,
    session: scan.text(sessions),
    clientOrderId: numbers[3] as number,
    side: numbers[4] as Side,
    type: numbers[5] as OrderType,
    timeInForce: numbers[6] as TimeInForce,
    price: numbers[7] as number,
    quantity: numbers[8] as number,
    leaves: numbers[9] as number,
    priority: numbers[10] as number,
    shown: numbers[11] as number,
    terms: undefined,
    account: "",
    triggerPrice: numbers[14] as number,
  };
}

function readSpecial(value: Uint8Array): OrderRow {
  try {
    return OrderRow.decode(value);
  } catch (error) {
    throw new RangeError(`no order row that can be read: ${String(error)}`, { cause: error });
  }
}
