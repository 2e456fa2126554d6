import type { JobRecord } from "../../proto/generated/evercross/v1/hierarchy.ts";
import type { NodeLoad } from "./node-load.ts";

/** A node as a home sees it. */
export interface PlaceableNode {
  readonly node: string;
  readonly labels: readonly string[];
  /** Empty: nobody's own. */
  readonly customer: string;
  /** Why nothing is put there now, in one or two words: `down`, `drained`, `without an agent for it`. Empty: it is open. */
  readonly closed: string;
  readonly load: NodeLoad;
}

/** Why a job may not be put on a node. */
export type Obstacle = "not_named" | "labels" | "customer" | "apart" | "closed" | "failed";

export type Placing =
  | { readonly node: string }
  /** `reason`: how many nodes there are and what stands against how many of them, in one line. */
  | { readonly node: undefined; readonly reason: string };

/**
 * The first thing that stands against a job on a node (`../HIERARCHY.md` section 7), undefined when nothing does. First what only an
 * operator can change, then what time may. The job itself, if it is there already, never stands in its own way.
 */
export function obstacle(job: JobRecord, node: PlaceableNode): Obstacle | undefined {
  if (job.nodes.length > 0 && !job.nodes.includes(node.node)) return "not_named";
  if (!job.labels.every((label) => node.labels.includes(label))) return "labels";
  if (node.customer !== "" && node.customer !== job.customer) return "customer";
  for (const _ of node.load.strangers(job)) return "customer";
  for (const _ of node.load.twins(job)) return "apart";
  if (node.closed !== "") return "closed";
  return job.failed.some((failed) => failed.node === node.node) ? "failed" : undefined;
}

/** The node with the fewest jobs of those that nothing stands against, then the one with the lowest name. */
export function place(job: JobRecord, nodes: Iterable<PlaceableNode>): Placing {
  let best: PlaceableNode | undefined;
  let count = 0;
  const against = new Map<string, number>();
  for (const node of nodes) {
    count += 1;
    const found = obstacle(job, node);
    if (found === undefined) {
      if (best === undefined || before(node, best, job.job)) best = node;
    } else if (best === undefined) {
      const words = inWords(found, job, node);
      against.set(words, (against.get(words) ?? 0) + 1);
    }
  }
  if (best !== undefined) return { node: best.node };
  if (count === 0) return { node: undefined, reason: "there are no nodes" };
  const parts = [...against].sort(([a], [b]) => (a < b ? -1 : 1)).map(([words, of]) => `${of} ${words}`);
  return { node: undefined, reason: `of ${count} ${count === 1 ? "node" : "nodes"} ${parts.join(", ")}` };
}

function before(a: PlaceableNode, b: PlaceableNode, job: string): boolean {
  const difference = others(a.load, job) - others(b.load, job);
  return difference === 0 ? a.node < b.node : difference < 0;
}

/** The job's own weight does not count where it is now. */
const others = (load: NodeLoad, job: string): number => load.size - (load.has(job) ? 1 : 0);

function inWords(found: Obstacle, job: JobRecord, node: PlaceableNode): string {
  switch (found) {
    case "not_named":
      return "not among the nodes it names";
    case "labels":
      return `without its labels (${job.labels.join(", ")})`;
    case "customer":
      return "of other customers";
    case "apart":
      return `with another job of ${job.apart}`;
    case "closed":
      return node.closed;
    case "failed":
      return "where it failed";
  }
}
