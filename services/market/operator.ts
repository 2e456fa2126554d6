import {
  AgentRequest,
  AgentResponse,
  type AgentStatus,
  type WatchedJob,
} from "../../proto/generated/evercross/v1/control.ts";
import { GatewayStats, GatewayStatsRequest } from "../../proto/generated/evercross/v1/link.ts";
import { greets } from "../../runtime/broker/broker.ts";
import { formatJob, jobName, parseJob } from "../../runtime/job/name.ts";
import { type Bus, BusRequestError } from "../../runtime/messaging/bus.ts";
import { NatsBus } from "../../runtime/messaging/nats-bus.ts";
import { agentSubject, jobSubject } from "../../runtime/messaging/subject.ts";
import { ProcessRegistry } from "../../runtime/process/registry.ts";
import { waitFor } from "../../runtime/process/wait.ts";
import { MARKET_POLL_MS, OPERATOR_PATIENCE_MS, OPERATOR_REQUEST_MS } from "../limits.ts";
import type { MarketConfig } from "./config.ts";
import { planJobs } from "./layout.ts";
import { readRunFile, type RunFile } from "./run-file.ts";

/** A job as its node's agent sees it. */
export interface LocatedJob extends WatchedJob {
  readonly node: string;
}

/** The question cannot be carried out: no market, no such job, or an agent that does not answer. */
export class OperatorError extends Error {
  override readonly name = "OperatorError";
}

/** The run file of the market that runs in this folder. Throws `OperatorError` when none does. */
export function runningMarket(dataDir: string): RunFile {
  const run = readRunFile(dataDir);
  if (new ProcessRegistry(dataDir).alive().length === 0) {
    throw new OperatorError(`no market runs in ${dataDir}: 'evercross up' starts one`);
  }
  return run;
}

/** Asks the agents of a running market, by logical name. */
export class Operator {
  readonly config: MarketConfig;
  /** The operator's own connection to the market's broker. */
  readonly bus: Bus;

  constructor(config: MarketConfig, bus: Bus) {
    this.config = config;
    this.bus = bus;
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
    return new Operator(run.config, bus);
  }

  /** One status for each node, in the order of the configuration; undefined for an agent that does not answer. */
  async agents(): Promise<{ readonly node: string; readonly status: AgentStatus | undefined }[]> {
    return Promise.all(
      this.config.nodes.map(async (node) => {
        const response = await this.#askOnce(node, { $case: "status", value: {} });
        return { node, status: response?.status };
      }),
    );
  }

  /** What each gateway counts, in the order of the instances; undefined for one that does not answer. */
  async gateways(): Promise<(GatewayStats | undefined)[]> {
    const { cluster, gateway } = this.config;
    const question = GatewayStatsRequest.encode({}).finish();
    return Promise.all(
      Array.from({ length: gateway.instances }, async (_, instance) => {
        const data = await this.#requestOnce(
          jobSubject(cluster, jobName("gateway", String(instance)), "in"),
          question,
        );
        return data === undefined ? undefined : GatewayStats.decode(data);
      }),
    );
  }

  /** Every job of every node. Throws `OperatorError` when an agent does not answer. */
  async jobs(): Promise<LocatedJob[]> {
    const statuses = await Promise.all(
      this.config.nodes.map((node) => this.#ask(node, { $case: "status", value: {} })),
    );
    return statuses.flatMap((status) => status.jobs.map((job) => ({ ...job, node: status.node })));
  }

  /** `service/key` to where it is. Throws `OperatorError` when the market has no such job. */
  async locate(job: string): Promise<LocatedJob> {
    const node = this.#nodeOf(job);
    const status = await this.#ask(node, { $case: "status", value: {} });
    const found = status.jobs.find((one) => one.status?.job === job);
    if (found === undefined) throw new OperatorError(`node ${node} does not know job ${job}`);
    return { ...found, node };
  }

  /** SIGKILL to the job's host; its agent starts again what ran there. Gives the pid of the process that was killed. */
  async killJob(job: string): Promise<number> {
    const { node, pid } = await this.locate(job);
    await this.#ask(node, { $case: "killJob", value: { job } });
    return pid;
  }

  close(): Promise<void> {
    return this.bus.close();
  }

  #nodeOf(job: string): string {
    const name = formatJob(parseJob(job));
    const planned = planJobs(this.config).find((one) => formatJob(one.job) === name);
    if (planned === undefined) throw new OperatorError(`this market has no job ${job}`);
    return planned.node;
  }

  /** Asks until there is an answer: an agent or the broker may be about to restart. */
  async #ask(node: string, body: NonNullable<AgentRequest["body"]>): Promise<AgentStatus> {
    const ask = (): Promise<AgentResponse | undefined> => this.#askOnce(node, body);
    const response = await waitFor(ask, OPERATOR_PATIENCE_MS, MARKET_POLL_MS);
    if (response === undefined) throw new OperatorError(`the agent of node ${node} does not answer`);
    if (response.error !== "" || response.status === undefined) throw new OperatorError(response.error);
    return response.status;
  }

  async #askOnce(node: string, body: NonNullable<AgentRequest["body"]>): Promise<AgentResponse | undefined> {
    const question = AgentRequest.encode({ body }).finish();
    const data = await this.#requestOnce(agentSubject(this.config.cluster, node), question);
    return data === undefined ? undefined : AgentResponse.decode(data);
  }

  async #requestOnce(subject: string, question: Uint8Array): Promise<Uint8Array | undefined> {
    try {
      return await this.bus.request(subject, question, OPERATOR_REQUEST_MS);
    } catch (error) {
      if (error instanceof BusRequestError) return undefined;
      throw error;
    }
  }
}
