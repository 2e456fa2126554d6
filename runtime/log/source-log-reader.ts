import { LogStatus } from "../../proto/generated/evercross/v1/log.ts";
import { formatJob, type JobName } from "../job/name.ts";
import { LogRefusedError, type LogSource } from "./checkpoint-log.ts";
import { checkEntry } from "./entry.ts";
import {
  type LogItem,
  type LogProblem,
  type LogProblemKind,
  type LogReader,
  problemAt,
  type RowsRead,
} from "./log-reader.ts";

/** Milliseconds between looks at how far a log is committed. */
const REACHED_POLL_MS = 20;

/** The log, or one copy of it, does not answer. */
export class LogSilentError extends Error {
  override readonly name = "LogSilentError";
}

/** Of what a reader reads: the same log, asked for as long as `wanted`. */
export type SourceOf = (wanted: () => boolean) => LogSource;

/**
 * Reads what is committed of a job's log, up to where it ends at the first call. Rejects with `LogSilentError` when a question
 * is not answered in `answerMs` milliseconds.
 */
export class SourceLogReader implements LogReader {
  readonly #job: string;
  readonly #source: LogSource;
  readonly #answerMs: number;
  #askedAt = 0;

  constructor(job: JobName, source: SourceOf, answerMs: number) {
    this.#job = formatJob(job);
    this.#answerMs = answerMs;
    this.#source = source(() => performance.now() - this.#askedAt < answerMs);
  }

  /** Resolves when the log is known to be committed up to this entry. */
  async reached(seq: number): Promise<void> {
    const since = performance.now();
    while ((await this.#ask(() => this.#source.tail())).seq < seq) {
      if (performance.now() - since > this.#answerMs) throw this.#silent();
      await new Promise((resolve) => setTimeout(resolve, REACHED_POLL_MS));
    }
  }

  async *entries(): AsyncGenerator<LogItem, void, undefined> {
    const tail = await this.#asked(0, () => this.#source.tail());
    if ("problem" in tail) {
      yield { kind: "problem", ...tail };
      return;
    }
    let chain: Buffer | undefined;
    for (let next = tail.first; next <= tail.seq;) {
      const from = next;
      const page = await this.#asked(next, () => this.#source.entries(from, tail.seq + 1));
      if ("problem" in page) {
        yield { kind: "problem", ...page };
        chain = undefined;
        next += 1;
        continue;
      }
      for (const entry of page) {
        const verdict = entry.seq === next ? checkEntry(entry, chain) : "misplaced";
        if (verdict === "ok") yield { kind: "entry", entry };
        else {
          const detail = `${this.#job}: entry ${next} arrived damaged (${verdict})`;
          yield { kind: "problem", ...problemAt(next, verdict, detail) };
        }
        chain = verdict === "ok" ? entry.chain : undefined;
        next += 1;
      }
    }
    if (chain !== undefined && !chain.equals(tail.chain)) {
      const detail = `${this.#job}: entry ${tail.seq} is not the last of the log (chain)`;
      yield { kind: "problem", ...problemAt(tail.seq, "chain", detail) };
    }
  }

  async rows(take: (key: Uint8Array, value: Uint8Array) => void): Promise<RowsRead> {
    // Given only when they are whole: a reading that begins anew takes nothing back.
    let rows: { readonly key: Uint8Array; readonly value: Uint8Array }[] = [];
    const target = {
      begin: () => {
        rows = [];
      },
      row: (key: Uint8Array, value: Uint8Array) => {
        this.#askedAt = performance.now();
        rows.push({ key, value });
      },
    };
    const seq = await this.#asked(0, () => this.#source.rows(target));
    if (typeof seq !== "number") return { seq: 0, problem: seq };
    for (const { key, value } of rows) take(key, value);
    return { seq, problem: undefined };
  }

  async #ask<T>(question: () => Promise<T | undefined>): Promise<T> {
    this.#askedAt = performance.now();
    const answer = await question();
    if (answer === undefined) throw this.#silent();
    return answer;
  }

  /** A refusal is a problem at this entry. */
  async #asked<T extends object | number>(
    seq: number,
    question: () => Promise<T | undefined>,
  ): Promise<T | LogProblem> {
    try {
      return await this.#ask(question);
    } catch (error) {
      if (!(error instanceof LogRefusedError)) throw error;
      return problemAt(seq, kindOf(error.status), error.message);
    }
  }

  #silent(): LogSilentError {
    return new LogSilentError(`${this.#job}: the log did not answer for ${this.#answerMs} ms`);
  }
}

/** The replica's own words say more; this is what they are counted as. */
function kindOf(status: LogStatus): LogProblemKind {
  if (status === LogStatus.TRUNCATED) return "truncated";
  return status === LogStatus.DAMAGED ? "record" : "store";
}
