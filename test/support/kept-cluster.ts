import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished } from "vitest";
import {
  AgentRequest,
  AgentResponse,
  type AgentStatus,
  JobState,
  type WatchedJob,
} from "../../proto/generated/evercross/v1/control.ts";
import { NodeProbe, NodeProbeAnswer } from "../../proto/generated/evercross/v1/hierarchy.ts";
import type { DesiredJob } from "../../runtime/agent/agent-message.ts";
import type { Broker } from "../../runtime/broker/broker.ts";
import type { Launcher } from "../../runtime/launcher/launcher.ts";
import { type Bus, BusRequestError } from "../../runtime/messaging/bus.ts";
import { agentSubject, probeSubject } from "../../runtime/messaging/subject.ts";
import { parseRole } from "../../runtime/monitor/role.ts";
import { type ProcessIdentity, signalProcess } from "../../runtime/process/process-identity.ts";
import { ProcessRegistry } from "../../runtime/process/registry.ts";
import { terminate } from "../../runtime/process/terminate.ts";
import { waitFor } from "../../runtime/process/wait.ts";
import { localLauncher } from "./kept-cluster.mjs";
import { processesNaming } from "./processes.ts";
import { temporaryFolder } from "./temporary-folder.ts";
import { testBroker, testBus } from "./test-broker.ts";

const DEADLINE_MS = 20_000;

export interface KeptClusterOptions {
  /** Of the one agent there is. */
  readonly role: string;
  readonly on: readonly string[];
  /** The nodes whose hosts it keeps. */
  readonly nodes: readonly string[];
  readonly jobs: readonly DesiredJob[];
}

/** One agent and its job hosts, all of them real processes, over a real broker. Nobody but themselves starts them again. */
export class KeptCluster {
  readonly dataDir: string;
  readonly registry: ProcessRegistry;
  readonly broker: Broker;
  readonly bus: Bus;
  readonly launcher: Launcher;
  readonly #options: KeptClusterOptions;

  private constructor(options: KeptClusterOptions, dataDir: string, broker: Broker, bus: Bus) {
    this.#options = options;
    this.dataDir = dataDir;
    this.broker = broker;
    this.bus = bus;
    this.registry = new ProcessRegistry(dataDir);
    this.launcher = localLauncher(dataDir);
  }

  /** Starts the agent on the first of its nodes; all that came of it is gone when the test ends. */
  static async start(options: KeptClusterOptions): Promise<KeptCluster> {
    const dataDir = temporaryFolder();
    const broker = await testBroker();
    const cluster = new KeptCluster(options, dataDir, broker, await testBus(broker, "test"));
    cluster.registry.open();
    mkdirSync(dataDir, { recursive: true });
    const { url, token } = broker;
    writeFileSync(join(dataDir, "cluster.json"), JSON.stringify({ ...options, url, token }));
    onTestFinished(async () => {
      cluster.registry.close();
      for (const entry of cluster.registry.alive()) signalProcess(entry, "SIGCONT");
      await terminate(cluster.registry.alive(), 1000);
      expect(await waitFor(() => processesNaming(dataDir).length === 0, DEADLINE_MS, 10)).toBe(true);
    });
    const [node = ""] = options.on;
    await cluster.launcher.launch({ kind: "agent", name: "agent", node, roles: [options.role] }, undefined);
    await cluster.until((status) => status.active && cluster.allRun(status));
    return cluster;
  }

  /** Undefined: it does not answer. */
  async status(): Promise<AgentStatus | undefined> {
    const request = AgentRequest.encode({ body: { $case: "status", value: {} } }).finish();
    try {
      const subject = agentSubject("test", parseRole(this.#options.role).name);
      return AgentResponse.decode(await this.bus.request(subject, request, 500)).status;
    } catch (error) {
      if (error instanceof BusRequestError) return undefined;
      throw error;
    }
  }

  /** The first answer of whoever is on a node. */
  async probe(node: string): Promise<NodeProbeAnswer> {
    const probe = NodeProbe.encode({ role: "local/test", from: undefined }).finish();
    return NodeProbeAnswer.decode(await this.bus.request(probeSubject("test", node), probe, DEADLINE_MS));
  }

  allRun({ jobs }: AgentStatus): boolean {
    return (
      jobs.length === this.#options.jobs.length && jobs.every((job) => job.status?.state === JobState.RUNNING)
    );
  }

  /** Waits until the agent answers and says what is wanted. */
  async until(condition: (status: AgentStatus) => boolean): Promise<AgentStatus> {
    const met = async (): Promise<AgentStatus | undefined> => {
      const status = await this.status();
      return status !== undefined && condition(status) ? status : undefined;
    };
    const status = await waitFor(met, DEADLINE_MS, 20);
    if (status === undefined) throw new Error(`not met: ${JSON.stringify(await this.status(), null, 1)}`);
    return status;
  }

  /** The job hosts that live, by pid. */
  hosts(): number[] {
    return this.registry.alive().flatMap(({ kind, pid }) => (kind === "host" ? [pid] : []));
  }

  agents(): ProcessIdentity[] {
    return this.registry.alive().filter(({ kind }) => kind === "agent");
  }

  signal(pid: number, signal: NodeJS.Signals): void {
    const entry = this.registry.alive().find((one) => one.pid === pid);
    if (entry === undefined || !signalProcess(entry, signal)) throw new Error(`no living process ${pid}`);
  }
}

/** Where each job runs, and how often it was restarted: what must not change for the death of a monitor. */
export function jobsOf({ jobs }: AgentStatus): Pick<WatchedJob, "host" | "pid" | "node">[] {
  return jobs
    .map(({ status, host, pid, node }) => ({ job: status?.job ?? "", host, pid, node }))
    .sort((a, b) => (a.job < b.job ? -1 : 1));
}
