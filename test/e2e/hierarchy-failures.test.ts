import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compareInstances } from "../../runtime/monitor/instance.ts";
import { identify } from "../../runtime/process/process-identity.ts";
import { waitFor } from "../../runtime/process/wait.ts";
import { nodeOf } from "../chaos/cluster-sight.ts";
import { HierarchyTrial, type TrialOptions } from "../support/hierarchy-trial.ts";

const SYMBOLS = [
  ["AAA", "BBB"],
  ["CCC", "DDD"],
];
const LIGHT = { symbols: SYMBOLS, actionsPerSecond: 100 };

/** Longer than any silence that is judged: whoever is paused so long is replaced meanwhile. */
const LONG_PAUSE_MS = 3000;

interface Arrangement {
  readonly name: string;
  readonly options: TrialOptions;
  readonly levels: readonly ("agent" | "local" | "group" | "universal")[];
  /** Whole sub-trees are lost from these roles downwards. */
  readonly trees: readonly string[];
  /** Coordinators that may run on more than one node. */
  readonly coordinators: readonly string[];
}

const ARRANGEMENTS: readonly Arrangement[] = [
  {
    name: "two levels",
    options: { ...LIGHT, levels: 2, nodes: 3 },
    levels: ["agent", "local"],
    trees: ["agent/n3"],
    coordinators: ["local/main"],
  },
  {
    name: "four levels",
    options: { ...LIGHT, levels: 4, nodes: 4 },
    levels: ["agent", "local", "group", "universal"],
    trees: ["local/d", "group/west"],
    coordinators: ["local/a", "group/east", "universal/u"],
  },
];

describe.each(ARRANGEMENTS)("at $name", ({ options, levels, trees, coordinators }) => {
  let trial: HierarchyTrial;

  beforeAll(async () => {
    trial = await HierarchyTrial.open(options);
  });
  afterAll(() => trial.close());

  test("single job failure: the job is started again, and nothing else is", async () => {
    const [injection] = await trial.suffers({ kind: "kill", target: "crossing/AAA" });
    const [entry] = trial.cluster.sight.entriesOf("crossing/AAA");
    expect(injection?.jobs).toContain("crossing/AAA");
    expect(entry?.pid).not.toBe(injection?.victims[0]?.pid);
    expect(entry?.kind).toBe("host");
  });

  test.each(trees)(
    "vertical failure: all of the sub-tree of %s is lost at once and comes back",
    async (role) => {
      const [injection] = await trial.suffers({ kind: "vertical", role });
      expect(injection?.victims.length).toBeGreaterThan(1);
      expect(trial.pidOf(role)).not.toBe(0);
    },
  );

  test.each(levels)(
    "horizontal failure: all of the level %s is lost at once and comes back",
    async (level) => {
      const before = trial.cluster.targets.roles[level]?.map((role) => trial.pidOf(role)) ?? [];
      await trial.suffers({ kind: "horizontal", level });
      const after = trial.cluster.targets.roles[level]?.map((role) => trial.pidOf(role)) ?? [];
      expect(after).toHaveLength(before.length);
      expect(after.filter((pid) => before.includes(pid))).toEqual([]);
    },
  );

  test.each(coordinators)(
    "conflict: of two instances of %s exactly one survives, the better one",
    async (role) => {
      const first = trial.cluster.sight.entriesOf(role)[0];
      if (first === undefined) throw new Error(`${role} has no process`);
      const on = trial.cluster.operator.hierarchy.topology.role(role)?.on ?? [];
      const node = on.find((one) => one !== nodeOf(first)) ?? "";
      const span = trial.explain({ roles: [role] });
      const second = identify(trial.startByHand(role, node));
      if (second === undefined) throw new Error("it ended at once");
      const instances = [
        { node: nodeOf(first), pid: first.pid, startTicks: first.startTicks },
        { node, ...second },
      ].sort(compareInstances);
      expect(await waitFor(() => identify(instances[1]?.pid ?? 0) === undefined, 20_000, 20)).toBe(true);
      await trial.untilWhole(trial.listen());
      expect(trial.pidOf(role)).toBe(instances[0]?.pid);
      trial.expectNothingNeedless();
      span.untilMs = performance.now();
    },
  );

  test.each(coordinators)(
    "conflict: a paused instance of %s that wakes gives way to its successor",
    async (role) => {
      const [injection] = await trial.suffers({ kind: "pause", target: role, ms: LONG_PAUSE_MS });
      expect(trial.pidOf(role)).not.toBe(injection?.victims[0]?.pid);
    },
  );
});
