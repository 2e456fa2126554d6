import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CollarAction, OrderType, RejectReason, Side, TimeInForce } from "../../engine/codes.ts";
import { EventBuffer } from "../../engine/event-buffer.ts";
import { checkEntry } from "../../engine/entry-check.ts";
import {
  type Collars,
  type Instrument,
  isPlainOrder,
  requireInstrument,
  type TickBand,
} from "../../engine/instrument.ts";
import { OrderBook } from "../../engine/order-book.ts";
import { OrderEntry } from "../../engine/order-entry.ts";

const MAX = Number.MAX_SAFE_INTEGER;
const ACME: Instrument = { symbol: "ACME", tick: 5, lot: 10, priceMax: 100_000, quantityMax: 1_000_000 };
interface Terms {
  readonly clientOrderId: number;
  readonly side: number;
  readonly type: number;
  readonly timeInForce: number;
  readonly price: number;
  readonly quantity: number;
}

const GOOD: Terms = {
  clientOrderId: 1,
  side: Side.BUY,
  type: OrderType.LIMIT,
  timeInForce: TimeInForce.DAY,
  price: 1000,
  quantity: 100,
};
const MARKET = { type: OrderType.MARKET, timeInForce: TimeInForce.IMMEDIATE_OR_CANCEL, price: 0 };
const R = RejectReason;
const COLLARS: Collars = { action: CollarAction.REJECT, staticWidth: 0, dynamicWidth: 0, auctionUs: 0 };
const band = (from: number, tick: number): TickBand => ({ from, tick });

/** What the check says of a plain order's terms. */
function checkTerms(instrument: Instrument, terms: Terms): number {
  const { clientOrderId, side, type, timeInForce, price, quantity } = terms;
  const answer = checkEntry(instrument, Object.assign(new OrderEntry(), terms), 0);
  // The plain path takes just those of them that are good, and rest for the day, until cancelled or not at all.
  const isPlain = timeInForce <= TimeInForce.GOOD_TILL_CANCEL;
  const taken = isPlainOrder(instrument, clientOrderId, side, type, timeInForce, price, quantity);
  expect(taken).toBe(answer === 0 && isPlain);
  return answer;
}

describe("the check of a plain order's terms", () => {
  test.each<[string, Partial<Terms>, number]>([
    ["a plain limit order", {}, 0],
    ["the highest price and quantity", { price: 100_000, quantity: 1_000_000 }, 0],
    ["a market order", MARKET, 0],
    ["a fill-or-kill market order", { ...MARKET, timeInForce: TimeInForce.FILL_OR_KILL }, 0],
    ["id 0", { clientOrderId: 0 }, R.INVALID_ORDER_ID],
    ["id -1", { clientOrderId: -1 }, R.INVALID_ORDER_ID],
    ["id NaN", { clientOrderId: Number.NaN }, R.INVALID_ORDER_ID],
    ["id 1.5", { clientOrderId: 1.5 }, R.INVALID_ORDER_ID],
    ["id 2^53", { clientOrderId: 2 ** 53 }, R.INVALID_ORDER_ID],
    ["side 0", { side: 0 }, R.INVALID_SIDE],
    ["side 3", { side: 3 }, R.INVALID_SIDE],
    ["type 0", { type: 0 }, R.INVALID_ORDER_TYPE],
    ["type NaN", { type: Number.NaN }, R.INVALID_ORDER_TYPE],
    ["time in force 0", { timeInForce: 0 }, R.INVALID_TIME_IN_FORCE],
    ["until cancelled", { timeInForce: TimeInForce.GOOD_TILL_CANCEL }, 0],
    ["for the opening auction", { timeInForce: TimeInForce.AT_THE_OPEN }, 0],
    ["time in force 8", { timeInForce: 8 }, R.INVALID_TIME_IN_FORCE],
    ["time in force 1.5", { timeInForce: 1.5 }, R.INVALID_TIME_IN_FORCE],
    ["type 8", { type: 8 }, R.INVALID_ORDER_TYPE],
    ["a market order for the day", { ...MARKET, timeInForce: TimeInForce.DAY }, R.INVALID_TIME_IN_FORCE],
    ["a market order with a price as protection", { ...MARKET, price: 1000 }, 0],
    ["a market order with a price off the tick", { ...MARKET, price: 1001 }, R.PRICE_OFF_TICK],
    ["a market order with a price of -0", { ...MARKET, price: -0 }, R.INVALID_PRICE],
    ["quantity 0", { quantity: 0 }, R.INVALID_QUANTITY],
    ["quantity -10", { quantity: -10 }, R.INVALID_QUANTITY],
    ["quantity NaN", { quantity: Number.NaN }, R.INVALID_QUANTITY],
    ["quantity 10.5", { quantity: 10.5 }, R.INVALID_QUANTITY],
    ["quantity over the maximum", { quantity: 1_000_010 }, R.QUANTITY_TOO_LARGE],
    ["quantity infinite", { quantity: Number.POSITIVE_INFINITY }, R.QUANTITY_TOO_LARGE],
    ["quantity off the lot", { quantity: 105 }, R.QUANTITY_OFF_LOT],
    ["price 0", { price: 0 }, R.INVALID_PRICE],
    ["price -0", { price: -0 }, R.INVALID_PRICE],
    ["price -5", { price: -5 }, R.INVALID_PRICE],
    ["price NaN", { price: Number.NaN }, R.INVALID_PRICE],
    ["price 5.5", { price: 5.5 }, R.INVALID_PRICE],
    ["price over the maximum", { price: 100_005 }, R.PRICE_TOO_HIGH],
    ["price past 2^53", { price: 2 ** 60 }, R.PRICE_TOO_HIGH],
    ["price off the tick", { price: 1001 }, R.PRICE_OFF_TICK],
  ])("answers %s", (_, change, reason) => {
    expect(checkTerms(ACME, { ...GOOD, ...change })).toBe(reason);
  });

  test("tells multiples of the tick exactly, over all safe integers", () => {
    const safe = fc.oneof(
      fc.maxSafeNat(),
      fc.integer({ min: 1, max: 1000 }),
      fc.nat({ max: 1000 }).map((n) => MAX - n),
    );
    const positive = safe.map((n) => Math.max(n, 1));
    fc.assert(
      fc.property(positive, positive, fc.integer({ min: -1, max: 1 }), (tick, near, shift) => {
        const price = Math.min(Math.max(Math.floor(near / tick) * tick + shift, 1), MAX);
        const answer = checkTerms({ ...ACME, tick, priceMax: MAX }, { ...GOOD, price });
        expect(answer).toBe(BigInt(price) % BigInt(tick) === 0n ? 0 : R.PRICE_OFF_TICK);
      }),
      { numRuns: 5000 },
    );
  });

  test("gives an answer of its own band, or 0, for any numbers at all", () => {
    const any = fc.oneof(
      fc.double(),
      fc.integer({ min: -2, max: 12 }),
      fc.constantFrom(1000, 2 ** 53, 1e308, -0),
    );
    const reasons = new Set<number>([0, ...Object.values(RejectReason)]);
    fc.assert(
      fc.property(any, any, any, any, any, any, (clientOrderId, side, type, timeInForce, price, quantity) => {
        const terms = { clientOrderId, side, type, timeInForce, price, quantity };
        expect(reasons).toContain(checkTerms(ACME, terms));
      }),
      { numRuns: 2000 },
    );
  });
});

describe("an instrument", () => {
  test.each(["tick", "lot", "priceMax", "quantityMax"] as const)(
    "is refused by a book without a whole %s",
    (field) => {
      for (const value of [0, -1, 0.5, Number.NaN, 2 ** 53]) {
        expect(() => new OrderBook({ ...ACME, [field]: value }, new EventBuffer())).toThrow(
          `ACME: ${field} is ${value}`,
        );
      }
    },
  );

  test.each<[string, Partial<Instrument>, string]>([
    [
      "a tick band that does not lie above the one before",
      { tickBands: [band(100, 5), band(100, 10)] },
      "band 100",
    ],
    ["a tick band from 0", { tickBands: [band(0, 5)] }, "tick band 0"],
    [
      "a band's tick that is no multiple of the smallest",
      { tickBands: [band(100, 7)] },
      "tick 7 is no multiple",
    ],
    ["a policy that there is not", { policy: 4 as Instrument["policy"] & number }, "policy is 4"],
    [
      "an auction rule that there is not",
      { auctionRule: 0 as Instrument["auctionRule"] & number },
      "auctionRule is 0",
    ],
    ["no notional at all", { notionalMax: 0 }, "notionalMax is 0"],
    ["a fat-finger width of 0", { fatFingerWidth: 0 }, "fatFingerWidth is 0"],
    ["more fills than a request may cause", { requestFills: 65_537 }, "requestFills is 65537"],
    ["no events at all", { requestEvents: 0 }, "requestEvents is 0"],
    [
      "a phase that there is not",
      { initialPhase: 8 as Instrument["initialPhase"] & number },
      "initialPhase is 8",
    ],
    ["a negative reference", { referencePrice: -1 }, "referencePrice is -1"],
    [
      "a collar action that there is not",
      { collars: { ...COLLARS, action: 3 as never } },
      "no collar action 3",
    ],
    ["too wide a collar", { collars: { ...COLLARS, staticWidth: 100_001 } }, "collar width 100001"],
    ["a collar of half a hundredth", { collars: { ...COLLARS, dynamicWidth: 0.5 } }, "collar width 0.5"],
    ["an auction of half a microsecond", { collars: { ...COLLARS, auctionUs: 0.5 } }, "auctionUs 0.5"],
    ["a message rate without messages", { messageRate: { messages: 0, windowUs: 1 } }, "message rate of 0"],
    ["a message rate without time", { messageRate: { messages: 1, windowUs: 0 } }, "in 0 microseconds"],
  ])("is refused with %s", (_, change, message) => {
    expect(() => requireInstrument({ ...ACME, ...change })).toThrow(message);
  });

  test("may have every rule", () => {
    requireInstrument({
      ...ACME,
      tickBands: [band(100, 10), band(1000, 25)],
      notionalMax: Number.MAX_SAFE_INTEGER,
      policy: 3,
      auctionRule: 3,
      collars: { ...COLLARS, staticWidth: 100_000 },
      fatFingerWidth: 1,
      messageRate: { messages: 1, windowUs: 1 },
      requestFills: 1,
      requestEvents: 1,
      initialPhase: 7,
      referencePrice: 0,
    });
  });
});
