import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { JobState } from "../../../proto/generated/evercross/v1/control.ts";
import { AgentMachine } from "../../../runtime/agent/agent-machine.ts";
import type { FoundHost } from "../../../runtime/agent/agent-message.ts";
import {
  AGENT_SUSPECT_MS,
  GROUP_DEATHS_MAX,
  HOST_BEAT_MS,
  HOST_BEATS_MISSED_MAX,
  HOST_EXIT_MS,
  JOB_QUARANTINE_MAX_MS,
  JOB_RESTARTS_MAX,
  PROCESS_GRACE_MS,
  HOST_LINK_DOWN_MAX_MS,
} from "../../../runtime/limits.ts";
import { agentTiming } from "../../../runtime/monitor/timing.ts";
import { AgentWorld, runningStatus } from "../../support/agent-world.ts";

const onNode = (node: string, group: string, ...jobs: string[]) => jobs.map((job) => ({ job, group, node }));
const inGroup = (group: string, ...jobs: string[]) => onNode("n1", group, ...jobs);
const TWO_GROUPS = [...inGroup("g1", "a/1", "a/2"), ...inGroup("g2", "b/1")];
const SELF = { node: "n1", pid: 9_000, startTicks: 9_000 };
const HERE = { nodes: ["n1"], parent: undefined };

const newMachine = (spares: number, found: readonly FoundHost[] = []) =>
  new AgentMachine(
    {
      role: "agent/n1",
      self: SELF,
      spares,
      found,
      timing: agentTiming({ wideParent: false }),
      random: () => 0.5,
    },
    0,
  );

/** What the machine does to the world. */
const deeds = (outputs: readonly { readonly kind: string }[]) =>
  outputs.filter(({ kind }) => kind !== "event" && kind !== "place");

describe("AgentMachine", () => {
  test("starts each group in a host of its own and keeps one spare", () => {
    const world = new AgentWorld(TWO_GROUPS);
    expect(world.hostOf("a/1")).toBe(world.hostOf("a/2"));
    expect(world.hostOf("b/1")).not.toBe(world.hostOf("a/1"));
    expect(world.alive().length).toBe(3);
    expect(world.machine.status().hosts.filter((host) => host.spare).length).toBe(1);
    expect(TWO_GROUPS.map(({ job }) => world.stateOf(job))).toEqual(Array(3).fill(JobState.RUNNING));
  });

  test("the jobs of a host that dies run in the spare within the same step, and there is a new spare", () => {
    const world = new AgentWorld(TWO_GROUPS);
    const spare = world.alive().find((host) => host.jobs.size === 0);
    world.crash(world.hostOf("a/1"));
    expect(world.hostOf("a/1")).toBe(spare);
    expect(world.hostOf("a/2")).toBe(spare);
    expect(world.machine.status().hosts.filter((host) => host.spare).length).toBe(1);
    expect(world.machine.status().jobs.map((job) => job.restarts)).toEqual([1, 1, 0]);
  });

  test(`a host that does not answer is killed when it missed ${HOST_BEATS_MISSED_MAX} beats, no sooner`, () => {
    const world = new AgentWorld(TWO_GROUPS);
    world.ticks(3);
    const host = world.hostOf("b/1");
    host.hung = true;
    world.ticks(HOST_BEATS_MISSED_MAX - 1);
    expect(host.alive).toBe(true);
    world.ticks(1);
    expect(host.alive).toBe(false);
    expect(world.hostOf("b/1")).not.toBe(host);
  });

  test("a pause of an agent that is shorter than the patience of its hosts counts against nobody", () => {
    const world = new AgentWorld(TWO_GROUPS);
    world.ticks(2);
    const before = world.alive();
    world.now += AGENT_SUSPECT_MS;
    world.ticks(10);
    expect(world.alive()).toEqual(before);
  });

  test("an agent that was paused for longer ends itself, whatever it hears first, and takes nobody with it", () => {
    const world = new AgentWorld(TWO_GROUPS);
    world.ticks(2);
    const before = world.alive();
    const { link = 0 } = world.hostOf("a/1");
    world.now += AGENT_SUSPECT_MS + HOST_BEAT_MS;
    world.outputs.length = 0;
    world.give({ kind: "closed", link, detail: "closed its link" });
    world.ticks(20);
    expect(world.outputs.map((output) => output.kind)).toEqual(["suicide"]);
    expect(world.events.at(-1)).toBe("suicide agent/n1");
    expect(world.alive()).toEqual(before);
  });

  test("an agent that reads a better one in an answer ends itself", () => {
    const world = new AgentWorld(TWO_GROUPS);
    world.best = { node: "n1", pid: 9_001, startTicks: 1 };
    world.ticks(3);
    expect(deeds(world.outputs).at(-1)?.kind).not.toBe("suicide");
    world.best = { node: "n1", pid: 8_999, startTicks: 1 };
    world.ticks(1);
    expect(world.outputs.at(-1)?.kind).toBe("suicide");
    expect(world.alive().length).toBe(3);
  });

  test("a job that fails is started again in the same host, and its neighbours do not notice", () => {
    const world = new AgentWorld(TWO_GROUPS);
    const host = world.hostOf("a/1");
    world.fail(host, "a/1");
    world.ticks(1);
    expect(world.hostOf("a/1")).toBe(host);
    expect(world.machine.status().jobs.map((job) => job.restarts)).toEqual([1, 0, 0]);
  });

  test("what a running job says of itself stands in its status at once, and no longer than it is so", () => {
    const world = new AgentWorld(TWO_GROUPS);
    const detail = (): string | undefined =>
      world.machine.status().jobs.find(({ status }) => status?.job === "a/1")?.status?.detail;
    world.describe(world.hostOf("a/1"), "a/1", "waits for storage/0.1");
    expect(detail()).toBe("waits for storage/0.1");
    world.ticks(1);
    expect(detail()).toBe("");
  });

  test("nothing is started before every host that was found has said hello or is dead", () => {
    const found = [
      { node: "n1", host: "h4", identity: { pid: 4, startTicks: 4 } },
      { node: "n1", host: "h5", identity: { pid: 5, startTicks: 5 } },
    ];
    const machine = newMachine(1, found);
    expect(deeds(machine.step(0, { kind: "desired", jobs: TWO_GROUPS, ...HERE }))).toEqual([]);
    const running = runningStatus("a/1");
    const identity = { pid: 4, startTicks: 4 };
    const hello = { kind: "hello", link: 1, node: "n1", host: "h4", identity, jobs: [running] } as const;
    expect(deeds(machine.step(50, hello))).toEqual([]);
    expect(machine.active).toBe(false);
    for (let now = 100; now < 500; now += 100) {
      expect(deeds(machine.step(now, { kind: "tick" }))).toEqual([
        { kind: "pollHost", link: 1, beat: now / 100 },
      ]);
      const answer = {
        kind: "hostAnswer",
        link: 1,
        beat: now / 100,
        jobs: [running],
        best: SELF,
        linkDownMs: 0,
        warm: [],
      } as const;
      expect(deeds(machine.step(now, answer))).toEqual([]);
    }
    const late = machine.step(500, { kind: "tick" });
    expect(deeds(late)).toEqual([
      { kind: "pollHost", link: 1, beat: 5 },
      { kind: "kill", node: "n1", host: "h5", identity: found[1]?.identity },
      { kind: "start", link: 1, job: "a/2" },
      { kind: "spawn", node: "n1", host: "h6" },
      { kind: "spawn", node: "n1", host: "h7" },
    ]);
    expect(machine.active).toBe(true);
    expect(machine.status().jobs[0]).toMatchObject({ status: running, host: "h4", pid: 4, restarts: 0 });
  });

  test("a host that alone has no link to the broker for long is failed; one whose agent had none itself is not", () => {
    const world = new AgentWorld(TWO_GROUPS);
    const host = world.hostOf("a/1");
    world.give({ kind: "link", up: false });
    const ticks = HOST_LINK_DOWN_MAX_MS / HOST_BEAT_MS;
    world.ticks(ticks);
    host.linkDownMs = HOST_LINK_DOWN_MAX_MS;
    world.give({ kind: "link", up: true });
    world.ticks(ticks - 4);
    expect(host.alive).toBe(true);
    world.ticks(10);
    expect(host.alive).toBe(false);
    expect(world.hostOf("a/1").pid).not.toBe(host.pid);
  });

  test("a restarted agent adopts what runs and kills nothing that answers", () => {
    const world = new AgentWorld(TWO_GROUPS);
    const before = world.alive().map((host) => ({ pid: host.pid, jobs: [...host.jobs] }));
    world.restartAgent();
    world.ticks(20);
    expect(world.alive().map((host) => ({ pid: host.pid, jobs: [...host.jobs] }))).toEqual(before);
  });

  test("before it knows what is wanted, an agent keeps what it adopted, starts it again when it fails, and stops nothing", () => {
    const world = new AgentWorld(TWO_GROUPS);
    world.restartAgentBlind();
    world.ticks(20);
    const [host, other] = [world.hostOf("a/1"), world.hostOf("b/1")];
    expect(world.machine.active).toBe(false);
    other.jobs.add("a/1");
    world.ticks(2);
    expect(other.jobs).toContain("a/1");
    other.jobs.delete("a/1");
    world.crash(host);
    expect(world.hostOf("a/1")).toBe(world.hostOf("a/2"));
    expect(world.hostOf("a/1")).not.toBe(host);
    expect(world.hostOf("b/1")).toBe(other);
    const before = world.alive();
    world.desire(TWO_GROUPS);
    world.ticks(20);
    expect(world.machine.active).toBe(true);
    expect(world.alive().slice(0, before.length)).toEqual(before);
    expect(world.machine.status().jobs.map((job) => job.restarts)).toEqual([1, 1, 0]);
  });

  test("a job that is found in two hosts is stopped in the second", () => {
    const world = new AgentWorld(TWO_GROUPS);
    const first = world.hostOf("a/1");
    const second = world.hostOf("b/1");
    second.jobs.add("a/1");
    world.ticks(1);
    expect(world.hostOf("a/1")).toBe(first);
    expect(world.events).toContain("twin_stopped a/1");
  });

  test("an answer to a beat that was never sent, or one that forgets a job, is a failed host", () => {
    const world = new AgentWorld(TWO_GROUPS);
    const liar = world.hostOf("b/1");
    const jobs = [runningStatus("b/1")];
    world.give({
      kind: "hostAnswer",
      link: liar.link ?? 0,
      beat: 99,
      jobs,
      best: undefined,
      linkDownMs: 0,
      warm: [],
    });
    expect(liar.alive).toBe(false);
    const forgetful = world.hostOf("a/1");
    forgetful.jobs.delete("a/1");
    world.ticks(2);
    expect(forgetful.alive).toBe(false);
    expect(world.hostOf("a/1")).not.toBe(forgetful);
  });

  test("a faulty job is quarantined for a growing time, and is never given up", () => {
    const world = new AgentWorld(TWO_GROUPS);
    world.faulty.add("b/1");
    world.fail(world.hostOf("b/1"), "b/1");
    world.ticks(100);
    expect(world.events.filter((event) => event === "failed b/1").length).toBe(JOB_RESTARTS_MAX);
    expect(world.machine.status().jobs[2]?.status?.detail).toMatch(/^quarantined for \d+ ms: as simulated/);
    world.ticks(10 * 60 * 10);
    const tries = world.events.filter((event) => event === "quarantined b/1").length;
    expect(world.events.filter((event) => event === "failed b/1").length).toBe(JOB_RESTARTS_MAX);
    // 1, 2, 4, 8, 16 and 32 seconds, then once a minute.
    expect(tries).toBeGreaterThan(10);
    expect(tries).toBeLessThan(20);
    world.faulty.clear();
    world.ticks(JOB_QUARANTINE_MAX_MS / 100 + 1);
    expect(world.stateOf("b/1")).toBe(JobState.RUNNING);
  });

  test("a job that kills its host is found by halving its group; all others run on", () => {
    const jobs = Array.from({ length: 16 }, (_, index) => `a/${index}`);
    const world = new AgentWorld(inGroup("g", ...jobs));
    world.poison.add("a/11");
    world.crash(world.hostOf("a/11"));
    world.ticks(3000);
    const running = jobs.filter((job) => world.stateOf(job) === JobState.RUNNING);
    expect(running).toEqual(jobs.filter((job) => job !== "a/11"));
    expect(world.events).toContain("quarantined a/11");
    const deaths = Math.max(
      ...world.machine.status().jobs.map((job) => (job.status?.job === "a/11" ? 0 : job.restarts)),
    );
    expect(deaths).toBeLessThanOrEqual((GROUP_DEATHS_MAX + 1) * Math.log2(jobs.length));
  });

  test("a host that an operator kills is nobody's failure", () => {
    const world = new AgentWorld(TWO_GROUPS);
    for (let time = 0; time < 3 * JOB_RESTARTS_MAX; time++) world.give({ kind: "kill", job: "b/1" });
    expect(world.stateOf("b/1")).toBe(JobState.RUNNING);
    for (let time = 0; time < 3 * JOB_RESTARTS_MAX; time++) world.give({ kind: "kill", job: "a/1" });
    expect(world.hostOf("a/1")).toBe(world.hostOf("a/2"));
  });

  test("a job that is no longer wanted is stopped and forgotten, and its host retires", () => {
    const world = new AgentWorld(TWO_GROUPS);
    const host = world.hostOf("b/1");
    world.desire(inGroup("g1", "a/1", "a/2"));
    world.ticks(1);
    expect(world.stateOf("b/1")).toBeUndefined();
    expect(host.alive).toBe(false);
    expect(world.alive().length).toBe(2);
    expect(world.events).not.toContain(`failed host/n1.${host.name}`);
  });

  test("a host that is asked to end and does not is killed", () => {
    const world = new AgentWorld(TWO_GROUPS);
    const host = world.hostOf("b/1");
    host.hung = true;
    world.desire(inGroup("g1", "a/1", "a/2"));
    const status = { job: "b/1", state: JobState.STOPPED, epoch: 1, detail: "", instance: "" };
    world.give({ kind: "job", link: host.link ?? 0, status });
    world.ticks(PROCESS_GRACE_MS / HOST_BEAT_MS);
    expect(host.alive).toBe(true);
    world.ticks(1);
    expect(host.alive).toBe(false);
  });

  test("a process that says hello in the name of another is told to end", () => {
    const found = [{ node: "n1", host: "h1", identity: { pid: 1, startTicks: 1 } }];
    const machine = newMachine(0, found);
    const identity = { pid: 2, startTicks: 2 };
    const outputs = machine.step(1, { kind: "hello", link: 9, node: "n1", host: "h1", identity, jobs: [] });
    expect(deeds(outputs)).toEqual([
      { kind: "retire", link: 9 },
      { kind: "drop", link: 9 },
    ]);
  });

  test("a killed host that does not go is given up after its time, and its jobs start elsewhere", () => {
    const machine = newMachine(0);
    const identity = { pid: 1, startTicks: 1 };
    machine.step(0, { kind: "desired", jobs: inGroup("g", "a/1"), ...HERE });
    machine.step(0, { kind: "spawned", node: "n1", host: "h1", identity });
    machine.step(0, { kind: "hello", link: 1, node: "n1", host: "h1", identity, jobs: [] });
    expect(machine.step(1, { kind: "closed", link: 1, detail: "" })).toContainEqual({
      kind: "kill",
      node: "n1",
      host: "h1",
      identity,
    });
    let now = 0;
    const spawnedBy = (until: number) => {
      const outputs = [];
      for (; now + 100 <= until; now += 100) outputs.push(...machine.step(now + 100, { kind: "tick" }));
      return outputs.filter((output) => output.kind === "spawn");
    };
    expect(spawnedBy(HOST_EXIT_MS)).toEqual([]);
    expect(spawnedBy(HOST_EXIT_MS + 100)).toEqual([{ kind: "spawn", node: "n1", host: "h2" }]);
  });

  test("hosts that die before their hello are started again ever more slowly", () => {
    const machine = newMachine(0);
    let spawned = machine.step(0, { kind: "desired", jobs: inGroup("g", "a/1"), ...HERE });
    let count = 0;
    for (let now = 0; now <= 60_000; now += 100) {
      const host = spawned.find((output) => output.kind === "spawn")?.host;
      if (host !== undefined) {
        count += 1;
        machine.step(now, { kind: "exit", node: "n1", host, detail: "exit 1" });
      }
      spawned = machine.step(now, { kind: "tick" });
    }
    expect(count).toBeGreaterThan(5);
    expect(count).toBeLessThan(20);
    expect(machine.health()).toEqual([{ node: "n1", serves: false }]);
  });

  test("a node that does not serve serves again when a host starts there, though its jobs were moved away and it keeps no spares", () => {
    const machine = newMachine(0);
    let spawned = machine.step(0, { kind: "desired", jobs: inGroup("g", "a/1"), ...HERE });
    let now = 0;
    const fail = (): void => {
      const host = spawned.find((output) => output.kind === "spawn")?.host;
      if (host !== undefined) machine.step(now, { kind: "exit", node: "n1", host, detail: "exit 1" });
    };
    for (; machine.health()[0]?.serves === true; now += 100) {
      fail();
      spawned = machine.step(now, { kind: "tick" });
    }
    machine.step(now, { kind: "desired", jobs: [], ...HERE });
    for (; !spawned.some((output) => output.kind === "spawn"); now += 100)
      spawned = machine.step(now, { kind: "tick" });
    const [host] = spawned.flatMap((output) => (output.kind === "spawn" ? [output.host] : []));
    const identity = { pid: 9, startTicks: 9 };
    machine.step(now, { kind: "hello", link: 1, node: "n1", host: host ?? "", identity, jobs: [] });
    expect(machine.health()).toEqual([{ node: "n1", serves: true }]);
  });

  test("after any storm each wanted job runs in exactly one host", () => {
    const jobs = [...inGroup("g1", "a/1", "a/2", "a/3"), ...inGroup("g2", "b/1"), ...inGroup("g3", "c/1")];
    const action = fc.oneof(
      fc.record({ kind: fc.constant("tick" as const), count: fc.nat(8) }),
      fc.record({ kind: fc.constant("crash" as const), index: fc.nat(5) }),
      fc.record({ kind: fc.constant("hang" as const), index: fc.nat(5) }),
      fc.record({ kind: fc.constant("fail" as const), index: fc.nat(5), job: fc.nat(4) }),
      fc.record({ kind: fc.constant("kill" as const), job: fc.nat(4) }),
      fc.record({ kind: fc.constant("agent" as const) }),
    );
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60 }), fc.nat(2), (actions, spares) => {
        const world = new AgentWorld(jobs, { spares });
        for (const one of actions) {
          const pick = (index: number) => world.alive()[index % Math.max(1, world.alive().length)];
          if (one.kind === "tick") world.ticks(one.count);
          else if (one.kind === "kill") world.give({ kind: "kill", job: jobs[one.job]?.job ?? "" });
          else if (one.kind === "agent") world.restartAgent();
          else {
            const host = pick(one.index);
            if (host === undefined) continue;
            if (one.kind === "crash") world.crash(host);
            else if (one.kind === "hang") host.hung = true;
            else world.fail(host, jobs[one.job]?.job ?? "");
          }
        }
        world.ticks((3 * JOB_QUARANTINE_MAX_MS) / 100);
        for (const { job } of jobs) {
          expect(world.hostOf(job).alive).toBe(true);
          expect(world.stateOf(job)).toBe(JobState.RUNNING);
        }
        expect(world.machine.status().hosts.filter((host) => host.spare).length).toBeGreaterThanOrEqual(
          spares,
        );
      }),
      { numRuns: 300 },
    );
  });
});
