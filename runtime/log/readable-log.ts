import { type LogEntry, LogStatus } from "../../proto/generated/evercross/v1/log.ts";
import { LogRefusedError, type LogSource, type RowTarget } from "./checkpoint-log.ts";
import type { LogReader } from "./log-reader.ts";
import { provedEntries } from "./proved-entries.ts";

/**
 * One job's committed log, to be read from front to back, wherever it is kept. Throws `LogRefusedError` on what cannot be
 * proved or is not answered.
 */
export interface ReadableLog {
  /** First and last entry that there is; 0 and 0: none. */
  bounds(): Promise<{ readonly first: number; readonly last: number }>;
  /** Entries with `from <= seq < to`, in order, each proved. */
  entries(from: number, to: number): AsyncIterable<LogEntry>;
  /** Resolves with the entry after which the rows are so; 0: there are none. */
  rows(target: RowTarget): Promise<number>;
}

/** Of a market's storage. */
export class SourceLog implements ReadableLog {
  readonly #job: string;
  readonly #source: LogSource;

  /** `job`: `service/key`. */
  constructor(job: string, source: LogSource) {
    this.#job = job;
    this.#source = source;
  }

  async bounds(): Promise<{ first: number; last: number }> {
    const { first, seq } = this.#answered(await this.#source.tail());
    return { first: seq === 0 ? 0 : first, last: seq };
  }

  async *entries(from: number, to: number): AsyncGenerator<LogEntry, void, undefined> {
    let next = from;
    for await (const entry of provedEntries(this.#source, this.#job, from, to)) {
      yield entry;
      next = entry.seq + 1;
    }
    if (next < to) this.#answered(undefined);
  }

  async rows(target: RowTarget): Promise<number> {
    return this.#answered(await this.#source.rows(target));
  }

  #answered<T>(value: T | undefined): T {
    if (value !== undefined) return value;
    throw new LogRefusedError(LogStatus.UNSPECIFIED, `${this.#job}: storage does not answer`);
  }
}

/** Of a copy that is read from its beginning each time, such as a backup. */
export class CopiedLog implements ReadableLog {
  readonly #reader: LogReader;

  constructor(reader: LogReader) {
    this.#reader = reader;
  }

  async bounds(): Promise<{ first: number; last: number }> {
    let first = 0;
    let last = 0;
    for await (const { seq } of this.entries(0, Infinity)) {
      if (first === 0) first = seq;
      last = seq;
    }
    return { first, last };
  }

  async *entries(from: number, to: number): AsyncGenerator<LogEntry, void, undefined> {
    for await (const item of this.#reader.entries()) {
      if (item.kind === "problem") throw new LogRefusedError(LogStatus.DAMAGED, item.detail);
      if (item.entry.seq >= to) return;
      if (item.entry.seq >= from) yield item.entry;
    }
  }

  async rows(target: RowTarget): Promise<number> {
    target.begin();
    const { seq, problem } = await this.#reader.rows((key, value) => target.row(key, value));
    if (problem !== undefined) throw new LogRefusedError(LogStatus.DAMAGED, problem.detail);
    return seq;
  }
}
