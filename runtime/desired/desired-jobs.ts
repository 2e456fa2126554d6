import type { JobRecord } from "../../proto/generated/evercross/v1/hierarchy.ts";
import type { DesiredJob } from "../agent/agent-message.ts";
import type { Peer } from "../monitor/monitor-message.ts";
import type { Topology } from "../topology/topology.ts";
import type { DesiredView } from "./desired-view.ts";

/** What an agent is to do, as the store says. */
export interface AgentDesire {
  /** In no order. */
  readonly jobs: readonly DesiredJob[];
  /** The nodes whose job hosts it keeps. */
  readonly nodes: readonly string[];
  readonly parent: Peer | undefined;
}

/** Whether a record, as it stands, puts its job on a node to run there. A quarantine ends when its home empties the field. */
export function isPlaced(job: JobRecord): boolean {
  return job.wanted && job.node !== "" && job.quarantinedUntilMs === 0;
}

/** Pure. Of a role that the topology does not know: nothing at all. */
export function desiredOf(view: DesiredView, topology: Topology, role: string): AgentDesire {
  const nodes = topology.role(role)?.nodes ?? [];
  const own = new Set(nodes);
  const jobs: DesiredJob[] = [];
  for (const { value } of view.jobs.values()) {
    if (!own.has(value.node) || !isPlaced(value)) continue;
    if (topology.agentOf(value.node, serviceOf(value.job))?.role !== role) continue;
    const { job, group, node, standby } = value;
    jobs.push({ job, group, node, standby });
  }
  const parent = topology.parent(role);
  return {
    jobs,
    nodes,
    parent: parent === undefined ? undefined : { role: parent.role, on: parent.on, direct: false },
  };
}

function serviceOf(job: string): string {
  return job.slice(0, job.indexOf("/"));
}
