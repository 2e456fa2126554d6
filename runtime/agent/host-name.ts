import { formatInstance, type InstanceId } from "../monitor/instance.ts";
import { parseRole, roleName } from "../monitor/role.ts";
import type { ProcessIdentity } from "../process/process-identity.ts";

/** How a job host is named among all nodes, and in the registry: `n1.h3`. */
export function hostEntryName(node: string, host: string): string {
  return `${node}.${host}`;
}

/** A job host as a role: `host/n1.h3`. */
export function hostRole(node: string, host: string): string {
  return roleName("host", hostEntryName(node, host));
}

export function hostInstance(node: string, { pid, startTicks }: ProcessIdentity): InstanceId {
  return { node, pid, startTicks };
}

/**
 * What the names of an agent's hosts on a node begin with: several agents may keep hosts on one node. `h` for the agent that is named
 * like the node, else `a2-h` for `agent/a2`.
 */
export function hostNamePrefix(agentRole: string, node: string): string {
  const { name } = parseRole(agentRole);
  return name === node ? "h" : `${name}-h`;
}

/** The number of a host's name (`h3` → 3); undefined when this prefix did not make it. */
export function hostNumber(prefix: string, host: string): number | undefined {
  const digits = host.startsWith(prefix) ? host.slice(prefix.length) : "";
  return /^[1-9]\d{0,8}$/.test(digits) ? Number(digits) : undefined;
}

/** `n1:4711:88012`. */
export function formatHostInstance(node: string, identity: ProcessIdentity): string {
  return formatInstance(hostInstance(node, identity));
}
