import { join } from "node:path";
import { formatJob, jobName, type JobName } from "../../runtime/job/name.ts";
import type { MarketConfig } from "./config.ts";

/** A job that the configuration wants, and where. */
export interface PlannedJob {
  readonly job: JobName;
  readonly node: string;
  /** Jobs of one group share a job host. */
  readonly group: string;
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

/** The storage replicas of a symbol's checkpoint log. */
export function replicasOf(config: MarketConfig, job: JobName): readonly JobName[] {
  return [jobName("storage", String(fnv1a(job.key) % config.storage.shards))];
}

/**
 * Which jobs there are and on which node each runs: storage and gateways spread over the nodes in turn,
 * symbols in turn over the nodes and then over the job hosts of a node. A pure function of the configuration.
 */
export function planJobs(config: MarketConfig): PlannedJob[] {
  const node = (index: number): string => config.nodes[index % config.nodes.length] as string;
  const planned: PlannedJob[] = [];
  for (let shard = 0; shard < config.storage.shards; shard++) {
    const job = jobName("storage", String(shard));
    planned.push({ job, node: node(shard), group: formatJob(job) });
  }
  config.instruments.forEach((instrument, index) => {
    const job = jobName("crossing", instrument.symbol);
    // One node further than storage, so that a small market already spreads over its nodes.
    const host = Math.floor(index / config.nodes.length) % config.crossing.hosts;
    const group = config.crossing.isolation === "process" ? formatJob(job) : `crossing-${host}`;
    planned.push({ job, node: node(index + 1), group });
  });
  for (let instance = 0; instance < config.gateway.instances; instance++) {
    const job = jobName("gateway", String(instance));
    planned.push({ job, node: node(instance + 2), group: formatJob(job) });
  }
  return planned;
}
