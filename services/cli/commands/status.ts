import { Command } from "commander";
import { ProcessRegistry } from "../../../runtime/process/registry.ts";
import { gatewayAddresses } from "../../market/layout.ts";
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

async function status(operator: Operator, { data, json }: StatusOptions): Promise<void> {
  const [agents, stats] = await Promise.all([operator.agents(), operator.gateways()]);
  const jobs = agents.flatMap((agent) =>
    (agent.status?.jobs ?? []).map((job) => ({ ...job, node: agent.node })),
  );
  const { cluster } = operator.config;
  const gateways = gatewayAddresses(operator.config).map(({ host, port }) => `${host}:${port}`);
  if (json === true) {
    printJson({
      cluster,
      gateways,
      gateway_stats: gatewayObjects(stats),
      agents: agents.map((agent) => ({ node: agent.node, pid: agent.status?.pid ?? null })),
      hosts: agents.flatMap((agent) =>
        (agent.status?.hosts ?? []).map(({ host, pid, spare }) => ({ node: agent.node, host, pid, spare })),
      ),
      jobs: jobs.map(jobObject),
      processes: new ProcessRegistry(data).alive().map(({ kind, name, pid }) => ({ kind, name, pid })),
    });
    return;
  }
  printLine(`market '${cluster}', gateways ${gateways.join(", ")}`);
  printTable(
    ["node", "agent", "hosts", "spares"],
    agents.map(({ node, status: found }) => [
      node,
      found?.pid ?? "no answer",
      found?.hosts.length ?? "-",
      found?.hosts.filter((host) => host.spare).length ?? "-",
    ]),
  );
  printLine();
  printTable(GATEWAY_COLUMNS, gatewayRows(gateways, stats));
  printLine();
  printTable(JOB_COLUMNS, jobRows(jobs));
}

export function statusCommand(): Command {
  return new Command("status")
    .description("show the agents, gateways, job hosts and jobs of a running market")
    .addOption(dataOption())
    .option("--json", "print one JSON object")
    .action((options: StatusOptions) => withOperator(options.data, (operator) => status(operator, options)));
}
