import { resolve } from "node:path";
import { Option } from "commander";
import { BackupCode, BackupError } from "../../runtime/backup/backup-error.ts";
import { formatJob, jobName } from "../../runtime/job/name.ts";
import { CopiedLog, type ReadableLog, SourceLog } from "../../runtime/log/readable-log.ts";
import { readRecord } from "../backup/backup-record.ts";
import { withKeptLogs } from "../backup/kept-logs.ts";
import { backedUpLog } from "../backup/verify-backup.ts";
import type { MarketConfig } from "../market/config.ts";

/** `--backup DIR`: read what is asked for from a backup, instead of the market. */
export function backupOption(): Option {
  return new Option("--backup <dir>", "read a backup, instead of the market").argParser((text: string) =>
    resolve(text),
  );
}

/** Gives `use` a symbol's log: of the market of the data folder, whether it runs or not, or of a backup. */
export async function withSymbolLog(
  symbol: string,
  { data, backup }: { readonly data: string; readonly backup?: string },
  use: (log: ReadableLog, config: MarketConfig) => Promise<void>,
): Promise<void> {
  const job = jobName("crossing", symbol);
  if (backup === undefined) {
    await withKeptLogs(data, async (logs) =>
      use(new SourceLog(formatJob(job), await logs.source(job)), logs.config),
    );
    return;
  }
  const record = readRecord(backup);
  if (!record.tails.has(formatJob(job))) {
    throw new BackupError(
      BackupCode.BACKUP_MISSING,
      `the backup in ${backup} has no log of ${formatJob(job)}`,
    );
  }
  await use(new CopiedLog(backedUpLog(backup, record, formatJob(job))), record.config);
}
