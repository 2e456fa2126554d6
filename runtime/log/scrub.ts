import { SCRUB_SLICE_BYTES } from "../limits.ts";
import { readEntry } from "./entry-read.ts";
import type { JobLog } from "./job-log.ts";
import { keyOfRow, RowSeal } from "./row-seal.ts";
import {
  entryRange,
  jobOfMetaKey,
  metaRange,
  rowKey,
  rowsRange,
  rowsRecordKey,
  seqOfKey,
} from "./store-key.ts";
import { decodeEntry, decodeRowsRecord } from "./store-record.ts";
import { StoreError, type LogStore, type StoreRecord } from "./store.ts";

const SCAN_MAX = 4096;

/** What was found wrong. */
export interface Damage {
  readonly log: JobLog;
  /** `file`: the store cannot read its own files. */
  readonly kind: "entry" | "rows" | "file";
  /** Entries from `from` up to and including `through`; 0 when it is about rows. */
  readonly from: number;
  readonly through: number;
  readonly detail: string;
}

export interface ScrubSlice {
  /** Of the records that were read. */
  readonly bytes: number;
  readonly damage: readonly Damage[];
  /** All logs were read; the next slice begins anew. */
  readonly ended: boolean;
}

/**
 * Reads all logs of a store and their rows, one after the other, to find what is damaged before it is needed. Each entry is
 * proved by itself and against the one before, each row by its checksum. Synchronous; between two slices anything may
 * happen to the logs.
 */
export class Scrub {
  readonly #store: LogStore;
  readonly #log: (job: string) => JobLog;
  #round: Generator<number, void, undefined> | undefined;
  #found: Damage[] = [];

  constructor(store: LogStore, log: (job: string) => JobLog) {
    this.#store = store;
    this.#log = log;
  }

  /** Reads about so many bytes, at least one record. Throws `StoreError` when it is not about damage. */
  slice(bytes: number): ScrubSlice {
    this.#round ??= this.#logs();
    this.#found = [];
    let done = 0;
    let ended = false;
    while (done < bytes && !ended) {
      const step = this.#round.next();
      if (step.done === true) ended = true;
      else done += step.value;
    }
    if (ended) this.#round = undefined;
    return { bytes: done, damage: this.#found, ended };
  }

  *#logs(): Generator<number, void, undefined> {
    for (let job = this.#nextJob(undefined); job !== undefined; job = this.#nextJob(job)) {
      const log = this.#log(job);
      yield 1;
      yield* this.#guarded(log, this.#entries(log));
      yield* this.#guarded(log, this.#rows(log));
    }
  }

  #nextJob(job: string | undefined): string | undefined {
    const next = this.#store.scan(metaRange(job), { max: 1, bytes: 1 })[0];
    return next && jobOfMetaKey(next.key);
  }

  *#guarded(log: JobLog, reading: Generator<number, void, undefined>): Generator<number, void, undefined> {
    try {
      yield* reading;
    } catch (error) {
      if (!(error instanceof StoreError) || error.failure !== "damaged") throw error;
      this.#found.push({ log, kind: "file", from: 0, through: 0, detail: `${log.job}: ${error.message}` });
    }
  }

  *#entries(log: JobLog): Generator<number, void, undefined> {
    for (let next = log.first; next <= log.seq && log.refusal === undefined;) {
      next = Math.max(next, log.first);
      const range = entryRange(log.job, next, log.seq + 1);
      const records = this.#store.scan(range, { max: SCAN_MAX, bytes: SCRUB_SLICE_BYTES });
      // What was read before the last pause may have been replaced since.
      const chain = next === log.first ? log.chainBefore : readEntry(this.#store, log.job, next - 1)?.chain;
      next = this.#prove(log, next, records, chain);
      yield size(records);
    }
  }

  /** Gives the sequence from which reading goes on. */
  #prove(log: JobLog, from: number, records: readonly StoreRecord[], before: Uint8Array | undefined): number {
    let next = from;
    let chain = before;
    for (const { key, value } of records) {
      const seq = seqOfKey(key);
      if (seq > next) {
        this.#damaged(log, next, seq - 1, "missing");
        chain = undefined;
      }
      const stored = decodeEntry(value, log.job, seq, chain);
      const last = seq === log.seq && stored.ok && !stored.entry.chain.equals(log.chain);
      if (!stored.ok || last)
        this.#damaged(log, seq, seq, stored.ok ? "not the last of the log" : stored.problem);
      chain = stored.ok ? stored.entry.chain : undefined;
      next = seq + 1;
    }
    if (records.length > 0) return next;
    this.#damaged(log, from, log.seq, "missing");
    return log.seq + 1;
  }

  /** Runs of damaged entries are repaired together. */
  #damaged(log: JobLog, from: number, through: number, problem: string): void {
    const before = this.#found.at(-1);
    const follows = before?.log === log && before.kind === "entry" && before.through === from - 1;
    if (follows) this.#found.pop();
    const detail = follows ? before.detail : `${log.job}: entry ${from} is damaged (${problem})`;
    this.#found.push({ log, kind: "entry", from: follows ? before.from : from, through, detail });
  }

  *#rows(log: JobLog): Generator<number, void, undefined> {
    const range = rowsRange(log.job);
    const own = rowsRecordKey(log.job);
    const seal = new RowSeal(log.job);
    const whole = ({ key, value }: StoreRecord): boolean =>
      own.equals(key)
        ? decodeRowsRecord(key, value) !== undefined
        : seal.isWhole(value) && rowKey(log.job, keyOfRow(value)).equals(key);
    for (let from: Uint8Array = range.from; log.refusal === undefined;) {
      const records = this.#store.scan({ from, to: range.to }, { max: SCAN_MAX, bytes: SCRUB_SLICE_BYTES });
      const last = records.at(-1);
      if (last === undefined) return;
      const wrong =
        from === range.from && !own.equals((records[0] as StoreRecord).key)
          ? own
          : records.find((record) => !whole(record))?.key;
      if (wrong !== undefined) {
        const detail = `${log.job}: the record ${wrong.toString("hex")} of its rows is damaged or missing`;
        this.#found.push({ log, kind: "rows", from: 0, through: 0, detail });
        yield size(records);
        return;
      }
      from = Buffer.concat([last.key, Buffer.of(0)]);
      yield size(records);
    }
  }
}

function size(records: readonly StoreRecord[]): number {
  return records.reduce((sum, { key, value }) => sum + key.length + value.length, 1);
}
