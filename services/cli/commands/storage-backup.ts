import { resolve } from "node:path";
import { Command, Option } from "commander";
import { formatJob, parseJob, type JobName } from "../../../runtime/job/name.ts";
import { backupMarket, type JobBackup } from "../../backup/backup-market.ts";
import { findRecord } from "../../backup/backup-record.ts";
import { checkLogJob, type KeptLogs, logJobs, withKeptLogs } from "../../backup/kept-logs.ts";
import { dataOption, jobArgument } from "../common-options.ts";
import { printError, printJson, printLine, printTable } from "../output.ts";
import { progressBar } from "../progress-bar.ts";

interface BackupOptions {
  readonly data: string;
  readonly job?: string;
  readonly json?: true;
}

const EXIT_REFUSED = 1;

/** How many entries there are to back up; only for a bar that somebody sees. */
async function entriesDue(folder: string, jobs: readonly JobName[], logs: KeptLogs): Promise<number> {
  if (!process.stderr.isTTY) return 0;
  const before = findRecord(folder)?.tails;
  let due = 0;
  for (const job of jobs) {
    try {
      const tail = await (await logs.source(job)).tail();
      due += Math.max(0, (tail?.seq ?? 0) - (before?.get(formatJob(job))?.seq ?? 0));
    } catch {
      // Why it cannot be read, the backup itself tells.
      continue;
    }
  }
  return due;
}

function show(folder: string, done: readonly JobBackup[]): void {
  const rows = done
    .filter(({ refused }) => refused === undefined)
    .map(({ job, first, last, rows: count, bytes, end }) => {
      const added = last === 0 ? "nothing new" : `${first} to ${last}`;
      return [job, added, count === 0 ? "" : count, bytes === 0 ? "" : bytes, end === 0 ? "empty" : end];
    });
  if (rows.length > 0) printTable(["log", "entries added", "rows", "bytes", "backed up to"], rows);
  for (const { job, refused } of done) if (refused !== undefined) printError(`error: ${job}: ${refused}`);
  const refused = done.length - rows.length;
  printLine(refused === 0 ? `backed up into ${folder}` : `NOT BACKED UP: ${refused} of ${done.length} logs`);
}

async function backup(folder: string, { data, job, json }: BackupOptions): Promise<void> {
  await withKeptLogs(data, async (logs) => {
    const jobs = job === undefined ? logJobs(logs.config) : [checkLogJob(logs.config, parseJob(job))];
    const bar = progressBar(await entriesDue(folder, jobs, logs));
    let written = 0;
    let done: JobBackup[];
    try {
      const progress = (): void => bar.update((written += 1));
      done = await backupMarket({ folder, logs, jobs, timeUs: Date.now() * 1000, progress });
    } finally {
      bar.stop();
    }
    if (json === true) for (const each of done) printJson(each);
    else show(folder, done);
    if (done.some(({ refused }) => refused !== undefined)) process.exitCode = EXIT_REFUSED;
  });
}

/** `evercross storage backup DIR`: exit code 1 when a log was refused. */
export function storageBackupCommand(): Command {
  return new Command("backup")
    .description(
      "copy the checkpoint logs of a market, running or stopped, into a folder; again: what is new",
    )
    .argument("<dir>", "folder of the backup", (text: string) => resolve(text))
    .addOption(dataOption())
    .addOption(
      new Option("--job <job>", "only the log of this job, e.g. crossing/AAA").argParser((text: string) =>
        jobArgument().parseArg?.(text, undefined),
      ),
    )
    .option("--json", "print one JSON object for each log")
    .action((folder: string, options: BackupOptions) => backup(folder, options));
}
