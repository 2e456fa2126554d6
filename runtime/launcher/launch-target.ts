import { parseRole } from "../monitor/role.ts";
import type { Topology } from "../topology/topology.ts";
import { LaunchError, type LaunchTarget } from "./launcher.ts";

/** The process that plays a role on a node: its whole unit. Throws `LaunchError` on a role that there is not, or not there. */
export function launchTarget(topology: Topology, role: string, node: string): LaunchTarget {
  const record = topology.role(role);
  if (record === undefined) throw new LaunchError(`there is no role ${role}`);
  if (!record.on.includes(node)) throw new LaunchError(`${role} may not run on node ${node}`);
  const roles = topology.unitOf(role).map((one) => one.role);
  return { kind: unitKind(roles), name: record.unit, node, roles };
}

export function unitKind(roles: readonly string[]): "agent" | "coordinator" {
  return roles.every((role) => parseRole(role).level === "agent") ? "agent" : "coordinator";
}
