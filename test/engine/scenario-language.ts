import type { AccountRules } from "../../engine/account-rules.ts";
import {
  AuctionRule,
  CollarAction,
  EventReason,
  MatchingPolicy,
  OrderType,
  Peg,
  Phase,
  PostOnly,
  SelfTrade,
  Side,
  TimeInForce,
} from "../../engine/codes.ts";
import type { Collars, Instrument } from "../../engine/instrument.ts";
import type { OrderEntry } from "../../engine/order-entry.ts";
import type { Command } from "./flow.ts";
import { codeIn, type Names, parseTime } from "./scenario-names.ts";

/** One line of a scenario. */
export type Line =
  | { readonly say: "command"; readonly command: Command }
  | { readonly say: "instrument"; readonly instrument: Instrument }
  | { readonly say: "account"; readonly account: number; readonly rules: AccountRules }
  | { readonly say: "book" | "hold" | "proceed" };

type Terms = { -readonly [Field in keyof OrderEntry]?: OrderEntry[Field] };

/** What a scenario trades until it says otherwise. */
export const ACME: Instrument = {
  symbol: "ACME",
  tick: 1,
  lot: 1,
  priceMax: 2 ** 53 - 1,
  quantityMax: 2 ** 40,
};

/** The words of a line, taken one by one. */
class Words {
  private readonly words: string[];

  constructor(line: string) {
    this.words = line.split(/\s+/);
  }

  get isOver(): boolean {
    return this.words.length === 0;
  }

  next(what: string): string {
    const word = this.words.shift();
    if (word === undefined) throw new Error(`${what} is missing`);
    return word;
  }

  number(what: string): number {
    return Number(this.next(what));
  }

  /** The next word, if it is this. */
  takes(word: string): boolean {
    if (this.words[0] !== word) return false;
    this.words.shift();
    return true;
  }

  /** The next word, if it looks so. */
  takesLike(pattern: RegExp): string | undefined {
    return pattern.test(this.words[0] ?? "") ? this.words.shift() : undefined;
  }
}

/**
 * What a line says; `[x]` may be left out:
 *
 *     instrument [tick=5] [lot=10] [bands=100:5,200:10] [policy=pro-rata] [phase=pre-open] [reference=100] …
 *     account NAME [parent=NAME] [group=1] [self-trade=cancel-oldest] [position=100] [credit=5000]
 *     new NAME ID buy|sell QUANTITY [@ PRICE|market] TERMS      (TERMS are those of `ORDER_TERMS`)
 *     replace NAME ID QUANTITY @ PRICE|none [trigger PRICE]     reduce NAME ID QUANTITY      cancel NAME ID
 *     mass-cancel NAME [buy|sell] [from PRICE] [to PRICE] [for NAME]
 *     phase PHASE [until TIME] [by timetable]      reference PRICE      block NAME      unblock NAME
 *     time TIME      indicate      book
 *     hold: from here on, what a command leaves pending waits for `proceed`
 */
export function parseLine(line: string, names: Names): Line {
  const words = new Words(line);
  const verb = words.next("the command");
  const parse = PARSERS[verb];
  if (parse === undefined) throw new Error(`there is no command '${line}'`);
  const said = parse(words, names);
  if (!words.isOver) throw new Error(`'${words.next("a word")}' makes no sense in '${line}'`);
  return said;
}

const PARSERS: Readonly<Record<string, (words: Words, names: Names) => Line>> = {
  instrument: (words) => ({ say: "instrument", instrument: parseInstrument(words) }),
  account: (words, names) => ({
    say: "account",
    account: names.handle(words.next("the account")),
    rules: parseRules(words, names),
  }),
  book: () => ({ say: "book" }),
  hold: () => ({ say: "hold" }),
  proceed: () => ({ say: "proceed" }),
  new: (words, names) =>
    command({
      do: "enter",
      account: names.handle(words.next("the session")),
      terms: parseTerms(words, names),
    }),
  cancel: (words, names) =>
    command({ do: "cancel", account: names.handle(words.next("the session")), id: words.number("the id") }),
  reduce: (words, names) => {
    const account = names.handle(words.next("the session"));
    return command({ do: "reduce", account, id: words.number("the id"), by: words.number("the quantity") });
  },
  replace: (words, names) => command(parseReplacement(words, names)),
  "mass-cancel": (words, names) => command(parseMassCancel(words, names)),
  phase: (words) => {
    const phase = codeIn(Phase, words.next("the phase")) as Phase;
    const until = words.takes("until") ? parseTime(words.next("the time")) : 0;
    const isTimetable = words.takes("by") && words.takes("timetable");
    const reason = isTimetable ? EventReason.TIMETABLE : EventReason.OPERATOR;
    return command({ do: "setPhase", phase, until, reason });
  },
  reference: (words) => command({ do: "setReference", price: words.number("the price") }),
  block: (words, names) =>
    command({ do: "block", account: names.handle(words.next("the account")), blocked: true }),
  unblock: (words, names) =>
    command({ do: "block", account: names.handle(words.next("the account")), blocked: false }),
  time: (words) => command({ do: "advance", now: parseTime(words.next("the time")) }),
  indicate: () => command({ do: "indicate" }),
};

function command(one: Command): Line {
  return { say: "command", command: one };
}

function parseReplacement(words: Words, names: Names): Command {
  const account = names.handle(words.next("the session"));
  const id = words.number("the id");
  const quantity = words.number("the quantity");
  words.takes("@");
  const price = words.takes("none") ? 0 : words.number("the price");
  const triggerPrice = words.takes("trigger") ? words.number("the trigger price") : 0;
  return { do: "replace", account, id, price, quantity, triggerPrice };
}

function parseMassCancel(words: Words, names: Names): Command {
  const account = names.handle(words.next("the session"));
  const word = words.takesLike(/^(buy|sell)$/);
  const side = word === undefined ? 0 : codeIn(Side, word);
  const low = words.takes("from") ? words.number("the price") : 0;
  const high = words.takes("to") ? words.number("the price") : Number.MAX_SAFE_INTEGER;
  const forAccount = words.takes("for") ? names.handle(words.next("the account")) : -1;
  return { do: "massCancel", account, side, low, high, forAccount };
}

function parseTerms(words: Words, names: Names): Terms {
  const terms: Terms = { clientOrderId: words.number("the id") };
  terms.side = codeIn(Side, words.next("the side"));
  terms.quantity = words.number("the quantity");
  if (words.takes("@")) {
    if (words.takes("market")) terms.type = OrderType.MARKET;
    else terms.price = words.number("the price");
  }
  while (!words.isOver) {
    const word = words.next("a term");
    const parse = ORDER_TERMS[word];
    if (parse === undefined) throw new Error(`there is no term '${word}'`);
    parse(terms, words, names);
  }
  terms.price ??= 0;
  terms.type ??= OrderType.LIMIT;
  const usual = terms.type === OrderType.MARKET ? TimeInForce.IMMEDIATE_OR_CANCEL : TimeInForce.DAY;
  terms.timeInForce ??= usual;
  return terms;
}

/** What a new order may say of itself beside side, quantity and price. */
const ORDER_TERMS: Readonly<Record<string, (terms: Terms, words: Words, names: Names) => void>> = {
  day: (terms) => void (terms.timeInForce = TimeInForce.DAY),
  ioc: (terms) => void (terms.timeInForce = TimeInForce.IMMEDIATE_OR_CANCEL),
  fok: (terms) => void (terms.timeInForce = TimeInForce.FILL_OR_KILL),
  gtc: (terms) => void (terms.timeInForce = TimeInForce.GOOD_TILL_CANCEL),
  gtd: (terms, words) => {
    terms.timeInForce = TimeInForce.GOOD_TILL_DATE;
    terms.expiry = parseTime(words.next("the time"));
  },
  "at-open": (terms) => void (terms.timeInForce = TimeInForce.AT_THE_OPEN),
  "at-close": (terms) => void (terms.timeInForce = TimeInForce.AT_THE_CLOSE),
  /** The protection of an order that takes any price, or the own limit of a pegged one. */
  limit: (terms, words) => {
    terms.price = words.number("the limit");
  },
  stop: (terms, words) => {
    terms.type = OrderType.STOP;
    terms.triggerPrice = words.number("the trigger price");
  },
  "stop-limit": (terms, words) => {
    terms.type = OrderType.STOP_LIMIT;
    terms.triggerPrice = words.number("the trigger price");
  },
  "if-touched": (terms, words) => {
    terms.type = OrderType.MARKET_IF_TOUCHED;
    terms.triggerPrice = words.number("the trigger price");
  },
  trailing: (terms, words) => {
    terms.type = OrderType.TRAILING_STOP;
    terms.offset = words.number("the distance");
    if (words.takes("from")) terms.triggerPrice = words.number("the trigger price");
  },
  peg: (terms, words) => {
    terms.type = OrderType.PEGGED;
    terms.peg = codeIn(Peg, words.next("what it follows"));
    terms.offset = Number(words.takesLike(/^[+-]\d+$/) ?? 0);
  },
  iceberg: (terms, words) => void (terms.displayQuantity = words.number("the display quantity")),
  hidden: (terms) => void (terms.hidden = true),
  min: (terms, words) => void (terms.minQuantity = words.number("the minimum quantity")),
  "all-or-none": (terms) => void (terms.allOrNone = true),
  "post-only": (terms, words) => void (terms.postOnly = codeIn(PostOnly, words.next("reject or reprice"))),
  oco: (terms, words) => void (terms.oco = words.number("the partner's id")),
  for: (terms, words, names) => void (terms.forAccount = names.handle(words.next("the account"))),
  "self-trade": (terms, words) => void (terms.selfTrade = codeIn(SelfTrade, words.next("the rule"))),
};

/** `key=value` for each word that is left. */
function parseSettings(words: Words, settings: Readonly<Record<string, (value: string) => void>>): void {
  while (!words.isOver) {
    const word = words.next("a setting");
    const [key = "", value = ""] = word.split("=");
    const set = settings[key];
    if (set === undefined) throw new Error(`there is no setting '${word}'`);
    set(value);
  }
}

function parseInstrument(words: Words): Instrument {
  const instrument: { -readonly [Field in keyof Instrument]: Instrument[Field] } = { ...ACME };
  const collars: { -readonly [Field in keyof Collars]: Collars[Field] } = {
    action: CollarAction.REJECT,
    staticWidth: 0,
    dynamicWidth: 0,
    auctionUs: 0,
  };
  parseSettings(words, {
    tick: (value) => (instrument.tick = Number(value)),
    lot: (value) => (instrument.lot = Number(value)),
    "price-max": (value) => (instrument.priceMax = Number(value)),
    "quantity-max": (value) => (instrument.quantityMax = Number(value)),
    "notional-max": (value) => (instrument.notionalMax = Number(value)),
    policy: (value) => (instrument.policy = codeIn(MatchingPolicy, value) as MatchingPolicy),
    auction: (value) => (instrument.auctionRule = codeIn(AuctionRule, value) as AuctionRule),
    phase: (value) => (instrument.initialPhase = codeIn(Phase, value) as Phase),
    reference: (value) => (instrument.referencePrice = Number(value)),
    "fat-finger": (value) => (instrument.fatFingerWidth = Number(value)),
    fills: (value) => (instrument.requestFills = Number(value)),
    events: (value) => (instrument.requestEvents = Number(value)),
    bands: (value) => {
      const bands = value.split(",").map((band) => band.split(":").map(Number) as [number, number]);
      instrument.tickBands = bands.map(([from, tick]) => ({ from, tick }));
    },
    "message-rate": (value) => {
      const [messages, seconds] = value.split("/").map(Number) as [number, number];
      instrument.messageRate = { messages, windowUs: seconds * 1_000_000 };
    },
    collar: (value) => (collars.action = codeIn(CollarAction, value) as CollarAction),
    static: (value) => (collars.staticWidth = Number(value)),
    dynamic: (value) => (collars.dynamicWidth = Number(value)),
    "auction-seconds": (value) => (collars.auctionUs = Number(value) * 1_000_000),
  });
  if (collars.staticWidth !== 0 || collars.dynamicWidth !== 0) instrument.collars = collars;
  return instrument;
}

function parseRules(words: Words, names: Names): AccountRules {
  const rules: { -readonly [Field in keyof AccountRules]: AccountRules[Field] } = {};
  parseSettings(words, {
    parent: (value) => (rules.parent = names.handle(value)),
    group: (value) => (rules.selfTradeGroup = Number(value)),
    "self-trade": (value) => (rules.selfTrade = codeIn(SelfTrade, value)),
    position: (value) => (rules.positionMax = Number(value)),
    credit: (value) => (rules.creditMax = Number(value)),
  });
  return rules;
}
