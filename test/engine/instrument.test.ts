import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { OrderType, RejectReason, Side, TimeInForce } from "../../engine/codes.ts";
import { EventBuffer } from "../../engine/event-buffer.ts";
import { checkTerms, type Instrument, type Terms } from "../../engine/instrument.ts";
import { OrderBook } from "../../engine/order-book.ts";

const MAX = Number.MAX_SAFE_INTEGER;
const ACME: Instrument = { symbol: "ACME", tick: 5, lot: 10, priceMax: 100_000, quantityMax: 1_000_000 };
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

describe("checkTerms", () => {
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
    ["time in force 4", { timeInForce: 4 }, R.INVALID_TIME_IN_FORCE],
    ["a market order for the day", { ...MARKET, timeInForce: TimeInForce.DAY }, R.INVALID_TIME_IN_FORCE],
    ["a market order with a price", { ...MARKET, price: 1000 }, R.INVALID_PRICE],
    ["a market order with a price of -0", { ...MARKET, price: -0 }, R.INVALID_PRICE],
    ["quantity 0", { quantity: 0 }, R.INVALID_QUANTITY],
    ["quantity -10", { quantity: -10 }, R.INVALID_QUANTITY],
    ["quantity NaN", { quantity: Number.NaN }, R.INVALID_QUANTITY],
    ["quantity 10.5", { quantity: 10.5 }, R.INVALID_QUANTITY],
    ["quantity over the maximum", { quantity: 1_000_010 }, R.QUANTITY_TOO_LARGE],
    ["quantity infinite", { quantity: Number.POSITIVE_INFINITY }, R.QUANTITY_TOO_LARGE],
    ["quantity off the lot", { quantity: 105 }, R.QUANTITY_OFF_LOT],
    ["price 0", { price: 0 }, R.INVALID_PRICE],
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

test.each(["tick", "lot", "priceMax", "quantityMax"] as const)(
  "a book refuses an instrument without a whole %s",
  (field) => {
    for (const value of [0, -1, 0.5, Number.NaN, 2 ** 53]) {
      expect(() => new OrderBook({ ...ACME, [field]: value }, new EventBuffer())).toThrow(
        `ACME: ${field} is ${value}`,
      );
    }
  },
);
