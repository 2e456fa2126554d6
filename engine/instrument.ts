import { OrderType, RejectReason, Side, TimeInForce } from "./codes.ts";
import { broken } from "./invariant.ts";
import { INTEGER_MAX } from "./limits.ts";

// Of this file, so that the compiler can fold them.
const { BUY, SELL } = Side;
const { LIMIT, MARKET } = OrderType;
const { DAY, FILL_OR_KILL, IMMEDIATE_OR_CANCEL } = TimeInForce;

/** What a book trades, in its own integer units. */
export interface Instrument {
  readonly symbol: string;
  /** Smallest price step, in price units, 1 or more. */
  readonly tick: number;
  /** Smallest quantity step, in quantity units, 1 or more. */
  readonly lot: number;
  /** Highest price and quantity of an order, up to 2^53 - 1. */
  readonly priceMax: number;
  readonly quantityMax: number;
}

/** Terms of a new order as they arrive: any number at all, checked by `checkTerms`. */
export interface Terms {
  /** 1 to 2^53 - 1. */
  readonly clientOrderId: number;
  readonly side: number;
  readonly type: number;
  readonly timeInForce: number;
  /** A multiple of the tick; 0 for a market order. */
  readonly price: number;
  /** A multiple of the lot. */
  readonly quantity: number;
}

/** 0 when the terms can be entered, else the first reason why not. Whether the id is in use is the book's to say. */
export function checkTerms(instrument: Instrument, terms: Terms): 0 | RejectReason {
  const { clientOrderId, side, type, timeInForce, price, quantity } = terms;
  return checkOrder(instrument, clientOrderId, side, type, timeInForce, price, quantity);
}

/** `checkTerms` without an object, for the book. */
export function checkOrder(
  instrument: Instrument,
  clientOrderId: number,
  side: number,
  type: number,
  timeInForce: number,
  price: number,
  quantity: number,
): 0 | RejectReason {
  if (!isOrderId(clientOrderId)) return RejectReason.INVALID_ORDER_ID;
  if (side !== BUY && side !== SELL) return RejectReason.INVALID_SIDE;
  if (type === LIMIT) {
    if (timeInForce !== DAY && timeInForce !== IMMEDIATE_OR_CANCEL && timeInForce !== FILL_OR_KILL) {
      return RejectReason.INVALID_TIME_IN_FORCE;
    }
    return checkQuantity(instrument, quantity) || checkPrice(instrument, price);
  }
  if (type !== MARKET) return RejectReason.INVALID_ORDER_TYPE;
  if (timeInForce !== IMMEDIATE_OR_CANCEL && timeInForce !== FILL_OR_KILL) {
    return RejectReason.INVALID_TIME_IN_FORCE;
  }
  // Not `===`: a -0 would stand in the events, and come back from the wire as another number.
  return checkQuantity(instrument, quantity) || (Object.is(price, 0) ? 0 : RejectReason.INVALID_PRICE);
}

export function isOrderId(value: number): boolean {
  return value >= 1 && value <= INTEGER_MAX && Math.floor(value) === value;
}

export function checkQuantity(instrument: Instrument, quantity: number): 0 | RejectReason {
  if (!(quantity >= 1)) return RejectReason.INVALID_QUANTITY;
  if (quantity > instrument.quantityMax) return RejectReason.QUANTITY_TOO_LARGE;
  if (Math.floor(quantity) !== quantity) return RejectReason.INVALID_QUANTITY;
  return isMultiple(quantity, instrument.lot) ? 0 : RejectReason.QUANTITY_OFF_LOT;
}

/** Of a limit order. */
export function checkPrice(instrument: Instrument, price: number): 0 | RejectReason {
  if (!(price >= 1)) return RejectReason.INVALID_PRICE;
  if (price > instrument.priceMax) return RejectReason.PRICE_TOO_HIGH;
  if (Math.floor(price) !== price) return RejectReason.INVALID_PRICE;
  return isMultiple(price, instrument.tick) ? 0 : RejectReason.PRICE_OFF_TICK;
}

/** Whether a price can stand in the instrument's book: a positive safe integer on the tick. */
export function isTickPrice(instrument: Instrument, price: number): boolean {
  return isOrderId(price) && isMultiple(price, instrument.tick);
}

/** Exact for safe integers: the quotient's rounding error stays below `1 / step`. Much cheaper than `%` on doubles. */
function isMultiple(value: number, step: number): boolean {
  return Math.floor(value / step) * step === value;
}

/** Throws `InvariantError` when an instrument's numbers are not whole or out of range: the caller did not check them. */
export function requireInstrument(instrument: Instrument): void {
  for (const field of ["tick", "lot", "priceMax", "quantityMax"] as const) {
    if (!isOrderId(instrument[field])) {
      broken(
        `instrument ${instrument.symbol}: ${field} is ${instrument[field]}, not a whole number from 1 to 2^53 - 1`,
      );
    }
  }
}
