import {
  type ExecutionReport,
  type FurtherTerms,
  ReportKind,
} from "../../proto/generated/evercross/v1/gateway.ts";
import {
  EventReason,
  OrderType,
  Peg,
  PostOnly,
  RejectReason,
  SelfTrade,
  Side,
  TimeInForce,
} from "../../proto/generated/evercross/v1/types.ts";
import { codeName } from "../../runtime/code-name.ts";

const nameOf = (codes: Readonly<Record<string, number>>, value: number): string =>
  codeName(codes, value).toLowerCase().replaceAll("_", "-");

/** Everything that a report says of its order, in one short line; what is 0 or unspecified is left out. */
export function reportLine(report: ExecutionReport): string {
  const { kind, clientOrderId, side, price, quantity, type, timeInForce, terms, reason } = report;
  const parts = [nameOf(ReportKind, kind)];
  const add = (text: string, present: unknown = true): void => {
    if (present !== 0 && present !== false) parts.push(text);
  };
  add(`#${clientOrderId}`, clientOrderId);
  add(nameOf(Side, side), side);
  add(`${quantity}@${price}`, quantity);
  add(nameOf(OrderType, type), type);
  add(nameOf(TimeInForce, timeInForce), timeInForce);
  if (terms !== undefined) parts.push(...termWords(terms));
  add(`trigger=${report.triggerPrice}`, report.triggerPrice);
  add(`${report.lastQuantity}@${report.lastPrice} ${report.maker ? "maker" : "taker"}`, report.lastQuantity);
  add(`open=${report.leaves}`, kind !== ReportKind.REJECTED && kind !== ReportKind.TRIGGER_MOVED);
  add(`shown=${report.shown}`, report.shown);
  add(`shown-${report.shownLess}`, report.shownLess);
  add(`remaining=${report.remaining}`, report.remaining);
  add("place-kept", report.priorityKept);
  add(nameOf(RejectReason, report.rejectReason), report.rejectReason);
  add(`(${nameOf(EventReason, reason)})`, reason);
  return parts.join(" ");
}

function termWords(terms: FurtherTerms): string[] {
  const words: string[] = [];
  const add = (word: string, present: unknown): void => {
    if (present !== 0 && present !== false && present !== "") words.push(word);
  };
  add(`display=${terms.displayQuantity}`, terms.displayQuantity);
  add(`min=${terms.minQuantity}`, terms.minQuantity);
  add(`trigger=${terms.triggerPrice}`, terms.triggerPrice);
  add(`offset=${terms.offset}`, terms.offset);
  add(`peg-${nameOf(Peg, terms.peg)}`, terms.peg);
  add("expiry", terms.expiryUs);
  add("hidden", terms.hidden);
  add("all-or-none", terms.allOrNone);
  add(`post-only-${nameOf(PostOnly, terms.postOnly)}`, terms.postOnly);
  add(`self-trade-${nameOf(SelfTrade, terms.selfTrade)}`, terms.selfTrade);
  add(`partner=${terms.partnerOrderId}`, terms.partnerOrderId);
  add(`for=${terms.account}`, terms.account);
  return words;
}
