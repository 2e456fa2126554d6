import { describe, expect, test } from "vitest";
import { AuctionRule, CollarAction, MatchingPolicy, Phase, SelfTrade } from "../../../engine/index.ts";
import { ROWS_INTERVAL_ENTRIES, ROWS_INTERVAL_MS } from "../../../runtime/limits.ts";
import { crossingDefinition } from "../../../services/crossing/index.ts";
import { configuredAccount } from "../../../services/market/account-config.ts";
import { Accounts } from "../../../services/market/accounts.ts";
import { checkConfig, ConfigError } from "../../../services/market/config.ts";
import { instrumentOf } from "../../../services/market/instrument.ts";

const config = (rules: object, more: object = {}) =>
  checkConfig({ instruments: [{ symbol: "A", ...rules }], ...more }, "market.yaml");

const TIMETABLE = { time_zone: "Europe/Berlin", changes: [{ at: "09:00", phase: "continuous" }] };

describe("an instrument's configuration", () => {
  test("gives the engine every rule", () => {
    const rules = {
      tick: 2,
      tick_bands: [{ from: 100, tick: 4 }],
      lot: 5,
      price_max: 1000,
      quantity_max: 500,
      notional_max: 9000,
      policy: "pro_rata",
      auction_rule: "nasdaq",
      collars: { action: "auction", static_width: 1000, dynamic_width: 300, auction_ms: 2000 },
      fat_finger_width: 2500,
      message_rate: { messages: 100, window_ms: 1000 },
      reference_price: 50,
      initial_phase: "pre_open",
    };
    expect(instrumentOf(config(rules), "A")).toEqual({
      symbol: "A",
      tick: 2,
      tickBands: [{ from: 100, tick: 4 }],
      lot: 5,
      priceMax: 1000,
      quantityMax: 500,
      notionalMax: 9000,
      policy: MatchingPolicy.PRO_RATA,
      auctionRule: AuctionRule.NASDAQ,
      collars: { action: CollarAction.AUCTION, staticWidth: 1000, dynamicWidth: 300, auctionUs: 2_000_000 },
      fatFingerWidth: 2500,
      messageRate: { messages: 100, windowUs: 1_000_000 },
      referencePrice: 50,
      initialPhase: Phase.PRE_OPEN,
    });
  });

  test("is the same when it is read again as it was understood", () => {
    const once = config(
      { policy: "pro_rata", initial_phase: "halt", timetable: TIMETABLE },
      { accounts: [{ name: "a" }] },
    );
    expect(checkConfig(JSON.parse(JSON.stringify(once)), "run file")).toEqual(once);
  });

  test("has none of the rules that it does not name", () => {
    expect(Object.keys(instrumentOf(config({}), "A") ?? {})).toEqual([
      "symbol",
      "tick",
      "lot",
      "priceMax",
      "quantityMax",
    ]);
  });

  test.each([
    [
      { tick: 2, tick_bands: [{ from: 10, tick: 3 }] },
      "instruments.0: instrument A: tick 3 is no multiple of 2",
    ],
    [{ policy: "fifo" }, "instruments.0.policy: "],
    [{ collars: { action: "auction", static_width: 1e9 } }, "collar width 1000000000"],
    [{ timetable: { ...TIMETABLE, time_zone: "Mars/Olympus" } }, "timetable.time_zone: is no time zone"],
    [
      { timetable: { ...TIMETABLE, changes: [{ at: "9:00", phase: "closed" }] } },
      "must be a time of the day",
    ],
    [{ timetable: { ...TIMETABLE, holidays: ["2026-02-30"] } }, "instruments.0.timetable.holidays.0: "],
    [
      {
        timetable: {
          ...TIMETABLE,
          changes: [
            { at: "17:30", phase: "closed" },
            { at: "09:00", phase: "continuous" },
          ],
        },
      },
      "instruments.0.timetable.changes: timetable: ",
    ],
    [
      { timetable: { ...TIMETABLE, changes: [{ at: "12:00", phase: "volatility_auction" }] } },
      "a volatility auction is begun by a collar",
    ],
  ])("is refused with its key and the reason: %j", (rules, message) => {
    expect(() => config(rules)).toThrow(ConfigError);
    expect(() => config(rules)).toThrow(message);
  });
});

describe("the configuration of accounts", () => {
  const accounts = [
    { name: "broker", position_max: 100 },
    { name: "desk", parent: "broker", credit_max: 5000 },
    { name: "client", parent: "desk", self_trade_group: 3, self_trade: "decrement" },
  ];

  test("says who may act for whom: a session for its own account and those below it", () => {
    const known = new Accounts(config({}, { accounts }).accounts.map(configuredAccount));
    expect(known.find("client")).toEqual({
      name: "client",
      parent: "desk",
      selfTradeGroup: 3,
      selfTrade: SelfTrade.DECREMENT,
    });
    expect(known.find("broker")).toEqual({ name: "broker", positionMax: 100 });
    for (const [session, account, may] of [
      ["broker", "client", true],
      ["desk", "client", true],
      ["client", "client", true],
      ["stranger", "stranger", true],
      ["client", "desk", false],
      ["stranger", "client", false],
      ["broker", "stranger", false],
    ] as const) {
      expect(known.mayAct(session, account), `${session} for ${account}`).toBe(may);
    }
  });

  test.each([
    [[{ name: "a", parent: "b" }], "accounts.0.parent: there is no account 'b'"],
    [
      [
        { name: "a", parent: "b" },
        { name: "b", parent: "a" },
      ],
      "accounts.0.parent: 'a' is above itself",
    ],
    [[{ name: "a" }, { name: "a" }], "accounts.1: 'a' stands twice"],
    [
      Array.from({ length: 9 }, (_, n) =>
        n === 0 ? { name: "a0" } : { name: `a${n}`, parent: `a${n - 1}` },
      ),
      "accounts.8.parent: 'a8' has more than 7 accounts above it",
    ],
  ])("is refused when it cannot be: %j", (wrong, message) => {
    expect(() => config({}, { accounts: wrong })).toThrow(message);
  });
});

describe("how far stored books may lie behind the log", () => {
  test("is the configuration's, and reaches the storage of every symbol", () => {
    const { rowsInterval } = crossingDefinition(config({}, { crossing: { rows_interval: { ms: 50 } } }));
    expect(rowsInterval).toEqual({ entries: ROWS_INTERVAL_ENTRIES, ms: 50 });
    expect(crossingDefinition(config({})).rowsInterval).toEqual({
      entries: ROWS_INTERVAL_ENTRIES,
      ms: ROWS_INTERVAL_MS,
    });
  });

  test("is refused when it is nothing at all", () => {
    const never = { crossing: { rows_interval: { entries: 0 } } };
    expect(() => config({}, never)).toThrow("crossing.rows_interval.entries");
  });
});
