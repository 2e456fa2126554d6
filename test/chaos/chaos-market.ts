import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { formatJob } from "../../runtime/job/name.ts";
import { NatsBus } from "../../runtime/messaging/nats-bus.ts";
import { HistoryLog } from "../../runtime/history/history-log.ts";
import { LEVELS, parseRole } from "../../runtime/monitor/role.ts";
import { ProcessRegistry } from "../../runtime/process/registry.ts";
import { waitFor } from "../../runtime/process/wait.ts";
import { proveMarket, type SymbolProof } from "../../services/flow/proof.ts";
import type { SymbolLedger } from "../../services/flow/symbol-ledger.ts";
import { checkConfig } from "../../services/market/config.ts";
import { planJobs } from "../../services/market/layout.ts";
import { type Market, type MarketEvent, startMarket } from "../../services/market/market.ts";
import { Operator } from "../../services/market/operator.ts";
import { arrangementOf, type Levels, nodeNamed } from "./arrangement.ts";
import { ClusterQuestions } from "./cluster-questions.ts";
import { ClusterSight } from "./cluster-sight.ts";
import type { FaultTargets } from "./fault.ts";
import { Injector } from "./injector.ts";
import { LinkProxy } from "./link-proxy.ts";
import { NodeClocks } from "./node-clocks.ts";
import { RecentHistory } from "./recent-history.ts";
import type { Restart } from "./touched.ts";

/** Milliseconds from the start of a market until its whole hierarchy must be active. */
const SETTLE_MS = 30_000;
const POLL_MS = 20;

export interface ChaosMarketOptions {
  readonly nodes: number;
  readonly levels: Levels;
  readonly symbols: readonly string[];
  readonly shards: number;
  /** Copies of each log; 1 when absent. */
  readonly replicas?: number;
  readonly gateways: number;
  /** Node clocks that can be set; costs each process a look at a file now and then. */
  readonly clocks: boolean;
  /** Its folder is left when it is closed. */
  readonly keep?: boolean;
  readonly onRestart: (restart: Restart) => void;
  readonly onEvent: (event: MarketEvent) => void;
  readonly signal?: AbortSignal;
}

/** A market on this machine in a folder of its own, watched from outside, whose processes, links and clocks can be hit. */
export class ChaosMarket {
  readonly market: Market;
  readonly sight: ClusterSight;
  readonly injector: Injector;
  readonly targets: FaultTargets;
  readonly operator: Operator;
  readonly history: RecentHistory;
  readonly #questions: ClusterQuestions;
  readonly #close: () => Promise<void>;

  private constructor(
    parts: Pick<ChaosMarket, "market" | "sight" | "injector" | "targets" | "operator" | "history">,
    questions: ClusterQuestions,
    close: () => Promise<void>,
  ) {
    this.market = parts.market;
    this.sight = parts.sight;
    this.injector = parts.injector;
    this.targets = parts.targets;
    this.operator = parts.operator;
    this.history = parts.history;
    this.#questions = questions;
    this.#close = close;
  }

  /** Resolves when it is whole. Rejects, with nothing left, when it does not come up. */
  static async open(options: ChaosMarketOptions): Promise<ChaosMarket> {
    const undo: (() => Promise<void> | void)[] = [];
    const close = async (): Promise<void> => {
      for (let step = undo.pop(); step !== undefined; step = undo.pop()) await step();
    };
    try {
      return await ChaosMarket.#open(options, undo, close);
    } catch (error) {
      await close();
      throw error;
    }
  }

  static async #open(
    options: ChaosMarketOptions,
    undo: (() => Promise<void> | void)[],
    close: () => Promise<void>,
  ): Promise<ChaosMarket> {
    const dataDir = await mkdtemp(join(tmpdir(), "evercross-chaos-"));
    if (options.keep !== true) undo.push(() => rm(dataDir, { recursive: true, force: true }));
    const clocks = new NodeClocks(join(dataDir, "clocks"));
    if (options.clocks) undo.push(inheritEnvironment(clocks.environment));
    const links = new Map<string, LinkProxy>();
    undo.push(async () => {
      for (const link of links.values()) await link.close();
    });
    const nodes = Array.from({ length: options.nodes }, (_, index) => nodeNamed(index));
    const config = checkConfig(
      {
        cluster: "chaos",
        nodes,
        instruments: options.symbols.map((symbol) => ({ symbol })),
        storage: { shards: options.shards, replicas: options.replicas ?? 1 },
        gateway: { instances: options.gateways },
        hierarchy: arrangementOf(nodes, options.levels),
      },
      "chaos",
    );
    const { signal, onEvent } = options;
    const logger = pino({ level: "silent" });
    const market = await startMarket(config, {
      dataDir,
      logger,
      onEvent,
      brokerUrlOf: async (node, url) => {
        const link = await LinkProxy.start(url);
        links.set(node, link);
        return link.url;
      },
      ...(signal === undefined ? {} : { signal }),
    });
    undo.push(() => market.stop());
    const bus = await NatsBus.connect({ ...market.broker, name: "chaos" });
    const operator = await Operator.open(market.config, bus, logger);
    undo.push(() => operator.close());
    const registry = new ProcessRegistry(dataDir);
    const sight = new ClusterSight(() => operator.hierarchy, options.onRestart);
    const questions = new ClusterQuestions(operator.hierarchy, registry, sight);
    undo.push(() => questions.stop());
    const injector = new Injector({
      dataDir,
      sight,
      topology: () => operator.hierarchy.topology,
      links,
      clocks,
    });
    undo.push(() => injector.restore());
    const history = new RecentHistory(await HistoryLog.open(bus, { cluster: config.cluster, logger }));
    undo.push(() => history.stop());
    const targets = targetsOf(market, operator);
    const opened = new ChaosMarket({ market, sight, injector, targets, operator, history }, questions, close);
    await opened.untilWhole(SETTLE_MS);
    return opened;
  }

  get dataDir(): string {
    return this.market.dataDir;
  }

  /** Throws what is missing after so long. */
  async untilWhole(ms: number): Promise<void> {
    const isWhole = (): boolean => this.sight.defects(performance.now()).length === 0;
    if ((await waitFor(isWhole, ms, POLL_MS)) === true) return;
    throw new Error(`not whole after ${ms} ms: ${this.sight.defects(performance.now()).join("; ")}`);
  }

  /** Compares what was told of each symbol with its log and its running book. */
  prove(symbols: ReadonlyMap<string, SymbolLedger>): Promise<SymbolProof[]> {
    return proveMarket(this.operator.bus, this.market.config, symbols);
  }

  /** What restarts from now on is no longer told. */
  stopWatching(): void {
    this.#questions.stop();
  }

  /** Undoes every fault, ends every process of the market and removes its folder. */
  close(): Promise<void> {
    return this.#close();
  }
}

/** Of processes that are started from now on. Gives what undoes it. */
function inheritEnvironment(variables: Readonly<Record<string, string>>): () => void {
  const before = Object.keys(variables).map((name) => [name, process.env[name]] as const);
  Object.assign(process.env, variables);
  return () => {
    for (const [name, value] of before) {
      if (value === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = value;
    }
  };
}

function targetsOf(market: Market, operator: Operator): FaultTargets {
  const jobs: Record<string, string[]> = {};
  const storageNodes: string[] = [];
  for (const { job, node } of planJobs(market.config)) {
    (jobs[job.service] ??= []).push(formatJob(job));
    if (job.service === "storage" && !storageNodes.includes(node)) storageNodes.push(node);
  }
  const roles: Record<string, string[]> = {};
  for (const { role } of operator.hierarchy.topology.roles())
    (roles[parseRole(role).level] ??= []).push(role);
  const levels = LEVELS.filter((level) => level !== "host" && roles[level] !== undefined);
  return {
    nodes: [...operator.hierarchy.view.nodes.keys()].sort(),
    storageNodes,
    jobs,
    roles: Object.fromEntries(levels.map((level) => [level, (roles[level] ?? []).sort()])),
  };
}
