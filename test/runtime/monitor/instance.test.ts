import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compareInstances, type InstanceId } from "../../../runtime/monitor/instance.ts";

const instances = fc.record({
  node: fc.constantFrom("", "n", "n1", "n10", "n2", "N1"),
  pid: fc.integer({ min: 1, max: 4 }),
  startTicks: fc.integer({ min: 0, max: 2 }),
});

describe("the order of instances", () => {
  test("is total: of any two different ones exactly one is better, and better is transitive", () => {
    fc.assert(
      fc.property(instances, instances, instances, (a, b, c) => {
        expect(Math.sign(compareInstances(a, b)) + Math.sign(compareInstances(b, a))).toBe(0);
        const equal = a.node === b.node && a.pid === b.pid && a.startTicks === b.startTicks;
        expect(compareInstances(a, b) === 0).toBe(equal);
        if (compareInstances(a, b) < 0 && compareInstances(b, c) < 0)
          expect(compareInstances(a, c)).toBeLessThan(0);
      }),
    );
  });

  test("prefers the highest node, then the lowest process id, then the earliest start", () => {
    const ranked: InstanceId[] = [
      { node: "n2", pid: 9, startTicks: 9 },
      { node: "n1", pid: 1, startTicks: 5 },
      { node: "n1", pid: 2, startTicks: 1 },
      { node: "n1", pid: 2, startTicks: 2 },
    ];
    expect(ranked.toReversed().sort(compareInstances)).toEqual(ranked);
  });
});
