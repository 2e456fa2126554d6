import { join } from "node:path";
import type { BackupHeader } from "../../proto/generated/evercross/v1/backup.ts";
import { LogStatus, type LogTail } from "../../proto/generated/evercross/v1/log.ts";
import { formatJob, type JobName } from "../job/name.ts";
import { LogRefusedError, type LogSource } from "../log/checkpoint-log.ts";
import { GENESIS_CHAIN } from "../log/entry.ts";
import { provedEntries } from "../log/proved-entries.ts";
import { BackupCode, BackupError } from "./backup-error.ts";
import { type BackupFile, backupFileName } from "./backup-folder.ts";
import { BackupLog, type BackupTail } from "./backup-log.ts";
import { BACKUP_VERSION } from "./backup-reader.ts";
import { BackupWriter } from "./backup-writer.ts";

export interface BackupTask {
  readonly folder: string;
  readonly cluster: string;
  readonly job: JobName;
  readonly source: LogSource;
  /** Files of the job that are in the folder already. */
  readonly files: readonly BackupFile[];
  /** Microseconds since the Unix epoch. */
  readonly timeUs: number;
  /** Told of every entry that is written. */
  readonly progress?: () => void;
}

/** What one job's log gave to a backup. */
export interface BackedUp {
  /** Entries that were added, 0 and 0 when there was nothing new; and rows. */
  readonly first: number;
  readonly last: number;
  readonly rows: number;
  /** Of the new file. */
  readonly bytes: number;
  /** Where the backup of this log ends now; undefined when the log has no entry. */
  readonly tail: BackupTail | undefined;
}

/** Times that a log is begun anew because it was trimmed while it was read. */
const TRIMMED_TRIES_MAX = 3;

/**
 * Adds what one job's log has gained since the backup in the folder to it, or all of it, as one new file. The log must
 * be the one that was backed up: its entry at the backup's end is read and compared. Memory is bounded by one answer of the
 * source. Throws `BackupError` or `LogRefusedError`; the folder is then as it was.
 */
export async function takeBackup(task: BackupTask): Promise<BackedUp> {
  const base = task.files.length === 0 ? undefined : await lastOf(task);
  for (let tries = 1; ; tries++) {
    const tail = answered(task, await task.source.tail());
    try {
      return base === undefined ? await takeAll(task, tail) : await takeMore(task, tail, base);
    } catch (error) {
      const trimmed = error instanceof LogRefusedError && error.status === LogStatus.TRIMMED;
      if (!trimmed || tries === TRIMMED_TRIES_MAX) throw error;
    }
  }
}

async function takeAll(task: BackupTask, tail: LogTail): Promise<BackedUp> {
  if (tail.seq === 0) return { first: 0, last: 0, rows: 0, bytes: 0, tail: undefined };
  if (tail.first === 1) return write(task, tail, 1, GENESIS_CHAIN);
  return write(task, tail, tail.first, undefined);
}

async function takeMore(task: BackupTask, tail: LogTail, base: BackupTail): Promise<BackedUp> {
  const job = formatJob(task.job);
  if (tail.seq < base.seq) {
    const detail = `${job}: the market's log ends at entry ${tail.seq}, the backup has ${base.seq}`;
    throw new BackupError(BackupCode.BACKUP_OTHER_LOG, `${detail}; ${ADVICE}`);
  }
  if (tail.first > base.seq + 1) {
    const detail = `${job}: entries ${base.seq + 1} to ${tail.first - 1} were trimmed since the backup`;
    throw new BackupError(BackupCode.BACKUP_GAP, `${detail}; ${ADVICE}`);
  }
  if (tail.first <= base.seq) {
    for await (const { chain } of provedEntries(task.source, job, base.seq, base.seq + 1)) {
      if (!chain.equals(base.chain)) throw otherLog(job, base.seq);
    }
  }
  if (tail.seq === base.seq) return { first: 0, last: 0, rows: 0, bytes: 0, tail: base };
  return write(task, tail, base.seq + 1, base.chain);
}

const ADVICE = "begin a backup in another folder";

function otherLog(job: string, seq: number): BackupError {
  const detail = `${job}: entry ${seq} of the market's log is not the one of the backup`;
  return new BackupError(BackupCode.BACKUP_OTHER_LOG, `${detail}; ${ADVICE}`);
}

/** Rows are needed where entries before the first are nowhere. */
async function write(
  task: BackupTask,
  tail: LogTail,
  first: number,
  chainBefore: Uint8Array | undefined,
): Promise<BackedUp> {
  const { folder, cluster, job, source, timeUs } = task;
  const header: BackupHeader = {
    version: BACKUP_VERSION,
    cluster,
    job: formatJob(job),
    first,
    chainBefore: Buffer.from(chainBefore ?? []),
    members: tail.members,
    timeUs,
  };
  const path = join(folder, backupFileName(job, first));
  let writer = new BackupWriter(path, header);
  try {
    let last = tail.seq;
    let rows = 0;
    if (chainBefore === undefined) {
      const seq = await source.rows({
        begin: () => {
          writer.discard();
          writer = new BackupWriter(path, header);
          rows = 0;
        },
        row: (key, value) => {
          writer.row({ key: Buffer.from(key), value: Buffer.from(value) });
          rows += 1;
        },
      });
      writer.rowsEnd(answered(task, seq));
      // The rows may be of an entry behind the end that was told before them.
      last = answered(task, await source.tail()).seq;
    }
    let written = first - 1;
    for await (const entry of provedEntries(source, header.job, first, last + 1, chainBefore)) {
      writer.entry(entry);
      written = entry.seq;
      task.progress?.();
    }
    if (written < last) answered(task, undefined);
    const { chain } = writer.finish();
    return { first, last, rows, bytes: writer.bytes, tail: { seq: last, chain } };
  } catch (error) {
    writer.discard();
    throw error;
  }
}

/** Where the backup in the folder ends: its last file, proved by itself. */
async function lastOf({ job, files, cluster }: BackupTask): Promise<BackupTail> {
  const last = files.slice(-1);
  let tail: BackupTail | undefined;
  for await (const item of new BackupLog(job, last, { cluster }).entries()) {
    if (item.kind === "problem") {
      throw new BackupError(
        BackupCode.BACKUP_DAMAGED,
        `${item.detail}; remove that file to take its entries again`,
      );
    }
    tail = { seq: item.entry.seq, chain: item.entry.chain };
  }
  if (tail === undefined) {
    throw new BackupError(BackupCode.BACKUP_DAMAGED, `${last[0]?.path ?? ""} has no entry; remove it`);
  }
  return tail;
}

function answered<T>({ job }: BackupTask, value: T | undefined): T {
  if (value !== undefined) return value;
  throw new BackupError(BackupCode.BACKUP_REFUSED, `${formatJob(job)}: storage does not answer`);
}
