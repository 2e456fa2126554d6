import { describe, expect, test } from "vitest";
import type { Broken } from "./plan.ts";
import { runSeed } from "./run-seed.ts";

const SEEDS_MAX = 200;
const NODES_MAX = 12;

/** The first seed that shows that a rule is left out, by a violation of this kind. */
function firstSeedThatShows(broken: Broken, violation: RegExp): number | undefined {
  for (let seed = 1; seed <= SEEDS_MAX; seed++) {
    const { violations } = runSeed(seed, { broken, nodesMax: NODES_MAX });
    if (violations.some((line) => violation.test(line))) return seed;
  }
  return undefined;
}

describe("the simulator notices within 200 seeds", () => {
  const rules: readonly { readonly rule: string; readonly broken: Broken; readonly violation: RegExp }[] = [
    { rule: "a new monitor judges before its passive round", broken: "passive", violation: /^needless: / },
    { rule: "nobody stands down for who is first", broken: "standDown", violation: /^stand-down: / },
    {
      rule: "instances on one node are equally good",
      broken: "ties",
      violation: /^end: .* has [2-9] instances: /,
    },
    { rule: "a monitor judges others when it is itself cut off", broken: "link", violation: /^deaf: / },
    { rule: "a log takes entries of any epoch", broken: "epochs", violation: /^I4: / },
  ];

  test.each(rules)("that $rule", { timeout: 300_000 }, ({ broken, violation }) => {
    const seed = firstSeedThatShows(broken, violation);
    expect(seed).toBeDefined();
    // And nothing else is wrong with that history.
    expect(runSeed(seed as number, { nodesMax: NODES_MAX }).violations).toEqual([]);
  });
});

describe("a seed", () => {
  test("leads to the same history each time, step by step", () => {
    const history = (): string[] => {
      const lines: string[] = [];
      runSeed(11, { nodesMax: NODES_MAX }, (line) => lines.push(line));
      return lines;
    };
    const first = history();
    expect(first.length).toBeGreaterThan(100);
    expect(history()).toEqual(first);
  });
});
