import {
  type ExecutionReport,
  type FurtherTerms,
  type OrderStatus,
  ReportKind,
} from "../../proto/generated/evercross/v1/gateway.ts";
import {
  CancelReason,
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
import { momentText } from "./moment.ts";

/** `STOP_LIMIT` as `stop limit`. */
export function wordsOf(codes: Readonly<Record<string, number>>, value: number): string {
  return codeName(codes, value).toLowerCase().replaceAll("_", " ");
}

/** One execution report as a line. */
export function reportText(report: ExecutionReport): string {
  return `${heading(report).padEnd(10)} ${subject(report)}: ${outcome(report)} (event ${report.event})`;
}

/** A live order as a line. */
export function statusText(status: OrderStatus): string {
  const { symbol, clientOrderId, leaves, shown } = status;
  const further = termList(status.type, status.timeInForce, status.terms);
  if (shown < leaves) further.push(shown === 0 ? "shows nothing" : `shows ${shown}`);
  const list = [`${leaves} open${priceText(status.price, status.type)}`, ...further].join(", ");
  return `live       ${symbol} order ${clientOrderId}: ${list}`;
}

const ENTRY_HEADINGS: Readonly<Record<number, string>> = {
  [EventReason.TRIGGERED]: "triggered",
  [EventReason.PEG_MOVED]: "moved",
  [EventReason.ALL_OR_NONE_MATCHED]: "matched",
};

function heading({ kind, reason }: ExecutionReport): string {
  if (kind === ReportKind.ENTERED) return ENTRY_HEADINGS[reason] ?? "entered";
  if (kind === ReportKind.TRIGGER_MOVED) return "trigger";
  return wordsOf(ReportKind, kind);
}

function subject({ kind, symbol, side, clientOrderId }: ExecutionReport): string {
  if (kind === ReportKind.MASS_CANCELLED) return symbol;
  if (kind === ReportKind.REJECTED) return `${symbol} order ${clientOrderId}`;
  return `${symbol} ${side === Side.BUY ? "buy" : "sell"} order ${clientOrderId}`;
}

function outcome(report: ExecutionReport): string {
  const { price, quantity, leaves, reason } = report;
  switch (report.kind) {
    case ReportKind.ACCEPTED: {
      const further = termList(report.type, report.timeInForce, report.terms);
      if (reason === EventReason.REPRICED) further.unshift("repriced");
      return [`${quantity}${priceText(price, report.type)}`, ...further].join(", ");
    }
    case ReportKind.REJECTED:
      return wordsOf(RejectReason, report.rejectReason);
    case ReportKind.FILL: {
      const role =
        reason === EventReason.AUCTION_FILL ? "in the auction" : `as ${report.maker ? "maker" : "taker"}`;
      return `${report.lastQuantity} at ${report.lastPrice} ${role}, ${leaves} open`;
    }
    case ReportKind.CANCELLED:
      return `${quantity}, ${wordsOf(CancelReason, report.cancelReason)}`;
    case ReportKind.REPLACED: {
      const place = report.priorityKept ? "keeps its place" : "to the end of its line";
      const repriced = reason === EventReason.REPRICED ? ", repriced" : "";
      return `${quantity}${priceText(price)}${repriced}, ${leaves} open, ${place}`;
    }
    case ReportKind.MASS_CANCELLED: {
      const ended = `${quantity} ${quantity === 1 ? "order" : "orders"} cancelled`;
      return report.remaining === 0 ? ended : `${ended}, ${report.remaining} are still live: cancel again`;
    }
    case ReportKind.ENTERED:
      return `${leaves}${priceText(price)}`;
    case ReportKind.REFRESHED:
      return `shows ${report.shown} of ${leaves}, at the end of its line`;
    case ReportKind.TRIGGER_MOVED:
      return `at ${report.triggerPrice}`;
    case ReportKind.DECREMENTED:
      return `${quantity} in all, ${leaves} open, ${wordsOf(EventReason, reason)}`;
    default:
      return `${quantity}${priceText(price)}`;
  }
}

/** 0 is no limit; a pegged order has a price without one. */
function priceText(price: number, type?: OrderType): string {
  if (price !== 0) return ` at ${price}`;
  return type === OrderType.PEGGED ? "" : " at market";
}

/** What an order is beyond a plain one, in words. */
function termList(type: OrderType, timeInForce: TimeInForce, terms: FurtherTerms | undefined): string[] {
  const list: string[] = [];
  const add = (text: string, present = true): void => {
    if (present) list.push(text);
  };
  add(wordsOf(OrderType, type), type !== OrderType.LIMIT && type !== OrderType.MARKET);
  const usual = type === OrderType.MARKET ? TimeInForce.IMMEDIATE_OR_CANCEL : TimeInForce.DAY;
  if (terms === undefined || terms.expiryUs === 0) {
    add(wordsOf(TimeInForce, timeInForce), timeInForce !== usual);
    if (terms === undefined) return list;
  } else add(`good till ${momentText(terms.expiryUs)}`);
  add(`trigger ${terms.triggerPrice}`, terms.triggerPrice !== 0);
  add(`peg ${wordsOf(Peg, terms.peg)}`, terms.peg !== Peg.UNSPECIFIED);
  add(`offset ${terms.offset}`, terms.offset !== 0);
  add(`display ${terms.displayQuantity}`, terms.displayQuantity !== 0);
  add("hidden", terms.hidden);
  add(`minimum ${terms.minQuantity}`, terms.minQuantity !== 0);
  add("all or none", terms.allOrNone);
  add(`post only (${wordsOf(PostOnly, terms.postOnly)})`, terms.postOnly !== PostOnly.UNSPECIFIED);
  add(`self-trade ${wordsOf(SelfTrade, terms.selfTrade)}`, terms.selfTrade !== SelfTrade.UNSPECIFIED);
  add(`one cancels other with #${terms.partnerOrderId}`, terms.partnerOrderId !== 0);
  add(`for ${terms.account}`, terms.account !== "");
  return list;
}
