import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Side } from "../../engine/codes.ts";
import { LevelTable } from "../../engine/level-table.ts";
import { PriceLadder } from "../../engine/price-ladder.ts";

const MAX = Number.MAX_SAFE_INTEGER;

/** Prices in ticks: a walk near a touch, jumps of the touch, and prices anywhere up to 2^53 - 1. */
const steps = fc.array(
  fc.record({
    jump: fc.option(fc.constantFrom(-9000, -700, -40, 40, 700, 9000, 2 ** 40), { freq: 30 }),
    from: fc.nat({ max: 2000 }),
    anywhere: fc.option(fc.maxSafeNat(), { freq: 10 }),
    remove: fc.boolean(),
    burst: fc.integer({ min: 1, max: 40 }),
  }),
  { minLength: 1, maxLength: 120, size: "max" },
);

describe.each([
  [Side.BUY, 1],
  [Side.SELL, 1],
  [Side.BUY, 7],
  [Side.SELL, 2 ** 31 + 1],
])("the ladder of side %i with tick %i", (side, tick) => {
  test("finds, orders and forgets levels as a sorted list does, near the touch and far from it", () => {
    fc.assert(
      fc.property(steps, (flow) => {
        const table = new LevelTable();
        const ladder = new PriceLadder(table, side, tick);
        const model = new Map<number, number>();
        const last = Math.floor(MAX / tick);
        let touch = Math.min(10_000, last);
        for (const { jump, from, anywhere, remove, burst } of flow) {
          touch = Math.min(Math.max(touch + (jump ?? 0), 1), last);
          for (let n = 0; n < burst; n++) {
            const ticks = anywhere === null ? touch - 1000 + from + n * 3 : anywhere - n;
            const price = Math.min(Math.max(ticks, 1), last) * tick;
            expect(ladder.find(price)).toBe(model.get(price) ?? 0);
            if (remove && model.size > 0) {
              // Removing what is best is what a sweep does.
              const level = n % 2 === 0 ? ladder.best : (model.get(price) ?? ladder.best);
              model.delete(table.price(level));
              ladder.remove(level);
            } else {
              const level = ladder.obtain(price);
              expect(table.price(level)).toBe(price);
              if (model.has(price)) expect(level).toBe(model.get(price));
              model.set(price, level);
            }
          }
          const listed: number[] = [];
          for (let level = ladder.best; level !== 0; level = ladder.next(level))
            listed.push(table.price(level));
          const sorted = [...model.keys()].sort((one, other) =>
            side === Side.BUY ? other - one : one - other,
          );
          expect(listed).toEqual(sorted);
        }
      }),
      { numRuns: 25 },
    );
  });
});
