import { OrderType, Peg, PostOnly, SelfTrade, TimeInForce } from "./codes.ts";
import { isPriceOptional, isRestingTime, isWaitingType } from "./entry-check.ts";
import { EventField } from "./event-fields.ts";
import { isOrderId } from "./instrument.ts";
import { isAccount } from "./order-table.ts";

const F = EventField;

/**
 * The first field of an `ACCEPTED`, or of the `TERMS` before it, that no order that rests can have; undefined: there is
 * none. `accepted` and `terms` are bases in `values`, `terms` -1 without further terms. Lots, bands and maxima are not
 * looked at: the instrument's may have changed since.
 */
export function wrongTerm(values: Float64Array, accepted: number, terms: number): string | undefined {
  const type = values[accepted + F.TYPE]!;
  const timeInForce = values[accepted + F.TIME_IN_FORCE]!;
  const isAuction = timeInForce === TimeInForce.AT_THE_OPEN || timeInForce === TimeInForce.AT_THE_CLOSE;
  if (!isCode(type, OrderType.LIMIT, OrderType.PEGGED)) return "type";
  if (isAuction ? type > OrderType.MARKET : type === OrderType.MARKET || !isRestingTime(timeInForce))
    return "time in force";
  if (values[accepted + F.PRICE] === 0 && !isPriceOptional(type)) return "price";
  if (terms < 0)
    return type > OrderType.MARKET || timeInForce === TimeInForce.GOOD_TILL_DATE
      ? "type without terms"
      : undefined;
  const of = (field: number): number => values[terms + field]!;
  const isPegged = type === OrderType.PEGGED;
  if (of(F.DISPLAY_QUANTITY) !== 0 && !isBelow(of(F.DISPLAY_QUANTITY), values[accepted + F.QUANTITY]!))
    return "display quantity";
  if (of(F.MIN_QUANTITY) !== 0 && !isOrderId(of(F.MIN_QUANTITY))) return "minimum quantity";
  if (isPegged ? !isCode(of(F.PEG), Peg.PRIMARY, Peg.MARKET) : of(F.PEG) !== 0) return "peg";
  if (isWaitingType(type) ? !isOrderId(of(F.TRIGGER_PRICE)) : of(F.TRIGGER_PRICE) !== 0)
    return "trigger price";
  const isDistance =
    type === OrderType.TRAILING_STOP ? isOrderId(of(F.OFFSET)) : Number.isSafeInteger(of(F.OFFSET));
  if (!isDistance || (of(F.OFFSET) !== 0 && !isPegged && type !== OrderType.TRAILING_STOP)) return "offset";
  const isDated = timeInForce === TimeInForce.GOOD_TILL_DATE;
  if (isDated ? !isOrderId(of(F.EXPIRY)) : of(F.EXPIRY) !== 0) return "expiry";
  if (!isCode(of(F.HIDDEN), 0, 1)) return "hidden";
  if (!isCode(of(F.ALL_OR_NONE), 0, 1)) return "all-or-none";
  if (!isCode(of(F.POST_ONLY), 0, PostOnly.REPRICE)) return "post-only instruction";
  if (!isCode(of(F.SELF_TRADE), 0, SelfTrade.DECREMENT)) return "self-trade instruction";
  return of(F.FOR_ACCOUNT) === -1 || isAccount(of(F.FOR_ACCOUNT)) ? undefined : "account that it is for";
}

function isCode(value: number, low: number, high: number): boolean {
  return Number.isInteger(value) && value >= low && value <= high;
}

function isBelow(part: number, whole: number): boolean {
  return isOrderId(part) && part < whole;
}
