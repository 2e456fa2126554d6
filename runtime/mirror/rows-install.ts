import { setImmediate as turn } from "node:timers/promises";
import { LogEntry, type LogTail } from "../../proto/generated/evercross/v1/log.ts";
import { CATCH_UP_RECORDS_MAX, READ_ANSWER_BYTES_MAX } from "../limits.ts";
import type { RowTarget } from "../log/checkpoint-log.ts";
import { checkEntry, GENESIS_CHAIN } from "../log/entry.ts";
import type { JobLog } from "../log/job-log.ts";
import { membersOf } from "../log/membership.ts";
import { metaChange } from "../log/replica.ts";
import { RowSeal } from "../log/row-seal.ts";
import type { StorageFolder } from "../log/storage-folder.ts";
import { entryKey, entryRange, rowsRange, rowsRecordKey } from "../log/store-key.ts";
import { encodeRowsRecord } from "../log/store-record.ts";
import type { StoreChange } from "../log/store.ts";

/** The log cannot be begun from these rows; it may be from others. */
export class InstallError extends Error {
  override readonly name = "InstallError";
}

/**
 * Begins a log anew from the rows of its source, which trimmed the entries that would come next, as LOG.md 3.5 has it: the log is
 * blank until all rows and the entry that they are the state after are there, whatever happens on the way. Everything is
 * written in bounded, synced batches. Throws `StoreError`.
 */
export class RowsInstall implements RowTarget {
  readonly #log: JobLog;
  readonly #folder: StorageFolder;
  readonly #seal: RowSeal;
  #waiting: StoreChange[] = [];
  #waitingBytes = 0;
  #begun = false;
  #bytes = 0;

  constructor(log: JobLog, folder: StorageFolder) {
    this.#log = log;
    this.#folder = folder;
    this.#seal = new RowSeal(log.job);
  }

  /** Of the rows so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Forgets what the log was, a piece at a time. `open`: whether the folder still is. */
  async clear(open: () => boolean): Promise<void> {
    const { job } = this.#log;
    this.#log.clear();
    this.#folder.witness.note([this.#log.acknowledged()]);
    this.#write([metaChange(this.#log)]);
    const bounds = { max: CATCH_UP_RECORDS_MAX, bytes: READ_ANSWER_BYTES_MAX };
    for (const range of [entryRange(job, 0, Number.MAX_SAFE_INTEGER), rowsRange(job)]) {
      while (open()) {
        const found = this.#folder.store.scan(range, bounds);
        if (found.length === 0) break;
        this.#write(found.map(({ key }) => ({ key, value: undefined })));
        await turn();
      }
    }
  }

  /** Throws `InstallError` when the rows begin anew: then those that are there are cleared away first. */
  begin(): void {
    if (this.#begun) throw new InstallError("the source began its rows anew");
    this.#begun = true;
  }

  row(key: Uint8Array, value: Uint8Array): void {
    const bytes = key.length + value.length;
    this.#bytes += bytes;
    this.#waitingBytes += bytes;
    this.#waiting.push(this.#seal.change(key, value));
    if (this.#waitingBytes >= READ_ANSWER_BYTES_MAX || this.#waiting.length >= CATCH_UP_RECORDS_MAX) {
      this.#flush();
    }
  }

  /** There are no rows, and no entry that is missed: the log begins with its first. */
  finishEmpty(): void {
    this.#log.blank = false;
    this.#write([metaChange(this.#log)]);
  }

  /**
   * All rows were given: they are the state after `entry`, which follows `before` (undefined when it is the first). The members are those
   * of the source's tail. Throws `InstallError`.
   */
  finish(before: LogEntry | undefined, entry: LogEntry, tail: LogTail): void {
    const log = this.#log;
    const chainBefore = before?.chain ?? GENESIS_CHAIN;
    const { job } = log;
    if (entry.job !== job || checkEntry(entry, chainBefore) !== "ok") {
      throw new InstallError(`entry ${entry.seq}, which the rows are the state after, arrived damaged`);
    }
    this.#flush();
    log.begin(entry.seq, entry.prevEpoch, chainBefore);
    log.promised = Math.max(log.promised, entry.epoch);
    const since = tail.membersSeq <= entry.seq;
    log.members = since ? tail.members : tail.membersBefore;
    log.membersBefore = log.members;
    log.membersSeq = Math.min(tail.membersSeq, entry.seq);
    log.extend(entry, membersOf(entry));
    log.blank = false;
    log.rowsSeq = entry.seq;
    log.rowsChain = entry.chain;
    const key = rowsRecordKey(job);
    this.#write([
      { key: entryKey(job, entry.seq), value: LogEntry.encode(entry).finish() },
      { key, value: encodeRowsRecord(key, { seq: entry.seq, chain: entry.chain }) },
      metaChange(log),
    ]);
    this.#folder.witness.note([log.acknowledged()]);
  }

  #flush(): void {
    const changes = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
    if (changes.length > 0) this.#write(changes);
  }

  #write(changes: readonly StoreChange[]): void {
    this.#folder.store.write(changes, true);
  }
}
