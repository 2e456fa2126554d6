import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { JobState } from "../../../proto/generated/evercross/v1/control.ts";
import type { AgentOutput } from "../../../runtime/agent/agent-message.ts";
import {
  HOST_BEAT_MS,
  HOST_BEATS_MISSED_MAX,
  HOST_EXIT_MS,
  JOB_RESTARTS_MAX,
  MONITOR_SILENCE_MS,
  PARENT_BACKOFF_MAX_MS,
  PARENT_SUSPECT_MS,
  REMOTE_HELLO_MS,
} from "../../../runtime/limits.ts";
import { AgentWorld, type AgentWorldOptions } from "../../support/agent-world.ts";

const on = (node: string, group: string, ...jobs: string[]) => jobs.map((job) => ({ job, group, node }));
const BOTH = { nodes: ["n1", "n2"] };
const TWO_NODES = [...on("n1", "g1", "a/1"), ...on("n2", "g2", "b/1", "b/2")];
const LOCAL = { role: "local/a", on: ["n1", "n2"], direct: false };
const FAR_BEATS_MISSED_MAX = MONITOR_SILENCE_MS / HOST_BEAT_MS;
const SETTLED = REMOTE_HELLO_MS / HOST_BEAT_MS + 2;

/** A world whose remote hosts, if any had been there, have had time to say hello. */
function settled(jobs: readonly { job: string; group: string; node: string }[], options: AgentWorldOptions) {
  const world = new AgentWorld(jobs, options);
  world.ticks(SETTLED);
  return world;
}

/** What the parent is told in the answer to one poll. */
function answered(world: AgentWorld): Extract<AgentOutput, { kind: "answer" }> {
  world.outputs.length = 0;
  const from = { node: "n9", pid: 1, startTicks: 1 };
  world.give({ kind: "poll", role: LOCAL.role, from, beat: Math.floor(world.now), ask: 7, outdone: [] });
  const answer = world.outputs.find((output) => output.kind === "answer");
  if (answer === undefined) throw new Error("the poll was not answered");
  return answer;
}

describe("an agent of several nodes", () => {
  test("gives those who run on a far node time for a hello before it starts anything there", () => {
    const world = new AgentWorld(TWO_NODES, BOTH);
    expect(world.hostOf("a/1").node).toBe("n1");
    world.ticks(REMOTE_HELLO_MS / HOST_BEAT_MS - 1);
    expect(world.alive().filter((host) => host.node === "n2")).toEqual([]);
    world.ticks(2);
    expect(world.hostOf("b/1")).toBe(world.hostOf("b/2"));
    expect(world.hostOf("b/1")).toMatchObject({ node: "n2", name: "n1-h1" });
    const spares = world.machine.status().hosts.filter((host) => host.spare);
    expect(spares.map((host) => host.node)).toEqual(["n1", "n2"]);
    expect(answered(world).nodes).toEqual([
      { node: "n1", serves: true },
      { node: "n2", serves: true },
    ]);
  });

  test("a new one adopts the hosts of a far node when they say hello, and starts none beside them", () => {
    const world = settled(TWO_NODES, BOTH);
    const before = world.alive().map((host) => ({ pid: host.pid, jobs: [...host.jobs] }));
    world.restartAgent();
    world.ticks(2 * SETTLED);
    expect(world.alive().map((host) => ({ pid: host.pid, jobs: [...host.jobs] }))).toEqual(before);
    expect(world.machine.status().jobs.map((job) => job.restarts)).toEqual([0, 0, 0]);
  });

  test("a host of a far node that is silent is killed and replaced there", () => {
    const world = settled(TWO_NODES, BOTH);
    const host = world.hostOf("b/1");
    host.hung = true;
    world.ticks(FAR_BEATS_MISSED_MAX - 1);
    expect(host.alive).toBe(true);
    world.ticks(2);
    expect(host.alive).toBe(false);
    expect(world.hostOf("b/2")).toMatchObject({ node: "n2", alive: true });
  });

  test("while the way to the broker is gone, hosts of a far node are judged by nobody, and those here as ever", () => {
    const world = settled(TWO_NODES, BOTH);
    const [here, there] = [world.hostOf("a/1"), world.hostOf("b/1")];
    world.setLink(false);
    world.ticks(100);
    expect(there.alive).toBe(true);
    here.hung = true;
    world.ticks(HOST_BEATS_MISSED_MAX + 1);
    expect(here.alive).toBe(false);
    expect(world.hostOf("a/1")).not.toBe(here);
    const before = world.alive();
    world.setLink(true);
    world.ticks(2 * SETTLED);
    expect(world.alive()).toEqual(before);
    expect(world.hostOf("b/1")).toBe(there);
  });

  test("a far host that died while the way was gone is replaced when it is back", () => {
    const world = settled(TWO_NODES, BOTH);
    const host = world.hostOf("b/1");
    world.setLink(false);
    host.alive = false;
    world.ticks(100);
    expect(world.machine.status().jobs.at(-1)?.restarts).toBe(0);
    world.setLink(true);
    world.ticks(SETTLED + HOST_BEATS_MISSED_MAX);
    expect(world.hostOf("b/1").alive).toBe(true);
  });

  test("what was said to a far host and was lost is said again", () => {
    const world = settled(TWO_NODES, BOTH);
    const host = world.hostOf("b/1");
    host.hung = true;
    world.desire([...TWO_NODES, ...on("n2", "g2", "b/3")]);
    host.hung = false;
    world.ticks(2);
    expect(world.hostOf("b/3")).toBe(host);
    host.hung = true;
    world.desire(TWO_NODES);
    host.hung = false;
    world.ticks(2);
    expect(host.jobs).toEqual(new Set(["b/1", "b/2"]));
    expect(world.events.filter((event) => event.startsWith("failed"))).toEqual([]);
  });

  test("a lost node is told at once, and told to serve again when a host comes up there", () => {
    const world = settled(TWO_NODES, { ...BOTH, parent: LOCAL });
    world.killNode("n2");
    world.ticks(FAR_BEATS_MISSED_MAX + 1);
    expect(answered(world).nodes).toEqual([
      { node: "n1", serves: true },
      { node: "n2", serves: false },
    ]);
    world.desire(on("n1", "g1", "a/1"));
    world.ticks(50);
    expect(answered(world).nodes[1]).toEqual({ node: "n2", serves: false });
    world.dead.clear();
    world.ticks(110);
    expect(answered(world).nodes[1]).toEqual({ node: "n2", serves: true });
  });

  test("a job whose node changes is stopped where it is and started where it is wanted, in this order", () => {
    const world = settled(TWO_NODES, BOTH);
    world.outputs.length = 0;
    world.desire([...on("n1", "g1", "a/1"), ...on("n1", "g2", "b/1"), ...on("n2", "g2", "b/2")]);
    world.ticks(1);
    expect(world.hostOf("b/1").node).toBe("n1");
    expect(world.hostOf("b/2").node).toBe("n2");
    expect(world.outputs.map((output) => output.kind)).toEqual(["stop", "start", "spawn"]);
    expect(world.places.get("b/1")).toMatchObject({ node: "n1", state: JobState.RUNNING, restarts: 0 });
    expect(world.events.slice(-2)).toEqual(["job_stopped b/1", "job_started b/1"]);
  });

  test("a node that is no longer watched is left: its jobs stop, its hosts retire", () => {
    const world = settled(TWO_NODES, BOTH);
    world.give({ kind: "desired", jobs: on("n1", "g1", "a/1"), nodes: ["n1"], parent: undefined });
    world.ticks(2);
    expect(world.alive().map((host) => host.node)).toEqual(["n1", "n1"]);
    expect([...world.places.keys()]).toEqual(["a/1"]);
    expect(world.machine.status().hosts.map((host) => host.node)).toEqual(["n1", "n1"]);
  });
});

describe("an agent and its parent", () => {
  test("a job beyond its restarts is escalated in each answer, until it runs or is wanted elsewhere", () => {
    const jobs = [...on("n1", "g1", "a/1"), ...on("n1", "g2", "b/1")];
    const world = new AgentWorld(jobs, { parent: LOCAL });
    world.faulty.add("b/1");
    world.fail(world.hostOf("b/1"), "b/1");
    for (let time = 0; world.machine.escalations().length === 0 && time < 100; time++) world.ticks(1);
    const escalated = [{ element: "b/1", reason: "quarantined for 1000 ms: as simulated", node: "n1" }];
    expect(answered(world).escalations).toEqual(escalated);
    world.ticks(3);
    expect(answered(world).escalations).toEqual(escalated);
    expect(world.places.get("b/1")).toMatchObject({ host: "", pid: 0, restarts: JOB_RESTARTS_MAX + 1 });
    world.faulty.clear();
    world.ticks(20);
    expect(world.stateOf("b/1")).toBe(JobState.RUNNING);
    expect(answered(world).escalations).toEqual([]);
    world.faulty.add("b/1");
    world.fail(world.hostOf("b/1"), "b/1");
    world.ticks(2);
    expect(answered(world).escalations.length).toBe(1);
    world.desire(on("n1", "g1", "a/1"));
    expect(answered(world).escalations).toEqual([]);
    expect(world.places.has("b/1")).toBe(false);
  });

  test("an agent that is not polled starts its parent, and is no less an agent for that", () => {
    const world = new AgentWorld(on("n1", "g1", "a/1"), { parent: LOCAL });
    world.ticks((PARENT_SUSPECT_MS + PARENT_BACKOFF_MAX_MS) / HOST_BEAT_MS + 2);
    expect(world.outputs).toContainEqual({ kind: "launch", role: "local/a", node: "n1", failed: undefined });
    expect(world.outputs).toContainEqual(expect.objectContaining({ kind: "announce", role: "local/a" }));
    expect(world.stateOf("a/1")).toBe(JobState.RUNNING);
  });

  test("the directory is told of each change of place, state or restarts, and of nothing else", () => {
    const world = new AgentWorld(on("n1", "g1", "a/1"));
    const told: (number | undefined)[] = [];
    const listen = (now: number, input: Parameters<typeof world.machine.step>[1]) => {
      for (const output of world.machine.step(now, input))
        if (output.kind === "place") told.push(output.place?.state);
    };
    const { link = 0, name } = world.hostOf("a/1");
    expect(world.places.get("a/1")).toMatchObject({
      job: "a/1",
      node: "n1",
      agent: "agent/n1",
      host: name,
      state: JobState.RUNNING,
      epoch: 1,
    });
    const status = { job: "a/1", state: JobState.RUNNING, epoch: 1, detail: "", instance: "" };
    listen(world.now, { kind: "job", link, status });
    expect(told).toEqual([]);
    listen(world.now, { kind: "job", link, status: { ...status, epoch: 2 } });
    expect(told).toEqual([JobState.RUNNING]);
    listen(world.now, { kind: "job", link, status: { ...status, state: JobState.STOPPED } });
    expect(told.slice(1)).toEqual([JobState.STARTING]);
    listen(world.now, { kind: "desired", jobs: [], nodes: ["n1"], parent: undefined });
    listen(world.now, { kind: "job", link, status: { ...status, state: JobState.STOPPED } });
    expect(told.slice(2)).toEqual([JobState.WANTSTOP, undefined]);
  });

  test("after any storm over two nodes and a broken link, each wanted job runs once, where it is wanted", () => {
    const action = fc.oneof(
      fc.record({ kind: fc.constant("tick" as const), count: fc.nat(12) }),
      fc.record({ kind: fc.constant("crash" as const), index: fc.nat(6) }),
      fc.record({ kind: fc.constant("hang" as const), index: fc.nat(6) }),
      fc.record({ kind: fc.constant("link" as const), up: fc.boolean() }),
      fc.record({
        kind: fc.constant("move" as const),
        job: fc.nat(2),
        node: fc.constantFrom("n1", "n2", ""),
      }),
      fc.record({ kind: fc.constant("agent" as const), blind: fc.boolean() }),
    );
    fc.assert(
      fc.property(fc.array(action, { maxLength: 40 }), (actions) => {
        let jobs = [...TWO_NODES];
        const wanted = () => jobs.filter((job) => job.node !== "");
        const world = new AgentWorld(jobs, BOTH);
        for (const one of actions) {
          const host =
            "index" in one ? world.alive()[one.index % Math.max(1, world.alive().length)] : undefined;
          if (one.kind === "agent") {
            // Of these a new agent can know nothing: not it, but the checkpoint log keeps them from writing.
            for (const lost of world.alive()) if (lost.hung && lost.node === "n2") lost.alive = false;
          }
          if (one.kind === "tick") world.ticks(one.count);
          else if (one.kind === "link") world.setLink(one.up);
          else if (one.kind === "move") {
            jobs = jobs.map((job, index) => (index === one.job ? { ...job, node: one.node } : job));
            world.desire(wanted());
          } else if (one.kind === "agent" && one.blind) world.restartAgentBlind();
          else if (one.kind === "agent") world.restartAgent();
          else if (one.kind === "crash" && host !== undefined) world.crash(host);
          else if (one.kind === "hang" && host !== undefined) host.hung = true;
        }
        world.setLink(true);
        world.desire(wanted());
        for (const host of world.alive()) if (!host.hung && host.node === "n2") world.hello(host);
        world.ticks(HOST_EXIT_MS / HOST_BEAT_MS + 2 * SETTLED + 200);
        for (const { job, node } of wanted()) {
          expect(world.hostOf(job)).toMatchObject({ node, alive: true, hung: false });
          expect(world.stateOf(job)).toBe(JobState.RUNNING);
        }
        const running = world.alive().flatMap((host) => [...host.jobs]);
        expect(running.sort()).toEqual(wanted().map(({ job }) => job));
      }),
      { numRuns: 200 },
    );
  });
});
