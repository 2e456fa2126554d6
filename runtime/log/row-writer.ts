import { EntryKind, type LogEntry } from "../../proto/generated/evercross/v1/log.ts";
import type { KeptRows, RowsInterval } from "../job/definition.ts";
import {
  READ_ANSWER_BYTES_MAX,
  ROWS_BACKLOG_BYTES_MAX,
  ROWS_INTERVAL_ENTRIES,
  ROWS_INTERVAL_MS,
  ROWS_PENDING_MAX,
} from "../limits.ts";
import type { JobLog } from "./job-log.ts";
import { RowChanges } from "./row-changes.ts";
import { RowSeal } from "./row-seal.ts";
import { rowsRecordKey } from "./store-key.ts";
import { encodeRowsRecord } from "./store-record.ts";
import type { StoreChange } from "./store.ts";

const USUAL_INTERVAL: RowsInterval = { entries: ROWS_INTERVAL_ENTRIES, ms: ROWS_INTERVAL_MS };

/** Whole, chained entries of a job from `from` on, as many as fit in so many bytes, at least one. Throws on others. */
export type EntryRead = (log: JobLog, from: number, to: number, bytes: number) => LogEntry[];

/**
 * Keeps the rows of one job behind its log: entries are turned into row changes as they come, and the changes are
 * stored together once in an interval. Owns no timer and writes nothing itself.
 *
 * Only entries that are synced may be offered, and only committed ones are worked on, so that no row ever tells of what the
 * log may still lose.
 */
export class RowWriter {
  readonly #log: JobLog;
  readonly #materialise: KeptRows["materialise"];
  readonly #interval: RowsInterval;
  readonly #read: EntryRead;
  readonly #changes = new RowChanges();
  readonly #seal: RowSeal;
  #backlog: LogEntry[] = [];
  #backlogBytes = 0;
  /** The changes are up to this entry. */
  #seq: number;
  #chain: Buffer;
  #dueAt = Infinity;
  #failure: string | undefined;

  constructor(log: JobLog, { materialise, rowsInterval = USUAL_INTERVAL }: KeptRows, read: EntryRead) {
    this.#log = log;
    this.#materialise = materialise;
    this.#interval = rowsInterval;
    this.#read = read;
    this.#seal = new RowSeal(log.job);
    this.#seq = log.rowsSeq;
    this.#chain = log.rowsChain;
  }

  /** Whether `work` has something to do. */
  get behind(): boolean {
    return this.#failure === undefined && this.#seq < Math.min(this.#log.committed, this.#log.seq);
  }

  /** What stopped the rows of this job, if anything did: they stay as they are, and the log is served without them. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** When `take` is due, in the milliseconds of `now`; infinite when nothing waits. */
  get dueAt(): number {
    return this.#dueAt;
  }

  /** The log grew by this entry. What is not kept here is read again when its turn comes. */
  offer(entry: LogEntry): void {
    if (this.#failure !== undefined || entry.seq !== this.#seq + this.#backlog.length + 1) return;
    if (this.#backlogBytes + entry.payload.length > ROWS_BACKLOG_BYTES_MAX) return;
    this.#backlog.push(entry);
    this.#backlogBytes += entry.payload.length;
  }

  /** Turns entries of about so many bytes into changes, at least one. Gives the bytes that were worked on. */
  work(now: number, bytes: number): number {
    let done = 0;
    while (this.behind && done < bytes && !this.full) {
      if (this.#backlog.length === 0) this.#reread();
      for (const entry of this.#backlog) {
        // What an entry costs by itself counts as a byte.
        done += entry.payload.length + 1;
        if (!this.#apply(entry) || done >= bytes || this.full || !this.behind) break;
      }
      this.#drop();
    }
    if (this.#seq > this.#log.rowsSeq && this.#dueAt === Infinity) this.#dueAt = now + this.#interval.ms;
    if (this.full) this.#dueAt = now;
    return done;
  }

  /** So much waits that it must be stored now. */
  get full(): boolean {
    return this.#changes.size >= ROWS_PENDING_MAX || this.#seq - this.#log.rowsSeq >= this.#interval.entries;
  }

  /** The changes to be stored, as one batch. The rows are then the state after the last entry worked on. */
  take(): StoreChange[] {
    this.#dueAt = Infinity;
    if (this.#seq === this.#log.rowsSeq) return [];
    const { job } = this.#log;
    const changes = this.#changes.take().map(({ key, value }) => this.#seal.change(key, value));
    this.#log.rowsSeq = this.#seq;
    this.#log.rowsChain = this.#chain;
    const key = rowsRecordKey(job);
    changes.push({ key, value: encodeRowsRecord(key, { seq: this.#seq, chain: this.#chain }) });
    return changes;
  }

  #apply(entry: LogEntry): boolean {
    try {
      const changes = entry.kind === EntryKind.DATA ? this.#materialise(entry.payload) : [];
      for (const change of changes) this.#changes.add(change);
    } catch (error) {
      this.#failure = `rows stay at entry ${this.#log.rowsSeq}: entry ${entry.seq}: ${String(error)}`;
      return false;
    }
    this.#seq = entry.seq;
    this.#chain = entry.chain;
    return true;
  }

  #reread(): void {
    const from = this.#seq + 1;
    try {
      const to = Math.min(this.#log.committed, this.#log.seq) + 1;
      this.#backlog = this.#read(this.#log, from, to, READ_ANSWER_BYTES_MAX);
      this.#backlogBytes = this.#backlog.reduce((sum, { payload }) => sum + payload.length, 0);
    } catch (error) {
      this.#failure = `rows stay at entry ${this.#log.rowsSeq}: ${String(error)}`;
    }
  }

  /** Forgets the entries that were worked on. */
  #drop(): void {
    const done = this.#backlog.findIndex(({ seq }) => seq > this.#seq);
    for (const { payload } of this.#backlog.splice(0, done < 0 ? this.#backlog.length : done)) {
      this.#backlogBytes -= payload.length;
    }
  }
}
