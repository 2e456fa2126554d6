import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterAll, expect, test } from "vitest";
import { JobState } from "../../proto/generated/evercross/v1/control.ts";
import type { LocatedJob } from "../../runtime/operator/located-job.ts";
import { signalProcess } from "../../runtime/process/process-identity.ts";
import { ProcessRegistry } from "../../runtime/process/registry.ts";
import { waitFor } from "../../runtime/process/wait.ts";
import { checkConfig } from "../../services/market/config.ts";
import { nodeFolder } from "../../services/market/layout.ts";
import { type Market, startMarket } from "../../services/market/market.ts";
import { processesNaming } from "../support/processes.ts";

const DEADLINE_MS = 45_000;
const dataDir = mkdtempSync(join(tmpdir(), "evercross-test-"));
const registry = new ProcessRegistry(dataDir);
const config = checkConfig(
  { nodes: ["n1", "n2", "n3"], instruments: [{ symbol: "AAA" }, { symbol: "BBB" }] },
  "test",
);
let market: Market | undefined;

afterAll(async () => {
  await market?.stop();
  expect(processesNaming(dataDir)).toEqual([]);
  rmSync(dataDir, { recursive: true, force: true });
});

async function start(): Promise<Market> {
  market = await startMarket(config, { dataDir, logger: pino({ level: "silent" }) });
  return market;
}

const places = (jobs: readonly LocatedJob[]): string[] =>
  jobs.map(({ status, node }) => `${status?.job} ${node}`);

/** Waits until all jobs run and the condition holds of them. */
async function until(
  running: Market,
  condition: (jobs: readonly LocatedJob[]) => boolean,
): Promise<readonly LocatedJob[]> {
  const found = await waitFor(
    async () => {
      const jobs = await running.jobs();
      return jobs.every(({ status }) => status?.state === JobState.RUNNING) && condition(jobs)
        ? jobs
        : undefined;
    },
    DEADLINE_MS,
    20,
  );
  if (found === undefined) throw new Error(`not met: ${JSON.stringify(await running.jobs(), null, 1)}`);
  return found;
}

test("a node that loses its power loses its jobs to other nodes; a market that is resumed has them there; the node comes back", async () => {
  const first = await start();
  const before = await until(first, () => true);
  const lost = before.find(({ status }) => status?.job === "crossing/AAA")?.node ?? "";
  // Storage is bound to its node.
  expect(before.some(({ status, node }) => status?.job === "storage/0" && node === lost)).toBe(false);
  const folder = nodeFolder(dataDir, lost);
  writeFileSync(join(folder, "off"), "");
  const processes = registry.alive().filter(({ name }) => name.startsWith(`${lost}.`));
  expect(processes.length).toBeGreaterThan(1);
  for (const entry of processes) signalProcess(entry, "SIGKILL");

  const after = await until(first, (jobs) => jobs.every(({ node }) => node !== lost));
  const others = places(before).filter((place) => !place.endsWith(` ${lost}`));
  expect(places(after)).toEqual(expect.arrayContaining(others));
  expect(registry.alive().filter(({ name }) => name.startsWith(`${lost}.`))).toEqual([]);
  await first.stop();
  expect(processesNaming(dataDir)).toEqual([]);

  const second = await start();
  expect(places(await until(second, () => true))).toEqual(places(after));
  expect(second.agents().map(({ node }) => node)).not.toContain(lost);
  rmSync(join(folder, "off"));
  const isBack = (): boolean => second.agents().some(({ node }) => node === lost);
  expect(await waitFor(isBack, DEADLINE_MS, 20)).toBe(true);
  // Nothing moves without a reason.
  expect(places(await until(second, () => true))).toEqual(places(after));
});
