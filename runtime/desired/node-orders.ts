import type { NodeRecord, RoleRecord } from "../../proto/generated/evercross/v1/hierarchy.ts";
import { parseRole, roleName } from "../monitor/role.ts";
import type { Topology } from "../topology/topology.ts";
import type { RecordChange } from "./desired-store.ts";
import type { DesiredView } from "./desired-view.ts";
import { accepted, OrderCode, type OrderOutcome, refused } from "./order.ts";

/** Names in a message: enough to know what it is about. */
const NAMES_SHOWN_MAX = 5;

export interface NodeAddition {
  readonly kind: "add";
  readonly node: string;
  readonly address?: string;
  readonly labels?: readonly string[];
  readonly customer?: string;
  /** The coordinator of its cluster. */
  readonly local: string;
}

export type NodeOrder =
  /** With an agent of its own. */
  | NodeAddition
  /** Refused while jobs are there, or while a monitor can run nowhere else. */
  | { readonly kind: "remove"; readonly node: string }
  | { readonly kind: "drain" | "undrain"; readonly node: string };

/** What an operator's order makes of the records. Pure. */
export function orderNode(view: DesiredView, topology: Topology, order: NodeOrder): OrderOutcome {
  if (order.kind === "add") return addNode(view, topology, order);
  const held = view.nodes.get(order.node);
  if (held === undefined) return refused(OrderCode.NO_SUCH_NODE, `there is no node ${order.node}`);
  if (order.kind === "remove") return removeNode(view, topology, order.node);
  const drained = order.kind === "drain";
  if (held.value.drained === drained) return accepted();
  const value = { ...held.value, drained };
  return accepted({ kind: "node", name: order.node, expected: held.revision, value });
}

function addNode(view: DesiredView, topology: Topology, order: NodeAddition): OrderOutcome {
  const { node, address = "", labels = [], customer = "", local } = order;
  let role: string;
  try {
    role = roleName("agent", node);
  } catch {
    return refused(OrderCode.BAD_NAME, `'${node}' cannot be the name of a node`);
  }
  if (view.nodes.has(node)) return refused(OrderCode.NODE_EXISTS, `there is a node ${node} already`);
  if (view.roles.has(role)) return refused(OrderCode.NODE_EXISTS, `there is a role ${role} already`);
  if (topology.role(local) === undefined || parseRole(local).level === "agent")
    return refused(OrderCode.NO_SUCH_ROLE, `there is no coordinator ${local}`);
  const record: NodeRecord = { node, address, labels: [...labels], customer, local, drained: false };
  const agent: RoleRecord = {
    role,
    parent: local,
    on: [node],
    unit: `agent-${node}`,
    nodes: [node],
    services: [],
    wide: false,
  };
  return accepted(
    { kind: "node", name: node, expected: 0, value: record },
    { kind: "role", name: role, expected: 0, value: agent },
  );
}

function removeNode(view: DesiredView, topology: Topology, node: string): OrderOutcome {
  const jobs = jobsOn(view, node);
  if (jobs.length > 0) {
    const more = jobs.length > NAMES_SHOWN_MAX ? ", …" : "";
    const names = jobs.slice(0, NAMES_SHOWN_MAX).join(", ") + more;
    return refused(OrderCode.NODE_IN_USE, `${jobs.length} jobs are on ${node} (${names}): drain it first`);
  }
  const changes: RecordChange[] = [];
  for (const role of topology.roles()) {
    if (!role.on.includes(node) && !role.nodes.includes(node)) continue;
    const expected = view.roles.get(role.role)?.revision ?? 0;
    const on = role.on.filter((one) => one !== node);
    const nodes = role.nodes.filter((one) => one !== node);
    const isAgent = role.nodes.length > 0;
    if (isAgent && nodes.length === 0) {
      changes.push({ kind: "role", name: role.role, expected, value: undefined });
    } else if (on.length === 0) {
      return refused(OrderCode.NODE_IN_USE, `${role.role} can run nowhere but on ${node}`);
    } else changes.push({ kind: "role", name: role.role, expected, value: { ...role, on, nodes } });
  }
  const state = view.states.get(node);
  if (state !== undefined) {
    changes.push({ kind: "state", name: node, expected: state.revision, value: undefined });
  }
  const expected = view.nodes.get(node)?.revision ?? 0;
  return accepted(...changes, { kind: "node", name: node, expected, value: undefined });
}

/** Wanted there, or still running there as far as the directory knows. */
function jobsOn(view: DesiredView, node: string): string[] {
  const isDown = view.states.get(node)?.value.up === false;
  const jobs = new Set<string>();
  for (const { value } of view.jobs.values()) if (value.wanted && value.node === node) jobs.add(value.job);
  if (!isDown) for (const { value } of view.places.values()) if (value.node === node) jobs.add(value.job);
  return [...jobs].sort();
}
