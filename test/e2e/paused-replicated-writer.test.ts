import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { JobState } from "../../proto/generated/evercross/v1/control.ts";
import { agentSocketPath } from "../../runtime/agent/socket-path.ts";
import { NatsBus } from "../../runtime/messaging/nats-bus.ts";
import { isAlive, signalProcess } from "../../runtime/process/process-identity.ts";
import { ProcessRegistry } from "../../runtime/process/registry.ts";
import { terminate } from "../../runtime/process/terminate.ts";
import { waitFor } from "../../runtime/process/wait.ts";
import { readRunFile } from "../../services/market/run-file.ts";
import { marketFolder, startUp } from "../support/command.ts";
import { HandAgent } from "../support/hand-agent.ts";
import { auditCopies, Buyer, heardOf } from "../support/replicated-market.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const DEADLINE_MS = 20_000;
const PAUSE_MS = 10_000;

test("with three copies of its log a writer that was paused for 10 s and is woken is refused and ends itself, its process goes on", async () => {
  const dataDir = marketFolder();
  const file = join(temporaryFolder(), "market.yaml");
  writeFileSync(file, "nodes: [n1, n2, n3]\ninstruments: [{ symbol: AAA }]\nstorage: { replicas: 3 }\n");
  const up = await startUp(dataDir, "--config", file);
  // From now on only this test decides what runs where.
  const registry = new ProcessRegistry(dataDir);
  registry.close();
  up.child.kill("SIGKILL");
  await up.ended;
  const monitors = registry.alive().filter(({ kind }) => kind === "agent" || kind === "coordinator");
  await terminate(monitors, 0);
  const { config, broker } = readRunFile(dataDir);
  const agent = new HandAgent("n2");
  await agent.listen(agentSocketPath(dataDir, "n2"));
  onTestFinished(async () => {
    for (const { identity } of agent.hosts.values()) signalProcess(identity, "SIGCONT");
    await agent.close();
  });
  const ready = (): boolean => agent.running("crossing/AAA") !== undefined && agent.spare() !== undefined;
  expect(await waitFor(ready, DEADLINE_MS, 10)).toBe(true);
  const bus = await NatsBus.connect({ ...broker, name: "test" });
  onTestFinished(() => bus.close());
  const heard = heardOf(bus, config.cluster);
  await bus.flush();
  const buyer = new Buyer(config.gateway);
  buyer.buy(1);
  expect(await waitFor(() => buyer.accepted.has(1), DEADLINE_MS, 5)).toBe(true);

  const paused = agent.running("crossing/AAA");
  const next = agent.spare();
  if (paused === undefined || next === undefined) throw new Error("no writer, or no spare host");
  signalProcess(paused.identity, "SIGSTOP");
  const pausedAt = performance.now();
  buyer.buy(2);
  agent.start(next, "crossing/AAA");
  expect(await waitFor(() => buyer.accepted.has(2), DEADLINE_MS, 5)).toBe(true);
  expect(await waitFor(() => performance.now() - pausedAt > PAUSE_MS, DEADLINE_MS, 50)).toBe(true);
  signalProcess(paused.identity, "SIGCONT");
  // The link to its agent did not outlive the pause: the host says hello once more, without the job.
  const { pid } = paused.identity;
  const ended = (): boolean =>
    [...agent.hosts.values()].some(({ identity, jobs }) => identity.pid === pid && jobs.size === 0);
  expect(await waitFor(ended, DEADLINE_MS, 5)).toBe(true);
  const failures = readFileSync(join(dataDir, "log", "hosts-n2.log"), "utf8")
    .split("\n")
    .filter((line) => line.includes(`"pid":${pid}`) && line.includes("job failed"));
  expect(failures).toHaveLength(1);
  expect(failures[0]).toContain('"reason":"fenced: ');
  expect(isAlive(paused.identity)).toBe(true);
  expect(next.jobs.get("crossing/AAA")?.state).toBe(JobState.RUNNING);
  buyer.buy(3);
  expect(await waitFor(() => buyer.accepted.has(3), DEADLINE_MS, 5)).toBe(true);
  await bus.flush();
  const first = heard.indexOf("started 2");
  expect(first).toBeGreaterThanOrEqual(0);
  expect(heard.slice(first).filter((word) => !word.endsWith(" 2"))).toEqual([]);
  for (const verdict of (await auditCopies(bus, config, "AAA")).values())
    expect(verdict).toMatchObject({ ok: true, findings: [], counts: { requests: 3 } });
});
