import { AgentRequest, AgentResponse } from "../../proto/generated/evercross/v1/control.ts";
import { MonitorStatus, MonitorStatusRequest } from "../../proto/generated/evercross/v1/hierarchy.ts";
import { agentSubject, monitorSubject } from "../../runtime/messaging/subject.ts";
import { parseRole } from "../../runtime/monitor/role.ts";
import type { ClusterOperator } from "../../runtime/operator/cluster-operator.ts";
import type { AgentInstance, RoleInstance } from "./hierarchy-tree.ts";

/** Every process that says that it plays a role of the cluster. What is no answer is left out. */
export async function members(operator: ClusterOperator): Promise<(RoleInstance | AgentInstance)[]> {
  const roles = operator.topology.roles().map(({ role }) => role);
  const isAgent = (role: string): boolean => parseRole(role).level === "agent";
  const { cluster } = operator;
  const [agents, coordinators] = await Promise.all([
    operator.everyone(
      roles.filter(isAgent),
      (role) => agentSubject(cluster, parseRole(role).name),
      AgentRequest.encode({ body: { $case: "status", value: {} } }).finish(),
    ),
    operator.everyone(
      roles.filter((role) => !isAgent(role)),
      (role) => monitorSubject(cluster, role, "ask"),
      MonitorStatusRequest.encode({}).finish(),
    ),
  ]);
  return [
    ...agents.flatMap(({ role, data }) => agentInstance(role, data)),
    ...coordinators.flatMap(({ role, data }) => roleInstance(role, data)),
  ];
}

function agentInstance(role: string, data: Uint8Array): AgentInstance[] {
  const { status } = AgentResponse.decode(data);
  if (status === undefined) return [];
  const { node, pid, active } = status;
  return [{ role, node, pid, active, status, escalations: [] }];
}

function roleInstance(role: string, data: Uint8Array): RoleInstance[] {
  const { from, active, escalations } = MonitorStatus.decode(data);
  return from === undefined ? [] : [{ role, node: from.node, pid: from.pid, active, escalations }];
}
