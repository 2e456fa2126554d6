import { READ_ANSWER_BYTES_MAX } from "../limits.ts";
import { CHAIN_BYTES } from "./entry.ts";
import { problemAt, type LogItem, type LogProblem, type LogReader, type RowsRead } from "./log-reader.ts";
import { decodeMeta } from "./meta-record.ts";
import { isBefore, keyOfRow, RowSeal, valueOfRow } from "./row-seal.ts";
import { entryKey, entryRange, metaKey, rowsRange, rowsRecordKey, seqOfKey } from "./store-key.ts";
import { decodeEntry, decodeRowsRecord } from "./store-record.ts";
import { StoreError, type LogStore, type StoreRecord } from "./store.ts";
import type { Acknowledged } from "./witness.ts";

const SCAN_MAX = 1024;

/** Reads a job's raw records from a store. `witness`: what the replica acknowledged, when that is known. */
export class StoreLogReader implements LogReader {
  readonly #store: LogStore;
  readonly #job: string;
  readonly #witness: Acknowledged | undefined;

  constructor(store: LogStore, job: string, witness: Acknowledged | undefined) {
    this.#store = store;
    this.#job = job;
    this.#witness = witness;
  }

  async *entries(): AsyncGenerator<LogItem, void, undefined> {
    const { first, chainBefore, problem } = this.#begin();
    if (problem !== undefined) yield { kind: "problem", ...problem };
    let next = first;
    let chain = chainBefore;
    const acknowledged = this.#witness?.seq ?? 0;
    for (const found of this.#records(first)) {
      if ("problem" in found) {
        yield { kind: "problem", ...found };
        next = found.through + 1;
        chain = undefined;
        continue;
      }
      const seq = seqOfKey(found.key);
      if (seq > next) {
        const detail =
          seq === next + 1 ? `entry ${next} is missing` : `entries ${next} to ${seq - 1} are missing`;
        yield { kind: "problem", ...problemAt(next, "missing", `${this.#job}: ${detail}`, seq - 1) };
        chain = undefined;
      }
      next = seq + 1;
      const stored = decodeEntry(found.value, this.#job, seq, chain);
      chain = stored.ok ? stored.entry.chain : undefined;
      if (!stored.ok) {
        const detail = `${this.#job}: entry ${seq} is damaged (${stored.problem})`;
        yield { kind: "problem", ...problemAt(seq, stored.problem, detail) };
        continue;
      }
      if (
        seq === acknowledged &&
        !stored.entry.chain.equals(this.#witness?.chain ?? Buffer.alloc(CHAIN_BYTES))
      ) {
        const detail = `${this.#job}: entry ${seq} is not the one that was acknowledged`;
        yield { kind: "problem", ...problemAt(seq, "chain", detail) };
      }
      yield { kind: "entry", entry: stored.entry };
    }
    const end = this.#end(next - 1);
    if (end !== undefined) yield { kind: "problem", ...end };
  }

  async rows(take: (key: Uint8Array, value: Uint8Array) => void): Promise<RowsRead> {
    const view = this.#store.values(rowsRange(this.#job), READ_ANSWER_BYTES_MAX);
    const seal = new RowSeal(this.#job);
    let seq = 0;
    try {
      const head = view.next(1)[0];
      if (head === undefined) return { seq, problem: undefined };
      const record = decodeRowsRecord(rowsRecordKey(this.#job), head);
      if (record === undefined) return { seq, problem: this.#recordProblem("the record of the rows' entry") };
      seq = record.seq;
      let last: Buffer | undefined;
      for (let records = view.next(SCAN_MAX); records.length > 0; records = view.next(SCAN_MAX)) {
        for (const each of records) {
          const whole = seal.isWhole(each) && (last === undefined || isBefore(last, each));
          if (!whole) return { seq, problem: this.#recordProblem(`the row behind ${nameOf(last)}`) };
          take(keyOfRow(each), valueOfRow(each));
          last = each;
        }
      }
      return { seq, problem: undefined };
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      return { seq, problem: problemAt(seq, "store", `${this.#job}: rows: ${error.message}`) };
    } finally {
      view.close();
    }
  }

  /** Where the log must begin. */
  #begin(): { first: number; chainBefore: Buffer | undefined; problem: LogProblem | undefined } {
    const key = metaKey(this.#job);
    try {
      const value = this.#store.get(key);
      const meta = value && decodeMeta(key, value);
      if (meta !== undefined) {
        const lost = (this.#witness?.promised ?? 0) > meta.promised;
        const detail = `${this.#job}: epoch ${meta.promised} is promised, ${this.#witness?.promised ?? 0} was acknowledged`;
        return { ...meta, problem: lost ? problemAt(0, "truncated", detail) : undefined };
      }
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
    }
    return {
      first: 1,
      chainBefore: undefined,
      problem: this.#recordProblem("the record of the promised epoch"),
    };
  }

  #recordProblem(what: string): LogProblem {
    return problemAt(0, "record", `${this.#job}: ${what} is missing or damaged`);
  }

  /** The records from `first` on. Where the store cannot read, each entry is tried by itself. */
  *#records(first: number): Generator<StoreRecord | LogProblem, void, undefined> {
    for (let next = first; ;) {
      const view = this.#store.view(
        entryRange(this.#job, next, Number.MAX_SAFE_INTEGER),
        READ_ANSWER_BYTES_MAX,
      );
      try {
        for (let records = view.next(SCAN_MAX); records.length > 0; records = view.next(SCAN_MAX)) {
          for (const record of records) {
            yield record;
            next = seqOfKey(record.key) + 1;
          }
        }
        return;
      } catch (error) {
        if (!(error instanceof StoreError)) throw error;
        if (next > this.#known()) {
          yield problemAt(next, "store", `${this.#job}: from entry ${next} on: ${error.message}`);
          return;
        }
      } finally {
        view.close();
      }
      next = yield* this.#single(next);
    }
  }

  /** Passes over what cannot be read; gives the sequence from which reading may go on. */
  *#single(from: number): Generator<StoreRecord | LogProblem, number, undefined> {
    for (let seq = from; ; seq++) {
      let why = "";
      try {
        const key = entryKey(this.#job, seq);
        const value = this.#store.get(key);
        if (value !== undefined || seq > this.#known()) {
          if (seq > from) yield this.#unreadable(from, seq - 1, why);
          if (value !== undefined) yield { key, value };
          return seq + 1;
        }
      } catch (error) {
        if (!(error instanceof StoreError)) throw error;
        why = error.message;
        if (seq >= this.#known()) {
          yield this.#unreadable(from, seq, why);
          return seq + 1;
        }
      }
    }
  }

  #unreadable(from: number, through: number, why: string): LogProblem {
    return problemAt(
      from,
      "store",
      `${this.#job}: entries ${from} to ${through} cannot be read: ${why}`,
      through,
    );
  }

  /** The last entry that is known to have been there. */
  #known(): number {
    return Math.max(this.#witness?.seq ?? 0, this.#rowsSeq());
  }

  #rowsSeq(): number {
    const key = rowsRecordKey(this.#job);
    try {
      const value = this.#store.get(key);
      return (value && decodeRowsRecord(key, value)?.seq) ?? 0;
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      return 0;
    }
  }

  #end(last: number): LogProblem | undefined {
    const acknowledged = this.#witness?.seq ?? 0;
    const rows = this.#rowsSeq();
    const known = Math.max(acknowledged, rows);
    if (last >= known) return undefined;
    const why =
      acknowledged >= rows ? `entry ${acknowledged} was acknowledged` : `its rows are at entry ${rows}`;
    return problemAt(last + 1, "truncated", `${this.#job}: the log ends at entry ${last}, ${why}`, known);
  }
}

function nameOf(record: Buffer | undefined): string {
  return record === undefined ? "their own record" : keyOfRow(record).toString("hex");
}
