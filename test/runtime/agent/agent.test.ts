import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { pino } from "pino";
import { describe, expect, onTestFinished, test } from "vitest";
import {
  AgentRequest,
  AgentResponse,
  JobState,
  type WatchedJob,
} from "../../../proto/generated/evercross/v1/control.ts";
import {
  Announcement,
  MonitorAnswer,
  MonitorPoll,
  NodeProbe,
  NodeProbeAnswer,
} from "../../../proto/generated/evercross/v1/hierarchy.ts";
import { Agent } from "../../../runtime/agent/agent.ts";
import { agentSocketPath } from "../../../runtime/agent/socket-path.ts";
import type { Bus } from "../../../runtime/messaging/bus.ts";
import { MemoryBus } from "../../../runtime/messaging/memory-bus.ts";
import { agentSubject, monitorSubject, probeSubject } from "../../../runtime/messaging/subject.ts";
import type { Peer } from "../../../runtime/monitor/monitor-message.ts";
import { ownIdentity, signalProcess } from "../../../runtime/process/process-identity.ts";
import { ProcessRegistry } from "../../../runtime/process/registry.ts";
import { spawnNode } from "../../../runtime/process/spawn.ts";
import { terminate } from "../../../runtime/process/terminate.ts";
import { waitFor } from "../../../runtime/process/wait.ts";
import { processesNaming } from "../../support/processes.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const HOST = fileURLToPath(new URL("../../support/host-process.mjs", import.meta.url));
const DEADLINE_MS = 20_000;

const PARENT = { role: "local/a", on: ["n0", "n1"], direct: false };
const notHere = (): Promise<never> => Promise.reject(new Error("there is but one node"));

/** An agent in this process over job hosts that are real processes, without a broker; all gone when the test ends. */
function node(groups: Readonly<Record<string, readonly string[]>>) {
  const dataDir = temporaryFolder();
  const registry = new ProcessRegistry(dataDir);
  registry.open();
  const socketPath = agentSocketPath(dataDir, "n1");
  const jobs = Object.entries(groups).flatMap(([group, members]) =>
    members.map((job) => ({ job, group, node: "n1" })),
  );
  const launched: unknown[] = [];
  let agent: Agent | undefined;
  onTestFinished(async () => {
    await agent?.stop();
    registry.close();
    await terminate(registry.alive(), 1000);
    expect(await waitFor(() => processesNaming(dataDir).length === 0, DEADLINE_MS, 10)).toBe(true);
  });
  return {
    registry,
    /** The parents that it wanted to start. */
    launched,
    async start(parent?: Peer): Promise<void> {
      agent = await Agent.start({
        cluster: "test",
        role: "agent/n1",
        self: { node: "n1", ...ownIdentity() },
        socketPath,
        registry,
        spawnHost: (host) =>
          spawnNode(HOST, [dataDir, "n1", host, socketPath], join(dataDir, "log", "hosts.log")),
        launcher: { launch: notHere, kill: notHere },
        launchRole: async (role, on, failed) => {
          launched.push({ role, node: on, failed });
        },
        logger: pino({ level: "silent" }),
        onEvent: () => undefined,
        onPlace: () => undefined,
        onSuicide: (reason) => expect.unreachable(reason),
      });
      agent.setDesired({ jobs, nodes: ["n1"], parent });
    },
    serve(bus: Bus): void {
      agent?.serve(bus);
      agent?.setLink(true);
    },
    async stop(): Promise<void> {
      await agent?.stop();
      agent = undefined;
    },
    job(name: string): WatchedJob {
      const found = agent?.status().jobs.find((one) => one.status?.job === name);
      if (found === undefined) throw new Error(`no job ${name}`);
      return found;
    },
    async until(condition: () => boolean): Promise<void> {
      const met = await waitFor(condition, DEADLINE_MS, 10);
      if (met !== true) throw new Error(`not met; jobs: ${JSON.stringify(agent?.status(), null, 1)}`);
    },
    running(...jobs: string[]): boolean {
      return jobs.every((job) => this.job(job).status?.state === JobState.RUNNING);
    },
    hasSpare(): boolean {
      const spare = agent?.status().hosts.find((host) => host.spare);
      return spare !== undefined && registry.alive().some((entry) => entry.pid === spare.pid);
    },
    pids(): number[] {
      return registry.alive().map((entry) => entry.pid);
    },
    signal(job: string, signal: NodeJS.Signals): number {
      const { pid } = this.job(job);
      const entry = registry.alive().find((one) => one.pid === pid);
      if (entry === undefined || !signalProcess(entry, signal))
        throw new Error(`${job} has no living process`);
      return pid;
    },
  };
}

describe("Agent", () => {
  test("the jobs of a killed host run in the spare, in a process that was there before", async () => {
    const it = node({ g1: ["steady/1", "steady/2"], g2: ["steady/3"] });
    await it.start();
    await it.until(() => it.running("steady/1", "steady/2", "steady/3") && it.hasSpare());
    const before = it.pids();
    const other = it.job("steady/3").pid;
    const killed = it.signal("steady/1", "SIGKILL");
    await it.until(() => it.job("steady/1").pid !== killed && it.running("steady/1", "steady/2"));
    expect(before).toContain(it.job("steady/1").pid);
    expect(it.job("steady/2").pid).toBe(it.job("steady/1").pid);
    expect(it.job("steady/3")).toMatchObject({ pid: other, restarts: 0 });
    await it.until(() => it.hasSpare());
  });

  test("a stopped host misses its beats, is killed and replaced", async () => {
    const it = node({ g1: ["steady/1"] });
    await it.start();
    await it.until(() => it.running("steady/1"));
    const stopped = it.signal("steady/1", "SIGSTOP");
    await it.until(() => it.job("steady/1").pid !== stopped && it.running("steady/1"));
    expect(it.pids()).not.toContain(stopped);
  });

  test("a new agent adopts the jobs that it finds, and replaces the one that stopped meanwhile", async () => {
    const it = node({ g1: ["steady/1"], g2: ["steady/2"] });
    await it.start();
    await it.until(() => it.running("steady/1", "steady/2") && it.hasSpare());
    const before = it.pids();
    const [first, second] = [it.job("steady/1").pid, it.job("steady/2").pid];
    await it.stop();
    expect(it.pids()).toEqual(before);
    await it.start();
    await it.until(() => it.running("steady/1", "steady/2"));
    expect([it.job("steady/1").pid, it.job("steady/2").pid]).toEqual([first, second]);
    expect(it.pids()).toEqual(before);

    it.signal("steady/1", "SIGSTOP");
    await it.stop();
    await it.start();
    await it.until(() => it.running("steady/1", "steady/2"));
    expect(it.job("steady/1").pid).not.toBe(first);
    expect(it.job("steady/2").pid).toBe(second);
    expect(it.pids()).not.toContain(first);
  });

  test("a job that kills its host ends alone in quarantine; those that shared the host run", async () => {
    const it = node({ g1: ["steady/1", "poison/1"], g2: ["steady/2"] });
    await it.start();
    const quarantined = () => it.job("poison/1").status?.detail.startsWith("quarantined") === true;
    await it.until(() => quarantined() && it.running("steady/1", "steady/2"));
    expect(it.job("steady/2").restarts).toBe(0);
  });

  test("a job that cannot start, and one whose handler throws, fail within a host that goes on", async () => {
    const it = node({ g1: ["steady/1", "faulty/1", "thrower/1"] });
    await it.start();
    await it.until(() => it.job("faulty/1").restarts > 2 && it.job("thrower/1").restarts > 2);
    await it.until(() => it.running("steady/1"));
    expect(it.job("steady/1").restarts).toBe(0);
    expect(it.job("faulty/1").status?.detail).toContain("cannot start");
  });

  test("a job that keeps the event loop to itself is killed with its host", async () => {
    const it = node({ g1: ["greedy/1"], g2: ["steady/1"] });
    await it.start();
    await it.until(() => it.job("greedy/1").restarts > 0 && it.running("steady/1"));
    expect(it.job("steady/1").restarts).toBe(0);
  });

  test("its parent's poll is answered with what it knows of its nodes; without polls it announces and starts its parent", async () => {
    const it = node({ g1: ["steady/1"] });
    const bus = new MemoryBus();
    const announced: Announcement[] = [];
    bus.subscribe(monitorSubject("test", PARENT.role, "announce"), ({ data }) => {
      announced.push(Announcement.decode(data));
    });
    await it.start(PARENT);
    it.serve(bus);
    await it.until(() => it.running("steady/1"));
    const from = { node: "n0", pid: 1, startTicks: 1 };
    const poll = async (
      beat: number,
      data = MonitorPoll.encode({ role: PARENT.role, from, beat, outdone: [] }).finish(),
    ) =>
      MonitorAnswer.decode(await bus.request(monitorSubject("test", "agent/n1", "poll"), data, DEADLINE_MS));
    expect(await poll(1)).toEqual({
      role: "agent/n1",
      from: { node: "n1", ...ownIdentity() },
      beat: 1,
      best: from,
      escalations: [],
      nodes: [{ node: "n1", serves: true }],
    });
    bus.publish(monitorSubject("test", "agent/n1", "poll"), Uint8Array.of(0x0a, 0xff), "nowhere");
    expect(await poll(2)).toMatchObject({ beat: 2 });
    await it.until(() => it.launched.length > 0);
    expect(it.launched[0]).toEqual({ role: PARENT.role, node: "n0", failed: from });
    expect(announced[0]).toMatchObject({ role: PARENT.role, node: "n0", byRole: "agent/n1" });
    const probe = NodeProbe.encode({ role: PARENT.role, from }).finish();
    const probed = NodeProbeAnswer.decode(await bus.request(probeSubject("test", "n1"), probe, DEADLINE_MS));
    expect(probed).toEqual({ node: "n1", process: "agent/n1", pid: process.pid });
  });

  test("operators are answered, and what cannot be done is refused by name", async () => {
    const it = node({ g1: ["steady/1"] });
    const bus = new MemoryBus();
    await it.start();
    it.serve(bus);
    await it.until(() => it.running("steady/1"));
    const ask = async (data: Uint8Array) =>
      AgentResponse.decode(await bus.request(agentSubject("test", "n1"), data, DEADLINE_MS));
    const kill = (job: string) =>
      ask(AgentRequest.encode({ body: { $case: "killJob", value: { job } } }).finish());

    const status = await ask(AgentRequest.encode({ body: { $case: "status", value: {} } }).finish());
    expect(status).toMatchObject({ error: "", status: { node: "n1", jobs: [it.job("steady/1")] } });
    expect((await kill("steady/2")).error).toBe("agent/n1 has no job steady/2");
    expect((await ask(new Uint8Array())).error).toBe("the request is empty or of a later version");
    expect((await ask(Uint8Array.of(0x0a, 0xff))).error).toContain("not an AgentRequest");

    const killed = it.job("steady/1").pid;
    expect((await kill("steady/1")).error).toBe("");
    await it.until(() => it.job("steady/1").pid !== killed && it.running("steady/1"));
    expect(it.pids()).not.toContain(killed);
  });
});
