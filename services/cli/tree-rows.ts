import { jobStateName } from "../../runtime/agent/job-state.ts";
import type { WatchedJob } from "../../proto/generated/evercross/v1/control.ts";
import type { RoleInstance, TreeNode, TreeRole } from "../market/hierarchy-tree.ts";

export const TREE_COLUMNS = ["hierarchy", "process", "state", "detail"] as const;

const INDENT = "  ";

/** One row for each role, its nodes and children indented below it; `jobs`: one for each job too. */
export function treeRows(roles: readonly TreeRole[], jobs: boolean, depth = 0): string[][] {
  return roles.flatMap((role) => [
    ...roleRows(role, depth),
    ...role.nodes.flatMap((node) => nodeRows(node, jobs, depth + 1)),
    ...treeRows(role.children, jobs, depth + 1),
  ]);
}

const indented = (depth: number, text: string): string => `${INDENT.repeat(depth)}${text}`;

function roleRows({ role, instances }: TreeRole, depth: number): string[][] {
  if (instances.length === 0) return [[indented(depth, role), "-", "MISSING", ""]];
  const twin = instances.length > 1 ? "DUPLICATE, " : "";
  return instances.map((one) => [
    indented(depth, role),
    `${one.node}:${one.pid}`,
    `${twin}${one.active ? "active" : "passive"}`,
    escalated(one),
  ]);
}

function escalated({ escalations }: RoleInstance): string {
  return escalations.map(({ element, reason }) => `${element}: ${reason}`).join("; ");
}

function nodeRows(node: TreeNode, jobs: boolean, depth: number): string[][] {
  const state = node.up === undefined ? "unknown" : node.up ? "up" : "down";
  const row = [
    indented(depth, `node ${node.node}`),
    `${node.hosts} hosts, ${node.spares} spare`,
    node.drained ? `${state}, drained` : state,
    node.up === false ? node.cause : counted(node.jobs),
  ];
  return jobs ? [row, ...node.jobs.map((job) => jobRow(job, depth + 1))] : [row];
}

/** `2 crossing, 1 gateway`, and how many of them do not run. */
function counted(jobs: readonly WatchedJob[]): string {
  const numbers = new Map<string, number>();
  for (const { status } of jobs) {
    const service = (status?.job ?? "").split("/", 1)[0] ?? "";
    numbers.set(service, (numbers.get(service) ?? 0) + 1);
  }
  const counts = [...numbers]
    .map(([service, count]) => `${count} ${service}`)
    .toSorted((a, b) => (a < b ? -1 : 1));
  const idle = jobs.filter(({ status }) => jobStateName(status?.state ?? 0) !== "running").length;
  if (idle > 0) counts.push(`${idle} not running`);
  return counts.join(", ");
}

function jobRow({ status, host, pid, restarts }: WatchedJob, depth: number): string[] {
  return [
    indented(depth, status?.job ?? ""),
    host === "" ? "-" : `${host}:${pid}`,
    jobStateName(status?.state ?? 0),
    [restarts > 0 ? `${restarts} restarts` : "", (status?.detail ?? "").split("\n", 1)[0]]
      .filter(Boolean)
      .join(", "),
  ];
}

/** The same for programs. */
export function treeObject({ role, instances, nodes, children }: TreeRole): Record<string, unknown> {
  return {
    role,
    instances: instances.map(({ node, pid, active, escalations }) => ({ node, pid, active, escalations })),
    ...(nodes.length === 0 ? undefined : { nodes: nodes.map(nodeObject) }),
    ...(children.length === 0 ? undefined : { children: children.map(treeObject) }),
  };
}

function nodeObject({ node, up, cause, drained, hosts, spares, jobs }: TreeNode): Record<string, unknown> {
  return {
    node,
    up: up ?? null,
    cause,
    drained,
    hosts,
    spares,
    jobs: jobs.map(({ status, host, pid, restarts }) => ({
      job: status?.job ?? "",
      state: jobStateName(status?.state ?? 0),
      host,
      pid,
      epoch: status?.epoch ?? 0,
      restarts,
    })),
  };
}
