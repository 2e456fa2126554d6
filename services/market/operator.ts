import { pino, type Logger } from "pino";
import { GatewayStats, GatewayStatsRequest } from "../../proto/generated/evercross/v1/link.ts";
import { greets } from "../../runtime/broker/broker.ts";
import { KvDesiredStore } from "../../runtime/desired/kv-desired-store.ts";
import { jobName } from "../../runtime/job/name.ts";
import { type Bus, BusRequestError } from "../../runtime/messaging/bus.ts";
import { NatsBus } from "../../runtime/messaging/nats-bus.ts";
import { jobSubject } from "../../runtime/messaging/subject.ts";
import { type AskedAgent, ClusterOperator } from "../../runtime/operator/cluster-operator.ts";
import type { LocatedJob } from "../../runtime/operator/located-job.ts";
import { OperatorError } from "../../runtime/operator/operator-error.ts";
import { ProcessRegistry } from "../../runtime/process/registry.ts";
import { waitFor } from "../../runtime/process/wait.ts";
import { MARKET_POLL_MS, OPERATOR_PATIENCE_MS, OPERATOR_REQUEST_MS } from "../limits.ts";
import type { MarketConfig } from "./config.ts";
import { readRunFile, type RunFile } from "./run-file.ts";

/** The run file of the market that runs in this folder. Throws `OperatorError` when none does. */
export function runningMarket(dataDir: string): RunFile {
  const run = readRunFile(dataDir);
  if (new ProcessRegistry(dataDir).alive().length === 0) {
    throw new OperatorError(`no market runs in ${dataDir}: 'evercross up' starts one`);
  }
  return run;
}

/** Asks and steers a running market, by logical names. */
export class Operator {
  readonly config: MarketConfig;
  /** The operator's own connection to the market's broker. */
  readonly bus: NatsBus;
  /** Its hierarchy, and the jobs that are wanted. */
  readonly hierarchy: ClusterOperator;

  private constructor(config: MarketConfig, bus: NatsBus, hierarchy: ClusterOperator) {
    this.config = config;
    this.bus = bus;
    this.hierarchy = hierarchy;
  }

  /** Over a connection that becomes the operator's. Resolves when it has seen the desired state. */
  static async open(config: MarketConfig, bus: NatsBus, logger: Logger): Promise<Operator> {
    const { cluster } = config;
    const store = await KvDesiredStore.open(bus, { cluster, logger });
    return new Operator(config, bus, await ClusterOperator.open({ cluster, bus, store, logger }));
  }

  /** Of the market that runs in this folder. Throws `OperatorError` when none does. */
  static async connect(dataDir: string): Promise<Operator> {
    const run = runningMarket(dataDir);
    // The bus itself would wait for a broker for ever.
    const port = Number(new URL(run.broker.url).port);
    const greeted = await waitFor(
      () => greets(port, OPERATOR_REQUEST_MS),
      OPERATOR_PATIENCE_MS,
      MARKET_POLL_MS,
    );
    if (greeted === undefined) {
      throw new OperatorError(
        `the market in ${dataDir} has no broker any more: 'evercross down' ends what is left`,
      );
    }
    const bus = await NatsBus.connect({ ...run.broker, name: "operator" });
    return Operator.open(run.config, bus, pino({ level: process.env["EVERCROSS_LOG"] ?? "silent" }));
  }

  /** One for each agent that there must be, by name; its status undefined when it does not answer. */
  agents(): Promise<AskedAgent[]> {
    return this.hierarchy.agents();
  }

  /** Every job of the market, by name. */
  jobs(): Promise<LocatedJob[]> {
    return this.hierarchy.jobs();
  }

  /** `service/key` to where it is. Throws `OperatorError` when the market has no such job. */
  locate(job: string): Promise<LocatedJob> {
    return this.hierarchy.locate(job);
  }

  /** SIGKILL to the job's host; its agent starts again what ran there. Gives the pid of the process that was killed. */
  killJob(job: string): Promise<number> {
    return this.hierarchy.killJob(job);
  }

  /** What each gateway counts, in the order of the instances; undefined for one that does not answer. */
  async gateways(): Promise<(GatewayStats | undefined)[]> {
    const { cluster, gateway } = this.config;
    const question = GatewayStatsRequest.encode({}).finish();
    return Promise.all(
      Array.from({ length: gateway.instances }, async (_, instance) => {
        const subject = jobSubject(cluster, jobName("gateway", String(instance)), "in");
        const data = await requestOnce(this.bus, subject, question);
        return data === undefined ? undefined : GatewayStats.decode(data);
      }),
    );
  }

  async close(): Promise<void> {
    await this.hierarchy.close();
    await this.bus.close();
  }
}

async function requestOnce(bus: Bus, subject: string, question: Uint8Array): Promise<Uint8Array | undefined> {
  try {
    return await bus.request(subject, question, OPERATOR_REQUEST_MS);
  } catch (error) {
    if (error instanceof BusRequestError) return undefined;
    throw error;
  }
}
