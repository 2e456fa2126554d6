import { OrderType, Peg, PostOnly, RejectReason, SelfTrade, Side, TimeInForce } from "./codes.ts";
import {
  checkOptionalPrice,
  checkPrice,
  checkQuantity,
  type Instrument,
  isMultiple,
  isOrderId,
} from "./instrument.ts";
import { INTEGER_MAX } from "./limits.ts";
import { OWN_ACCOUNT, type OrderEntry } from "./order-entry.ts";
import { isAccount } from "./order-table.ts";

type Refusal = 0 | RejectReason;

const OF_MARKET: readonly number[] = [
  TimeInForce.IMMEDIATE_OR_CANCEL,
  TimeInForce.FILL_OR_KILL,
  TimeInForce.AT_THE_OPEN,
  TimeInForce.AT_THE_CLOSE,
];

/** Whether an order of this type waits for a trigger price. */
export function isWaitingType(type: number): boolean {
  return type >= OrderType.STOP && type <= OrderType.MARKET_IF_TOUCHED;
}

/** Whether an order of this type may be without a price. */
export function isPriceOptional(type: number): boolean {
  return type !== OrderType.LIMIT && type !== OrderType.STOP_LIMIT;
}

/** Whether the time in force lets an order rest in the book. */
export function isRestingTime(timeInForce: number): boolean {
  return (
    timeInForce === TimeInForce.DAY ||
    timeInForce === TimeInForce.GOOD_TILL_CANCEL ||
    timeInForce === TimeInForce.GOOD_TILL_DATE
  );
}

/** Price of an order of this type. */
export function checkPriceOf(instrument: Instrument, type: number, price: number): Refusal {
  return isPriceOptional(type) ? checkOptionalPrice(instrument, price) : checkPrice(instrument, price);
}

/** A trigger price that is there. */
export function checkTriggerPrice(instrument: Instrument, price: number): Refusal {
  return checkPrice(instrument, price) === 0 ? 0 : RejectReason.INVALID_TRIGGER_PRICE;
}

/**
 * 0 when the terms can be entered, else the first reason why not; RULES.md 1.1 to 1.3. What depends on the book – its
 * phase, whether the id is free, accounts, limits – is the book's to say. `now`: microseconds since the Unix epoch.
 */
export function checkEntry(instrument: Instrument, entry: OrderEntry, now: number): Refusal {
  const { clientOrderId, side, type, timeInForce } = entry;
  if (!isOrderId(clientOrderId)) return RejectReason.INVALID_ORDER_ID;
  if (side !== Side.BUY && side !== Side.SELL) return RejectReason.INVALID_SIDE;
  if (!(type >= OrderType.LIMIT && type <= OrderType.PEGGED && Number.isInteger(type)))
    return RejectReason.INVALID_ORDER_TYPE;
  return (
    checkTime(type, timeInForce) ||
    checkQuantity(instrument, entry.quantity) ||
    checkPriceOf(instrument, type, entry.price) ||
    checkSizes(instrument, entry) ||
    checkPrices(instrument, entry) ||
    checkExpiry(entry, now) ||
    checkInstructions(entry) ||
    (isPossible(entry) ? 0 : RejectReason.INVALID_COMBINATION)
  );
}

function checkTime(type: number, timeInForce: number): Refusal {
  const isKnown =
    Number.isInteger(timeInForce) &&
    timeInForce >= TimeInForce.DAY &&
    timeInForce <= TimeInForce.AT_THE_CLOSE;
  if (!isKnown) return RejectReason.INVALID_TIME_IN_FORCE;
  if (type === OrderType.MARKET)
    return OF_MARKET.includes(timeInForce) ? 0 : RejectReason.INVALID_TIME_IN_FORCE;
  if (type === OrderType.LIMIT) return 0;
  return isRestingTime(timeInForce) ? 0 : RejectReason.INVALID_TIME_IN_FORCE;
}

/** Display and minimum quantity. */
function checkSizes(instrument: Instrument, entry: OrderEntry): Refusal {
  const { displayQuantity, minQuantity, quantity } = entry;
  if (!Object.is(displayQuantity, 0)) {
    const isGood = checkQuantity(instrument, displayQuantity) === 0 && displayQuantity < quantity;
    if (!isGood) return RejectReason.INVALID_DISPLAY_QUANTITY;
  }
  if (Object.is(minQuantity, 0)) return 0;
  const isGood = checkQuantity(instrument, minQuantity) === 0 && minQuantity <= quantity;
  return isGood ? 0 : RejectReason.INVALID_MINIMUM_QUANTITY;
}

/** Trigger price, offset and peg. */
function checkPrices(instrument: Instrument, entry: OrderEntry): Refusal {
  const { type, triggerPrice, offset, peg } = entry;
  const isTrailing = type === OrderType.TRAILING_STOP;
  const mayLackTrigger = isTrailing || !isWaitingType(type);
  if (!(Object.is(triggerPrice, 0) && mayLackTrigger) && checkTriggerPrice(instrument, triggerPrice) !== 0) {
    return RejectReason.INVALID_TRIGGER_PRICE;
  }
  if (!Number.isSafeInteger(offset) || Object.is(offset, -0) || !isMultiple(offset, instrument.tick)) {
    return RejectReason.INVALID_OFFSET;
  }
  if (isTrailing && offset < 1) return RejectReason.INVALID_OFFSET;
  if (Object.is(peg, 0)) return type === OrderType.PEGGED ? RejectReason.INVALID_PEG : 0;
  return peg === Peg.PRIMARY || peg === Peg.MIDPOINT || peg === Peg.MARKET ? 0 : RejectReason.INVALID_PEG;
}

function checkExpiry({ timeInForce, expiry }: OrderEntry, now: number): Refusal {
  if (Object.is(expiry, 0) && timeInForce !== TimeInForce.GOOD_TILL_DATE) return 0;
  return isOrderId(expiry) && expiry > now ? 0 : RejectReason.INVALID_EXPIRY;
}

function checkInstructions({ postOnly, selfTrade, oco, forAccount }: OrderEntry): Refusal {
  if (!isCode(postOnly, PostOnly.REPRICE) || !isCode(selfTrade, SelfTrade.DECREMENT)) {
    return RejectReason.INVALID_INSTRUCTION;
  }
  if (!isCode(oco, INTEGER_MAX)) return RejectReason.UNKNOWN_PARTNER;
  const isKnown = forAccount === OWN_ACCOUNT || (isAccount(forAccount) && !Object.is(forAccount, -0));
  return isKnown ? 0 : RejectReason.UNKNOWN_ACCOUNT;
}

/** A whole number from 0 to `last`. A -0 would stand in the events, and come back from the wire as another number. */
function isCode(value: number, last: number): boolean {
  return value >= 0 && value <= last && Number.isInteger(value) && !Object.is(value, -0);
}

/** The combinations of RULES.md 1.3. */
function isPossible(entry: OrderEntry): boolean {
  const { type, timeInForce, displayQuantity, minQuantity, hidden, allOrNone, postOnly } = entry;
  const rests = isRestingTime(timeInForce);
  const isLimit = type === OrderType.LIMIT;
  const isImmediate = timeInForce === TimeInForce.IMMEDIATE_OR_CANCEL;
  const shows = (isLimit || type === OrderType.STOP_LIMIT) && rests;
  if (type === OrderType.MARKET && entry.price !== 0 && timeInForce >= TimeInForce.AT_THE_OPEN) return false;
  if (displayQuantity !== 0 && !(shows && !hidden)) return false;
  if (hidden && !shows) return false;
  if (
    minQuantity !== 0 &&
    !((isLimit && (rests || isImmediate)) || (type === OrderType.MARKET && isImmediate))
  ) {
    return false;
  }
  if (
    allOrNone &&
    !(isLimit && rests && !hidden && displayQuantity === 0 && minQuantity === 0 && postOnly === 0)
  ) {
    return false;
  }
  if (postOnly !== 0 && !(isLimit && rests && minQuantity === 0)) return false;
  if (entry.triggerPrice !== 0 && !isWaitingType(type)) return false;
  if (entry.offset !== 0 && type !== OrderType.TRAILING_STOP && type !== OrderType.PEGGED) return false;
  if (entry.peg !== 0 && type !== OrderType.PEGGED) return false;
  if (entry.expiry !== 0 && timeInForce !== TimeInForce.GOOD_TILL_DATE) return false;
  return entry.oco === 0 || rests || timeInForce >= TimeInForce.AT_THE_OPEN;
}
