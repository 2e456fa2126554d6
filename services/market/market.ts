import { randomBytes } from "node:crypto";
import { join, resolve } from "node:path";
import type { Logger } from "pino";
import { Broker } from "../../runtime/broker/broker.ts";
import { findBroker } from "../../runtime/broker/find-broker.ts";
import { NatsBus } from "../../runtime/messaging/nats-bus.ts";
import { KeptProcess } from "../../runtime/process/kept-process.ts";
import { builtModule } from "../../runtime/process/package-root.ts";
import { type ProcessEntry, ProcessRegistry } from "../../runtime/process/registry.ts";
import { spawnNode } from "../../runtime/process/spawn.ts";
import type { MarketConfig } from "./config.ts";
import { checkSameShape, claim } from "./data-folder.ts";
import { gatewayAddresses, nodeNames } from "./layout.ts";
import { type LocatedJob, Operator } from "./operator.ts";
import { choosePorts } from "./ports.ts";
import { findRunFile, type RunFile, writeRunFile } from "./run-file.ts";
import { stopProcesses } from "./stop-processes.ts";
import { untilUp } from "./until-up.ts";

export type MarketEvent =
  | { readonly kind: "broker_restarted"; readonly pid: number }
  | { readonly kind: "agent_restarted"; readonly node: string; readonly pid: number }
  /** Something cannot be kept alive: the market should be stopped. */
  | { readonly kind: "given_up"; readonly reason: string };

export interface MarketOptions {
  readonly dataDir: string;
  readonly logger: Logger;
  readonly onEvent?: (event: MarketEvent) => void;
  /** Ends a start that is under way: `startMarket` stops what it started and throws. */
  readonly signal?: AbortSignal;
}

/** A market that runs on this machine, started by this process. */
export interface Market {
  /** In effect: with the ports that were chosen. */
  readonly config: MarketConfig;
  readonly dataDir: string;
  readonly gateways: readonly { readonly host: string; readonly port: number }[];
  readonly broker: { readonly url: string; readonly token: string; pid(): number };
  agents(): { readonly node: string; readonly pid: number }[];
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
  readonly agents: readonly { readonly node: string; readonly process: KeptProcess }[];
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

  agents(): { node: string; pid: number }[] {
    return this.#parts.agents.map(({ node, process }) => ({ node, pid: process.pid }));
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

  async #stop(): Promise<void> {
    const { registry, own, broker, agents, operator } = this.#parts;
    for (const { process } of agents) process.release();
    broker.release();
    await stopProcesses(registry);
    await operator.close();
    registry.remove(own);
  }
}

/**
 * Starts a market on this machine, or resumes the one whose data is in the folder: its books come back from storage.
 * Resolves when every job runs and the gateways accept connections. Throws `ConfigError`, `DataFolderError` or
 * `BrokerMissingError` before anything was started; when a part does not come up, all that was started is stopped.
 */
export async function startMarket(config: MarketConfig, options: MarketOptions): Promise<Market> {
  const dataDir = resolve(options.dataDir);
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
    const shared = { dataDir, registry, logger: options.logger };
    const broker = await Broker.start({
      ...shared,
      binary,
      token: randomBytes(24).toString("base64url"),
      onRestart: (pid) => {
        onEvent({ kind: "broker_restarted", pid });
      },
      onGivenUp: (reason) => {
        onEvent({ kind: "given_up", reason });
      },
    });
    const run = {
      config: effective,
      portChosen: config.gateway.port === 0,
      broker: { url: broker.url, token: broker.token },
    };
    writeRunFile(dataDir, run);
    const agents = nodeNames(effective).map((node) => ({ node, process: keepAgent(node, shared, onEvent) }));
    const bus = await NatsBus.connect({ ...run.broker, name: "market" });
    const operator = new Operator(effective, bus);
    const market = new LocalMarket({ dataDir, registry, own, broker, agents, operator });
    try {
      await untilUp(operator, market.gateways, () =>
        options.signal?.aborted === true ? "stopped while it was starting" : failure,
      );
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

function keepAgent(
  node: string,
  { dataDir, registry, logger }: Pick<MarketParts, "dataDir" | "registry"> & { readonly logger: Logger },
  onEvent: (event: MarketEvent) => void,
): KeptProcess {
  const module = builtModule("services/host/agent-main");
  const logFile = join(dataDir, "log", `agent-${node}.log`);
  return new KeptProcess({
    kind: "agent",
    name: node,
    launch: () => spawnNode(module, ["--data", dataDir, "--node", node], logFile),
    registry,
    logger,
    onRestart: (pid) => {
      onEvent({ kind: "agent_restarted", node, pid });
    },
    onGivenUp: (reason) => {
      onEvent({ kind: "given_up", reason });
    },
  });
}
