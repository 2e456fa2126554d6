import { Command, Option } from "commander";
import { type JobOrder, orderJob } from "../../../runtime/desired/job-orders.ts";
import type { LocatedJob } from "../../../runtime/operator/located-job.ts";
import type { Operator } from "../../market/operator.ts";
import { dataOption, jobArgument } from "../common-options.ts";
import { jobObject, stateText } from "../job-rows.ts";
import { isAtRest, isRunning, untilJob } from "../order-wait.ts";
import { printJson, printLine } from "../output.ts";
import { withOperator } from "../with-operator.ts";

interface OrderOptions {
  readonly data: string;
  /** False: not to wait until the order is carried out. */
  readonly wait: boolean;
  readonly json?: true;
}

interface AddOptions extends OrderOptions {
  readonly group?: string;
  readonly label: readonly string[];
  readonly node: readonly string[];
  readonly customer?: string;
  readonly apart?: string;
  readonly standby?: boolean;
  readonly stopped?: true;
}

const collect = (value: string, before: readonly string[]): string[] => [...before, value];

function tell(job: LocatedJob, json: true | undefined): void {
  if (json === true) printJson(jobObject(job));
  else printLine(`${job.status?.job}: ${stateText(job)}${job.node === "" ? "" : ` on ${job.node}`}`);
}

async function order(
  operator: Operator,
  asked: JobOrder,
  isDone: (job: LocatedJob) => boolean,
  { wait, json }: OrderOptions,
): Promise<void> {
  const { hierarchy } = operator;
  const orderedMs = Date.now();
  await hierarchy.order((view) => orderJob(view, hierarchy.topology, orderedMs, asked));
  hierarchy.tellOrder(asked.job, describe(asked), orderedMs);
  tell(wait ? await untilJob(operator, asked.job, isDone) : await operator.locate(asked.job), json);
}

/** For the history. */
function describe(asked: JobOrder): string {
  return asked.kind === "move" && asked.node !== undefined ? `move to ${asked.node}` : asked.kind;
}

/** A command that orders something of a job and waits until it is so. */
function orderCommand(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .addArgument(jobArgument())
    .addOption(dataOption())
    .option("--no-wait", "come back when the order is recorded")
    .option("--json", "print one JSON object");
}

export function addCommand(): Command {
  const repeated = (flags: string, text: string): Option =>
    new Option(flags, `${text}; may be given several times`).argParser(collect).default([], "none");
  return orderCommand("add", "add a job: it is placed where it may run, and kept running")
    .option("--group <name>", "jobs of one group on one node share a job host (default: alone)")
    .addOption(repeated("--label <label>", "what its node must have"))
    .addOption(repeated("--node <node>", "run only on this node, or on another one that is named"))
    .option("--customer <name>", "never on a node with jobs of another customer")
    .option("--apart <name>", "never on a node with another job of the same value")
    .option("--standby", "keep its state warm in a second job host of its node")
    .option("--stopped", "do not start it yet")
    .action((job: string, options: AddOptions) => {
      const { group, label: labels, node: nodes, customer, apart, standby, stopped } = options;
      const asked: JobOrder = {
        kind: "add",
        job,
        labels,
        nodes,
        wanted: stopped !== true,
        ...(group === undefined ? undefined : { group }),
        ...(customer === undefined ? undefined : { customer }),
        ...(apart === undefined ? undefined : { apart }),
        ...(standby === undefined ? undefined : { standby }),
      };
      const isDone = stopped === true ? isAtRest : isRunning;
      return withOperator(options.data, (operator) => order(operator, asked, isDone, options));
    });
}

export function removeCommand(): Command {
  return new Command("remove")
    .description("forget a job that is stopped; what it stored stays where it is")
    .addArgument(jobArgument())
    .addOption(dataOption())
    .action((job: string, { data }: { readonly data: string }) =>
      withOperator(data, async ({ hierarchy }) => {
        const asked: JobOrder = { kind: "remove", job };
        const orderedMs = Date.now();
        await hierarchy.order((view) => orderJob(view, hierarchy.topology, orderedMs, asked));
        hierarchy.tellOrder(job, "remove", orderedMs);
        printLine(`${job}: removed`);
      }),
    );
}

export function startCommand(): Command {
  return orderCommand("start", "start a job that was stopped, or is in quarantine").action(
    (job: string, options: OrderOptions) =>
      withOperator(options.data, (operator) => order(operator, { kind: "start", job }, isRunning, options)),
  );
}

export function stopCommand(): Command {
  return orderCommand("stop", "stop a job in good order; it stays stopped until it is started").action(
    (job: string, options: OrderOptions) =>
      withOperator(options.data, (operator) => order(operator, { kind: "stop", job }, isAtRest, options)),
  );
}

export function moveCommand(): Command {
  return orderCommand("move", "move a job to another node")
    .argument("[node]", "where to; absent: wherever else it may run")
    .action((job: string, node: string | undefined, options: OrderOptions) =>
      withOperator(options.data, async (operator) => {
        const before = await operator.locate(job);
        const isThere = (now: LocatedJob): boolean =>
          node === undefined ? now.node !== before.node : now.node === node;
        const asked: JobOrder = { kind: "move", job, ...(node === undefined ? undefined : { node }) };
        const isDone = before.wanted ? (now: LocatedJob) => isThere(now) && isRunning(now) : isThere;
        await order(operator, asked, isDone, options);
      }),
    );
}
