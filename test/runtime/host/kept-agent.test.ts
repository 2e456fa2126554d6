import { describe, expect, test } from "vitest";
import { signalProcess } from "../../../runtime/process/process-identity.ts";
import { waitFor } from "../../../runtime/process/wait.ts";
import { jobsOf, KeptCluster } from "../../support/kept-cluster.ts";

const DEADLINE_MS = 20_000;
const job = (name: string, group: string, node: string) => ({ job: name, group, node });
const HERE = {
  role: "agent/n1",
  on: ["n1"],
  nodes: ["n1"],
  jobs: [job("steady/1", "g1", "n1"), job("steady/2", "g1", "n1"), job("steady/3", "g2", "n1")],
};
const FAR = {
  role: "agent/far",
  on: ["n2"],
  nodes: ["n1"],
  jobs: [job("steady/1", "g1", "n1"), job("steady/2", "g2", "n1")],
};

describe("job hosts and their agent", () => {
  test("an agent that is killed is started again by its hosts; it adopts them, and no job notices", async () => {
    const cluster = await KeptCluster.start(HERE);
    const before = await cluster.until((status) => status.hosts.some((host) => host.spare));
    for (let time = 0; time < 3; time++) {
      const { pid } = await cluster.until((status) => status.active);
      cluster.signal(pid, "SIGKILL");
      // Whoever is on the node answers for it meanwhile.
      expect(await cluster.probe("n1")).toMatchObject({
        node: "n1",
        process: expect.stringMatching(/^h\d$/),
      });
      const after = await cluster.until((status) => status.active && status.pid !== pid);
      expect(jobsOf(after)).toEqual(jobsOf(before));
    }
    expect(new Set(cluster.hosts())).toEqual(new Set(before.hosts.map((host) => host.pid)));
    expect(cluster.agents().length).toBe(1);
  });

  test("an agent that is paused is killed and replaced by its hosts, and no job notices", async () => {
    const cluster = await KeptCluster.start(HERE);
    const before = await cluster.until((status) => status.hosts.some((host) => host.spare));
    cluster.signal(before.pid, "SIGSTOP");
    const after = await cluster.until((status) => status.active && status.pid !== before.pid);
    expect(jobsOf(after)).toEqual(jobsOf(before));
    expect(cluster.agents().map(({ pid }) => pid)).toEqual([after.pid]);
    expect(new Set(cluster.hosts())).toEqual(new Set(before.hosts.map((host) => host.pid)));
  });

  test("hosts of another node are kept over the broker: adopted by a new agent, replaced when they die", async () => {
    const cluster = await KeptCluster.start(FAR);
    const first = await cluster.until((status) => status.hosts.some((host) => host.spare));
    expect(first).toMatchObject({ node: "n2", role: "agent/far" });
    expect(first.hosts.map((host) => [host.node, host.host.slice(0, 5)])).toEqual(
      first.hosts.map(() => ["n1", "far-h"]),
    );
    cluster.signal(first.pid, "SIGKILL");
    const second = await cluster.until((status) => status.active && cluster.allRun(status));
    expect(second.pid).not.toBe(first.pid);
    expect(jobsOf(second)).toEqual(jobsOf(first));

    const killed = second.jobs.find((one) => one.status?.job === "steady/1")?.pid ?? 0;
    cluster.signal(killed, "SIGKILL");
    const third = await cluster.until(
      (status) => cluster.allRun(status) && status.jobs.every((one) => one.pid !== killed),
    );
    const other = (status: typeof first) => jobsOf(status)[1];
    expect(other(third)).toEqual(other(first));
  });

  test("when the broker is killed nobody is killed for it, here or far away", async () => {
    for (const options of [HERE, FAR]) {
      const cluster = await KeptCluster.start(options);
      const before = await cluster.until((status) => status.hosts.some((host) => host.spare));
      const pid = cluster.broker.pid();
      const [entry] = cluster.registry.alive().filter((one) => one.pid === pid);
      expect(entry).toBeUndefined();
      process.kill(pid, "SIGSTOP");
      // Longer than any host or agent waits for a sign of life.
      await new Promise((resolve) => setTimeout(resolve, 2500));
      process.kill(pid, "SIGKILL");
      expect(await waitFor(() => cluster.broker.pid() !== pid, DEADLINE_MS, 20)).toBe(true);
      const after = await cluster.until((status) => cluster.allRun(status));
      expect(after.pid).toBe(before.pid);
      expect(jobsOf(after)).toEqual(jobsOf(before));
      expect(after.jobs.map((one) => one.restarts)).toEqual(before.jobs.map(() => 0));
    }
  });

  test("of two agents of one role on two nodes the better one lives, and no host is lost to the quarrel", async () => {
    const cluster = await KeptCluster.start({ ...FAR, on: ["n2", "n3"] });
    const before = await cluster.until((status) => status.hosts.some((host) => host.spare));
    await cluster.launcher.launch({ kind: "agent", name: "agent", node: "n3", roles: [FAR.role] }, undefined);
    const after = await cluster.until((status) => status.active && status.node === "n3");
    const alone = (): boolean => cluster.agents().length === 1;
    expect(await waitFor(alone, DEADLINE_MS, 20)).toBe(true);
    expect(cluster.agents().map(({ pid }) => pid)).toEqual([after.pid]);
    const settled = await cluster.until((status) => cluster.allRun(status));
    expect(jobsOf(settled)).toEqual(jobsOf(before));
    expect(cluster.agents().every((agent) => signalProcess(agent, "SIGCONT"))).toBe(true);
  });
});
