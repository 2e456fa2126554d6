import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { InstanceId } from "../../../runtime/monitor/instance.ts";
import { Monitor, type MonitorOptions } from "../../../runtime/monitor/monitor.ts";
import type {
  MonitorInput,
  MonitorOutput,
  Peer,
  Surroundings,
} from "../../../runtime/monitor/monitor-message.ts";
import { agentTiming, coordinatorTiming } from "../../../runtime/monitor/timing.ts";

const SELF: InstanceId = { node: "c2", pid: 5, startTicks: 0 };
const TIMING = coordinatorTiming({ wideParent: false, wideChildren: false });

const CHILDREN: readonly Peer[] = [
  { role: "local/a", on: ["a1", "a2"], direct: false },
  { role: "local/b", on: ["b1"], direct: false },
  { role: "local/c", on: [], direct: false },
  { role: "local/d", on: ["d1", "d2", "d3"], direct: true },
];
const PARENTS: readonly (Peer | undefined)[] = [
  undefined,
  { role: "universal/u", on: ["u1", "u2"], direct: false },
  { role: "universal/v", on: ["v1"], direct: true },
];

function monitorOf(options: Partial<MonitorOptions>): Monitor {
  return new Monitor(
    {
      role: "group/east",
      self: SELF,
      timing: TIMING,
      launches: true,
      random: () => 0,
      surroundings: { parent: undefined, children: CHILDREN },
      ...options,
    },
    0,
  );
}

const instances = fc.record({
  node: fc.constantFrom("a1", "b1", "c1", "c2", "u1"),
  pid: fc.integer({ min: 4, max: 6 }),
  startTicks: fc.integer({ min: 0, max: 1 }),
});
/** Rarely a better one than itself, or most histories would end soon. */
const bests = fc.oneof(
  { weight: 30, arbitrary: fc.constant<InstanceId | undefined>(SELF) },
  { weight: 1, arbitrary: instances },
);
const outdone = fc.oneof(
  { weight: 30, arbitrary: fc.constant<InstanceId[]>([]) },
  { weight: 1, arbitrary: fc.array(instances, { maxLength: 2 }) },
);
const roles = fc.constantFrom(...CHILDREN.map(({ role }) => role), "universal/u", "universal/v", "agent/x");
const nodes = fc.constantFrom("a1", "a2", "b1", "d1", "d2", "d3", "u1", "u2", "v1");
const surroundings: fc.Arbitrary<Surroundings> = fc.record({
  parent: fc.constantFrom(...PARENTS),
  children: fc.subarray([...CHILDREN]),
});
const inputs: fc.Arbitrary<MonitorInput> = fc.oneof(
  { weight: 20, arbitrary: fc.constant<MonitorInput>({ kind: "tick" }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("link"), up: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("surroundings"), surroundings }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("poll"),
      role: roles,
      from: instances,
      beat: fc.nat(50),
      ask: fc.nat(),
      outdone,
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant("answer"),
      child: roles,
      from: instances,
      beat: fc.nat(60),
      best: bests,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("gone"),
      child: roles,
      from: fc.option(instances, { nil: undefined }),
      reason: fc.constant("ended"),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("orphaned"), reason: fc.constant("ended") }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("probed"), child: roles }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("announced"),
      role: roles,
      node: nodes,
      byRole: roles,
      by: instances,
      cause: fc.constant("silent"),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("launched"),
      role: roles,
      node: nodes,
      ok: fc.boolean(),
      detail: fc.constant("no power"),
    }),
  },
);
const histories = fc.array(fc.tuple(fc.oneof(fc.nat(250), fc.nat(799)), inputs), {
  maxLength: 400,
  size: "max",
});

/** What no history may ever bring about. */
class Rules {
  private readonly launches: boolean;
  private around: Surroundings;
  private active = false;
  private ended = false;
  private beat = 0;
  private readonly lastLaunch = new Map<string, number>();

  constructor(launches: boolean, around: Surroundings) {
    this.launches = launches;
    this.around = around;
  }

  check(now: number, input: MonitorInput, outputs: readonly MonitorOutput[]): void {
    if (this.ended) expect(outputs).toEqual([]);
    if (input.kind === "surroundings") this.around = input.surroundings;
    if (input.kind === "link" || input.kind === "surroundings") this.lastLaunch.clear();
    if (input.kind === "poll") this.again(input.role);
    const polled = outputs.flatMap((output) => (output.kind === "poll" ? [output] : []));
    expect(new Set(polled.map(({ child }) => child)).size).toBe(polled.length);
    for (const { beat } of polled) expect(beat).toBeGreaterThan(this.beat);
    this.beat = polled[0]?.beat ?? this.beat;
    for (const [index, output] of outputs.entries()) this.checkOutput(now, output, outputs[index - 1]);
    const suicide = outputs.findIndex(({ kind }) => kind === "suicide");
    if (suicide === -1) return;
    expect(suicide).toBe(outputs.length - 1);
    this.ended = true;
  }

  private checkOutput(now: number, output: MonitorOutput, before: MonitorOutput | undefined): void {
    if (output.kind === "active") {
      expect(output.active).toBe(!this.active);
      this.active = output.active;
    }
    if (output.kind === "up") this.again(output.child);
    if (output.kind === "failed") expect(this.mayJudge(output.child)).toBe(true);
    if (output.kind !== "launch") return;
    const { role, node } = output;
    const isParent = this.around.parent?.role === role;
    expect(before).toMatchObject({ kind: "announce", role, node });
    const peer = isParent ? this.around.parent : this.around.children.find((child) => child.role === role);
    expect(peer?.on).toContain(node);
    expect(isParent ? this.active || this.around.children.length === 0 : this.mayJudge(role)).toBe(true);
    if (!isParent) expect(this.launches).toBe(true);
    // 2.4: on one node not again before a round was in vain, and its wait is over.
    const key = `${role} ${node}`;
    expect(now - (this.lastLaunch.get(key) ?? -Infinity)).toBeGreaterThanOrEqual(TIMING.retryMs.min);
    this.lastLaunch.set(key, now);
  }

  /** 4.3, and 2.6: who is reached without the broker is judged even while the monitor is passive for the others. */
  private mayJudge(role: string): boolean {
    return this.active || this.around.children.find((child) => child.role === role)?.direct === true;
  }

  private again(role: string): void {
    for (const key of this.lastLaunch.keys()) if (key.startsWith(`${role} `)) this.lastLaunch.delete(key);
  }
}

describe("a monitor", () => {
  test("keeps its rules in whatever history", () => {
    fc.assert(
      fc.property(
        fc.boolean(),
        surroundings,
        histories,
        fc.double({ min: 0, max: 0.99 }),
        (launches, around, history, random) => {
          const monitor = monitorOf({ launches, surroundings: around, random: () => random });
          const rules = new Rules(launches, around);
          let now = 0;
          for (const [gap, input] of history) {
            now += gap;
            rules.check(now, input, monitor.step(now, input));
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  test("fails no child that answers, however unevenly it is itself stepped", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(TIMING.pauseMs), { maxLength: 200, size: "max" }), (gaps) => {
        const monitor = monitorOf({});
        const kinds = new Set<string>();
        let now = 0;
        for (const gap of gaps) {
          now += gap;
          for (const output of monitor.step(now, { kind: "tick" })) {
            kinds.add(output.kind);
            if (output.kind !== "poll") continue;
            const { child, beat } = output;
            monitor.step(now, {
              kind: "answer",
              child,
              beat,
              from: { node: "a1", pid: 1, startTicks: 1 },
              best: SELF,
            });
          }
        }
        expect(kinds).not.toContain("failed");
        expect(kinds).not.toContain("suicide");
      }),
    );
  });

  test("leaves exactly one of several instances that poll the same children: the best", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(instances, { minLength: 2, maxLength: 8, selector: (one) => JSON.stringify(one) }),
        (selves) => {
          const child: Peer = { role: "agent/n1", on: ["n1"], direct: false };
          const around = { parent: undefined, children: [child] };
          const parent: Peer = { role: "local/a", on: ["c1"], direct: false };
          const monitors = selves.map((self) => monitorOf({ role: "local/a", self, surroundings: around }));
          const below = monitorOf({ role: "agent/n1", surroundings: { parent, children: [] } });
          for (let now = 0; now <= 1000; now += 200) {
            for (const [index, monitor] of monitors.entries()) {
              for (const output of monitor.step(now, { kind: "tick" })) {
                if (output.kind !== "poll") continue;
                const from = selves[index]!;
                const [answer] = below
                  .step(now, { kind: "poll", role: "local/a", from, beat: output.beat, ask: 1, outdone: [] })
                  .filter(({ kind }) => kind === "answer");
                if (answer?.kind !== "answer") throw new Error("a poll was not answered");
                const { beat, best } = answer;
                monitor.step(now, { kind: "answer", child: child.role, from: SELF, beat, best });
              }
            }
          }
          const left = selves.filter((_, index) => !monitors[index]!.ended);
          expect(left).toHaveLength(1);
        },
      ),
    );
  });

  test("waits twice as long after each round in vain, up to the maximum", () => {
    const timing = { ...TIMING, pauseMs: Infinity };
    const child: Peer = { role: "local/b", on: ["b1"], direct: false };
    const monitor = monitorOf({ timing, surroundings: { parent: undefined, children: [child] } });
    const launchedAt: number[] = [];
    for (let now = 0; now <= 120_000; now += 100) {
      for (const output of monitor.step(now, { kind: "tick" })) {
        if (output.kind !== "launch") continue;
        launchedAt.push(now);
        const { role, node } = output;
        monitor.step(now, { kind: "launched", role, node, ok: false, detail: "no power" });
      }
    }
    const waits = launchedAt.slice(1).map((at, index) => at - launchedAt[index]!);
    expect(waits).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
  });

  test("refuses a time that goes back, and a timing without a beat", () => {
    const monitor = monitorOf({});
    monitor.step(100, { kind: "tick" });
    expect(() => monitor.step(99, { kind: "tick" })).toThrow(RangeError);
    expect(() => monitor.step(Number.NaN, { kind: "tick" })).toThrow(RangeError);
    expect(() => monitorOf({ timing: { ...TIMING, beatMs: 0 } })).toThrow(RangeError);
  });

  test("tells when its parent polled last, in the time in which it is stepped", () => {
    const parent: Peer = { role: "local/a", on: ["c1"], direct: false };
    const monitor = monitorOf({
      timing: agentTiming({ wideParent: false }),
      surroundings: { parent, children: [] },
    });
    monitor.step(50, { kind: "tick" });
    expect(monitor.status().parentPolledAt).toBeUndefined();
    monitor.step(60, { kind: "poll", role: "local/a", from: SELF, beat: 1, ask: 1, outdone: [] });
    monitor.step(110, { kind: "tick" });
    expect(monitor.status().parentPolledAt).toBe(60);
  });
});
