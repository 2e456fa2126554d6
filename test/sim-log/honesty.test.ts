import { describe, expect, test } from "vitest";
import type { PlanBounds } from "./draw-plan.ts";
import type { Broken } from "./plan.ts";
import { runHistory } from "./run-history.ts";

const SEEDS_MAX = 1000;

/** The first seed that shows that a rule is left out, by a violation of this kind. */
function firstSeedThatShows(bounds: PlanBounds, violation: RegExp): number | undefined {
  for (let seed = 1; seed <= SEEDS_MAX; seed++) {
    const { violations } = runHistory(seed, bounds);
    if (violations.some((line) => violation.test(line))) return seed;
  }
  return undefined;
}

interface LeftOut {
  readonly rule: string;
  readonly broken: Broken;
  readonly violation: RegExp;
  /** Where it takes a rare succession of events: more of them. */
  readonly bounds?: PlanBounds;
}

describe(`the simulator notices within ${SEEDS_MAX} histories`, () => {
  const rules: readonly LeftOut[] = [
    {
      rule: "what was chosen counts before the writer's first entry does",
      broken: "started",
      violation: /^I1: /,
      bounds: {
        replicas: 3,
        appendMs: 20,
        faults: 16,
        kinds: ["race", "race", "race", "cut replica", "cut pair", "cut pair"],
      },
    },
    {
      rule: "the longest log is chosen, whatever its epoch",
      broken: "longest",
      violation: /^I1: /,
      bounds: { replicas: 3, appendMs: 80, faults: 14, kinds: ["race", "cut pair", "cut replica"] },
    },
    {
      rule: "a promise is given before it is on the disk",
      broken: "promise",
      violation: /^I4: .* promised /,
      bounds: { kinds: ["power", "power of all", "race", "kill writer"] },
    },
    {
      rule: "a replica that lost its disk passes for the same one",
      broken: "incarnation",
      violation: /^I[14]: /,
    },
    { rule: "a replica counts that is no member", broken: "learner", violation: /^I[12]: / },
    {
      rule: "the members change by several at a time",
      broken: "members",
      violation: /^I1: /,
      bounds: { kinds: ["change set", "cut replica", "cut replica", "race", "cut writer"] },
    },
    { rule: "readers read what is not committed", broken: "committed", violation: /^I2: .* gave / },
    {
      rule: "a log is founded by a majority",
      broken: "founding",
      violation: /^I[12]: /,
    },
  ];

  test.each(rules)("that $rule", { timeout: 300_000 }, ({ broken, violation, bounds }) => {
    const seed = firstSeedThatShows({ ...bounds, broken }, violation);
    expect(seed).toBeDefined();
    // And nothing else is wrong with that history.
    expect(runHistory(seed as number, bounds).violations).toEqual([]);
  });
});

describe("a seed", () => {
  test("leads to the same history each time, step by step", () => {
    const history = (): string[] => {
      const lines: string[] = [];
      runHistory(11, {}, (line) => lines.push(line));
      return lines;
    };
    const first = history();
    expect(first.length).toBeGreaterThan(100);
    expect(history()).toEqual(first);
  });
});
