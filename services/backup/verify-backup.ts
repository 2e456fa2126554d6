import { BackupError } from "../../runtime/backup/backup-error.ts";
import { backupFiles } from "../../runtime/backup/backup-folder.ts";
import { BackupLog } from "../../runtime/backup/backup-log.ts";
import { parseJob } from "../../runtime/job/name.ts";
import { auditLog } from "../audit/run-audit.ts";
import type { Verdict } from "../audit/verdict.ts";
import { instrumentOf } from "../market/instrument.ts";
import { type BackupRecord, readRecord } from "./backup-record.ts";

export interface BackupVerdict {
  /** What is wrong with the backup's record, if anything is: the files are then proved without it. */
  readonly record: string | undefined;
  /** One for each log. */
  readonly logs: readonly Verdict[];
}

/** The files of one job as a log, held against what the record says. */
export function backedUpLog(folder: string, record: BackupRecord | undefined, job: string): BackupLog {
  const files = backupFiles(folder).get(job) ?? [];
  const known = record?.tails.get(job);
  return new BackupLog(parseJob(job), files, { known, cluster: record?.config.cluster });
}

/**
 * Proves a backup from its files alone: every byte of them, the chain over all files of a job, and what an audit proves of
 * a running log. `told` hears each verdict as it comes. Throws `BackupError` when there is no backup.
 */
export async function verifyBackup(folder: string, told: (verdict: Verdict) => void): Promise<BackupVerdict> {
  let record: BackupRecord | undefined;
  let problem: string | undefined;
  try {
    record = readRecord(folder);
  } catch (error) {
    if (!(error instanceof BackupError)) throw error;
    problem = error.message;
  }
  const files = backupFiles(folder);
  if (record === undefined && files.size === 0) throw new Error(problem);
  const logs: Verdict[] = [];
  for (const name of new Set([...files.keys(), ...(record?.tails.keys() ?? [])])) {
    const job = parseJob(name);
    const verdict = await auditLog(
      job,
      backedUpLog(folder, record, name),
      record && instrumentOf(record.config, job.key),
    );
    told(verdict);
    logs.push(verdict);
  }
  return { record: problem, logs };
}
