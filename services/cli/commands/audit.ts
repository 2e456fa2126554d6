import { Command } from "commander";
import { jobName, type JobName } from "../../../runtime/job/name.ts";
import type { LogSource } from "../../../runtime/log/checkpoint-log.ts";
import { LogSilentError, SourceLogReader } from "../../../runtime/log/source-log-reader.ts";
import { OperatorError } from "../../../runtime/operator/operator-error.ts";
import { auditLog, auditStorageFolder } from "../../audit/run-audit.ts";
import { verdictText, type Verdict } from "../../audit/verdict.ts";
import { instrumentOf } from "../../market/instrument.ts";
import { CLI_ANSWER_MAX_MS } from "../../limits.ts";
import { marketLogs } from "../../market/market-logs.ts";
import { findRunFile } from "../../market/run-file.ts";
import { dataOption } from "../common-options.ts";
import { printError, printJson, printLine } from "../output.ts";
import { withOperator } from "../with-operator.ts";

interface AuditOptions {
  readonly data: string;
  readonly storage?: string;
  readonly json?: true;
}

const EXIT_FOUND = 1;

interface CopyVerdict {
  /** Which copy of the log: the name of its replica. */
  readonly copy: string;
  /** Undefined when it does not answer. */
  readonly verdict: Verdict | undefined;
}

/** Tells of each copy when it is read: one that is silent takes its time. */
async function auditMarket(
  job: JobName,
  dataDir: string,
  tell: (verdict: CopyVerdict, copies: number) => void,
): Promise<void> {
  await withOperator(dataDir, async ({ bus, config }) => {
    if (!config.instruments.some(({ symbol }) => symbol === job.key)) {
      throw new OperatorError(`this market has no symbol ${job.key}`);
    }
    const logs = marketLogs(config, bus);
    const copies = [...logs.copies(job, () => false).keys()];
    for (const copy of copies) {
      const source = (wanted: () => boolean): LogSource => logs.copies(job, wanted).get(copy) as LogSource;
      const reader = new SourceLogReader(job, source, CLI_ANSWER_MAX_MS);
      let verdict: Verdict | undefined;
      try {
        verdict = await auditLog(job, reader, instrumentOf(config, job.key));
      } catch (error) {
        if (!(error instanceof LogSilentError)) throw error;
      }
      tell({ copy, verdict }, copies.length);
    }
  });
}

/** By the rules of the market of the data folder, where there is one. */
async function auditCopy(job: JobName, storage: string, dataDir: string): Promise<CopyVerdict> {
  const config = findRunFile(dataDir)?.config;
  const verdict = await auditStorageFolder(job, storage, config && instrumentOf(config, job.key));
  return { copy: storage, verdict };
}

/** `evercross audit SYMBOL`: proves a symbol's checkpoint log from the log alone. Exit code 1 when anything was found. */
export function auditCommand(): Command {
  return new Command("audit")
    .description("prove from a symbol's checkpoint log that nothing was lost, doubled or changed")
    .argument("<symbol>", "symbol of the market")
    .addOption(dataOption())
    .option("--storage <dir>", "a copy of a storage job's folder, instead of the running market")
    .option("--json", "print one JSON object for each copy of the log")
    .action(async (symbol: string, { data, storage, json }: AuditOptions) => {
      const job = jobName("crossing", symbol);
      const tell = ({ copy, verdict }: CopyVerdict, copies: number): void => {
        if (verdict === undefined)
          printError(`error: ${copy} does not answer for ${symbol}: nothing is proved of it`);
        else if (json === true) printJson({ copy, ...verdict });
        else printLine(copies > 1 ? `${copy}: ${verdictText(verdict)}` : verdictText(verdict));
        if (verdict?.ok !== true) process.exitCode = EXIT_FOUND;
      };
      if (storage === undefined) await auditMarket(job, data, tell);
      else tell(await auditCopy(job, storage, data), 1);
    });
}
