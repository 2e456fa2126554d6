import * as fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import { EventReason, OrderType, Peg, Phase, SelfTrade, Side, TimeInForce } from "../../engine/codes.ts";
import { EventBuffer } from "../../engine/event-buffer.ts";
import { EVENT_WIDTH, EventField, EventKind } from "../../engine/event-fields.ts";
import type { Instrument } from "../../engine/instrument.ts";
import { InvariantError } from "../../engine/invariant.ts";
import { OrderBook } from "../../engine/order-book.ts";
import type { OrderEntry } from "../../engine/order-entry.ts";
import { stateHash } from "../../engine/state-hash.ts";
import {
  EVENT_FIELDS,
  type EventObject,
  type FieldName,
  type KindName,
  readEvents,
} from "./event-objects.ts";
import { type Command, configure, execute, nameOf, type Setup } from "./flow.ts";
import { FlowGenerator } from "./flow-generator.ts";
import { COARSE, SETUPS } from "./setups.ts";

type Fields = EventObject["fields"];

/** A book that has applied these events, and nothing else. */
function replicaOf(setup: Setup, events: EventBuffer): OrderBook {
  const replica = new OrderBook(setup.instrument, new EventBuffer());
  configure(replica, setup);
  for (let index = 0; index < events.length; index++) replica.applyEvent(events, index);
  replica.finishApply();
  return replica;
}

/** Message counts are of requests, not of events: whoever follows counts them by itself. */
function withoutRate({ instrument, accounts }: Setup): Setup {
  const ruled: { -readonly [Field in keyof Instrument]: Instrument[Field] } = { ...instrument };
  delete ruled.messageRate;
  return { instrument: ruled, accounts };
}

/** What of an event is of no consequence to the book: it tells others, or is what a request asked for in vain. */
function toldOnly(kind: KindName, fields: Fields, next: EventObject | undefined): readonly FieldName[] {
  const told: FieldName[] = ["REASON", "CANCELLED", "REMAINING"];
  if (kind === "REJECTED" || kind === "MASS_CANCELLED") told.push("ACCOUNT", "CLIENT_ORDER_ID");
  if (kind === "INDICATIVE") told.push("ACCOUNT", "SIDE", "PRICE", "QUANTITY", "IMBALANCE");
  if (kind === "PHASE" || kind === "UNCROSS" || kind === "REFERENCE") told.push("ACCOUNT");
  // Of an account that was not blocked.
  if (kind === "BLOCKED" && fields.BLOCKED === 0) told.push("ACCOUNT");
  if (kind === "ACCEPTED" && fields.RESTING === 0) told.push("PRICE", "TYPE", "TIME_IN_FORCE");
  if (kind === "REPLACED" && fields.RESTING === 0) told.push("PRICE", "PRIORITY_KEPT");
  // Of a pegged order that comes in: the price to which it moved.
  if (kind === "ENTERED" && fields.TYPE === OrderType.PEGGED) told.push("PRICE");
  if (kind === "TERMS") {
    const isGone = next?.fields.RESTING === 0;
    told.push(
      ...(isGone ? EVENT_FIELDS.TERMS.filter((name) => !PLACED.includes(name)) : ["MIN_QUANTITY" as const]),
    );
  }
  return told;
}

/** What the `TERMS` of every order must agree with. */
const PLACED: readonly FieldName[] = ["SEQUENCE", "ACCOUNT"];

describe.each(SETUPS)("a replica of a random flow on $instrument.symbol", (setup) => {
  test("is the book that it follows", () => {
    fc.assert(
      fc.property(fc.noShrink(fc.integer()), (seed) => {
        const plain = withoutRate(setup);
        const events = new EventBuffer();
        const book = new OrderBook(plain.instrument, events);
        configure(book, plain);
        const generator = new FlowGenerator(plain, seed);
        for (let step = 0; step < 300; step++) execute(book, generator.next());
        expect(stateHash(replicaOf(plain, events), nameOf)).toBe(stateHash(book, nameOf));
      }),
      { numRuns: 10 },
    );
  });
});

describe.each(SETUPS)("an event with any of its fields changed on $instrument.symbol", (setup) => {
  test("is refused, or leads to another state", () => {
    const plain = withoutRate(setup);
    const changes = fc.constantFrom(-10, -1, 1, 5, 2 ** 33);
    fc.assert(
      fc.property(fc.noShrink(fc.integer()), fc.nat(), fc.nat(), changes, (seed, which, part, by) => {
        const events = new EventBuffer();
        const book = new OrderBook(plain.instrument, events);
        configure(book, plain);
        const generator = new FlowGenerator(plain, seed);
        for (let step = 0; step < 60; step++) execute(book, generator.next());
        if (events.length === 0) return;
        const index = which % events.length;
        const { kind, fields } = readEvents(events)[index]!;
        const told = toldOnly(kind, fields, readEvents(events)[index + 1]);
        const names = EVENT_FIELDS[kind].filter((name) => !told.includes(name));
        const name = names[part % names.length]!;
        const hashes = hashesFrom(plain, events, index);
        events.values[index * EVENT_WIDTH + EventField[name]]! += by;
        let changed: readonly string[] | undefined;
        try {
          changed = hashesFrom(plain, events, index);
        } catch (error) {
          expect(error).toBeInstanceOf(InvariantError);
        }
        expect(changed, `${kind} ${name} by ${by}`).not.toEqual(hashes);
      }),
      { numRuns: 150 },
    );
  });
});

/** The replica's hash after the event of this index, after the next one – terms come before their order –, and after all. */
function hashesFrom(setup: Setup, events: EventBuffer, index: number): string[] {
  const replica = new OrderBook(setup.instrument, new EventBuffer());
  configure(replica, setup);
  const hashes: string[] = [];
  for (let at = 0; at < events.length; at++) {
    replica.applyEvent(events, at);
    if (at === index || at === index + 1) hashes.push(stateHash(replica, nameOf));
  }
  replica.finishApply();
  return [...hashes, stateHash(replica, nameOf)];
}

describe("what no book can have told", () => {
  const events = new EventBuffer();
  const setup: Setup = {
    instrument: { ...COARSE, initialPhase: Phase.OPENING_AUCTION },
    accounts: [
      [1, { selfTradeGroup: 1, positionMax: 1000 }],
      [2, { selfTradeGroup: 1, selfTrade: SelfTrade.DECREMENT }],
    ],
  };
  const enter = (account: number, id: number, terms: Partial<OrderEntry>): Command => {
    const usual = { clientOrderId: id, side: Side.SELL, type: OrderType.LIMIT, timeInForce: TimeInForce.DAY };
    return { do: "enter", account, terms: { ...usual, price: 100, quantity: 10, ...terms } };
  };
  const { BUY } = Side;
  const { TRAILING_STOP, STOP, PEGGED } = OrderType;

  beforeEach(() => {
    events.clear();
    const book = new OrderBook(setup.instrument, events);
    configure(book, setup);
    const commands: Command[] = [
      enter(1, 1, { quantity: 50, displayQuantity: 20 }),
      enter(3, 1, { side: BUY, quantity: 20 }),
      { do: "indicate" },
      { do: "setPhase", phase: Phase.CONTINUOUS, until: 0, reason: EventReason.OPERATOR },
      { do: "setReference", price: 100 },
      enter(3, 2, { type: TRAILING_STOP, price: 0, offset: 10 }),
      enter(3, 3, { side: BUY, type: STOP, price: 0, triggerPrice: 105, oco: 2 }),
      enter(3, 4, { side: BUY, price: 90 }),
      enter(3, 5, { side: BUY, type: PEGGED, price: 0, peg: Peg.PRIMARY, offset: 5 }),
      enter(2, 1, { side: BUY, quantity: 10 }),
      enter(4, 1, { price: 95, quantity: 5_000_000, allOrNone: true }),
      enter(3, 6, { price: 105 }),
      enter(5, 1, { side: BUY, price: 105, quantity: 40 }),
      { do: "block", account: 4, blocked: true },
    ];
    for (const command of commands) execute(book, command);
  });

  test.each<[KindName, FieldName, number, string]>([
    ["TERMS", "ACCOUNT", 9, "its account is"],
    ["TERMS", "DISPLAY_QUANTITY", 50, "an order with its display quantity cannot rest"],
    ["TERMS", "PARTNER", 77, "its partner, order 77, is not live"],
    ["TERMS", "FOR_ACCOUNT", -2, "an order with its account that it is for cannot rest"],
    ["ENTERED", "ORDER_ID", 77, "order 77 (client order id"],
    ["ENTERED", "SIDE", 3, "its side is 3"],
    ["ENTERED", "TYPE", 1, "its type is 1, the book says 2"],
    ["ENTERED", "PRICE", 105, "its price is 105, the book says 0"],
    ["ENTERED", "LEAVES", 5, "its leaves is 5"],
    ["ENTERED", "QUANTITY", 5, "its quantity is 5"],
    ["REFRESHED", "ORDER_ID", 2, "is not live"],
    ["REFRESHED", "SHOWN", 10, "its shown quantity is 10, the book says 20"],
    ["REFRESHED", "LEAVES", 10, "its leaves is 10"],
    ["REFRESHED", "PRICE", 95, "its price is 95"],
    ["TRIGGER_MOVED", "SIDE", 1, "its side is 1"],
    ["TRIGGER_MOVED", "PRICE", 0, "0 is not a price"],
    ["TRIGGER_MOVED", "CLIENT_ORDER_ID", 4, "is not live"],
    ["DECREMENTED", "QUANTITY", 20, "its rested is 10, the book says 20"],
    ["DECREMENTED", "NEW_QUANTITY", 50, "its new quantity is 50"],
    ["DECREMENTED", "SHOWN", 0, "its shown quantity is 0"],
    ["DECREMENTED", "LEAVES", 10, "its leaves is 10"],
    ["UNCROSS", "PRICE", 95, "TRADE 5 contradicts it: its price is 100, the book says 95"],
    ["TRADE", "SIDE", 2, "its side is 2"],
    ["TRADE", "TAKER_SHOWN", 0, "its buyer's shown quantity is 0"],
    ["PHASE", "PHASE", 8, "there is no phase 8"],
    ["POSITION", "ACCOUNT", -1, "account -1 is not a handle"],
    ["BLOCKED", "BLOCKED", 2, "its blocked is 2"],
    ["BLOCKED", "ACCOUNT", 2 ** 20, "account 1048576 is not a handle"],
    ["REFERENCE", "SEQUENCE", 99, "the book stands before event"],
    ["INDICATIVE", "SEQUENCE", 1, "the book stands before event"],
  ])("is refused: %s with %s %d", (kind, name, value, message) => {
    const index = readEvents(events).findIndex((event) => event.kind === kind);
    expect(index).toBeGreaterThanOrEqual(0);
    events.values[index * EVENT_WIDTH + EventField[name]] = value;
    expect(() => replicaOf(setup, events)).toThrow(message);
  });

  test("is refused: a kind that there is not", () => {
    events.values[(events.length - 1) * EVENT_WIDTH] = 18;
    expect(() => replicaOf(setup, events)).toThrow("there is no kind 18");
  });

  test("is refused: terms without their order", () => {
    const [terms] = readEvents(events);
    expect(terms?.kind).toBe("TERMS");
    const replica = new OrderBook(setup.instrument, new EventBuffer());
    replica.applyEvent(events, 0);
    expect(() => replica.finishApply()).toThrow("an order's terms are its last event");
    const other = new OrderBook(setup.instrument, new EventBuffer());
    other.applyEvent(events, 0);
    events.values[EVENT_WIDTH] = EventKind.TRADE;
    expect(() => other.applyEvent(events, 1)).toThrow("an order's terms come before it");
  });
});

test("a missing, a doubled or a swapped event is refused by its number", () => {
  const events = new EventBuffer();
  const book = new OrderBook(COARSE, events);
  for (let id = 1; id <= 3; id++) book.newOrder(1, id, 1, 1, 1, 100, 10);
  for (const order of [[0, 2], [0, 0], [1]]) {
    const replica = new OrderBook(COARSE, new EventBuffer());
    expect(() => order.forEach((index) => replica.applyEvent(events, index))).toThrow(
      /ACCEPTED \d contradicts it: the book stands before event/,
    );
  }
  expect(() => new OrderBook(COARSE, new EventBuffer()).applyEvent(events, 3)).toThrow("buffer that holds 3");
});

test("a request whose fills are missing is refused at its end", () => {
  const events = new EventBuffer();
  const book = new OrderBook(COARSE, events);
  book.newOrder(1, 1, 1, 1, 1, 100, 10);
  book.newOrder(2, 1, 2, 1, 1, 100, 30);
  const replica = new OrderBook(COARSE, new EventBuffer());
  replica.applyEvent(events, 0);
  replica.applyEvent(events, 1);
  expect(() => replica.finishApply()).toThrow(
    "order 2 was left with 30 by its fills although its event says that 20 rest",
  );
});
