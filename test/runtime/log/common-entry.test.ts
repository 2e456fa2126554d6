import * as fc from "fast-check";
import { expect, test } from "vitest";
import { CommonEntry } from "../../../runtime/log/common-entry.ts";

/** Compares two logs of which the first `common` entries are the same, where one begins only behind `first - 1`. */
function find(
  low: number,
  high: number,
  common: number,
  first: number,
): { found: number | "none"; asked: number } {
  const search = new CommonEntry(low, high);
  for (let asked = 1; ; asked++) {
    const { next } = search;
    expect(next).toBeGreaterThanOrEqual(low);
    expect(next).toBeLessThanOrEqual(high);
    if (next < first - 1) {
      if (!search.raise(first - 1)) return { found: "none", asked };
      continue;
    }
    const found = search.compared(next <= common);
    if (found !== "open") return { found, asked };
  }
}

const place = fc.integer({ min: 0, max: 5000 });

test("finds the last entry in common, in a number of steps that grows with the logarithm of what differs", () => {
  fc.assert(
    fc.property(place, place, place, place, (a, b, c, d) => {
      const [low, common, high] = [a, b, c].sort((x, y) => x - y) as [number, number, number];
      const first = Math.min(d, high) + 1;
      const { found, asked } = find(low, high, common, first);
      expect(found).toBe(common >= first - 1 ? common : "none");
      expect(asked).toBeLessThanOrEqual(2 * Math.log2(high - Math.min(common, high) + 2) + 4);
    }),
  );
});

test("finds none when the logs differ even where they must not", () => {
  expect(find(7, 20, 5, 1)).toMatchObject({ found: "none" });
  expect(find(0, 0, 0, 1)).toEqual({ found: 0, asked: 1 });
});
