import type { NodeRecord, RoleRecord } from "../../proto/generated/evercross/v1/hierarchy.ts";
import { parseRole } from "../monitor/role.ts";

/**
 * Who watches whom, as the store's role and node records say. Made anew when one of them changes.
 * Roles that name a parent without a record have no parent.
 */
export class Topology {
  readonly #roles = new Map<string, RoleRecord>();
  readonly #children = new Map<string, RoleRecord[]>();
  readonly #agentsOf = new Map<string, RoleRecord[]>();
  readonly #nodes = new Map<string, NodeRecord>();
  readonly #below = new Map<string, readonly string[]>();

  constructor(roles: Iterable<RoleRecord>, nodes: Iterable<NodeRecord>) {
    for (const role of roles) this.#roles.set(role.role, role);
    for (const node of nodes) this.#nodes.set(node.node, node);
    const sorted = [...this.#roles.values()].sort((a, b) => (a.role < b.role ? -1 : 1));
    for (const role of sorted) {
      if (this.#roles.has(role.parent)) listOf(this.#children, role.parent).push(role);
      for (const node of role.nodes) listOf(this.#agentsOf, node).push(role);
    }
  }

  role(role: string): RoleRecord | undefined {
    return this.#roles.get(role);
  }

  roles(): RoleRecord[] {
    return [...this.#roles.values()];
  }

  node(node: string): NodeRecord | undefined {
    return this.#nodes.get(node);
  }

  parent(role: string): RoleRecord | undefined {
    return this.#roles.get(this.#roles.get(role)?.parent ?? "");
  }

  /** In ascending order of role. */
  children(role: string): readonly RoleRecord[] {
    return this.#children.get(role) ?? [];
  }

  tops(): RoleRecord[] {
    return this.roles().filter((role) => this.parent(role.role) === undefined);
  }

  /** The one agent that keeps jobs of this service on this node: one that names the service before one that names none. */
  agentOf(node: string, service: string): RoleRecord | undefined {
    const agents = this.#agentsOf.get(node) ?? [];
    return (
      agents.find((agent) => agent.services.includes(service)) ??
      agents.find((agent) => agent.services.length === 0)
    );
  }

  /** All agents that watch a node. */
  agentsOn(node: string): readonly RoleRecord[] {
    return this.#agentsOf.get(node) ?? [];
  }

  /** Every node that an agent below this role watches, ascending. */
  nodesBelow(role: string): readonly string[] {
    let nodes = this.#below.get(role);
    if (nodes === undefined) {
      const found = new Set<string>(this.#roles.get(role)?.nodes ?? []);
      for (const child of this.children(role))
        for (const node of this.nodesBelow(child.role)) found.add(node);
      nodes = [...found].sort();
      this.#below.set(role, nodes);
    }
    return nodes;
  }

  /** The lowest role above the agents of a node: home of what is placed there. Undefined: an agent without a parent. */
  homeOf(node: string): string | undefined {
    const agent = this.#agentsOf.get(node)?.[0];
    return agent === undefined ? undefined : this.parent(agent.role)?.role;
  }

  /** Other roles that live in the same process, this one included. */
  unitOf(role: string): readonly RoleRecord[] {
    const unit = this.#roles.get(role)?.unit;
    return unit === undefined ? [] : this.roles().filter((one) => one.unit === unit);
  }
}

function listOf<T>(map: Map<string, T[]>, key: string): T[] {
  let list = map.get(key);
  if (list === undefined) map.set(key, (list = []));
  return list;
}

/** What is wrong with an arrangement, one line each; empty when nothing is. */
export function topologyFaults(topology: Topology): string[] {
  const faults: string[] = [];
  for (const { role, parent, on, nodes } of topology.roles()) {
    const { level } = parseRole(role);
    if (on.length === 0) faults.push(`${role} may run on no node`);
    for (const node of [...on, ...nodes]) {
      if (topology.node(node) === undefined) faults.push(`${role} names node ${node}, which there is not`);
    }
    if ((level === "agent") !== nodes.length > 0)
      faults.push(`${role} ${level === "agent" ? "watches no node" : "is no agent and watches nodes"}`);
    if (parent !== "" && topology.role(parent) === undefined)
      faults.push(`${role} has the parent ${parent}, which there is not`);
  }
  return faults;
}
