import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { JobState } from "../../proto/generated/evercross/v1/control.ts";
import type { LocatedJob } from "../../runtime/operator/located-job.ts";
import { ProcessRegistry } from "../../runtime/process/registry.ts";
import { signalProcess } from "../../runtime/process/process-identity.ts";
import { waitFor } from "../../runtime/process/wait.ts";
import { checkConfig } from "../../services/market/config.ts";
import { type Market, type MarketEvent, startMarket } from "../../services/market/market.ts";

const DEADLINE_MS = 30_000;

describe("a market whose parts die", () => {
  const dataDir = mkdtempSync(join(tmpdir(), "evercross-test-"));
  const registry = new ProcessRegistry(dataDir);
  const events: MarketEvent[] = [];
  let market: Market;

  beforeAll(async () => {
    const config = checkConfig(
      { nodes: ["n1", "n2"], instruments: [{ symbol: "AAA" }, { symbol: "BBB" }] },
      "test",
    );
    const logger = pino({ level: "silent" });
    market = await startMarket(config, { dataDir, logger, onEvent: (event) => events.push(event) });
  });

  afterAll(async () => {
    await market.stop();
    expect(registry.alive()).toEqual([]);
    rmSync(dataDir, { recursive: true, force: true });
  });

  const kill = (pid: number): void => {
    const entry = registry.alive().find((one) => one.pid === pid);
    if (entry === undefined || !signalProcess(entry, "SIGKILL")) throw new Error(`no living process ${pid}`);
  };
  const pids = (jobs: readonly LocatedJob[]): string[] => jobs.map((job) => `${job.status?.job} ${job.pid}`);
  const allRun = (jobs: readonly LocatedJob[]): boolean =>
    jobs.every((job) => job.status?.state === JobState.RUNNING);

  /** Waits until all jobs run and the condition holds of them. */
  async function until(condition: (jobs: readonly LocatedJob[]) => boolean): Promise<readonly LocatedJob[]> {
    const found = await waitFor(
      async () => {
        const jobs = await market.jobs();
        return allRun(jobs) && condition(jobs) ? jobs : undefined;
      },
      DEADLINE_MS,
      20,
    );
    if (found === undefined) throw new Error(`not met: ${JSON.stringify(await market.jobs(), null, 1)}`);
    return found;
  }

  const pidOf = (jobs: readonly LocatedJob[], name: string): number =>
    jobs.find((job) => job.status?.job === name)?.pid ?? 0;
  const epochOf = (jobs: readonly LocatedJob[], name: string): number =>
    jobs.find((job) => job.status?.job === name)?.status?.epoch ?? 0;

  test.each(["crossing/AAA", "gateway/0", "storage/0"])(
    "%s is killed and runs again, and no job of another host is touched",
    async (name) => {
      const before = await until(() => true);
      const killed = pidOf(before, name);
      kill(killed);
      const after = await until((jobs) => pidOf(jobs, name) !== killed && pidOf(jobs, name) !== 0);
      const others = before.filter((job) => job.pid !== killed);
      expect(pids(after)).toEqual(expect.arrayContaining(pids(others)));
      if (name.startsWith("crossing")) expect(epochOf(after, name)).toBeGreaterThan(epochOf(before, name));
    },
  );

  test("the agents are killed: every job goes on in its process and is adopted", async () => {
    const before = await until(() => true);
    const agents = market.agents();
    for (const { pid } of agents) kill(pid);
    const isNew = ({ node, pid }: { node: string; pid: number }) =>
      agents.every((agent) => agent.node !== node || agent.pid !== pid);
    expect(await waitFor(() => market.agents().every(isNew), DEADLINE_MS, 20)).toBe(true);
    const after = await until((jobs) => jobs.length === before.length);
    expect(pids(after)).toEqual(pids(before));
    expect(after.map((job) => job.status?.epoch)).toEqual(before.map((job) => job.status?.epoch));
  });

  test("the broker is killed: it comes back where it was, and nothing else is killed for it", async () => {
    const before = await until(() => true);
    const processes = registry.alive().filter((entry) => entry.kind !== "broker");
    const { url } = market.broker;
    const killed = market.broker.pid();
    kill(killed);
    expect(
      await waitFor(() => events.some((event) => event.kind === "broker_restarted"), DEADLINE_MS, 20),
    ).toBe(true);
    expect(market.broker.pid()).not.toBe(killed);
    expect(market.broker.url).toBe(url);
    const after = await until(() => true);
    expect(pids(after)).toEqual(pids(before));
    expect(registry.alive().filter((entry) => entry.kind !== "broker")).toEqual(processes);
  });

  test("an operator kills a job by name, as often as it likes", async () => {
    for (let time = 0; time < 3; time++) {
      const killed = await market.killJob("crossing/BBB");
      const after = await until((jobs) => pidOf(jobs, "crossing/BBB") !== killed);
      expect(pidOf(after, "crossing/BBB")).toBeGreaterThan(0);
    }
    await expect(market.killJob("crossing/ZZZ")).rejects.toThrow("there is no job crossing/ZZZ");
  });
});
