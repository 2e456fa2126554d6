import { describe, expect, test } from "vitest";
import { type Instrument, Phase, SelfTrade } from "../../../engine/index.ts";
import {
  CancelReason,
  OrderType,
  RejectReason,
  Side,
  TimeInForce,
} from "../../../proto/generated/evercross/v1/types.ts";
import { CrossingJob, type CrossingRules } from "../../../services/crossing/crossing-job.ts";
import { Schedule } from "../../../services/crossing/schedule.ts";
import { Accounts } from "../../../services/market/accounts.ts";
import { TradingDays } from "../../../services/market/trading-days.ts";
import { CrossingDesk } from "../../support/crossing-desk.ts";

const HOUR = 3_600_000_000;
const INSTRUMENT: Instrument = { symbol: "A", tick: 1, lot: 1, priceMax: 1e9, quantityMax: 1e9 };
/** A Monday. */
const MONDAY = Date.parse("2026-03-02T00:00:00Z") * 1000;
const SCHEDULE = new Schedule(
  [
    { at: 7 * HOUR, phase: Phase.PRE_OPEN },
    { at: 8 * HOUR, phase: Phase.OPENING_AUCTION },
    { at: 9 * HOUR, phase: Phase.CONTINUOUS },
    { at: 17 * HOUR, phase: Phase.CLOSING_AUCTION },
    { at: 18 * HOUR, phase: Phase.CLOSED },
  ],
  new TradingDays("UTC", [1, 2, 3, 4, 5], []),
);

function newJob(rules: CrossingRules, instrument: Partial<Instrument>): CrossingJob {
  const dropped = (why: string): never => {
    throw new Error(why);
  };
  return new CrossingJob({ ...INSTRUMENT, ...instrument }, dropped, rules);
}

function desk(nowUs: number, rules: CrossingRules = {}, instrument: Partial<Instrument> = {}): CrossingDesk {
  const job = newJob(rules, instrument);
  job.restored();
  return new CrossingDesk(job, nowUs).advance(nowUs);
}

/** Another instance of the job, from what the first one stored. */
function restarted(
  before: CrossingDesk,
  nowUs: number,
  rules: CrossingRules = {},
  instrument: Partial<Instrument> = {},
): CrossingDesk {
  const job = newJob(rules, instrument);
  for (const [key, value] of before.rows.sorted()) job.restore(key, value);
  job.restored();
  expect(job.state()).toEqual(before.state);
  return new CrossingDesk(job, nowUs);
}

const sell = { side: Side.SELL, price: 100, quantity: 5 } as const;
const setPhase = (phase: Phase) => ({ $case: "setPhase", value: { phase, untilUs: 0 } }) as const;

describe("time in a crossing job", () => {
  test("ends an order whose expiry is reached, without a request, and asks for nothing before", () => {
    const { nowUs, job, ...one } = desk(1000);
    expect(job.nextDue()).toBe(Infinity);
    expect(one.batches).toEqual([]);
    const live = desk(1000).order("s", {
      clientOrderId: 1,
      price: 99,
      quantity: 5,
      timeInForce: TimeInForce.GOOD_TILL_DATE,
      expiryUs: nowUs + 500,
    });
    expect(live.job.nextDue()).toBe(1500);
    live.advance(1499);
    expect(live.events("cancelled")).toEqual([]);
    live.advance(1600);
    expect(live.events("cancelled")).toMatchObject([{ orderId: 1, reason: CancelReason.EXPIRED }]);
    expect(live.batches.at(-1)).toMatchObject({ timeUs: 1600, steps: [{ seq: 0 }] });
    expect(live.job.nextDue()).toBe(Infinity);
  });

  test("ends a volatility auction when it has lasted its time, also when the job was down then", () => {
    const collars = { action: 2, staticWidth: 0, dynamicWidth: 100, auctionUs: 5000 } as const;
    const live = desk(1000, {}, { collars });
    live
      .order("a", { ...sell, clientOrderId: 1, quantity: 1 })
      .order("b", { clientOrderId: 1, price: 100, quantity: 1 });
    live
      .order("a", { ...sell, clientOrderId: 2, price: 103 })
      .order("b", { clientOrderId: 2, price: 103, quantity: 2 });
    expect(live.state).toMatchObject({ phase: Phase.VOLATILITY_AUCTION, untilUs: 6000 });
    expect(live.events("indicative").at(-1)).toMatchObject({ price: 103, volume: 2 });
    const later = restarted(live, 9000, {}, { collars });
    expect(later.job.nextDue()).toBeLessThanOrEqual(6000);
    later.advance(9000);
    expect(later.events("trade")).toMatchObject([{ price: 103, quantity: 2 }]);
    expect(later.state).toMatchObject({ phase: Phase.CONTINUOUS, referencePrice: 103 });
  });
});

describe("the timetable of a crossing job", () => {
  test("begins a symbol in the phase that should be, and changes it through the day", () => {
    const live = desk(MONDAY + 8.5 * HOUR, { schedule: SCHEDULE });
    expect(live.state).toMatchObject({ phase: Phase.OPENING_AUCTION, untilUs: MONDAY + 9 * HOUR });
    expect(live.job.nextDue()).toBe(MONDAY + 9 * HOUR);
    live.advance(MONDAY + 9 * HOUR);
    expect(live.state.phase).toBe(Phase.CONTINUOUS);
    live.advance(MONDAY + 19 * HOUR);
    expect(live.events("phase").map(({ phase }) => phase)).toEqual([
      Phase.OPENING_AUCTION,
      Phase.CONTINUOUS,
      Phase.CLOSING_AUCTION,
      Phase.CLOSED,
    ]);
    expect(live.job.nextDue()).toBe(MONDAY + 31 * HOUR);
  });

  test("is caught up with after a time when the job was down, auctions that ended meanwhile included", () => {
    const live = desk(MONDAY + 8.5 * HOUR, { schedule: SCHEDULE });
    live.order("a", { ...sell, clientOrderId: 1, timeInForce: TimeInForce.GOOD_TILL_CANCEL });
    live.order("a", { ...sell, clientOrderId: 2, price: 120 });
    live.order("b", { clientOrderId: 1, price: 101, quantity: 3 });
    expect(live.events("indicative").at(-1)).toMatchObject({ volume: 3 });
    // Tuesday, in the opening auction.
    const later = restarted(live, MONDAY + 32.5 * HOUR, { schedule: SCHEDULE });
    later.advance(MONDAY + 32.5 * HOUR);
    expect(later.events("uncross", "trade")).toMatchObject([{ volume: 3 }, { quantity: 3 }]);
    expect(later.events("phase").map(({ phase }) => phase)).toEqual([
      Phase.CONTINUOUS,
      Phase.CLOSING_AUCTION,
      Phase.CLOSED,
      Phase.PRE_OPEN,
      Phase.OPENING_AUCTION,
    ]);
    expect(later.events("cancelled")).toMatchObject([{ orderId: 2, reason: CancelReason.EXPIRED }]);
    expect(later.state).toMatchObject({ liveOrders: 1, phase: Phase.OPENING_AUCTION });
  });

  test("holds a phase that the operator set until its next change, over a restart too", () => {
    const live = desk(MONDAY + 10 * HOUR, { schedule: SCHEDULE });
    expect(live.operate(setPhase(Phase.HALT))).toMatchObject({ refused: 0, phase: Phase.HALT });
    live.advance(MONDAY + 11 * HOUR);
    expect(live.state.phase).toBe(Phase.HALT);
    const later = restarted(live, MONDAY + 12 * HOUR, { schedule: SCHEDULE }).advance(MONDAY + 12 * HOUR);
    expect(later.state.phase).toBe(Phase.HALT);
    expect(later.batches).toEqual([]);
    later.advance(MONDAY + 17 * HOUR);
    expect(later.state.phase).toBe(Phase.CLOSING_AUCTION);
  });

  test("is taken up by a symbol that has traded without one", () => {
    const live = desk(MONDAY + 10 * HOUR).order("a", { ...sell, clientOrderId: 1 });
    const later = restarted(live, MONDAY + 17.5 * HOUR, { schedule: SCHEDULE });
    later.advance(MONDAY + 17.5 * HOUR);
    expect(later.state).toMatchObject({ phase: Phase.CLOSING_AUCTION, liveOrders: 1 });
  });
});

describe("an operator of a crossing job", () => {
  test("is answered with what holds now, and may ask again", () => {
    const live = desk(1000, {}, { initialPhase: Phase.PRE_OPEN, referencePrice: 90 });
    expect(live.state).toMatchObject({ phase: Phase.PRE_OPEN, referencePrice: 90 });
    const reference = { $case: "setReferencePrice", value: { price: 95 } } as const;
    for (let times = 0; times < 2; times++) {
      expect(live.operate(reference)).toMatchObject({ refused: 0, referencePrice: 95 });
      expect(live.operate(setPhase(Phase.CONTINUOUS))).toMatchObject({ phase: Phase.CONTINUOUS });
    }
  });

  test("is told why not, and nothing is changed", () => {
    const live = desk(1000);
    const refused = (body: Parameters<CrossingDesk["operate"]>[0]): RejectReason =>
      live.operate(body).refused;
    expect(refused({ $case: "setPhase", value: { phase: 0, untilUs: 0 } })).toBe(RejectReason.WRONG_PHASE);
    expect(refused({ $case: "setReferencePrice", value: { price: -4 } })).toBe(RejectReason.INVALID_PRICE);
    expect(refused({ $case: "blockAccount", value: { account: "", blocked: true } })).toBe(
      RejectReason.UNKNOWN_ACCOUNT,
    );
    expect(live.batches).toEqual([]);
  });

  test("ends what an account and those below it have, and unblocks them again", () => {
    const accounts = new Accounts([{ name: "broker" }, { name: "client", parent: "broker" }]);
    const live = desk(1000, { accounts });
    live.order("broker", { ...sell, clientOrderId: 1, account: "client" });
    live.order("broker", { ...sell, clientOrderId: 2 });
    live.order("other", { ...sell, clientOrderId: 3 });
    const block = (blocked: boolean) =>
      ({ $case: "blockAccount", value: { account: "broker", blocked } }) as const;
    live.operate(block(true));
    expect(live.events("cancelled").map(({ orderId, reason }) => [orderId, reason])).toEqual([
      [1, CancelReason.KILL_SWITCH],
      [2, CancelReason.KILL_SWITCH],
    ]);
    const later = restarted(live, 2000, { accounts });
    later.request("broker", { $case: "cancelOrder", value: { clientOrderId: 9 } });
    live.order("client", { ...sell, clientOrderId: 4 });
    expect(live.events("rejected")).toMatchObject([{ reason: RejectReason.ACCOUNT_BLOCKED }]);
    live.operate(block(false));
    live.order("client", { ...sell, clientOrderId: 5 });
    expect(live.state.liveOrders).toBe(2);
  });
});

describe("accounts of a crossing job", () => {
  const accounts = new Accounts([
    { name: "broker", positionMax: 6 },
    { name: "one", parent: "broker", selfTradeGroup: 1, selfTrade: SelfTrade.CANCEL_NEWEST },
    { name: "two", parent: "broker", selfTradeGroup: 1, selfTrade: SelfTrade.CANCEL_NEWEST },
  ]);

  test("are refused to a session that may not act for them, in the log like any other refusal", () => {
    const live = desk(1000, { accounts });
    live.order("one", { ...sell, clientOrderId: 1, account: "two" });
    live.order("broker", { ...sell, clientOrderId: 2, account: "nobody" });
    live.request("one", {
      $case: "massCancel",
      value: { side: 0, lowPrice: 0, highPrice: 0, account: "broker" },
    });
    expect(live.events("rejected")).toMatchObject([
      { clientOrderId: 1, reason: RejectReason.UNKNOWN_ACCOUNT },
      { clientOrderId: 2, reason: RejectReason.UNKNOWN_ACCOUNT },
      { clientOrderId: 0, reason: RejectReason.UNKNOWN_ACCOUNT },
    ]);
    expect(live.batches.map(({ steps }) => steps.map(({ seq }) => seq))).toEqual([[1], [1], [2]]);
  });

  test("have their limits, groups and positions, which a restart keeps", () => {
    const live = desk(1000, { accounts });
    live.order("broker", { ...sell, clientOrderId: 1, quantity: 4, account: "one" });
    live.order("two", { clientOrderId: 1, price: 100, quantity: 1 });
    expect(live.events("cancelled")).toMatchObject([{ reason: CancelReason.SELF_TRADE }]);
    live.order("other", { clientOrderId: 1, price: 100, quantity: 4 });
    expect(live.events("position")).toMatchObject([{ position: -4, cash: -400 }]);
    const later = restarted(live, 2000, { accounts });
    later.order("one", { ...sell, clientOrderId: 2, quantity: 3 });
    expect(later.events("rejected")).toMatchObject([{ reason: RejectReason.POSITION_LIMIT }]);
  });

  test("tell which of their session's orders a mass cancel ends", () => {
    const live = desk(1000, { accounts });
    live.order("broker", { ...sell, clientOrderId: 1, quantity: 1, account: "one" });
    live.order("broker", { ...sell, clientOrderId: 2, quantity: 1, account: "broker" });
    live.order("broker", { ...sell, clientOrderId: 3, quantity: 1 });
    const massCancel = (account: string) =>
      ({ $case: "massCancel", value: { side: 0, lowPrice: 0, highPrice: 0, account } }) as const;
    live.request("broker", massCancel("one"));
    expect(live.events("cancelled").map(({ orderId }) => orderId)).toEqual([1]);
    live.request("broker", massCancel("broker"));
    expect(live.events("cancelled").map(({ orderId }) => orderId)).toEqual([1, 2, 3]);
  });
});

describe("what follows from one command", () => {
  const ORDERS = 20_000;

  test("goes on in later entries when it is more than one holds, in another instance too, before anything else", () => {
    const live = desk(1000);
    const orders = Array.from({ length: ORDERS }, (_, index) => ({ ...sell, clientOrderId: index + 1 }));
    live.orders("a", orders);
    expect(live.state.liveOrders).toBe(ORDERS);
    const block = { $case: "blockAccount", value: { account: "a", blocked: true } } as const;
    const query = { $case: "markQuery" as const, value: { sessions: ["a"] } };
    const first = live.step([{ $case: "operator", value: { body: block } }, query]);
    expect(first.taken).toBe(1);
    expect(live.state.liveOrders).toBeGreaterThan(0);
    const later = restarted(live, 2000);
    expect(later.job.nextDue()).toBeLessThanOrEqual(2000);
    expect(later.step([query])).toMatchObject({ taken: 1, answers: [{ $case: "marks" }] });
    expect(later.state.liveOrders).toBe(0);
    const ended = [live, later].map((one) => one.events("cancelled").map(({ orderId }) => orderId));
    expect(ended.flat()).toEqual(orders.map(({ clientOrderId }) => clientOrderId));
    expect(later.batches.map(({ steps }) => steps.map(({ seq }) => seq))).toEqual([[0]]);
  });

  test("is bounded by the book too, within one entry", () => {
    const rules = { requestEvents: 8 };
    const live = desk(1000, {}, rules);
    for (let id = 1; id <= 30; id++) {
      live.order("stops", {
        clientOrderId: id,
        type: OrderType.STOP_LIMIT,
        triggerPrice: 100,
        price: 90 - id,
        quantity: 1,
      });
    }
    live.order("a", { ...sell, clientOrderId: 1 }).order("b", { clientOrderId: 1, price: 100, quantity: 1 });
    expect(live.events("entered")).toHaveLength(30);
    restarted(live, 2000, {}, rules);
  });
});
