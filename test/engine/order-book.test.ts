import { beforeEach, describe, expect, test } from "vitest";
import type { BookState } from "../../engine/book-snapshot.ts";
import { CancelReason, OrderType, Phase, RejectReason, Side, TimeInForce } from "../../engine/codes.ts";
import { EventBuffer } from "../../engine/event-buffer.ts";
import { EVENT_WIDTH, EventField, EventKind } from "../../engine/event-fields.ts";
import { InvariantError } from "../../engine/invariant.ts";
import { ACCOUNTS_MAX, ORDERS_MAX, REQUEST_CANCELS_MAX, REQUEST_FILLS_MAX } from "../../engine/limits.ts";
import { type LiveOrder, NO_FURTHER_TERMS } from "../../engine/live-order.ts";
import { OrderBook } from "../../engine/order-book.ts";
import { stateHash } from "../../engine/state-hash.ts";
import { type EventObject, readEvents } from "./event-objects.ts";
import { nameOf } from "./flow.ts";
import { WIDE } from "./setups.ts";

const MAX = Number.MAX_SAFE_INTEGER;
const { LIMIT, MARKET } = OrderType;
const { DAY, FILL_OR_KILL, IMMEDIATE_OR_CANCEL } = TimeInForce;

const out = new EventBuffer();
let book: OrderBook;
beforeEach(() => {
  out.clear();
  book = new OrderBook(WIDE, out);
});

/** Rests `count` sells of 1 each, over `levels` prices from 100 up. */
function restSells(count: number, levels: number, account = 1): void {
  for (let n = 0; n < count; n++) book.newOrder(account, n + 1, Side.SELL, LIMIT, DAY, 100 + (n % levels), 1);
  out.clear();
}

const last = (): EventObject | undefined => readEvents(out).at(-1);
const kindsSeen = (kind: number): number =>
  Array.from({ length: out.length }, (_, n) => out.values[n * EVENT_WIDTH]).filter((seen) => seen === kind)
    .length;

describe("the limits of one request", () => {
  test.each([
    ["a limit order for the day", LIMIT, DAY, 10_000],
    ["an immediate-or-cancel order", LIMIT, IMMEDIATE_OR_CANCEL, 10_000],
    ["a market order", MARKET, IMMEDIATE_OR_CANCEL, 0],
  ])("end the rest of %s that would cause one fill too many", (_, type, timeInForce, price) => {
    restSells(REQUEST_FILLS_MAX + 1, 7);
    book.newOrder(2, 1, Side.BUY, type, timeInForce, price, REQUEST_FILLS_MAX + 5);
    expect(kindsSeen(EventKind.TRADE)).toBe(REQUEST_FILLS_MAX);
    expect(out.values[EventField.RESTING]).toBe(0);
    expect(last()?.fields).toMatchObject({ QUANTITY: 5, RESTED: 0, REASON: CancelReason.SWEEP_LIMIT });
    expect(book.liveOrders).toBe(1);
  });

  test("do not touch an order that needs just as many fills as there may be", () => {
    restSells(REQUEST_FILLS_MAX, 7);
    book.newOrder(2, 1, Side.BUY, LIMIT, DAY, 10_000, REQUEST_FILLS_MAX + 5);
    expect(last()?.kind).toBe("TRADE");
    expect(out.values[EventField.RESTING]).toBe(5);
  });

  test.each([1, 7, 100_000])(
    "kill a fill-or-kill order that needs one fill too many, over %i levels",
    (levels) => {
      restSells(REQUEST_FILLS_MAX + 1, levels);
      book.newOrder(2, 1, Side.BUY, LIMIT, FILL_OR_KILL, 1_000_000, REQUEST_FILLS_MAX + 1);
      expect(readEvents(out).map(({ kind }) => kind)).toEqual(["ACCEPTED", "CANCELLED"]);
      expect(last()?.fields.REASON).toBe(CancelReason.FILL_OR_KILL);
      book.newOrder(2, 1, Side.BUY, LIMIT, FILL_OR_KILL, 1_000_000, REQUEST_FILLS_MAX);
      expect(kindsSeen(EventKind.TRADE)).toBe(REQUEST_FILLS_MAX);
    },
  );

  test("end a replaced order that would cause one fill too many", () => {
    book.newOrder(2, 1, Side.BUY, LIMIT, DAY, 50, 1);
    restSells(REQUEST_FILLS_MAX + 1, 7);
    book.replace(2, 1, 10_000, REQUEST_FILLS_MAX + 5);
    expect(last()?.fields).toMatchObject({ QUANTITY: 5, RESTED: 0, REASON: CancelReason.SWEEP_LIMIT });
    expect(book.find(2, 1)).toBeUndefined();
    expect(book.liveOrders).toBe(1);
  });

  test("let a mass cancel end so many orders, lowest order id first, and say how many remain", () => {
    restSells(REQUEST_CANCELS_MAX + 3, 50);
    book.massCancel(1);
    expect(last()?.fields).toMatchObject({ CANCELLED: REQUEST_CANCELS_MAX, REMAINING: 3 });
    expect([...book.orders()].map((order) => order.orderId).sort((a, b) => a - b)).toEqual(
      [1, 2, 3].map((n) => REQUEST_CANCELS_MAX + n),
    );
    out.clear();
    while (book.pending) book.proceed();
    expect(out.length).toBe(0);
    book.massCancel(1);
    expect(last()?.fields).toMatchObject({ CANCELLED: 3, REMAINING: 0 });
    expect(book.liveOrders).toBe(0);
  });
});

describe("a full book", () => {
  test("refuses what would rest and still lets orders trade and end", () => {
    restSells(ORDERS_MAX, 1000);
    book.newOrder(1, MAX, Side.SELL, LIMIT, DAY, 100, 1);
    expect(last()).toMatchObject({ kind: "REJECTED", fields: { REASON: RejectReason.BOOK_FULL } });
    book.newOrder(2, 1, Side.BUY, MARKET, IMMEDIATE_OR_CANCEL, 0, 1);
    expect(last()).toMatchObject({ kind: "TRADE", fields: { PRICE: 100, MAKER_ORDER_ID: 1 } });
    book.newOrder(1, MAX, Side.SELL, LIMIT, DAY, 100, 1);
    expect(last()).toMatchObject({ kind: "ACCEPTED", fields: { RESTING: 1 } });
    expect(book.liveOrders).toBe(ORDERS_MAX);
  });

  test("refuses quantity past 2^53 - 1 on a side, also by replace, and takes what just fits", () => {
    book.newOrder(1, 1, Side.SELL, LIMIT, DAY, 100, MAX - 10);
    book.newOrder(1, 2, Side.SELL, LIMIT, DAY, 101, 11);
    expect(last()?.fields.REASON).toBe(RejectReason.BOOK_FULL);
    book.newOrder(1, 2, Side.SELL, LIMIT, DAY, 101, 9);
    book.replace(1, 2, 102, 11);
    expect(last()?.fields.REASON).toBe(RejectReason.BOOK_FULL);
    book.replace(1, 2, 102, 10);
    expect(last()).toMatchObject({ kind: "REPLACED", fields: { RESTING: 10 } });
    expect(book.askQuantity).toBe(MAX);
    book.newOrder(2, 1, Side.BUY, LIMIT, FILL_OR_KILL, 102, MAX);
    expect(book.liveOrders).toBe(0);
    expect(book.askQuantity).toBe(0);
  });
});

describe("an account's handle", () => {
  test.each([-1, 0.5, Number.NaN, ACCOUNTS_MAX])(
    "of %d is the caller's mistake and stops the job",
    (account) => {
      expect(() => book.newOrder(account, 1, Side.BUY, LIMIT, DAY, 1, 1)).toThrow(InvariantError);
      expect(() => book.cancel(account, 1)).toThrow(InvariantError);
      expect(() => book.replace(account, 1, 1, 1)).toThrow(InvariantError);
      expect(() => book.massCancel(account)).toThrow(InvariantError);
      expect(book.find(account, 1)).toBeUndefined();
    },
  );

  test("may be the highest there is", () => {
    book.newOrder(ACCOUNTS_MAX - 1, MAX, Side.BUY, LIMIT, DAY, MAX, 1);
    expect(book.find(ACCOUNTS_MAX - 1, MAX)).toMatchObject({ account: ACCOUNTS_MAX - 1, price: MAX });
  });
});

test("a request that was refused before the book takes its place in the sequence of events", () => {
  book.refuse(1, 7, 106);
  book.refuse(1, Number.NaN, 103);
  expect(readEvents(out).map(({ fields }) => fields)).toEqual([
    { SEQUENCE: 1, ACCOUNT: 1, CLIENT_ORDER_ID: 7, REASON: 106 },
    { SEQUENCE: 2, ACCOUNT: 1, CLIENT_ORDER_ID: 0, REASON: 103 },
  ]);
  expect([book.nextEvent, book.nextOrderId, book.liveOrders]).toEqual([3, 1, 0]);
});

const ROW: LiveOrder = {
  ...NO_FURTHER_TERMS,
  orderId: 3,
  account: 1,
  clientOrderId: 7,
  side: Side.BUY,
  type: LIMIT,
  timeInForce: DAY,
  price: 100,
  quantity: 10,
  leaves: 4,
  shown: 4,
  priority: 5,
};
const STATE: BookState = {
  nextEvent: 30,
  nextOrderId: 20,
  phase: Phase.CONTINUOUS,
  until: 0,
  lastPrice: 0,
  referencePrice: 0,
  uncross: undefined,
  accounts: [],
};

describe("a restore", () => {
  test.each<[keyof LiveOrder, number]>([
    ["orderId", 0],
    ["account", -1],
    ["clientOrderId", 0.5],
    ["side", 3],
    ["type", 8],
    ["timeInForce", 2],
    ["price", 0],
    ["quantity", 2 ** 53],
    ["leaves", 11],
    ["leaves", 0],
    ["priority", Number.NaN],
  ])("refuses a row whose %s is %d", (field, value) => {
    expect(() => book.restoreOrder({ ...ROW, [field]: value })).toThrow(`${field} is ${value}`);
  });

  test.each<[string, Partial<LiveOrder>, string]>([
    ["a client order id twice", { orderId: 4, priority: 6 }, "client order id 7 of its account is taken"],
    ["an order id twice", { clientOrderId: 8, priority: 6 }, "two orders have the order id 3"],
    ["a priority twice", { orderId: 4, clientOrderId: 8 }, "two orders have the priority 5"],
    ["an order id that comes next", { orderId: 20, clientOrderId: 8, priority: 6 }, "next order id is 20"],
    ["a priority that comes next", { orderId: 4, clientOrderId: 8, priority: 30 }, "next priority is 30"],
    [
      "sides that cross",
      { orderId: 4, clientOrderId: 8, priority: 6, side: Side.SELL },
      "best bid is not below its best ask",
    ],
    [
      "a side past 2^53 - 1",
      { orderId: 4, clientOrderId: 8, priority: 6, quantity: MAX, leaves: MAX },
      "add up to more than 2^53 - 1",
    ],
  ])("refuses %s", (_, change, message) => {
    expect(() => {
      book.restoreOrder(ROW);
      book.restoreOrder({ ...ROW, ...change });
      book.finishRestore(STATE);
    }).toThrow(message);
  });

  test("refuses a book that has executed requests", () => {
    book.cancel(1, 1);
    expect(() => book.restoreOrder(ROW)).toThrow("although it has executed requests");
    expect(() => book.finishRestore(STATE)).toThrow("although it has executed requests");
  });

  test("without orders takes the position", () => {
    book.finishRestore(STATE);
    expect([book.nextEvent, book.nextOrderId, book.liveOrders]).toEqual([30, 20, 0]);
  });
});

describe("the state hash", () => {
  const hashOf = (order: LiveOrder, state: BookState = STATE): string =>
    stateHash({ state: () => state, orders: () => [order] }, nameOf);

  test("changes with every field of an order, in their high bits too", () => {
    const changed = (Object.entries(ROW) as [keyof LiveOrder, number | boolean][]).flatMap(
      ([field, value]) =>
        typeof value === "boolean"
          ? [hashOf({ ...ROW, [field]: !value })]
          : [1, 2 ** 40].map((by) => hashOf({ ...ROW, [field]: value + by })),
    );
    const all = [hashOf(ROW), ...changed];
    expect(new Set(all).size).toBe(1 + 2 * 20 + 2);
    for (const hash of all) expect(hash).toMatch(/^[0-9a-f]{32}$/);
  });

  test("changes with every field of the state, of an uncross and of an account", () => {
    const uncross = { price: 1, volume: 2, imbalance: 3, side: Side.BUY, nextPhase: Phase.CONTINUOUS };
    const under: BookState = { ...STATE, uncross: { ...uncross, until: 4, reason: 5 } };
    const account = { account: 1, position: 2, cash: 3, blocked: false, messageTime: 4, messages: 5 };
    const known: BookState = { ...STATE, accounts: [account] };
    const states: BookState[] = [
      STATE,
      under,
      known,
      { ...known, accounts: [{ ...account, blocked: true }] },
    ];
    for (const field of [
      "nextEvent",
      "nextOrderId",
      "phase",
      "until",
      "lastPrice",
      "referencePrice",
    ] as const) {
      for (const by of [1, 2 ** 40]) states.push({ ...STATE, [field]: STATE[field] + by });
    }
    for (const [field, value] of Object.entries(under.uncross ?? {})) {
      states.push({ ...under, uncross: Object.assign({}, under.uncross, { [field]: value + 2 ** 40 }) });
    }
    for (const field of ["account", "position", "cash", "messageTime", "messages"] as const) {
      states.push({ ...known, accounts: [{ ...account, [field]: account[field] + 2 ** 40 }] });
    }
    expect(new Set(states.map((state) => hashOf(ROW, state))).size).toBe(4 + 12 + 7 + 5);
  });

  test("does not depend on the numbers of the accounts' handles", () => {
    const hashes = [1, 9].map((account) =>
      stateHash({ state: () => STATE, orders: () => [{ ...ROW, account }] }, () => "alice"),
    );
    expect(hashes[0]).toBe(hashes[1]);
  });
});
