import { assert, asyncProperty, maxSafeInteger } from "fast-check";
import { describe, expect, test } from "vitest";
import { TimeInForce } from "../../../proto/generated/evercross/v1/types.ts";
import { generateFlow } from "../../../services/flow/generator.ts";
import { Random } from "../../../services/flow/random.ts";
import { collect } from "./collect.ts";

const symbols = ["AAA", "BBB", "CCC", "DDD"];
const flowOf = (seed: number, actions = 20_000) =>
  generateFlow({ seed, actions, symbols, actionsPerSecond: 10_000 });

describe("the random numbers", () => {
  test("the first values of a seed never change", () => {
    const random = new Random(1);
    expect([random.next(), random.next(), random.next()]).toMatchInlineSnapshot(`
      [
        393288148,
        2174103013,
        3814759091,
      ]
    `);
  });

  test("unit values stay in [0, 1) and fill it", () => {
    const random = new Random(5);
    const values = Array.from({ length: 20_000 }, () => random.unit());
    expect(Math.min(...values)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...values)).toBeLessThan(1);
    expect(values.reduce((sum, value) => sum + value, 0) / values.length).toBeCloseTo(0.5, 1);
  });

  test("seeds that differ only beyond 32 bits differ", () => {
    expect(new Random(2 ** 40 + 7).next()).not.toBe(new Random(7).next());
  });
});

describe("the generated flow", () => {
  test("the same seed gives the same flow, another seed another", async () => {
    await assert(
      asyncProperty(maxSafeInteger(), async (seed) => {
        const first = await collect(flowOf(seed, 600));
        expect(await collect(flowOf(seed, 600))).toEqual(first);
        expect(await collect(flowOf(seed + (seed > 0 ? -1 : 1), 600))).not.toEqual(first);
      }),
      { numRuns: 20 },
    );
  });

  test("rows count up, time never falls, terms are legal and new ids are fresh", async () => {
    await assert(
      asyncProperty(maxSafeInteger(), async (seed) => {
        const used = new Set<string>();
        let timeUs = 0;
        let row = 0;
        for (const action of await collect(flowOf(seed, 3000))) {
          expect(action.row).toBe(row++);
          expect(action.timeUs).toBeGreaterThanOrEqual(timeUs);
          timeUs = action.timeUs;
          const key = `${action.symbol}/${action.orderId}`;
          expect(used.has(key)).toBe(action.kind !== "new");
          used.add(key);
          if (action.kind === "cancel") continue;
          expect(Number.isSafeInteger(action.price) && action.price >= 0).toBe(true);
          expect(Number.isSafeInteger(action.quantity) && action.quantity > 0).toBe(true);
        }
      }),
      { numRuns: 10 },
    );
  });

  test("about a fifth takes, about a quarter cancels, and every symbol is used", async () => {
    const actions = await collect(flowOf(11));
    const share = (count: number): number => count / actions.length;
    const cancels = actions.filter(({ kind }) => kind === "cancel").length;
    const immediate = actions.filter((a) => a.kind === "new" && a.timeInForce !== TimeInForce.DAY).length;
    const replaces = actions.filter(({ kind }) => kind === "replace").length;
    expect(share(cancels)).toBeGreaterThan(0.15);
    expect(share(cancels)).toBeLessThan(0.4);
    // Four of five takers are immediate, the rest are day orders through the touch.
    expect(share(immediate)).toBeGreaterThan(0.12);
    expect(share(immediate)).toBeLessThan(0.2);
    expect(share(replaces)).toBeGreaterThan(0.02);
    expect(new Set(actions.map(({ symbol }) => symbol))).toEqual(new Set(symbols));
  });

  test("arrivals come in bursts at the asked mean rate", async () => {
    const actions = await collect(flowOf(12));
    const gaps = actions.slice(1).map((action, index) => action.timeUs - (actions[index]?.timeUs ?? 0));
    const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
    const variance = gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length;
    expect(mean).toBeGreaterThan(60);
    expect(mean).toBeLessThan(160);
    // A Poisson process has 1.
    expect(Math.sqrt(variance) / mean).toBeGreaterThan(1.2);
  });
});
