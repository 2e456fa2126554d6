import { Command } from "commander";
import { ProcessRegistry } from "../../../runtime/process/registry.ts";
import { parseRole } from "../../../runtime/monitor/role.ts";
import { hierarchyTree, type RoleInstance, type TreeRole } from "../../market/hierarchy-tree.ts";
import { gatewayAddresses } from "../../market/layout.ts";
import { members } from "../../market/members.ts";
import type { Operator } from "../../market/operator.ts";
import { dataOption } from "../common-options.ts";
import { GATEWAY_COLUMNS, gatewayObjects, gatewayRows } from "../gateway-rows.ts";
import { jobObject, JOB_COLUMNS, jobRows } from "../job-rows.ts";
import { printJson, printLine, printTable } from "../output.ts";
import { withOperator } from "../with-operator.ts";

interface StatusOptions {
  readonly data: string;
  readonly json?: true;
}

async function status(operator: Operator, options: StatusOptions): Promise<void> {
  const { hierarchy, config } = operator;
  const [found, jobs, stats] = await Promise.all([members(hierarchy), operator.jobs(), operator.gateways()]);
  const gateways = gatewayAddresses(config).map(({ host, port }) => `${host}:${port}`);
  const roles = flatten(hierarchyTree(hierarchy.topology, hierarchy.view, found));
  const agents = roles.filter(({ role }) => parseRole(role).level === "agent");
  const coordinators = roles.filter((role) => !agents.includes(role));
  if (options.json === true) {
    printJson({
      cluster: config.cluster,
      gateways,
      gateway_stats: gatewayObjects(stats),
      coordinators: coordinators.map(({ role, instances }) => ({ role, instances: instances.map(who) })),
      agents: agents.map(({ role, nodes, instances: [one] }) => ({
        agent: role,
        node: nodes.map(({ node }) => node).join(","),
        pid: one?.pid ?? null,
      })),
      hosts: found.flatMap((one) =>
        "status" in one
          ? one.status.hosts.map(({ node, host, pid, spare }) => ({ node, host, pid, spare }))
          : [],
      ),
      jobs: jobs.map(jobObject),
      processes: new ProcessRegistry(options.data)
        .alive()
        .map(({ kind, name, pid }) => ({ kind, name, pid })),
    });
    return;
  }
  printLine(`market '${config.cluster}', gateways ${gateways.join(", ")}`);
  if (coordinators.length > 0) {
    printTable(["coordinator", "process", "state"], coordinators.flatMap(coordinatorRows));
    printLine();
  }
  printTable(["agent", "process", "node", "state", "hosts", "spares"], agents.flatMap(agentRows));
  printLine();
  printTable(GATEWAY_COLUMNS, gatewayRows(gateways, stats));
  printLine();
  printTable(JOB_COLUMNS, jobRows(jobs));
}

const flatten = (roles: readonly TreeRole[]): TreeRole[] =>
  roles.flatMap((role) => [role, ...flatten(role.children)]);

const who = ({ node, pid, active }: RoleInstance): object => ({ node, pid, active });

function coordinatorRows({ role, instances }: TreeRole): string[][] {
  if (instances.length === 0) return [[role, "no answer", "-"]];
  return instances.map((one) => [role, `${one.node}:${one.pid}`, one.active ? "active" : "passive"]);
}

function agentRows({ role, nodes, instances: [one] }: TreeRole): (string | number)[][] {
  const process = one === undefined ? "no answer" : `${one.node}:${one.pid}`;
  return nodes.map(({ node, up, drained, hosts, spares }) => [
    role,
    process,
    node,
    `${up === undefined ? "unknown" : up ? "up" : "down"}${drained ? ", drained" : ""}`,
    one === undefined ? "-" : hosts,
    one === undefined ? "-" : spares,
  ]);
}

export function statusCommand(): Command {
  return new Command("status")
    .description("show the coordinators, agents, gateways and jobs of a running market")
    .addOption(dataOption())
    .option("--json", "print one JSON object")
    .action((options: StatusOptions) => withOperator(options.data, (operator) => status(operator, options)));
}
