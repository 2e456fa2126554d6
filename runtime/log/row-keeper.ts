import type { LogEntry } from "../../proto/generated/evercross/v1/log.ts";
import { parseJob } from "../job/name.ts";
import type { KeptRows } from "../job/definition.ts";
import { READ_ANSWER_BYTES_MAX, ROWS_OPEN_BYTES_MAX, ROWS_PENDING_MAX, ROWS_SLICE_BYTES } from "../limits.ts";
import { GENESIS_CHAIN } from "./entry.ts";
import { readEntries } from "./entry-read.ts";
import type { JobLog } from "./job-log.ts";
import { RowWriter } from "./row-writer.ts";
import { rowsRange, rowsRecordKey } from "./store-key.ts";
import type { LogStore, StoreChange } from "./store.ts";

/**
 * The rows of all jobs of a replica, kept behind their logs in slices, so that no append waits long. Nothing here is
 * synced: rows follow their entries in the store's journal, and can be made again from them.
 */
export class RowKeeper {
  readonly #store: LogStore;
  readonly #kept: ReadonlyMap<string, KeptRows>;
  readonly #failed: (reason: string) => void;
  readonly #writers = new Map<JobLog, RowWriter | undefined>();
  /** Jobs with entries to work on, served in turn. */
  readonly #behind = new Set<RowWriter>();
  /** Jobs with changes to store. */
  readonly #waiting = new Set<RowWriter>();
  /** Logs whose rows are removed, to be made anew. */
  readonly #clearing = new Set<JobLog>();

  /** `kept`: by service. `failed` hears, once for each job, why its rows no longer follow. */
  constructor(store: LogStore, kept: ReadonlyMap<string, KeptRows>, failed: (reason: string) => void) {
    this.#store = store;
    this.#kept = kept;
    this.#failed = failed;
  }

  /** The log grew by this entry, which is synced. */
  grown(log: JobLog, entry: LogEntry): void {
    const writer = this.#writer(log);
    if (writer === undefined) return;
    writer.offer(entry);
    if (writer.behind) this.#behind.add(writer);
  }

  /** More of the log is known to be committed. */
  committed(log: JobLog): void {
    const writer = this.#writer(log);
    if (writer?.behind === true) this.#behind.add(writer);
  }

  /** The log, or its rows, were replaced by another replica's: what waits may be of entries that are there no more. */
  replaced(log: JobLog): void {
    this.#drop(log);
    if (log.blank) this.#clearing.delete(log);
    this.committed(log);
  }

  /** What stopped the rows of this log was mended: they go on from what is stored. */
  resume(log: JobLog): void {
    const writer = this.#writers.get(log);
    if (writer?.failure === undefined) return;
    this.#drop(log);
    this.committed(log);
  }

  /**
   * Makes the rows anew, from the first entry on, in slices; whoever asks for them meanwhile is refused. False: the log does
   * not reach back so far. Throws `StoreError`.
   */
  remake(log: JobLog): boolean {
    if (log.first > 1 || log.refusal !== undefined) return false;
    if (this.#writer(log) === undefined || this.#clearing.has(log)) return true;
    this.#drop(log);
    this.#clearing.add(log);
    log.rowsDamage = undefined;
    // Without their own record the rows are answered to nobody, and are cleared away by the next start too.
    this.#store.write([{ key: rowsRecordKey(log.job), value: undefined }], true);
    return true;
  }

  /** A writer opened the log and is about to read it: what is left to do for its rows is done now, within bounds. */
  opened(now: number, log: JobLog): void {
    const writer = this.#writer(log);
    if (writer === undefined) return;
    for (let left = ROWS_OPEN_BYTES_MAX; writer.behind && left > 0;) left -= this.#work(now, writer, left);
    this.#waiting.delete(writer);
    this.#write(writer.take());
  }

  /** Whether `slice` should be called as soon as nothing else waits. */
  get busy(): boolean {
    return this.#behind.size > 0 || this.#clearing.size > 0;
  }

  /** When `slice` should be called at the latest, in the milliseconds of `now`; infinite when nothing waits. */
  get dueAt(): number {
    let due = Infinity;
    for (const writer of this.#waiting) due = Math.min(due, writer.dueAt);
    return due;
  }

  /** A bounded piece of work, and the rows that are due. Throws `StoreError`. */
  slice(now: number): void {
    for (const log of this.#clearing) {
      this.#clear(log);
      break;
    }
    let left = ROWS_SLICE_BYTES;
    for (const writer of this.#behind) {
      if (left <= 0) break;
      this.#behind.delete(writer);
      left -= this.#work(now, writer, left);
      // Behind the others, so that each has its turn.
      if (writer.behind) this.#behind.add(writer);
    }
    this.#storeDue(now);
  }

  /** Stores what waits. Throws `StoreError`. */
  flush(): void {
    while (this.#waiting.size > 0) this.#storeDue(Infinity);
  }

  /** Removes some rows; behind the last one the log's rows begin at its first entry. */
  #clear(log: JobLog): void {
    const found = this.#store.scan(rowsRange(log.job), {
      max: ROWS_PENDING_MAX,
      bytes: READ_ANSWER_BYTES_MAX,
    });
    this.#write(found.map(({ key }) => ({ key, value: undefined })));
    if (found.length > 0) return;
    this.#clearing.delete(log);
    log.rowsSeq = 0;
    log.rowsChain = GENESIS_CHAIN;
    this.committed(log);
  }

  /** The next writer begins where the stored rows are. */
  #drop(log: JobLog): void {
    const writer = this.#writers.get(log);
    this.#writers.delete(log);
    if (writer === undefined) return;
    this.#behind.delete(writer);
    this.#waiting.delete(writer);
  }

  #work(now: number, writer: RowWriter, bytes: number): number {
    if (writer.full) this.#write(writer.take());
    const before = writer.failure;
    const done = writer.work(now, bytes);
    if (writer.dueAt < Infinity) this.#waiting.add(writer);
    if (before === undefined && writer.failure !== undefined) this.#failed(writer.failure);
    return done;
  }

  /** The rows of many jobs go together, up to what one write may delay. */
  #storeDue(now: number): void {
    const changes: StoreChange[] = [];
    for (const writer of this.#waiting) {
      if (writer.dueAt > now) continue;
      this.#waiting.delete(writer);
      for (const change of writer.take()) changes.push(change);
      if (changes.length >= ROWS_PENDING_MAX) break;
    }
    this.#write(changes);
  }

  #write(changes: readonly StoreChange[]): void {
    if (changes.length > 0) this.#store.write(changes, false);
  }

  /** Undefined: the log has no rows, or none for now. */
  #writer(log: JobLog): RowWriter | undefined {
    if (this.#clearing.has(log)) return undefined;
    if (this.#writers.has(log)) return this.#writers.get(log);
    const kept = this.#kept.get(parseJob(log.job).service);
    const writer =
      kept &&
      new RowWriter(log, kept, (each, from, to, bytes) => {
        const { entries, problem } = readEntries(this.#store, each, from, to, bytes);
        if (entries.length === 0) throw new Error(problem?.detail ?? `entry ${from} is missing`);
        return entries;
      });
    this.#writers.set(log, writer);
    return writer;
  }
}
