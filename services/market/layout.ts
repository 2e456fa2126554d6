import { join } from "node:path";
import type { JobRecord } from "../../proto/generated/evercross/v1/hierarchy.ts";
import { formatJob, jobName, type JobName } from "../../runtime/job/name.ts";
import { MIRROR_SERVICE } from "../../runtime/mirror/mirror-service.ts";
import type { Topology } from "../../runtime/topology/topology.ts";
import { topologyOf } from "./arrangement.ts";
import type { MarketConfig } from "./config.ts";
import type { ArrangementConfig } from "./hierarchy-config.ts";
import type { ConfigFault } from "./hierarchy-faults.ts";
import { mirrorPlaces } from "./mirror-config.ts";

/** Of a market's jobs. */
const SERVICES = ["storage", "crossing", "gateway"] as const;

/** A job that the configuration wants, and where. */
export interface PlannedJob {
  readonly job: JobName;
  readonly node: string;
  /** Jobs of one group share a job host. */
  readonly group: string;
}

export function nodeNames({ nodes }: Pick<MarketConfig, "nodes">): string[] {
  return nodes.map((node) => node.name);
}

/** The data folder of one node of a market on this machine. */
export function nodeFolder(dataDir: string, node: string): string {
  return join(dataDir, "nodes", node);
}

/** The same hash on every machine and in every version: the shard of a symbol must never move by itself. */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash;
}

/** Where the gateways of a market accept connections, once its ports are chosen. */
export function gatewayAddresses(config: MarketConfig): { host: string; port: number }[] {
  const { host, port, instances } = config.gateway;
  return Array.from({ length: instances }, (_, index) => ({ host, port: port + index }));
}

type StorageConfig = Pick<MarketConfig, "storage">;

/** The storage jobs of a shard; none where the broker keeps the logs. */
function shardReplicas({ storage }: StorageConfig, shard: number): JobName[] {
  if (storage.driver !== "rocksdb") return [];
  if (storage.replicas === 1) return [jobName("storage", String(shard))];
  return Array.from({ length: storage.replicas }, (_, replica) => jobName("storage", `${shard}.${replica}`));
}

/** The storage replicas of a symbol's checkpoint log. */
export function replicasOf(config: StorageConfig, job: JobName): readonly JobName[] {
  return shardReplicas(config, shardOf(config, job));
}

function shardOf({ storage }: StorageConfig, job: JobName): number {
  return fnv1a(job.key) % storage.shards;
}

/** The jobs whose logs a mirror has: those of its shard. */
export function mirroredBy(
  config: Pick<MarketConfig, "instruments" | "storage">,
  mirror: JobName,
): readonly JobName[] {
  const jobs = config.instruments.map(({ symbol }) => jobName("crossing", symbol));
  return jobs.filter((job) => String(shardOf(config, job)) === mirror.key);
}

/** The other storage jobs that keep what this one keeps. */
export function peersOf(config: StorageConfig, storage: JobName): readonly JobName[] {
  const shard = Number.parseInt(storage.key, 10);
  return shardReplicas(config, shard).filter(({ key }) => key !== storage.key);
}

/** What of a configuration says which jobs there are, and where they may be. */
type PlanConfig = ArrangementConfig & Pick<MarketConfig, "instruments" | "storage" | "crossing" | "gateway">;

/** The nodes that may have jobs of a service: no customer's own, and with an agent that keeps such jobs. */
function nodesFor(config: ArrangementConfig, topology: Topology, service: string): string[] {
  const open = config.nodes.filter(
    (node) => node.customer === "" && topology.agentOf(node.name, service) !== undefined,
  );
  return open.map((node) => node.name);
}

/** Services of a market that no node may have, or too few. */
export function placeFaults(config: ArrangementConfig & StorageConfig): ConfigFault[] {
  const topology = topologyOf(config);
  const { driver, replicas } = config.storage;
  const faults: ConfigFault[] = [];
  if (driver === "jetstream" && replicas > 1) {
    const message = "must be 1 with the driver jetstream: the broker of a market is one server";
    faults.push({ path: ["storage", "replicas"], message });
  }
  for (const service of SERVICES) {
    const { length } = nodesFor(config, topology, service);
    const keepsLogs = service === "storage" && driver === "rocksdb";
    if (length === 0) {
      const message = `no node without a customer has an agent that keeps jobs of ${service}`;
      faults.push({ path: ["nodes"], message });
    } else if (keepsLogs && length < replicas) {
      const message = `${replicas} replicas need as many nodes for storage, and there ${length === 1 ? "is" : "are"} ${length}`;
      faults.push({ path: ["storage", "replicas"], message });
    }
  }
  return faults;
}

/**
 * Which jobs there are and on which node each begins: storage and gateways spread over the nodes in turn,
 * symbols in turn over the nodes and then over the job hosts of a node. A pure function of the configuration. Where they are
 * later, the store alone says.
 */
export function planJobs(config: PlanConfig): PlannedJob[] {
  const topology = topologyOf(config);
  const turn = (service: string): ((index: number) => string) => {
    const nodes = nodesFor(config, topology, service);
    return (index) => nodes[index % nodes.length] as string;
  };
  const storage = turn("storage");
  const crossing = turn("crossing");
  const gateway = turn("gateway");
  const planned: PlannedJob[] = [];
  for (let shard = 0; shard < config.storage.shards; shard++) {
    shardReplicas(config, shard).forEach((job, replica) => {
      planned.push({ job, node: storage(shard + replica), group: formatJob(job) });
    });
  }
  config.instruments.forEach((instrument, index) => {
    const job = jobName("crossing", instrument.symbol);
    // One node further than storage, so that a small market already spreads over its nodes.
    const host = Math.floor(index / config.nodes.length) % config.crossing.hosts;
    const group = config.crossing.isolation === "process" ? formatJob(job) : `crossing-${host}`;
    planned.push({ job, node: crossing(index + 1), group });
  });
  for (let instance = 0; instance < config.gateway.instances; instance++) {
    const job = jobName("gateway", String(instance));
    planned.push({ job, node: gateway(instance + 2), group: formatJob(job) });
  }
  // One connection to the market for all mirrors of a node.
  for (const { job, node } of mirrorPlaces(config)) planned.push({ job, node, group: MIRROR_SERVICE });
  return planned;
}

/** Its data is on its node alone. */
function isPinned({ storage }: StorageConfig, { service }: JobName): boolean {
  return service === MIRROR_SERVICE || (service === "storage" && storage.replicas === 1);
}

function customerOf({ nodes }: ArrangementConfig, name: string): string {
  return nodes.find((node) => node.name === name)?.customer ?? "";
}

/**
 * The planned jobs as the store has them at first. The only storage job of a shard stays where its data is; those of several are
 * never on one node, and like all others may go anywhere: what they had is copied from the rest.
 */
export function jobRecords(config: PlanConfig, planned: readonly PlannedJob[], nowMs: number): JobRecord[] {
  const topology = topologyOf(config);
  const standbys = new Set(
    config.instruments
      .filter(({ standby = config.crossing.standby }) => standby)
      .map(({ symbol }) => formatJob(jobName("crossing", symbol))),
  );
  return planned.map(({ job, node, group }) => ({
    job: formatJob(job),
    group,
    labels: [],
    nodes: isPinned(config, job) ? [node] : [],
    customer: job.service === MIRROR_SERVICE ? customerOf(config, node) : "",
    apart:
      job.service === "storage" && config.storage.replicas > 1
        ? `storage-${Number.parseInt(job.key, 10)}`
        : "",
    wanted: true,
    node,
    home: topology.homeOf(node) ?? "",
    reason: "configured",
    placedMs: nowMs,
    failed: [],
    quarantinedUntilMs: 0,
    quarantines: 0,
    standby: standbys.has(formatJob(job)),
  }));
}
