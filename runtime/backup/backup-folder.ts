import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { formatJob, parseJob, type JobName } from "../job/name.ts";
import { BackupCode, BackupError } from "./backup-error.ts";
import { PART_SUFFIX } from "./backup-writer.ts";

const SEQ_DIGITS = 16;
const FILE = /^(.+)\.(\d{16})\.backup$/;
const PART = /\.(\d+)\.part$/;

/** A file of a backup, as its name tells. */
export interface BackupFile {
  readonly path: string;
  /** First entry in it. */
  readonly first: number;
}

/** `crossing%2FIBM.0000000000000001.backup`: the entries of `crossing/IBM` from the first on. */
export function backupFileName(job: JobName, first: number): string {
  return `${encodeURIComponent(formatJob(job))}.${String(first).padStart(SEQ_DIGITS, "0")}.backup`;
}

/** The files of each job, by its name, in the order of their entries. Throws `BackupError`. */
export function backupFiles(folder: string): Map<string, BackupFile[]> {
  const jobs = new Map<string, BackupFile[]>();
  for (const name of namesIn(folder).sort()) {
    const [, encoded, first] = FILE.exec(name) ?? [];
    const job = encoded === undefined ? undefined : jobOf(encoded);
    if (job === undefined) continue;
    const files = jobs.get(job) ?? [];
    files.push({ path: join(folder, name), first: Number(first) });
    jobs.set(job, files);
  }
  return jobs;
}

/** Makes the folder where it is missing in one that is there, and removes what backups that were broken off have left there. */
export function prepareFolder(folder: string): void {
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw unreadable(folder, error);
  }
  for (const name of namesIn(folder)) {
    const pid = Number(PART.exec(name)?.[1] ?? 0);
    if (name.endsWith(PART_SUFFIX) && pid !== process.pid && !isRunning(pid)) {
      rmSync(join(folder, name), { force: true });
    }
  }
}

export function unreadable(path: string, error: unknown): BackupError {
  return new BackupError(BackupCode.BACKUP_UNREADABLE, `${path}: ${(error as Error).message}`);
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") {
      throw new BackupError(BackupCode.BACKUP_MISSING, `there is no folder ${folder}`);
    }
    throw unreadable(folder, error);
  }
}

function jobOf(encoded: string): string | undefined {
  try {
    const job = formatJob(parseJob(decodeURIComponent(encoded)));
    return encodeURIComponent(job) === encoded ? job : undefined;
  } catch {
    return undefined;
  }
}

function isRunning(pid: number): boolean {
  try {
    return pid > 0 && process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
