import { describe, expect, test } from "vitest";
import { OrderType, Peg, PostOnly, RejectReason, SelfTrade, Side, TimeInForce } from "../../engine/codes.ts";
import { checkEntry } from "../../engine/entry-check.ts";
import type { Instrument } from "../../engine/instrument.ts";
import { OrderEntry } from "../../engine/order-entry.ts";

type Terms = Partial<OrderEntry>;

const ACME: Instrument = { symbol: "ACME", tick: 5, lot: 10, priceMax: 100_000, quantityMax: 1_000_000 };
const NOW = 1_000_000;
const R = RejectReason;
const T = TimeInForce;

const LIMIT: Terms = { clientOrderId: 1, side: Side.BUY, type: OrderType.LIMIT, price: 100, quantity: 100 };
/** Every type with the terms that it must have. */
const TYPES: Readonly<Record<keyof typeof OrderType, Terms>> = {
  LIMIT,
  MARKET: { ...LIMIT, type: OrderType.MARKET, price: 0 },
  STOP: { ...LIMIT, type: OrderType.STOP, price: 0, triggerPrice: 105 },
  STOP_LIMIT: { ...LIMIT, type: OrderType.STOP_LIMIT, triggerPrice: 105 },
  TRAILING_STOP: { ...LIMIT, type: OrderType.TRAILING_STOP, price: 0, offset: 5 },
  MARKET_IF_TOUCHED: { ...LIMIT, type: OrderType.MARKET_IF_TOUCHED, price: 0, triggerPrice: 95 },
  PEGGED: { ...LIMIT, type: OrderType.PEGGED, price: 0, peg: Peg.MIDPOINT },
};
type Type = keyof typeof TYPES;
const ALL = Object.keys(TYPES) as Type[];
const TIMES = Object.entries(TimeInForce) as [keyof typeof TimeInForce, TimeInForce][];
const RESTING = ["DAY", "GOOD_TILL_CANCEL", "GOOD_TILL_DATE"] as const;
const WAITING = ["STOP", "STOP_LIMIT", "TRAILING_STOP", "MARKET_IF_TOUCHED"] as const;

const check = (terms: Terms): number => checkEntry(ACME, Object.assign(new OrderEntry(), terms), NOW);
/** A type in a time in force, with the expiry that this needs. */
const inTime = (type: Type, time: TimeInForce): Terms => ({
  ...TYPES[type],
  timeInForce: time,
  expiry: time === T.GOOD_TILL_DATE ? NOW + 1 : 0,
});
const grid = ALL.flatMap((type) => TIMES.map(([name, time]) => [type, name, time] as const));

describe("a type and a time in force go together", () => {
  const allowed: Readonly<Record<Type, readonly string[]>> = {
    LIMIT: TIMES.map(([name]) => name),
    MARKET: ["IMMEDIATE_OR_CANCEL", "FILL_OR_KILL", "AT_THE_OPEN", "AT_THE_CLOSE"],
    STOP: RESTING,
    STOP_LIMIT: RESTING,
    TRAILING_STOP: RESTING,
    MARKET_IF_TOUCHED: RESTING,
    PEGGED: RESTING,
  };
  test.each(grid)("or not: %s, %s", (type, name, time) => {
    expect(check(inTime(type, time))).toBe(allowed[type].includes(name) ? 0 : R.INVALID_TIME_IN_FORCE);
  });
});

/** Each further term, with whom it goes: the rows of RULES.md 1.3. */
const FURTHER: readonly [string, Terms, (type: Type, time: string) => boolean][] = [
  ["display quantity", { displayQuantity: 10 }, (type, time) => shows(type, time)],
  ["hidden", { hidden: true }, (type, time) => shows(type, time)],
  [
    "minimum quantity",
    { minQuantity: 10 },
    (type, time) =>
      (type === "LIMIT" && (rests(time) || time === "IMMEDIATE_OR_CANCEL")) ||
      (type === "MARKET" && time === "IMMEDIATE_OR_CANCEL"),
  ],
  ["all-or-none", { allOrNone: true }, (type, time) => type === "LIMIT" && rests(time)],
  ["post-only", { postOnly: PostOnly.REPRICE }, (type, time) => type === "LIMIT" && rests(time)],
  ["trigger price", { triggerPrice: 110 }, (type) => (WAITING as readonly string[]).includes(type)],
  ["offset", { offset: 10 }, (type) => type === "TRAILING_STOP" || type === "PEGGED"],
  ["peg", { peg: Peg.MARKET }, (type) => type === "PEGGED"],
  ["expiry", { expiry: NOW + 5 }, (_, time) => time === "GOOD_TILL_DATE"],
  ["partner", { oco: 7 }, (_, time) => rests(time) || time.startsWith("AT_")],
  ["account", { forAccount: 3 }, () => true],
  ["self-trade rule", { selfTrade: SelfTrade.DECREMENT }, () => true],
];

function rests(time: string): boolean {
  return (RESTING as readonly string[]).includes(time);
}

function shows(type: Type, time: string): boolean {
  return (type === "LIMIT" || type === "STOP_LIMIT") && rests(time);
}

describe.each(FURTHER)("an order with %s", (_, terms, isPossible) => {
  test.each(grid.filter(([type, , time]) => check(inTime(type, time)) === 0))(
    "is taken or refused by its type and time: %s, %s",
    (type, name, time) => {
      const expected = isPossible(type, name) ? 0 : R.INVALID_COMBINATION;
      expect(check({ ...inTime(type, time), ...terms })).toBe(expected);
    },
  );
});

test("two further terms go together unless one of them forbids it", () => {
  const pairs: [Terms, Terms, boolean][] = [
    [{ displayQuantity: 10 }, { hidden: true }, false],
    [{ displayQuantity: 10 }, { minQuantity: 10 }, true],
    [{ displayQuantity: 10 }, { allOrNone: true }, false],
    [{ displayQuantity: 10 }, { postOnly: PostOnly.REJECT }, true],
    [{ hidden: true }, { minQuantity: 10 }, true],
    [{ hidden: true }, { allOrNone: true }, false],
    [{ hidden: true }, { postOnly: PostOnly.REPRICE }, true],
    [{ minQuantity: 10 }, { allOrNone: true }, false],
    [{ minQuantity: 10 }, { postOnly: PostOnly.REJECT }, false],
    [{ allOrNone: true }, { postOnly: PostOnly.REJECT }, false],
    [{ allOrNone: true }, { selfTrade: SelfTrade.CANCEL_BOTH }, true],
    [{ allOrNone: true }, { oco: 3 }, true],
    [{ allOrNone: true }, { forAccount: 3 }, true],
  ];
  for (const [one, other, isPossible] of pairs) {
    const terms = { ...LIMIT, timeInForce: T.DAY, ...one, ...other };
    expect(check(terms), JSON.stringify(terms)).toBe(isPossible ? 0 : R.INVALID_COMBINATION);
  }
});

test("an all-or-none order may rest until a date", () => {
  expect(check({ ...inTime("LIMIT", T.GOOD_TILL_DATE), allOrNone: true })).toBe(0);
});

test("a market order for an auction has no price, one that trades at once may have", () => {
  for (const [name, timeInForce] of TIMES.filter(([, time]) => check(inTime("MARKET", time)) === 0)) {
    const expected = name.startsWith("AT_") ? R.INVALID_COMBINATION : 0;
    expect(check({ ...TYPES.MARKET, timeInForce, price: 100 }), name).toBe(expected);
  }
});

test("only limit and stop-limit orders must have a price", () => {
  for (const type of ALL) {
    const timeInForce = type === "MARKET" ? T.IMMEDIATE_OR_CANCEL : T.DAY;
    const needs = type === "LIMIT" || type === "STOP_LIMIT";
    expect(check({ ...TYPES[type], timeInForce, price: 0 }), type).toBe(needs ? R.INVALID_PRICE : 0);
    expect(check({ ...TYPES[type], timeInForce, price: 100 }), type).toBe(0);
    expect(check({ ...TYPES[type], timeInForce, price: 101 }), type).toBe(R.PRICE_OFF_TICK);
  }
});

describe("a further term that is wrong by itself", () => {
  const day = (type: Type, terms: Terms): Terms => ({ ...TYPES[type], timeInForce: T.DAY, ...terms });
  test.each<[string, Terms, number]>([
    ["shows all", day("LIMIT", { displayQuantity: 100 }), R.INVALID_DISPLAY_QUANTITY],
    ["shows more than all", day("LIMIT", { displayQuantity: 110 }), R.INVALID_DISPLAY_QUANTITY],
    ["shows a part of a lot", day("LIMIT", { displayQuantity: 15 }), R.INVALID_DISPLAY_QUANTITY],
    ["shows less than nothing", day("LIMIT", { displayQuantity: -10 }), R.INVALID_DISPLAY_QUANTITY],
    ["shows -0", day("LIMIT", { displayQuantity: -0 }), R.INVALID_DISPLAY_QUANTITY],
    ["has a minimum above all", day("LIMIT", { minQuantity: 110 }), R.INVALID_MINIMUM_QUANTITY],
    ["has a minimum of a part of a lot", day("LIMIT", { minQuantity: 5 }), R.INVALID_MINIMUM_QUANTITY],
    ["has all as its minimum", day("LIMIT", { minQuantity: 100 }), 0],
    ["lacks its trigger price", day("STOP", { triggerPrice: 0 }), R.INVALID_TRIGGER_PRICE],
    ["has one off the tick", day("STOP", { triggerPrice: 101 }), R.INVALID_TRIGGER_PRICE],
    ["has one that is too high", day("STOP_LIMIT", { triggerPrice: 100_005 }), R.INVALID_TRIGGER_PRICE],
    ["has one below 1", day("MARKET_IF_TOUCHED", { triggerPrice: -5 }), R.INVALID_TRIGGER_PRICE],
    ["trails without one", day("TRAILING_STOP", { triggerPrice: 0 }), 0],
    ["trails at no distance", day("TRAILING_STOP", { offset: 0 }), R.INVALID_OFFSET],
    ["trails at a negative one", day("TRAILING_STOP", { offset: -5 }), R.INVALID_OFFSET],
    ["trails off the tick", day("TRAILING_STOP", { offset: 7 }), R.INVALID_OFFSET],
    ["is pegged at a negative distance", day("PEGGED", { offset: -5 }), 0],
    ["is pegged off the tick", day("PEGGED", { offset: -7 }), R.INVALID_OFFSET],
    ["is pegged at -0", day("PEGGED", { offset: -0 }), R.INVALID_OFFSET],
    ["is pegged to nothing", day("PEGGED", { peg: 0 }), R.INVALID_PEG],
    ["is pegged to what there is not", day("PEGGED", { peg: 4 }), R.INVALID_PEG],
    ["expires now", { ...inTime("LIMIT", T.GOOD_TILL_DATE), expiry: NOW }, R.INVALID_EXPIRY],
    ["never expires", { ...inTime("LIMIT", T.GOOD_TILL_DATE), expiry: 0 }, R.INVALID_EXPIRY],
    [
      "expires in half a microsecond",
      { ...inTime("LIMIT", T.GOOD_TILL_DATE), expiry: NOW + 0.5 },
      R.INVALID_EXPIRY,
    ],
    ["is post-only in a way that there is not", day("LIMIT", { postOnly: 3 }), R.INVALID_INSTRUCTION],
    ["has a self-trade rule that there is not", day("LIMIT", { selfTrade: 5 }), R.INVALID_INSTRUCTION],
    ["has half a self-trade rule", day("LIMIT", { selfTrade: 1.5 }), R.INVALID_INSTRUCTION],
    ["has half a partner", day("LIMIT", { oco: 1.5 }), R.UNKNOWN_PARTNER],
    ["has a negative partner", day("LIMIT", { oco: -1 }), R.UNKNOWN_PARTNER],
    ["is for no account", day("LIMIT", { forAccount: -2 }), R.UNKNOWN_ACCOUNT],
    ["is for an account past the highest", day("LIMIT", { forAccount: 2 ** 20 }), R.UNKNOWN_ACCOUNT],
  ])("is refused, or not: an order that %s", (_, terms, expected) => {
    expect(check(terms)).toBe(expected);
  });
});
