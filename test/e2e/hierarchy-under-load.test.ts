import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { Random } from "../../services/flow/random.ts";
import { HierarchyTrial } from "../support/hierarchy-trial.ts";

/** Printed with a failure by the name of the test. */
const SEED = 20_261;

test(`killing any coordinator or agent, of any level, at any moment, stops no job: crossing continues meanwhile (seed ${SEED})`, async () => {
  const trial = await HierarchyTrial.open({
    levels: 4,
    nodes: 4,
    symbols: [
      ["AAA", "BBB"],
      ["CCC", "DDD"],
    ],
    actionsPerSecond: 300,
  });
  try {
    await trial.untilWarm();
    const random = new Random(SEED);
    const roles = Object.values(trial.cluster.targets.roles).flat();
    expect(roles).toHaveLength(11);
    for (let left = [...roles]; left.length > 0;) {
      const [role] = left.splice(random.below(left.length), 1);
      const window = trial.listen();
      // No job, no host and no other monitor may restart for it.
      const injection = trial.cluster.injector.inject({ kind: "kill", target: role ?? "" });
      trial.explain(injection.touched);
      // Each symbol goes on being traded, and the next one is killed at any moment of the repair.
      await trial.untilHeard(window);
      await delay(random.below(700));
    }
    await trial.untilWhole(trial.listen());
    trial.expectNothingNeedless();
  } finally {
    await trial.close();
  }
});
