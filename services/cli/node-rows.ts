import type { ClusterOperator } from "../../runtime/operator/cluster-operator.ts";

export const NODE_COLUMNS = [
  "node",
  "state",
  "jobs",
  "agents",
  "local",
  "labels",
  "customer",
  "cause",
] as const;

/** What the records say of a node. */
export interface NodeSummary {
  readonly node: string;
  /** `up`, `down`, or `unknown` while no coordinator has said. */
  readonly state: string;
  readonly drained: boolean;
  readonly cause: string;
  readonly sinceMs: number;
  /** The wanted jobs that are put there. */
  readonly jobs: number;
  readonly agents: readonly string[];
  readonly local: string;
  readonly labels: readonly string[];
  readonly customer: string;
  readonly address: string;
}

/** Every node of the cluster, by name. */
export function nodeSummaries({ view, topology }: ClusterOperator): NodeSummary[] {
  const jobs = new Map<string, number>();
  for (const { value } of view.jobs.values()) {
    if (value.wanted) jobs.set(value.node, (jobs.get(value.node) ?? 0) + 1);
  }
  const summaries = [...view.nodes.values()].map(({ value }) => {
    const { node, drained, local, labels, customer, address } = value;
    const state = view.states.get(node)?.value;
    return {
      node,
      state: state === undefined ? "unknown" : state.up ? "up" : "down",
      drained,
      cause: state?.cause ?? "",
      sinceMs: state?.sinceMs ?? 0,
      jobs: jobs.get(node) ?? 0,
      agents: topology.agentsOn(node).map(({ role }) => role),
      local,
      labels,
      customer,
      address,
    };
  });
  return summaries.sort((a, b) => (a.node < b.node ? -1 : 1));
}

export function nodeRow(one: NodeSummary): (string | number)[] {
  const list = (items: readonly string[]): string => (items.length === 0 ? "-" : items.join(", "));
  return [
    one.node,
    one.drained ? `${one.state}, drained` : one.state,
    one.jobs,
    list(one.agents),
    one.local === "" ? "-" : one.local,
    list(one.labels),
    one.customer === "" ? "-" : one.customer,
    one.cause,
  ];
}

/** The same for programs. */
export function nodeObject({ sinceMs, ...rest }: NodeSummary): Record<string, unknown> {
  return { ...rest, since_ms: sinceMs };
}
