import {
  AuctionRule,
  CollarAction,
  MatchingPolicy,
  OrderType,
  Phase,
  RejectReason,
  Side,
  TimeInForce,
} from "./codes.ts";
import { broken } from "./invariant.ts";
import { COLLAR_WIDTH_MAX, INTEGER_MAX, REQUEST_EVENTS_MAX, REQUEST_FILLS_MAX } from "./limits.ts";

// Of this file, so that the compiler can fold them.
const { BUY, SELL } = Side;
const { LIMIT, MARKET } = OrderType;
const { DAY, FILL_OR_KILL, GOOD_TILL_CANCEL, IMMEDIATE_OR_CANCEL } = TimeInForce;

/** Prices from `from` on have this tick, up to the next band. */
export interface TickBand {
  readonly from: number;
  readonly tick: number;
}

/** How far a trade's price may be from a reference, RULES.md 5.2. Widths in hundredths of a percent, 0: no such collar. */
export interface Collars {
  readonly action: CollarAction;
  readonly staticWidth: number;
  readonly dynamicWidth: number;
  /** Microseconds that a volatility auction lasts; 0: until a command ends it. */
  readonly auctionUs: number;
}

/** What a book trades, in its own integer units, and by which rules. Rules that are absent do not apply. */
export interface Instrument {
  readonly symbol: string;
  /** Smallest price step, in price units, 1 or more. */
  readonly tick: number;
  /** Ticks by price, ascending `from`; each a multiple of `tick`. Below the first band the tick is `tick`. */
  readonly tickBands?: readonly TickBand[];
  /** Smallest quantity step, in quantity units, 1 or more. */
  readonly lot: number;
  /** Highest price and quantity of an order, up to 2^53 - 1. */
  readonly priceMax: number;
  readonly quantityMax: number;
  /** Highest price × quantity of an order, up to 2^53 - 1. */
  readonly notionalMax?: number;
  /** Default `PRICE_TIME`. */
  readonly policy?: MatchingPolicy;
  /** Default `XETRA`. */
  readonly auctionRule?: AuctionRule;
  readonly collars?: Collars;
  /** Hundredths of a percent. */
  readonly fatFingerWidth?: number;
  readonly messageRate?: { readonly messages: number; readonly windowUs: number };
  /** Fills that one order may cause at a time, at most and by default `REQUEST_FILLS_MAX`. */
  readonly requestFills?: number;
  /** Events after which what follows from a request waits, at most and by default `REQUEST_EVENTS_MAX`. */
  readonly requestEvents?: number;
  /** Of a book that has executed nothing; default `CONTINUOUS`. */
  readonly initialPhase?: Phase;
  /** Reference price of a book that has executed nothing; 0 or absent: none. */
  readonly referencePrice?: number;
}

/** Whether these are the good terms of a limit or market order that rests for the day, until cancelled, or not at all. */
export function isPlainOrder(
  instrument: Instrument,
  clientOrderId: number,
  side: number,
  type: number,
  timeInForce: number,
  price: number,
  quantity: number,
): boolean {
  if (!isOrderId(clientOrderId) || (side !== BUY && side !== SELL)) return false;
  if (!isGoodQuantity(instrument, quantity)) return false;
  if (type === LIMIT) {
    const isPlainTime =
      timeInForce >= DAY && timeInForce <= GOOD_TILL_CANCEL && Math.floor(timeInForce) === timeInForce;
    return isPlainTime && isGoodPrice(instrument, price);
  }
  const isImmediate = timeInForce === IMMEDIATE_OR_CANCEL || timeInForce === FILL_OR_KILL;
  return type === MARKET && isImmediate && (Object.is(price, 0) || isGoodPrice(instrument, price));
}

function isGoodQuantity(instrument: Instrument, quantity: number): boolean {
  return quantity >= 1 && quantity <= instrument.quantityMax && isMultiple(quantity, instrument.lot);
}

function isGoodPrice(instrument: Instrument, price: number): boolean {
  if (!(price >= 1 && price <= instrument.priceMax)) return false;
  return isMultiple(price, instrument.tickBands === undefined ? instrument.tick : tickAt(instrument, price));
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

/** Of a limit order, or any price that must be there. */
export function checkPrice(instrument: Instrument, price: number): 0 | RejectReason {
  if (!(price >= 1)) return RejectReason.INVALID_PRICE;
  if (price > instrument.priceMax) return RejectReason.PRICE_TOO_HIGH;
  if (Math.floor(price) !== price) return RejectReason.INVALID_PRICE;
  const tick = instrument.tickBands === undefined ? instrument.tick : tickAt(instrument, price);
  return isMultiple(price, tick) ? 0 : RejectReason.PRICE_OFF_TICK;
}

/** Of an order that may have a price; 0 is none. */
export function checkOptionalPrice(instrument: Instrument, price: number): 0 | RejectReason {
  // Not `===`: a -0 would stand in the events, and come back from the wire as another number.
  return Object.is(price, 0) ? 0 : checkPrice(instrument, price);
}

/** The tick at a price. */
export function tickAt(instrument: Instrument, price: number): number {
  let { tick } = instrument;
  for (const band of instrument.tickBands ?? []) if (price >= band.from) ({ tick } = band);
  return tick;
}

/** Whether a price can stand in the instrument's book: a positive safe integer on the smallest tick. */
export function isTickPrice(instrument: Instrument, price: number): boolean {
  return isOrderId(price) && isMultiple(price, instrument.tick);
}

/** Exact for safe integers: the quotient's rounding error stays below `1 / step`. Much cheaper than `%` on doubles. */
export function isMultiple(value: number, step: number): boolean {
  return Math.floor(value / step) * step === value;
}

type OptionalNumber =
  | "notionalMax"
  | "policy"
  | "auctionRule"
  | "fatFingerWidth"
  | "requestFills"
  | "requestEvents"
  | "initialPhase"
  | "referencePrice";

/** Throws `InvariantError` when an instrument's numbers are not whole or out of range: the caller did not check them. */
export function requireInstrument(instrument: Instrument): void {
  const wrong = (what: string): never => broken(`instrument ${instrument.symbol}: ${what}`);
  for (const field of ["tick", "lot", "priceMax", "quantityMax"] as const) {
    if (!isOrderId(instrument[field])) {
      wrong(`${field} is ${instrument[field]}, not a whole number from 1 to 2^53 - 1`);
    }
  }
  let last = 0;
  for (const { from, tick } of instrument.tickBands ?? []) {
    if (!isOrderId(from) || from <= last) wrong(`tick band ${from} does not lie above ${last}`);
    if (!isOrderId(tick) || !isMultiple(tick, instrument.tick))
      wrong(`tick ${tick} is no multiple of ${instrument.tick}`);
    last = from;
  }
  const optional = (field: OptionalNumber, low: number, high: number): void => {
    const value = instrument[field];
    if (value === undefined) return;
    if (!Number.isSafeInteger(value) || value < low || value > high)
      wrong(`${field} is ${value}, not a whole number from ${low} to ${high}`);
  };
  optional("notionalMax", 1, INTEGER_MAX);
  optional("policy", 1, Object.keys(MatchingPolicy).length);
  optional("auctionRule", 1, Object.keys(AuctionRule).length);
  optional("fatFingerWidth", 1, INTEGER_MAX);
  optional("requestFills", 1, REQUEST_FILLS_MAX);
  optional("requestEvents", 1, REQUEST_EVENTS_MAX);
  optional("initialPhase", 1, Object.keys(Phase).length);
  optional("referencePrice", 0, INTEGER_MAX);
  const { collars, messageRate } = instrument;
  if (collars !== undefined) {
    const { action, staticWidth, dynamicWidth, auctionUs } = collars;
    if (action !== CollarAction.REJECT && action !== CollarAction.AUCTION)
      wrong(`there is no collar action ${String(action)}`);
    for (const width of [staticWidth, dynamicWidth]) {
      if (!(width === 0 || isOrderId(width)) || width > COLLAR_WIDTH_MAX)
        wrong(`collar width ${width} is not from 0 to ${COLLAR_WIDTH_MAX}`);
    }
    if (auctionUs !== 0 && !isOrderId(auctionUs)) wrong(`auctionUs ${auctionUs} is not a whole number`);
  }
  if (messageRate !== undefined && !(isOrderId(messageRate.messages) && isOrderId(messageRate.windowUs)))
    wrong(`a message rate of ${messageRate.messages} in ${messageRate.windowUs} microseconds`);
}
