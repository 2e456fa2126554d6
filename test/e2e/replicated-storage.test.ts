import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pino } from "pino";
import { describe, expect, onTestFinished, test } from "vitest";
import { JobState } from "../../proto/generated/evercross/v1/control.ts";
import type { ExecutionReport } from "../../proto/generated/evercross/v1/gateway.ts";
import { EntryKind, LogPublication } from "../../proto/generated/evercross/v1/log.ts";
import { OrderType, Side, TimeInForce } from "../../proto/generated/evercross/v1/types.ts";
import { agentSocketPath } from "../../runtime/agent/socket-path.ts";
import { jobName } from "../../runtime/job/name.ts";
import type { LogSource } from "../../runtime/log/checkpoint-log.ts";
import { SourceLogReader } from "../../runtime/log/source-log-reader.ts";
import { storageFolder } from "../../runtime/log/storage-folder.ts";
import { NatsBus } from "../../runtime/messaging/nats-bus.ts";
import { jobSubject } from "../../runtime/messaging/subject.ts";
import type { LocatedJob } from "../../runtime/operator/located-job.ts";
import { isAlive, signalProcess } from "../../runtime/process/process-identity.ts";
import { ProcessRegistry } from "../../runtime/process/registry.ts";
import { terminate } from "../../runtime/process/terminate.ts";
import { waitFor } from "../../runtime/process/wait.ts";
import { auditLog } from "../../services/audit/run-audit.ts";
import type { Verdict } from "../../services/audit/verdict.ts";
import { connectClient, type SessionClient } from "../../services/client/index.ts";
import type { Intervention } from "../../services/flow/intervention.ts";
import { checkConfig, type MarketConfig } from "../../services/market/config.ts";
import { nodeFolder } from "../../services/market/layout.ts";
import { type Market, startMarket } from "../../services/market/market.ts";
import { marketLogs } from "../../services/market/market-logs.ts";
import { readRunFile } from "../../services/market/run-file.ts";
import { marketFolder, startUp } from "../support/command.ts";
import { HandAgent } from "../support/hand-agent.ts";
import { processesNaming } from "../support/processes.ts";
import { replayAndProve } from "../support/replay-run.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const DEADLINE_MS = 20_000;
const PAUSE_MS = 10_000;
const AAA = jobName("crossing", "AAA");

/** What each copy of a symbol's log proves. */
async function auditCopies(
  bus: NatsBus,
  config: MarketConfig,
  symbol: string,
): Promise<Map<string, Verdict>> {
  const job = jobName("crossing", symbol);
  const logs = marketLogs(config, bus);
  const reader = (copy: string): SourceLogReader =>
    new SourceLogReader(job, (wanted) => logs.copies(job, wanted).get(copy) as LogSource, DEADLINE_MS);
  const tail = await logs.source(job, () => true).tail();
  const verdicts = new Map<string, Verdict>();
  for (const copy of logs.copies(job, () => false).keys()) {
    const log = reader(copy);
    await log.reached(tail?.seq ?? Infinity);
    verdicts.set(copy, await auditLog(job, log));
  }
  return verdicts;
}

/** A market of real processes with three copies of each log, whose nodes a test switches off and on. */
class ReplicatedMarket {
  readonly market: Market;
  readonly bus: NatsBus;
  readonly registry: ProcessRegistry;

  private constructor(market: Market, bus: NatsBus) {
    this.market = market;
    this.bus = bus;
    this.registry = new ProcessRegistry(market.dataDir);
  }

  static async start(nodes: readonly string[], symbols: readonly string[]): Promise<ReplicatedMarket> {
    const dataDir = join(temporaryFolder(), "market");
    const instruments = symbols.map((symbol) => ({ symbol }));
    const config = checkConfig({ nodes, instruments, storage: { replicas: 3 } }, "test");
    const market = await startMarket(config, { dataDir, logger: pino({ level: "silent" }) });
    onTestFinished(async () => {
      await market.stop();
      expect(processesNaming(dataDir)).toEqual([]);
    });
    const { url, token } = market.broker;
    const bus = await NatsBus.connect({ url, token, name: "test" });
    onTestFinished(() => bus.close());
    return new ReplicatedMarket(market, bus);
  }

  /** SIGKILL of everything on a node, which stays off. */
  switchOff(node: string): void {
    writeFileSync(join(nodeFolder(this.market.dataDir, node), "off"), "");
    const processes = this.registry.alive().filter(({ name }) => name.startsWith(`${node}.`));
    expect(processes.length).toBeGreaterThan(1);
    for (const entry of processes) signalProcess(entry, "SIGKILL");
  }

  switchOn(node: string): void {
    rmSync(join(nodeFolder(this.market.dataDir, node), "off"));
  }

  loseDisk(node: string, replica: string): void {
    rmSync(storageFolder(nodeFolder(this.market.dataDir, node), replica), { recursive: true });
  }

  /** The members of a symbol's log, by name. */
  async members(symbol: string): Promise<ReadonlyMap<string, string>> {
    const tail = await marketLogs(this.market.config, this.bus)
      .source(jobName("crossing", symbol), () => true)
      .tail();
    return new Map(tail?.members.map(({ name, incarnation }) => [name, incarnation]));
  }

  async job(name: string): Promise<LocatedJob | undefined> {
    return (await this.market.jobs()).find(({ status }) => status?.job === name);
  }

  async until<T>(what: string, condition: () => Promise<T | undefined> | T | undefined): Promise<T> {
    const found = await waitFor(condition, DEADLINE_MS, 20);
    if (found === undefined)
      throw new Error(`never ${what}: ${JSON.stringify(await this.market.jobs(), null, 1)}`);
    return found;
  }
}

/** A session that buys one share at a time, and what it was told. */
class Buyer {
  readonly accepted = new Set<number>();
  readonly client: SessionClient;

  constructor(gateway: { readonly host: string; readonly port: number }) {
    this.client = connectClient({
      gateways: [gateway],
      session: "buyer",
      handlers: { onReport: ({ clientOrderId }: ExecutionReport) => void this.accepted.add(clientOrderId) },
    });
    onTestFinished(() => this.client.close());
  }

  buy(clientOrderId: number): void {
    const terms = { type: OrderType.LIMIT, timeInForce: TimeInForce.DAY, price: 100, quantity: 1 };
    this.client.newOrder("AAA", { ...terms, clientOrderId, side: Side.BUY });
  }
}

/** Epochs of the entries that a job publishes, `started` before those of each writer's first. */
function heardOf(bus: NatsBus, cluster: string): string[] {
  const heard: string[] = [];
  bus.subscribe(jobSubject(cluster, AAA, "event"), ({ data }) => {
    const { body } = LogPublication.decode(data);
    if (body?.$case === "committed") heard.push(`committed ${body.value.epoch}`);
    else if (body?.$case === "entry")
      heard.push(`${body.value.kind === EntryKind.STARTED ? "started" : "entry"} ${body.value.epoch}`);
  });
  return heard;
}

describe("three copies of each log on real processes", () => {
  test("a node that dies with its disk under load costs nothing, and its copy is made anew on another node", async () => {
    const world = await ReplicatedMarket.start(["n1", "n2", "n3", "n4"], ["AAA", "BBB"]);
    const before = await world.until("three members", async () => {
      const members = await world.members("AAA");
      return members.size === 3 ? members : undefined;
    });
    expect([...before.keys()].sort()).toEqual(["storage/0.0", "storage/0.1", "storage/0.2"]);
    const lost = (await world.job("storage/0.1"))?.node ?? "";
    expect((await world.job("crossing/AAA"))?.node).toBe(lost);
    const isWhole = async (): Promise<boolean> => {
      const jobs = await world.market.jobs();
      const places = new Set(
        jobs.filter(({ status }) => status?.job.startsWith("storage/")).map(({ node }) => node),
      );
      const running = jobs.every(({ status, node }) => status?.state === JobState.RUNNING && node !== lost);
      if (!running || places.size !== 3) return false;
      const members = await Promise.all(["AAA", "BBB"].map((symbol) => world.members(symbol)));
      return members.every(
        (each) => each.size === 3 && each.get("storage/0.1") !== before.get("storage/0.1"),
      );
    };
    const loss: Intervention = {
      after: 4001,
      label: "loss of a node and its disk",
      act: () => {
        world.switchOff(lost);
        world.loseDisk(lost, "0.1");
        return Promise.resolve(isWhole);
      },
    };
    const { config, broker, gateways } = world.market;
    const { report, proofs } = await replayAndProve({
      config,
      broker,
      gateways,
      sessions: ["a", "b"],
      symbols: ["AAA", "BBB"],
      seed: 5,
      actions: 12_000,
      interventions: () => [loss],
    });
    expect(report).toMatchObject({ lost: 0, duplicated: 0, inconsistent: 0, findings: [], verified: true });
    expect(proofs.map(({ ok, faults }) => ({ ok, faults }))).toEqual([
      { ok: true, faults: [] },
      { ok: true, faults: [] },
    ]);
    for (const symbol of ["AAA", "BBB"]) {
      const verdicts = await auditCopies(world.bus, config, symbol);
      expect([...verdicts.keys()].sort()).toEqual(["storage/0.0", "storage/0.1", "storage/0.2"]);
      const [first, ...others] = [...verdicts.values()];
      expect(first).toMatchObject({ ok: true, findings: [], firstEntry: 1 });
      for (const other of others)
        expect(other).toMatchObject({ ok: true, lastEntry: first?.lastEntry, book: first?.book });
    }
  });

  test("with two of three gone nothing is published, the job says what it waits for, and goes on when one returns", async () => {
    const world = await ReplicatedMarket.start(["n1", "n2", "n3"], ["AAA"]);
    const { config, gateways } = world.market;
    const [gateway] = gateways;
    if (gateway === undefined) throw new Error("a market without a gateway");
    const heard = heardOf(world.bus, config.cluster);
    const buyer = new Buyer(gateway);
    buyer.buy(1);
    await world.until("accepted 1", () => buyer.accepted.has(1) || undefined);
    const here = (await world.job("crossing/AAA"))?.node ?? "";
    const others = ["n1", "n2", "n3"].filter((node) => node !== here);
    const away = (await world.market.jobs())
      .filter(({ node, status }) => others.includes(node) && status?.job.startsWith("storage/"))
      .map(({ status }) => status?.job ?? "");
    expect(away).toHaveLength(2);
    for (const node of others) world.switchOff(node);
    const published = heard.length;
    buyer.buy(2);
    const detail = await world.until("stalled", async () => {
      const said = (await world.job("crossing/AAA"))?.status?.detail ?? "";
      return away.every((replica) => said.includes(replica)) ? said : undefined;
    });
    expect(detail).toMatch(
      /^crossing\/AAA: entry \d+ is not committed: waits for storage\/0\.\d \(.+\), storage\/0\.\d \(.+\)$/,
    );
    expect(heard.slice(published)).toEqual([]);
    expect(buyer.accepted.has(2)).toBe(false);

    world.switchOn(others[0] as string);
    await world.until("accepted 2", () => buyer.accepted.has(2) || undefined);
    await world.until("said to go on", async () =>
      (await world.job("crossing/AAA"))?.status?.detail === "" ? true : undefined,
    );
    // It is the same writer, or one that began behind it: nothing of the older one comes after.
    expect(heard.slice(published)).toContain(`entry ${(await world.job("crossing/AAA"))?.status?.epoch}`);
    world.switchOn(others[1] as string);
    for (const verdict of (await auditCopies(world.bus, config, "AAA")).values())
      expect(verdict).toMatchObject({ ok: true, findings: [], counts: { requests: 2 } });
  });

  test("a writer that was paused for 10 s and is woken is refused and ends itself, its process goes on", async () => {
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
});
