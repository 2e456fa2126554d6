import { Command } from "commander";
import { dataOption, jobArgument } from "../common-options.ts";
import { jobObject, JOB_COLUMNS, jobRows } from "../job-rows.ts";
import { printJson, printLine, printTable } from "../output.ts";
import { withOperator } from "../with-operator.ts";
import { addCommand, moveCommand, removeCommand, startCommand, stopCommand } from "./job-orders.ts";

interface JobOptions {
  readonly data: string;
  readonly json?: true;
}

function listCommand(): Command {
  return new Command("list")
    .description("list every job, where it is and how it is")
    .addOption(dataOption())
    .option("--json", "print one JSON object a job")
    .action(({ data, json }: JobOptions) =>
      withOperator(data, async (operator) => {
        const jobs = await operator.jobs();
        if (json === true) for (const job of jobs) printJson(jobObject(job));
        else printTable(JOB_COLUMNS, jobRows(jobs));
      }),
    );
}

function locateCommand(): Command {
  return new Command("locate")
    .description("show where a job is")
    .addArgument(jobArgument())
    .addOption(dataOption())
    .option("--json", "print one JSON object")
    .action((job: string, { data, json }: JobOptions) =>
      withOperator(data, async (operator) => {
        const found = await operator.locate(job);
        if (json === true) printJson(jobObject(found));
        else printTable(JOB_COLUMNS, jobRows([found]));
      }),
    );
}

function killCommand(): Command {
  return new Command("kill")
    .description("SIGKILL the job host of a job; its agent starts again what ran there")
    .addArgument(jobArgument())
    .addOption(dataOption())
    .action((job: string, { data }: JobOptions) =>
      withOperator(data, async (operator) => {
        printLine(`killed process ${await operator.killJob(job)}, which ran ${job}`);
      }),
    );
}

export function jobCommand(): Command {
  return new Command("job")
    .description("say which jobs there are to be, and see where they are")
    .addCommand(listCommand())
    .addCommand(locateCommand())
    .addCommand(addCommand())
    .addCommand(removeCommand())
    .addCommand(startCommand())
    .addCommand(stopCommand())
    .addCommand(moveCommand())
    .addCommand(killCommand());
}
