import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { LogEntry, LogTail } from "../../proto/generated/evercross/v1/log.ts";
import { LogStatus } from "../../proto/generated/evercross/v1/log.ts";
import { formatJob, type JobName } from "../job/name.ts";
import { READ_ANSWER_BYTES_MAX } from "../limits.ts";
import { LogRefusedError, type LogSource, type RowTarget } from "../log/checkpoint-log.ts";
import { readEntries } from "../log/entry-read.ts";
import { type JobLog, loadJobLog } from "../log/job-log.ts";
import { isMember, quorumOf } from "../log/membership.ts";
import { RocksStore } from "../log/rocks-store.ts";
import { STORE_NAME, storageFolder, WITNESS_NAME } from "../log/storage-folder.ts";
import { folderKey } from "../log/store-key.ts";
import { StoreLogReader } from "../log/store-log-reader.ts";
import { decodeFolder } from "../log/store-record.ts";
import { readWitness } from "../log/witness.ts";
import { BackupCode, BackupError } from "./backup-error.ts";

/** One replica's folder that nobody else has open. */
interface OpenFolder {
  readonly path: string;
  readonly replica: string;
  readonly store: RocksStore;
}

/** Storage folders of these replicas in any of the nodes' data folders: a replica may have been on several. */
export function storageFolders(
  nodeFolders: readonly string[],
  replicas: readonly JobName[],
): { readonly path: string; readonly replica: string }[] {
  return replicas.flatMap((replica) =>
    nodeFolders
      .map((node) => ({ path: storageFolder(node, replica.key), replica: formatJob(replica) }))
      .filter(
        ({ path }) => existsSync(join(path, STORE_NAME)) && readdirSync(join(path, STORE_NAME)).length > 0,
      ),
  );
}

/**
 * Logs of storage jobs that do not run, read from their folders. Opening a folder lets its store recover. As a writer
 * would, it takes of a log the copy with the best tail, and only when a majority of the set is there.
 */
export class FolderLogs {
  readonly #nodeFolders: readonly string[];
  readonly #open = new Map<string, Promise<OpenFolder>>();

  constructor(nodeFolders: readonly string[]) {
    this.#nodeFolders = nodeFolders;
  }

  /** `replicas`: the log's set. Rejects with `BackupError` or `StoreError`. */
  async source(job: JobName, replicas: readonly JobName[]): Promise<LogSource> {
    const folders = await Promise.all(
      storageFolders(this.#nodeFolders, replicas).map((folder) => this.#folder(folder)),
    );
    const name = formatJob(job);
    const copies = folders.map((folder) => copyOf(name, folder));
    const good = copies.filter(({ log }) => log.refusal === undefined && !log.blank);
    const [best] = good.toSorted((a, b) => better(b.log, a.log));
    const missing = best === undefined ? replicas.map(formatJob) : missingOf(best.log, good, replicas);
    if (best !== undefined && missing.length === 0) return new FolderLog(best.folder.store, best.log);
    const why = copies.flatMap(({ log }) => (log.refusal === undefined ? [] : [log.refusal.detail]));
    throw new BackupError(
      BackupCode.BACKUP_NO_MAJORITY,
      [`${name}: no folder that can be read of ${missing.join(", ")}`, ...why].join("; "),
    );
  }

  async close(): Promise<void> {
    for (const folder of this.#open.values()) await (await folder).store.close();
  }

  #folder({ path, replica }: { readonly path: string; readonly replica: string }): Promise<OpenFolder> {
    const known = this.#open.get(path);
    if (known !== undefined) return known;
    const opened = RocksStore.open(join(path, STORE_NAME), false).then((store) => ({ path, replica, store }));
    this.#open.set(path, opened);
    return opened;
  }
}

interface Copy {
  readonly folder: OpenFolder;
  readonly log: JobLog;
}

function copyOf(job: string, folder: OpenFolder): Copy {
  const witness = readWitness(join(folder.path, WITNESS_NAME)).get(job);
  const key = folderKey();
  const record = folder.store.get(key);
  const incarnation = record && decodeFolder(key, record)?.incarnation;
  return { folder, log: loadJobLog(folder.store, job, witness, incarnation) };
}

/**
 * Members of a log, as its best copy names them, that are not among the good copies; none when a majority is. A log without
 * members, one that is empty or of an earlier version, goes by the names of its set.
 */
function missingOf(best: JobLog, good: readonly Copy[], replicas: readonly JobName[]): string[] {
  const there = good.map(({ folder, log }) => ({ name: folder.replica, incarnation: log.incarnation }));
  const names = new Set(there.map(({ name }) => name));
  const missing =
    best.members.length === 0
      ? replicas.map(formatJob).filter((name) => !names.has(name))
      : best.members.filter((member) => !isMember(there, member)).map(({ name }) => name);
  const all = best.members.length === 0 ? replicas.length : best.members.length;
  return all - missing.length >= quorumOf(all) ? [] : missing;
}

/** Above 0 when the first log's tail is the better one. */
function better(one: JobLog, other: JobLog): number {
  return one.epoch - other.epoch || one.seq - other.seq;
}

class FolderLog implements LogSource {
  readonly #store: RocksStore;
  readonly #log: JobLog;

  constructor(store: RocksStore, log: JobLog) {
    this.#store = store;
    this.#log = log;
  }

  async tail(): Promise<LogTail> {
    return this.#log.tail();
  }

  async entries(from: number, to: number): Promise<readonly LogEntry[]> {
    const log = this.#log;
    if (from < log.first) {
      throw new LogRefusedError(LogStatus.TRIMMED, `${log.job}: the log begins at entry ${log.first}`);
    }
    const end = Math.min(to, log.seq + 1);
    const { entries, problem } = readEntries(this.#store, log, from, end, READ_ANSWER_BYTES_MAX);
    if (entries.length === 0) {
      throw new LogRefusedError(
        LogStatus.DAMAGED,
        problem?.detail ?? `${log.job}: there is no entry ${from}`,
      );
    }
    return entries;
  }

  async rows(target: RowTarget): Promise<number> {
    target.begin();
    const reader = new StoreLogReader(this.#store, this.#log.job, undefined);
    const { seq, problem } = await reader.rows((key, value) => target.row(key, value));
    if (problem !== undefined) throw new LogRefusedError(LogStatus.DAMAGED, problem.detail);
    return seq;
  }
}
