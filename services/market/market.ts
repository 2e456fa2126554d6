import { randomBytes } from "node:crypto";
import { resolve } from "node:path";
import type { Logger } from "pino";
import { Broker } from "../../runtime/broker/broker.ts";
import { findBroker } from "../../runtime/broker/find-broker.ts";
import { KvDesiredStore } from "../../runtime/desired/kv-desired-store.ts";
import { launchTarget } from "../../runtime/launcher/launch-target.ts";
import { isSwitchedOff } from "../../runtime/launcher/local-launcher.ts";
import { NatsBus } from "../../runtime/messaging/nats-bus.ts";
import { parseRole } from "../../runtime/monitor/role.ts";
import type { LocatedJob } from "../../runtime/operator/located-job.ts";
import { type ProcessEntry, ProcessRegistry } from "../../runtime/process/registry.ts";
import { BootGuard, type MonitorProcess, monitorProcesses } from "./boot-guard.ts";
import { checkPromoted } from "../mirror/promotion-record.ts";
import type { MarketConfig } from "./config.ts";
import { checkRestored, checkSameShape, claim } from "./data-folder.ts";
import { gatewayAddresses, nodeFolder, nodeNames } from "./layout.ts";
import { marketLauncher } from "./market-launcher.ts";
import { Operator } from "./operator.ts";
import { choosePorts } from "./ports.ts";
import { findRunFile, type RunFile, writeRunFile } from "./run-file.ts";
import { seedStore } from "./seed.ts";
import { stopProcesses } from "./stop-processes.ts";
import { untilUp } from "./until-up.ts";

export type MarketEvent =
  | { readonly kind: "broker_restarted"; readonly pid: number }
  | { readonly kind: "agent_restarted"; readonly node: string; readonly pid: number }
  | {
      readonly kind: "coordinator_restarted";
      readonly unit: string;
      readonly node: string;
      readonly pid: number;
    }
  /** Something cannot be kept alive: the market should be stopped. */
  | { readonly kind: "given_up"; readonly reason: string };

export interface MarketOptions {
  readonly dataDir: string;
  readonly logger: Logger;
  readonly onEvent?: (event: MarketEvent) => void;
  /** Ends a start that is under way: `startMarket` stops what it started and throws. */
  readonly signal?: AbortSignal;
  /** Where the processes of a node reach the broker, other than at its own address. Asked once for each node. */
  readonly brokerUrlOf?: (node: string, url: string) => Promise<string>;
  /** `false`: an agent whose node has nobody left who would start it stays away. */
  readonly bootGuard?: boolean;
}

/** A process that plays a role of the hierarchy. */
export interface RoleProcess {
  readonly role: string;
  readonly node: string;
  readonly pid: number;
}

/** A market that runs on this machine, started by this process. */
export interface Market {
  /** In effect: with the ports that were chosen. */
  readonly config: MarketConfig;
  readonly dataDir: string;
  readonly gateways: readonly { readonly host: string; readonly port: number }[];
  readonly broker: { readonly url: string; readonly token: string; pid(): number };
  /** The living processes of agents and of coordinators, by role. */
  agents(): RoleProcess[];
  coordinators(): RoleProcess[];
  jobs(): Promise<LocatedJob[]>;
  locate(job: string): Promise<LocatedJob>;
  /** Gives the pid that was killed. */
  killJob(job: string): Promise<number>;
  /** Ends every process of the market; throws when one is left. */
  stop(): Promise<void>;
}

async function effectiveConfig(config: MarketConfig, before: RunFile | undefined): Promise<MarketConfig> {
  const { host, port, instances, tls } = config.gateway;
  const preferred = before?.portChosen === true ? before.config.gateway.port : 0;
  const gateway = { ...config.gateway, port: await choosePorts(host, port, preferred, instances) };
  if (tls !== undefined) gateway.tls = { cert: resolve(tls.cert), key: resolve(tls.key) };
  return { ...config, gateway };
}

interface MarketParts {
  readonly dataDir: string;
  readonly registry: ProcessRegistry;
  readonly own: ProcessEntry;
  readonly broker: Broker;
  readonly guard: BootGuard;
  readonly operator: Operator;
}

class LocalMarket implements Market {
  readonly #parts: MarketParts;
  #stopped: Promise<void> | undefined;

  constructor(parts: MarketParts) {
    this.#parts = parts;
  }

  get config(): MarketConfig {
    return this.#parts.operator.config;
  }

  get dataDir(): string {
    return this.#parts.dataDir;
  }

  get gateways(): { host: string; port: number }[] {
    return gatewayAddresses(this.config);
  }

  get broker(): Market["broker"] {
    const { broker } = this.#parts;
    return { url: broker.url, token: broker.token, pid: () => broker.pid() };
  }

  agents(): RoleProcess[] {
    return this.#roles((level) => level === "agent");
  }

  coordinators(): RoleProcess[] {
    return this.#roles((level) => level !== "agent");
  }

  jobs(): Promise<LocatedJob[]> {
    return this.#parts.operator.jobs();
  }

  locate(job: string): Promise<LocatedJob> {
    return this.#parts.operator.locate(job);
  }

  killJob(job: string): Promise<number> {
    return this.#parts.operator.killJob(job);
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  #roles(isMeant: (level: string) => boolean): RoleProcess[] {
    const { registry, operator } = this.#parts;
    const processes = monitorProcesses(registry.alive());
    const roles = operator.hierarchy.topology.roles().filter(({ role }) => isMeant(parseRole(role).level));
    return roles
      .flatMap(({ role, unit }) => {
        const own = processes.filter((process) => process.unit === unit);
        return own.map(({ node, pid }) => ({ role, node, pid }));
      })
      .toSorted((a, b) => a.role.localeCompare(b.role));
  }

  async #stop(): Promise<void> {
    const { registry, own, broker, guard, operator } = this.#parts;
    guard.stop();
    broker.release();
    await stopProcesses(registry);
    await operator.close();
    registry.remove(own);
  }
}

/**
 * Starts a market on this machine, or resumes the one whose data is in the folder: its books come back from storage, its jobs to
 * where they were put last. Resolves when every job runs, every coordinator is at work and the gateways accept connections. Throws
 * `ConfigError`, `DataFolderError` or `BrokerMissingError` before anything was started; when a part does not come up, all that
 * was started is stopped.
 */
export async function startMarket(config: MarketConfig, options: MarketOptions): Promise<Market> {
  const dataDir = resolve(options.dataDir);
  checkRestored(dataDir);
  checkPromoted(dataDir);
  const before = findRunFile(dataDir);
  if (before !== undefined) checkSameShape(before.config, config, dataDir);
  const effective = await effectiveConfig(config, before);
  const { path: binary } = await findBroker();
  const registry = new ProcessRegistry(dataDir);
  const own = claim(registry, dataDir);
  let failure: string | undefined;
  const onEvent = (event: MarketEvent): void => {
    if (event.kind === "given_up") failure ??= event.reason;
    options.onEvent?.(event);
  };
  try {
    const broker = await Broker.start({
      dataDir,
      registry,
      logger: options.logger,
      binary,
      token: randomBytes(24).toString("base64url"),
      onRestart: (pid) => {
        onEvent({ kind: "broker_restarted", pid });
      },
      onGivenUp: (reason) => {
        onEvent({ kind: "given_up", reason });
      },
    });
    const urls = await brokerUrls(nodeNames(effective), broker.url, options.brokerUrlOf);
    const run: RunFile = {
      config: effective,
      portChosen: config.gateway.port === 0,
      broker: { url: broker.url, token: broker.token, ...(urls === undefined ? {} : { urls }) },
    };
    const operator = await openStore(run, before?.config, dataDir, options.logger);
    const guard = await startMonitors(operator, { dataDir, registry, options, onEvent });
    const market = new LocalMarket({ dataDir, registry, own, broker, guard, operator });
    try {
      await untilUp({
        operator,
        gateways: market.gateways,
        isOff: (node) => isSwitchedOff(nodeFolder(dataDir, node)),
        failure: () => (options.signal?.aborted === true ? "stopped while it was starting" : failure),
      });
    } catch (error) {
      await market.stop();
      throw error;
    }
    return market;
  } catch (error) {
    await stopProcesses(registry);
    registry.remove(own);
    throw error;
  }
}

async function brokerUrls(
  nodes: readonly string[],
  url: string,
  brokerUrlOf: MarketOptions["brokerUrlOf"],
): Promise<Record<string, string> | undefined> {
  if (brokerUrlOf === undefined) return undefined;
  return Object.fromEntries(
    await Promise.all(nodes.map(async (node) => [node, await brokerUrlOf(node, url)] as const)),
  );
}

/** Writes what is wanted, then the file by which every process finds it. */
async function openStore(
  run: RunFile,
  before: MarketConfig | undefined,
  dataDir: string,
  logger: Logger,
): Promise<Operator> {
  const { config, broker } = run;
  const bus = await NatsBus.connect({ url: broker.url, token: broker.token, name: "market" });
  try {
    await seedStore(await KvDesiredStore.open(bus, { cluster: config.cluster, logger }), before, config);
    writeRunFile(dataDir, run);
    return await Operator.open(config, bus, logger);
  } catch (error) {
    await bus.close();
    throw error;
  }
}

interface MonitorsOptions {
  readonly dataDir: string;
  readonly registry: ProcessRegistry;
  readonly options: MarketOptions;
  readonly onEvent: (event: MarketEvent) => void;
}

/** Starts every unit where it is to be; one that cannot be started there is left to those who watch it. */
async function startMonitors(
  { config, hierarchy }: Operator,
  { dataDir, registry, options, onEvent }: MonitorsOptions,
): Promise<BootGuard> {
  const addressOf = (node: string): string => hierarchy.view.nodes.get(node)?.value.address ?? "";
  const launcher = marketLauncher({ dataDir, config, registry, addressOf });
  const { logger } = options;
  const first = new Map(hierarchy.topology.roles().map((record) => [record.unit, record]));
  for (const { role, on } of first.values()) {
    try {
      await launcher.launch(launchTarget(hierarchy.topology, role, on[0] ?? ""), undefined);
    } catch (error) {
      logger.warn({ role, reason: (error as Error).message }, "not started");
    }
  }
  return new BootGuard({
    registry,
    launcher,
    topology: () => hierarchy.topology,
    isOff: (node) => isSwitchedOff(nodeFolder(dataDir, node)),
    starts: options.bootGuard !== false && config.hierarchy.launcher === undefined,
    logger,
    onRestart: (process) => {
      onEvent(restartEvent(process));
    },
  });
}

function restartEvent({ kind, node, unit, pid }: MonitorProcess): MarketEvent {
  if (kind === "agent") return { kind: "agent_restarted", node, pid };
  return { kind: "coordinator_restarted", unit, node, pid };
}
