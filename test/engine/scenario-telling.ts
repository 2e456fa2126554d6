import {
  CancelReason,
  EventReason,
  OrderType,
  Peg,
  Phase,
  PostOnly,
  RejectReason,
  SelfTrade,
  Side,
  TimeInForce,
} from "../../engine/codes.ts";
import type { LiveOrder } from "../../engine/live-order.ts";
import type { EventObject, FieldName } from "./event-objects.ts";
import { nameIn, type Names, tellTime } from "./scenario-names.ts";

type Fields = EventObject["fields"];

/** What an order is, in the words with which it is entered. */
interface Told {
  readonly type: number;
  readonly timeInForce: number;
  readonly price: number;
  readonly terms: Fields;
}

const sideName = (side: number | undefined): string => nameIn(Side, side);
const dashed = (codes: Readonly<Record<string, number>>, code: number): string =>
  nameIn(codes, code).replaceAll(" ", "-");
const at = (price: number | undefined): string => (price === 0 ? "@ market" : `@ ${price}`);
const RESTING_WORDS: Readonly<Record<number, string>> = {
  [TimeInForce.IMMEDIATE_OR_CANCEL]: "ioc",
  [TimeInForce.FILL_OR_KILL]: "fok",
  [TimeInForce.GOOD_TILL_CANCEL]: "gtc",
  [TimeInForce.AT_THE_OPEN]: "at-open",
  [TimeInForce.AT_THE_CLOSE]: "at-close",
};

/** Events and orders as a trader reads them. */
export class Telling {
  private readonly names: Names;

  constructor(names: Names) {
    this.names = names;
  }

  /** A line for each event; the further terms of an order stand in its line. */
  events(events: readonly EventObject[]): string[] {
    const lines: string[] = [];
    let terms: Fields = {};
    for (const { kind, fields } of events) {
      if (kind === "TERMS") {
        terms = fields;
        continue;
      }
      lines.push(`${fields.SEQUENCE} ${this.tellers[kind](fields, terms)}`);
      terms = {};
    }
    return lines;
  }

  /** The book as traders draw it, asks above bids, each line a price and its orders, the first in line first; then what is not shown. */
  book(orders: readonly LiveOrder[]): string[] {
    const shown = orders.filter((order) => this.placeOf(order) === "");
    const lines = [
      ...this.lines(shown, Side.SELL, "").toReversed(),
      ...this.lines(shown, Side.BUY, ""),
      ...["hidden", "all-or-none", "auction"].flatMap((place) =>
        [Side.SELL, Side.BUY].flatMap((side) =>
          this.lines(
            orders.filter((order) => this.placeOf(order) === place),
            side,
            `${place} `,
          ),
        ),
      ),
      ...orders
        .filter((order) => this.placeOf(order) === "pegged")
        .map((order) => `pegged ${this.whole(order)}`),
      ...orders
        .filter((order) => this.placeOf(order) === "waiting")
        .map((order) => `waiting ${this.whole(order)}`),
    ];
    return lines.length === 0 ? ["(empty)"] : lines;
  }

  private readonly tellers: Readonly<Record<EventObject["kind"], (f: Fields, terms: Fields) => string>> = {
    ACCEPTED: (f, terms) => {
      const { TYPE: type = 0, TIME_IN_FORCE: timeInForce = 0, PRICE: price = 0 } = f;
      const what = this.terms({ type, timeInForce, price, terms });
      const repriced = f.REASON === EventReason.REPRICED ? ": repriced" : "";
      return `accepted  ${this.who(f)} as order ${f.ORDER_ID}: ${sideName(f.SIDE)} ${f.QUANTITY} ${what}, ${resting(f)}${repriced}`;
    },
    TERMS: () => "",
    REJECTED: (f) => `rejected  ${this.who(f)}: ${nameIn(RejectReason, f.REASON)}`,
    TRADE: (f) => {
      const maker = `${this.names.of(f.MAKER_ACCOUNT)} ${f.MAKER_CLIENT_ORDER_ID}`;
      const trade = `trade     ${f.QUANTITY} @ ${f.PRICE}`;
      if (f.REASON === EventReason.AUCTION_FILL)
        return `${trade} in the auction: ${this.who(f)} (${f.LEAVES} left) buys from ${maker} (${f.MAKER_LEAVES} left)`;
      return `${trade}: ${this.who(f)} (${f.LEAVES} left) takes from ${maker} (${f.MAKER_LEAVES} left)`;
    },
    CANCELLED: (f) =>
      `cancelled ${this.who(f)}: ${f.QUANTITY} ${at(f.PRICE)}, of which rested ${f.RESTED}: ${nameIn(CancelReason, f.REASON)}`,
    REPLACED: (f) => {
      const verb = f.REASON === EventReason.REDUCTION ? "reduced " : "replaced";
      const kept = `priority ${f.PRIORITY_KEPT === 1 ? "kept" : "lost"}`;
      const repriced = f.REASON === EventReason.REPRICED ? ": repriced" : "";
      const shown = f.NEW_SHOWN === f.RESTING ? "" : `, ${f.NEW_SHOWN} shown`;
      return `${verb}  ${this.who(f)}: ${f.OLD_LEAVES} ${at(f.OLD_PRICE)} is now ${f.LEAVES} of ${f.QUANTITY} ${at(f.PRICE)}, ${f.RESTING} rest${shown}, ${kept}${repriced}`;
    },
    MASS_CANCELLED: (f) =>
      `mass cancelled ${this.names.of(f.ACCOUNT)}: ${f.CANCELLED} ended, ${f.REMAINING} remain`,
    ENTERED: (f) =>
      `entered   ${this.who(f)}: ${sideName(f.SIDE)} ${f.LEAVES} ${at(f.PRICE)}, ${resting(f)}: ${reason(f)}`,
    REFRESHED: (f) => `refreshed ${this.who(f)}: shows ${f.SHOWN} of ${f.LEAVES} @ ${f.PRICE}, last in line`,
    TRIGGER_MOVED: (f) => `trigger   ${this.who(f)} is now ${f.PRICE}: ${reason(f)}`,
    DECREMENTED: (f) =>
      `decremented ${this.who(f)}: by ${f.QUANTITY}, ${f.LEAVES} of ${f.NEW_QUANTITY} left, ${f.RESTED === 0 ? "coming in" : "resting"}: ${reason(f)}`,
    PHASE: (f) =>
      `phase     ${nameIn(Phase, f.PHASE)}${until(f)}, reference ${f.PRICE === 0 ? "none" : f.PRICE}: ${reason(f)}`,
    UNCROSS: (f) => `uncross   ${auction(f)}, then ${nameIn(Phase, f.PHASE)}${until(f)}: ${reason(f)}`,
    INDICATIVE: (f) => `indicative ${f.QUANTITY === 0 ? "nothing" : auction(f)}`,
    POSITION: (f) => `position  ${this.names.of(f.ACCOUNT)}: ${f.POSITION}, cash ${f.CASH}`,
    BLOCKED: (f) =>
      `${f.BLOCKED === 1 ? "blocked  " : "unblocked"} ${this.names.of(f.ACCOUNT)}: ${reason(f)}`,
    REFERENCE: (f) => `reference ${f.PRICE === 0 ? "none" : f.PRICE}: ${reason(f)}`,
  };

  private who(f: Fields): string {
    return `${this.names.of(f.ACCOUNT)} ${f.CLIENT_ORDER_ID}`;
  }

  private terms({ type, timeInForce, price, terms }: Told): string {
    const of = (field: FieldName): number => terms[field] ?? 0;
    const expires = timeInForce === TimeInForce.GOOD_TILL_DATE ? `gtd ${tellTime(of("EXPIRY"))}` : "";
    const isUsual = type === OrderType.MARKET && timeInForce === TimeInForce.IMMEDIATE_OR_CANCEL;
    const words = [
      this.priceTerms(type, price, of),
      isUsual ? "" : (RESTING_WORDS[timeInForce] ?? expires),
      of("DISPLAY_QUANTITY") === 0 ? "" : `iceberg ${of("DISPLAY_QUANTITY")}`,
      of("HIDDEN") === 0 ? "" : "hidden",
      of("ALL_OR_NONE") === 0 ? "" : "all-or-none",
      of("MIN_QUANTITY") === 0 ? "" : `min ${of("MIN_QUANTITY")}`,
      of("POST_ONLY") === 0 ? "" : `post-only ${nameIn(PostOnly, of("POST_ONLY"))}`,
      of("SELF_TRADE") === 0 ? "" : `self-trade ${dashed(SelfTrade, of("SELF_TRADE"))}`,
      of("PARTNER") === 0 ? "" : `oco order ${of("PARTNER")}`,
      (terms.FOR_ACCOUNT ?? -1) === -1 ? "" : `for ${this.names.of(terms.FOR_ACCOUNT)}`,
    ];
    return words.filter((word) => word !== "").join(" ");
  }

  private priceTerms(type: number, price: number, of: (field: FieldName) => number): string {
    const limit = price === 0 ? "" : ` limit ${price}`;
    const offset = of("OFFSET") > 0 ? ` +${of("OFFSET")}` : of("OFFSET") < 0 ? ` ${of("OFFSET")}` : "";
    switch (type) {
      case OrderType.STOP:
        return `@ market${limit} stop ${of("TRIGGER_PRICE")}`;
      case OrderType.STOP_LIMIT:
        return `@ ${price} stop-limit ${of("TRIGGER_PRICE")}`;
      case OrderType.TRAILING_STOP:
        return `@ market${limit} trailing ${of("OFFSET")} from ${of("TRIGGER_PRICE")}`;
      case OrderType.MARKET_IF_TOUCHED:
        return `@ market${limit} if-touched ${of("TRIGGER_PRICE")}`;
      case OrderType.PEGGED:
        return `peg ${nameIn(Peg, of("PEG"))}${offset}${limit}`;
      case OrderType.MARKET:
        return `@ market${limit}`;
      default:
        return at(price);
    }
  }

  private placeOf(order: LiveOrder): string {
    if (order.type === OrderType.PEGGED) return "pegged";
    if (order.type !== OrderType.LIMIT && order.type !== OrderType.MARKET) return "waiting";
    if (order.timeInForce === TimeInForce.AT_THE_OPEN || order.timeInForce === TimeInForce.AT_THE_CLOSE)
      return "auction";
    if (order.allOrNone) return "all-or-none";
    return order.hidden ? "hidden" : "";
  }

  private lines(orders: readonly LiveOrder[], side: Side, place: string): string[] {
    const ofSide = orders.filter((order) => order.side === side);
    const prices = [...new Set(ofSide.map((order) => order.price))];
    return prices.map((price) => {
      const line = ofSide.filter((order) => order.price === price).map((order) => this.inLine(order));
      return `${place}${sideName(side).padEnd(4)} ${at(price)}: ${line.join(", ")}`;
    });
  }

  private inLine(order: LiveOrder): string {
    const open =
      order.shown === order.leaves || order.shown === 0 ? order.leaves : `${order.shown} of ${order.leaves}`;
    return `${this.names.of(order.account)} ${order.clientOrderId} (${open})`;
  }

  private whole(order: LiveOrder): string {
    const { type, timeInForce, price } = order;
    const terms: Fields = {
      TRIGGER_PRICE: order.triggerPrice,
      OFFSET: order.offset,
      PEG: order.peg,
      EXPIRY: order.expiry,
      DISPLAY_QUANTITY: order.displayQuantity,
      HIDDEN: Number(order.hidden),
    };
    return `${sideName(order.side)}: ${this.inLine(order)} ${this.terms({ type, timeInForce, price, terms })}`;
  }
}

function resting(f: Fields): string {
  return f.RESTING === f.SHOWN ? `${f.RESTING} rest` : `${f.RESTING} rest, ${f.SHOWN} shown`;
}

function reason(f: Fields): string {
  return nameIn(EventReason, f.REASON);
}

function until(f: Fields): string {
  return f.UNTIL === 0 ? "" : ` until ${tellTime(f.UNTIL ?? 0)}`;
}

function auction(f: Fields): string {
  const more = f.SIDE === 0 ? "" : `, ${f.IMBALANCE} more to ${sideName(f.SIDE)}`;
  return `${f.QUANTITY} @ ${f.PRICE}${more}`;
}
