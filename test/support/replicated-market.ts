import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pino } from "pino";
import { expect, onTestFinished } from "vitest";
import type { ExecutionReport } from "../../proto/generated/evercross/v1/gateway.ts";
import { EntryKind, LogPublication } from "../../proto/generated/evercross/v1/log.ts";
import { OrderType, Side, TimeInForce } from "../../proto/generated/evercross/v1/types.ts";
import { jobName } from "../../runtime/job/name.ts";
import type { LogSource } from "../../runtime/log/checkpoint-log.ts";
import { SourceLogReader } from "../../runtime/log/source-log-reader.ts";
import { storageFolder } from "../../runtime/log/storage-folder.ts";
import { NatsBus } from "../../runtime/messaging/nats-bus.ts";
import { jobSubject } from "../../runtime/messaging/subject.ts";
import type { LocatedJob } from "../../runtime/operator/located-job.ts";
import { signalProcess } from "../../runtime/process/process-identity.ts";
import { ProcessRegistry } from "../../runtime/process/registry.ts";
import { waitFor } from "../../runtime/process/wait.ts";
import { auditLog } from "../../services/audit/run-audit.ts";
import type { Verdict } from "../../services/audit/verdict.ts";
import { connectClient, type SessionClient } from "../../services/client/index.ts";
import { checkConfig, type MarketConfig } from "../../services/market/config.ts";
import { nodeFolder } from "../../services/market/layout.ts";
import { type Market, startMarket } from "../../services/market/market.ts";
import { marketLogs } from "../../services/market/market-logs.ts";
import { processesNaming } from "./processes.ts";
import { temporaryFolder } from "./temporary-folder.ts";

const DEADLINE_MS = 20_000;
const AAA = jobName("crossing", "AAA");

/** What each copy of a symbol's log proves. */
export async function auditCopies(
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
export class ReplicatedMarket {
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
export class Buyer {
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
export function heardOf(bus: NatsBus, cluster: string): string[] {
  const heard: string[] = [];
  bus.subscribe(jobSubject(cluster, AAA, "event"), ({ data }) => {
    const { body } = LogPublication.decode(data);
    if (body?.$case === "committed") heard.push(`committed ${body.value.epoch}`);
    else if (body?.$case === "entry")
      heard.push(`${body.value.kind === EntryKind.STARTED ? "started" : "entry"} ${body.value.epoch}`);
  });
  return heard;
}
