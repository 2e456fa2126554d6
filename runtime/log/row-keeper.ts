import type { LogEntry } from "../../proto/generated/evercross/v1/log.ts";
import { parseJob } from "../job/name.ts";
import type { Materialise } from "../job/definition.ts";
import { ROWS_OPEN_BYTES_MAX, ROWS_PENDING_MAX, ROWS_SLICE_BYTES } from "../limits.ts";
import { readEntries } from "./entry-read.ts";
import type { JobLog } from "./job-log.ts";
import { RowWriter } from "./row-writer.ts";
import type { LogStore, StoreChange } from "./store.ts";

/**
 * The rows of all jobs of a replica, kept behind their logs in slices, so that no append waits long. Nothing here is
 * synced: rows follow their entries in the store's journal, and can be made again from them.
 */
export class RowKeeper {
  readonly #store: LogStore;
  readonly #materialisers: ReadonlyMap<string, Materialise>;
  readonly #failed: (reason: string) => void;
  readonly #writers = new Map<JobLog, RowWriter | undefined>();
  /** Jobs with entries to work on, served in turn. */
  readonly #behind = new Set<RowWriter>();
  /** Jobs with changes to store. */
  readonly #waiting = new Set<RowWriter>();

  /** `failed` hears, once for each job, why its rows no longer follow. */
  constructor(
    store: LogStore,
    materialisers: ReadonlyMap<string, Materialise>,
    failed: (reason: string) => void,
  ) {
    this.#store = store;
    this.#materialisers = materialisers;
    this.#failed = failed;
  }

  /** The log grew by this entry, which is synced. */
  grown(log: JobLog, entry: LogEntry): void {
    const writer = this.#writer(log);
    if (writer === undefined) return;
    writer.offer(entry);
    if (writer.behind) this.#behind.add(writer);
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
    return this.#behind.size > 0;
  }

  /** When `slice` should be called at the latest, in the milliseconds of `now`; infinite when nothing waits. */
  get dueAt(): number {
    let due = Infinity;
    for (const writer of this.#waiting) due = Math.min(due, writer.dueAt);
    return due;
  }

  /** A bounded piece of work, and the rows that are due. Throws `StoreError`. */
  slice(now: number): void {
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

  #writer(log: JobLog): RowWriter | undefined {
    if (this.#writers.has(log)) return this.#writers.get(log);
    const materialise = this.#materialisers.get(parseJob(log.job).service);
    const writer =
      materialise &&
      new RowWriter(log, materialise, (each, from, to, bytes) => {
        const { entries, problem } = readEntries(this.#store, each, from, to, bytes);
        if (entries.length === 0) throw new Error(problem?.detail ?? `entry ${from} is missing`);
        return entries;
      });
    this.#writers.set(log, writer);
    return writer;
  }
}
