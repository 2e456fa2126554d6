import { Command, Option } from "commander";
import { type NodeOrder, orderNode } from "../../../runtime/desired/node-orders.ts";
import { OperatorError } from "../../../runtime/operator/operator-error.ts";
import { waitFor } from "../../../runtime/process/wait.ts";
import { CLI_ANSWER_MAX_MS, MARKET_POLL_MS } from "../../limits.ts";
import type { Operator } from "../../market/operator.ts";
import { dataOption } from "../common-options.ts";
import { NODE_COLUMNS, nodeObject, nodeRow, nodeSummaries } from "../node-rows.ts";
import { printJson, printLine, printTable } from "../output.ts";
import { withOperator } from "../with-operator.ts";

interface NodeOptions {
  readonly data: string;
  readonly json?: true;
}

interface AddOptions extends NodeOptions {
  readonly local: string;
  readonly label: readonly string[];
  readonly customer?: string;
  readonly address?: string;
}

interface DrainOptions extends NodeOptions {
  readonly undo?: true;
  /** False: not to wait until nothing is left there. */
  readonly wait: boolean;
}

const collect = (value: string, before: readonly string[]): string[] => [...before, value];

async function order({ hierarchy }: Operator, asked: NodeOrder): Promise<void> {
  const orderedMs = Date.now();
  await hierarchy.order((view) => orderNode(view, hierarchy.topology, asked));
  hierarchy.tellOrder(asked.node, asked.kind, orderedMs);
}

/** The jobs that run on a node, or are put there. */
async function jobsOn(operator: Operator, node: string): Promise<string[]> {
  const jobs = (await operator.jobs()).filter((job) => job.wanted && job.node === node);
  return jobs.map(({ status }) => status?.job ?? "");
}

async function drain(operator: Operator, node: string, { undo, wait }: DrainOptions): Promise<void> {
  if (undo === true) {
    await order(operator, { kind: "undrain", node });
    printLine(`${node}: takes jobs again`);
    return;
  }
  await order(operator, { kind: "drain", node });
  if (!wait) {
    printLine(`${node}: drained`);
    return;
  }
  let left: string[] = [];
  const isEmpty = async (): Promise<boolean> => {
    left = await jobsOn(operator, node);
    return left.length === 0;
  };
  if ((await waitFor(isEmpty, CLI_ANSWER_MAX_MS, MARKET_POLL_MS)) === true) {
    printLine(`${node}: drained, no job is left there`);
    return;
  }
  const { view } = operator.hierarchy;
  const reasons = left.map((job) => `${job} (${view.jobs.get(job)?.value.reason ?? ""})`);
  throw new OperatorError(
    `${node} is drained, and still has after ${CLI_ANSWER_MAX_MS} ms: ${reasons.join(", ")}`,
  );
}

function listCommand(): Command {
  return new Command("list")
    .description("list every node, how it is and who watches it")
    .addOption(dataOption())
    .option("--json", "print one JSON object a node")
    .action(({ data, json }: NodeOptions) =>
      withOperator(data, ({ hierarchy }) => {
        const nodes = nodeSummaries(hierarchy);
        if (json === true) for (const node of nodes) printJson(nodeObject(node));
        else printTable(NODE_COLUMNS, nodes.map(nodeRow));
        return Promise.resolve();
      }),
    );
}

function addCommand(): Command {
  return new Command("add")
    .description("add a node with an agent of its own, which its local coordinator then starts")
    .argument("<node>", "name of the node")
    .addOption(dataOption())
    .addOption(new Option("--local <role>", "coordinator of its cluster").default("local/main"))
    .addOption(
      new Option("--label <label>", "what it has; may be given several times")
        .argParser(collect)
        .default([], "none"),
    )
    .option("--customer <name>", "only jobs of this customer")
    .option("--address <address>", "where launchers of other machines reach it")
    .action((node: string, { data, local, label: labels, customer, address }: AddOptions) =>
      withOperator(data, async (operator) => {
        await order(operator, {
          kind: "add",
          node,
          local,
          labels,
          ...(customer === undefined ? undefined : { customer }),
          ...(address === undefined ? undefined : { address }),
        });
        printLine(`${node}: added below ${local}`);
      }),
    );
}

function removeCommand(): Command {
  return new Command("remove")
    .description("forget a node that has no job any more, and its agent")
    .argument("<node>", "name of the node")
    .addOption(dataOption())
    .action((node: string, { data }: NodeOptions) =>
      withOperator(data, async (operator) => {
        await order(operator, { kind: "remove", node });
        printLine(`${node}: removed`);
      }),
    );
}

function drainCommand(): Command {
  return new Command("drain")
    .description("put nothing new on a node, and move away what can be elsewhere")
    .argument("<node>", "name of the node")
    .addOption(dataOption())
    .option("--undo", "let it take jobs again")
    .option("--no-wait", "come back when the order is recorded")
    .action((node: string, options: DrainOptions) =>
      withOperator(options.data, (operator) => drain(operator, node, options)),
    );
}

export function nodeCommand(): Command {
  return new Command("node")
    .description("say which nodes there are, and see how they are")
    .addCommand(listCommand())
    .addCommand(addCommand())
    .addCommand(removeCommand())
    .addCommand(drainCommand());
}
