import { BackupCode, BackupError } from "../../runtime/backup/backup-error.ts";
import { backupFiles, prepareFolder } from "../../runtime/backup/backup-folder.ts";
import { takeBackup } from "../../runtime/backup/take-backup.ts";
import { formatJob, type JobName } from "../../runtime/job/name.ts";
import { LogRefusedError } from "../../runtime/log/checkpoint-log.ts";
import { StoreError } from "../../runtime/log/store.ts";
import { findRecord, writeRecord } from "./backup-record.ts";
import type { KeptLogs } from "./kept-logs.ts";

export interface MarketBackup {
  readonly folder: string;
  readonly logs: KeptLogs;
  readonly jobs: readonly JobName[];
  /** Microseconds since the Unix epoch. */
  readonly timeUs: number;
  /** Told of every entry that is written. */
  readonly progress?: () => void;
}

/** What became of one log in a backup. */
export interface JobBackup {
  readonly job: string;
  /** Entries that were added, 0 and 0 for none; and rows, where the log was trimmed. */
  readonly first: number;
  readonly last: number;
  readonly rows: number;
  readonly bytes: number;
  /** Last entry that the backup has now, 0 for none. */
  readonly end: number;
  /** Why nothing was added. */
  readonly refused: string | undefined;
}

/**
 * Adds to the backup in a folder, job by job, what each log has gained since; begins one where there is none. A log that
 * refuses does not keep the others from being backed up. Throws `BackupError` when the folder is of another market or cannot be used.
 */
export async function backupMarket(backup: MarketBackup): Promise<JobBackup[]> {
  const { folder, logs } = backup;
  const { config, portChosen } = logs;
  prepareFolder(folder);
  const before = findRecord(folder);
  const files = backupFiles(folder);
  if (before === undefined && files.size > 0) {
    throw new BackupError(BackupCode.BACKUP_DAMAGED, `${folder} has files of a backup, but not its record`);
  }
  if (before !== undefined && before.config.cluster !== config.cluster) {
    const detail = `${folder} holds a backup of the market '${before.config.cluster}', not of '${config.cluster}'`;
    throw new BackupError(BackupCode.BACKUP_OTHER_MARKET, detail);
  }
  const tails = new Map(before?.tails);
  // The record comes first: files without one are no backup.
  if (before === undefined) writeRecord(folder, { config, portChosen, tails });
  const done: JobBackup[] = [];
  for (const job of backup.jobs) {
    const name = formatJob(job);
    try {
      const source = await logs.source(job);
      const known = files.get(name) ?? [];
      const { tail, ...taken } = await takeBackup({
        ...backup,
        cluster: config.cluster,
        job,
        source,
        files: known,
      });
      if (tail !== undefined) tails.set(name, tail);
      done.push({ job: name, ...taken, end: tail?.seq ?? 0, refused: undefined });
    } catch (error) {
      if (!isRefusal(error)) throw error;
      const end = tails.get(name)?.seq ?? 0;
      done.push({ job: name, first: 0, last: 0, rows: 0, bytes: 0, end, refused: error.message });
    }
  }
  writeRecord(folder, { config, portChosen, tails });
  return done;
}

function isRefusal(error: unknown): error is Error {
  return error instanceof BackupError || error instanceof LogRefusedError || error instanceof StoreError;
}
