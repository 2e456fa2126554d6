import { z } from "zod";
import { jobName, type JobName } from "../../runtime/job/name.ts";
import { MIRROR_SERVICE } from "../../runtime/mirror/mirror-service.ts";
import { name } from "./account-config.ts";
import { topologyOf } from "./arrangement.ts";
import type { ArrangementConfig, NodeConfig } from "./hierarchy-config.ts";
import type { ConfigFault } from "./hierarchy-faults.ts";

/** Copies of all logs at another site, kept up asynchronously. */
export const mirror = z.strictObject({
  /** Nodes of that site: they have mirrors, each the logs of some shards, and no other jobs of the market. */
  nodes: z.array(name).min(1).max(64),
});

/** Whose own the nodes of mirrors are, unless the configuration says otherwise. */
const MIRROR_CUSTOMER = "mirror";

interface MirrorConfig {
  readonly shards: number;
  readonly mirror?: z.infer<typeof mirror> | undefined;
}

interface MirroredConfig extends ArrangementConfig {
  readonly storage: MirrorConfig;
}

/** With a wall around the nodes of mirrors: what trades must never have to wait for another site. */
export function walled<T extends { nodes: NodeConfig[]; storage: MirrorConfig }>(config: T): T {
  const own = new Set(config.storage.mirror?.nodes ?? []);
  const nodes = config.nodes.map((node) =>
    own.has(node.name) && node.customer === "" ? { ...node, customer: MIRROR_CUSTOMER } : node,
  );
  return { ...config, nodes };
}

/** The mirrors of a market and the node of each, shards in turn over the nodes. */
export function mirrorPlaces({
  storage,
}: MirroredConfig): { readonly job: JobName; readonly node: string }[] {
  const nodes = storage.mirror?.nodes ?? [];
  if (nodes.length === 0) return [];
  return Array.from({ length: storage.shards }, (_, shard) => ({
    job: jobName(MIRROR_SERVICE, String(shard)),
    node: nodes[shard % nodes.length] as string,
  }));
}

/** Nodes of mirrors that cannot have them. */
export function mirrorFaults(config: MirroredConfig): ConfigFault[] {
  const topology = topologyOf(config);
  const names = new Set(config.nodes.map((node) => node.name));
  const nodes = config.storage.mirror?.nodes ?? [];
  return nodes.flatMap((node, index) => {
    const path = ["storage", "mirror", "nodes", index];
    if (nodes.indexOf(node) !== index) return [{ path, message: `'${node}' stands twice` }];
    if (!names.has(node)) return [{ path, message: `there is no node '${node}'` }];
    if (topology.agentOf(node, MIRROR_SERVICE) !== undefined) return [];
    return [{ path, message: `'${node}' has no agent that keeps jobs of ${MIRROR_SERVICE}` }];
  });
}
