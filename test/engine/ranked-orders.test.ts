import * as fc from "fast-check";
import { expect, test } from "vitest";
import { RankedOrders } from "../../engine/ranked-orders.ts";

interface Ranked {
  readonly handle: number;
  readonly key: number;
  readonly priority: number;
}

const read = (ranked: RankedOrders): Ranked[] =>
  Array.from({ length: ranked.length }, (_, index) => ({
    handle: ranked.handle(index),
    key: ranked.key(index),
    priority: ranked.priority(index),
  }));

test("orders stand by key, then by priority, whatever came and went", () => {
  const key = fc.oneof(
    fc.integer({ min: 1, max: 5 }),
    fc.constantFrom(Infinity, 2 ** 53 - 1, 2 ** 53 - 2, 2 ** 40),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(key, fc.boolean(), fc.nat()), { maxLength: 60 }), (steps) => {
      const ranked = new RankedOrders();
      let expected: Ranked[] = [];
      steps.forEach(([at, isRemoved, which], step) => {
        const gone = expected[which % Math.max(1, expected.length)];
        if (isRemoved && gone !== undefined) {
          ranked.remove(gone.key, gone.priority);
          expected = expected.filter((one) => one !== gone);
        } else {
          // Later orders may have a lower priority number: pegged ones keep theirs when they move.
          const one = { handle: step + 1, key: at, priority: ((step * 7919) % 1009) * 64 + step };
          ranked.insert(one.handle, one.key, one.priority);
          expected = [...expected, one].sort((a, b) =>
            a.key === b.key ? a.priority - b.priority : a.key - b.key,
          );
        }
        expect(read(ranked)).toEqual(expected);
      });
    }),
    { numRuns: 300 },
  );
});

test("more orders than at first have room keep their places", () => {
  const ranked = new RankedOrders();
  for (let n = 100; n > 0; n--) ranked.insert(n, 5, n);
  expect(read(ranked).map(({ handle }) => handle)).toEqual(Array.from({ length: 100 }, (_, n) => n + 1));
});
