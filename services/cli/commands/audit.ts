import { Command } from "commander";
import { jobName, type JobName } from "../../../runtime/job/name.ts";
import { BusReplicaPort } from "../../../runtime/log/bus-replica-port.ts";
import { ReplicaLogReader } from "../../../runtime/log/replica-log-reader.ts";
import { OperatorError } from "../../../runtime/operator/operator-error.ts";
import { auditLog, auditStorageFolder } from "../../audit/run-audit.ts";
import { verdictText, type Verdict } from "../../audit/verdict.ts";
import { instrumentOf } from "../../market/instrument.ts";
import { replicasOf } from "../../market/layout.ts";
import { findRunFile } from "../../market/run-file.ts";
import { dataOption } from "../common-options.ts";
import { printJson, printLine } from "../output.ts";
import { withOperator } from "../with-operator.ts";

interface AuditOptions {
  readonly data: string;
  readonly storage?: string;
  readonly json?: true;
}

const EXIT_FOUND = 1;

/** One verdict for each replica of the log. */
async function auditMarket(job: JobName, dataDir: string): Promise<Verdict[]> {
  const verdicts: Verdict[] = [];
  await withOperator(dataDir, async ({ bus, config }) => {
    if (!config.instruments.some(({ symbol }) => symbol === job.key)) {
      throw new OperatorError(`this market has no symbol ${job.key}`);
    }
    const port = new BusReplicaPort(bus, config.cluster);
    for (const replica of replicasOf(config, job)) {
      const reader = new ReplicaLogReader(port, replica, job);
      verdicts.push(await auditLog(job, reader, instrumentOf(config, job.key)));
    }
  });
  return verdicts;
}

/** By the rules of the market of the data folder, where there is one. */
function auditCopy(job: JobName, storage: string, dataDir: string): Promise<Verdict> {
  const config = findRunFile(dataDir)?.config;
  return auditStorageFolder(job, storage, config && instrumentOf(config, job.key));
}

/** `evercross audit SYMBOL`: proves a symbol's checkpoint log from the log alone. Exit code 1 when anything was found. */
export function auditCommand(): Command {
  return new Command("audit")
    .description("prove from a symbol's checkpoint log that nothing was lost, doubled or changed")
    .argument("<symbol>", "symbol of the market")
    .addOption(dataOption())
    .option("--storage <dir>", "a copy of a storage job's folder, instead of the running market")
    .option("--json", "print one JSON object for each replica")
    .action(async (symbol: string, { data, storage, json }: AuditOptions) => {
      const job = jobName("crossing", symbol);
      const verdicts =
        storage === undefined ? await auditMarket(job, data) : [await auditCopy(job, storage, data)];
      for (const verdict of verdicts) {
        if (json === true) printJson(verdict);
        else printLine(verdictText(verdict));
      }
      if (!verdicts.every(({ ok }) => ok)) process.exitCode = EXIT_FOUND;
    });
}
