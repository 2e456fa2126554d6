import type { AgentStatus, WatchedJob } from "../../proto/generated/evercross/v1/control.ts";
import type { DesiredView } from "../../runtime/desired/desired-view.ts";
import type { Topology } from "../../runtime/topology/topology.ts";

/** One process that says that it plays a role. */
export interface RoleInstance {
  readonly role: string;
  readonly node: string;
  readonly pid: number;
  /** Its passive round is over. */
  readonly active: boolean;
  /** What it cannot repair by itself. */
  readonly escalations: readonly { readonly element: string; readonly reason: string }[];
}

/** An agent's instance, with what it keeps. */
export interface AgentInstance extends RoleInstance {
  readonly status: AgentStatus;
}

export interface TreeNode {
  readonly node: string;
  /** Undefined: no coordinator has said so far. */
  readonly up: boolean | undefined;
  readonly cause: string;
  readonly drained: boolean;
  readonly hosts: number;
  readonly spares: number;
  readonly jobs: readonly WatchedJob[];
}

/** A role that there must be, and who plays it: nobody is as wrong as two. */
export interface TreeRole {
  readonly role: string;
  readonly instances: readonly RoleInstance[];
  readonly children: readonly TreeRole[];
  /** Of an agent: the nodes that it watches. */
  readonly nodes: readonly TreeNode[];
}

/** The living hierarchy as its records and its members' own words show it: one tree for each top role, by name. */
export function hierarchyTree(
  topology: Topology,
  view: DesiredView,
  instances: readonly (RoleInstance | AgentInstance)[],
): TreeRole[] {
  const branch = (role: string): TreeRole => {
    const found = instances.filter((one) => one.role === role);
    return {
      role,
      instances: found,
      children: topology.children(role).map((child) => branch(child.role)),
      nodes: (topology.role(role)?.nodes ?? []).map((node) => treeNode(node, view, found)),
    };
  };
  return topology
    .tops()
    .map(({ role }) => role)
    .toSorted()
    .map(branch);
}

function treeNode(
  node: string,
  view: DesiredView,
  agents: readonly (RoleInstance | AgentInstance)[],
): TreeNode {
  const state = view.states.get(node)?.value;
  const statuses = agents.flatMap((agent) => ("status" in agent ? [agent.status] : []));
  const hosts = statuses.flatMap((status) => status.hosts.filter((host) => host.node === node));
  return {
    node,
    up: state?.up,
    cause: state?.cause ?? "",
    drained: view.nodes.get(node)?.value.drained ?? false,
    hosts: hosts.length,
    spares: hosts.filter((host) => host.spare).length,
    jobs: statuses.flatMap((status) => status.jobs.filter((job) => job.node === node)),
  };
}

/** What is wrong in a tree, one line each: roles that nobody or more than one plays. */
export function treeFaults(roles: readonly TreeRole[]): string[] {
  return roles.flatMap(({ role, instances, children }) => {
    const faults = treeFaults(children);
    if (instances.length === 0) faults.unshift(`${role} is missing`);
    if (instances.length > 1) faults.unshift(`${role} is played ${instances.length} times`);
    return faults;
  });
}
