import { parseRole } from "../monitor/role.ts";
import type { DesiredView } from "../desired/desired-view.ts";
import type { PlaceableNode } from "../placement/place.ts";
import type { Topology } from "../topology/topology.ts";
import type { JobIndex } from "./job-index.ts";
import type { NodeCondition, NodeWatch } from "./node-watch.ts";
import type { Takeover } from "./takeover.ts";

const UNKNOWN: NodeCondition = { state: "unknown", cause: "" };

/**
 * The nodes as one coordinator decides on their jobs: by their state records, its own nodes too. So whoever is given a job sees first what
 * it was given for, and never gives it back for want of that news. What its own agents say on top only keeps new jobs away.
 */
export class NodeBoard {
  readonly #role: string;
  readonly #view: DesiredView;
  readonly #index: JobIndex;
  readonly #watch: NodeWatch;
  readonly #takeover: Takeover;
  #topology: Topology;
  /** Service → nodes that its jobs may be put on. Made anew after a change. */
  readonly #placeable = new Map<string, readonly PlaceableNode[]>();

  constructor(
    role: string,
    topology: Topology,
    parts: {
      readonly view: DesiredView;
      readonly index: JobIndex;
      readonly watch: NodeWatch;
      readonly takeover: Takeover;
    },
  ) {
    this.#role = role;
    this.#topology = topology;
    this.#view = parts.view;
    this.#index = parts.index;
    this.#watch = parts.watch;
    this.#takeover = parts.takeover;
  }

  setTopology(topology: Topology): void {
    this.#topology = topology;
    this.changed();
  }

  /** Something about some node is not as it was. */
  changed(): void {
    this.#placeable.clear();
  }

  /** Its state record is this coordinator's to write. */
  isOwn(node: string): boolean {
    return this.#topology.homeOf(node) === this.#role;
  }

  condition(node: string): NodeCondition {
    const record = this.#view.states.get(node)?.value;
    return record === undefined ? UNKNOWN : { state: record.up ? "up" : "down", cause: record.cause };
  }

  /** Why what runs there must leave it if it can. Empty: it need not. */
  leaving(node: string): string {
    if (this.#view.nodes.get(node)?.value.drained === true) return `${node} is drained`;
    const { state, cause } = this.condition(node);
    return state === "down" ? `${node} is down: ${cause}` : "";
  }

  homeOf(node: string): string {
    return this.#topology.homeOf(node) ?? this.#role;
  }

  /** Undefined: no agent keeps such jobs there. */
  node(node: string, service: string): PlaceableNode | undefined {
    const record = this.#topology.node(node);
    const agent = this.#topology.agentOf(node, service)?.role;
    if (record === undefined || agent === undefined) return undefined;
    const { labels, customer } = record;
    return { node, labels, customer, closed: this.#closed(node, agent), load: this.#index.load(node) };
  }

  /** The nodes below this role. */
  nodes(service: string): readonly PlaceableNode[] {
    let nodes = this.#placeable.get(service);
    if (nodes === undefined) {
      nodes = this.#topology.nodesBelow(this.#role).flatMap((name) => this.node(name, service) ?? []);
      this.#placeable.set(service, nodes);
    }
    return nodes;
  }

  #closed(node: string, agent: string): string {
    if (this.#topology.node(node)?.drained === true) return "drained";
    if (this.#takeover.coversNode(node)) return "below a coordinator that is lost";
    const { state } = this.condition(node);
    if (state === "down") return "down";
    if (this.#watch.isFailed(agent)) return "without their agent";
    const isUp = state === "up" && (!this.isOwn(node) || this.#watch.condition(node).state === "up");
    return isUp ? "" : "not known to be up";
  }
}

/** Coordinators can be homes; agents and hosts cannot. */
export function mayBeHome(role: string, topology: Topology): boolean {
  return topology.role(role) !== undefined && parseRole(role).level !== "agent";
}
