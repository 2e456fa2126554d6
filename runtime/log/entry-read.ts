import {
  type LogEntry,
  type LogResponse,
  LogStatus,
  type ReadRequest,
} from "../../proto/generated/evercross/v1/log.ts";
import { READ_ANSWER_BYTES_MAX } from "../limits.ts";
import type { JobLog } from "./job-log.ts";
import { respond } from "./replica.ts";
import { entryKey, entryRange, seqOfKey } from "./store-key.ts";
import { decodeEntry } from "./store-record.ts";
import { StoreError, type LogStore } from "./store.ts";

/** An entry that the log must have cannot be given. */
export interface EntryProblem {
  readonly seq: number;
  readonly problem: "missing" | "unreadable" | "checksum" | "chain" | "misplaced" | "store";
  readonly detail: string;
}

export interface ProvedEntries {
  /** In order from `from`; each was checked by itself, against the one before, and the last of the log against its tail. */
  readonly entries: LogEntry[];
  /** Why there are not more; undefined when only the bounds ended them. */
  readonly problem: EntryProblem | undefined;
}

/** Entries with `from <= seq < to`, about `bytes` of them and at least one. The range must lie within the log. */
export function readEntries(
  store: LogStore,
  log: JobLog,
  from: number,
  to: number,
  bytes: number,
): ProvedEntries {
  const entries: LogEntry[] = [];
  const problem = (seq: number, kind: EntryProblem["problem"], detail: string): ProvedEntries => ({
    entries,
    problem: { seq, problem: kind, detail: `${log.job}: entry ${seq} is ${detail}` },
  });
  let chain = from === log.first ? log.chainBefore : undefined;
  let next = from;
  try {
    for (const { key, value } of store.scan(entryRange(log.job, from, to), { max: to - from, bytes })) {
      if (seqOfKey(key) !== next) return problem(next, "missing", "missing");
      const stored = decodeEntry(value, log.job, next, chain);
      if (!stored.ok) return problem(next, stored.problem, `damaged (${stored.problem})`);
      if (next === log.seq && !stored.entry.chain.equals(log.chain)) {
        return problem(next, "chain", "not the last of the log (chain)");
      }
      entries.push(stored.entry);
      chain = stored.entry.chain;
      next += 1;
    }
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    return problem(next, "store", `unreadable: ${error.message}`);
  }
  return entries.length === 0 ? problem(next, "missing", "missing") : { entries, problem: undefined };
}

/** One whole entry by itself; undefined when it is missing or damaged. */
export function readEntry(store: LogStore, job: string, seq: number): LogEntry | undefined {
  try {
    const value = store.get(entryKey(job, seq));
    const stored = value && decodeEntry(value, job, seq, undefined);
    return stored?.ok === true ? stored.entry : undefined;
  } catch (error) {
    if (error instanceof StoreError && error.failure === "damaged") return undefined;
    throw error;
  }
}

/**
 * Answers a `ReadRequest`. What lies behind the end of the log is left out; a range wholly behind it is an empty
 * answer. `TRIMMED` before its first entry. `DAMAGED` when not even the first entry asked for can be proved: what can be
 * is answered first.
 */
export function answerRead(store: LogStore, log: JobLog, { from, to }: ReadRequest): LogResponse {
  if (from < 1 || to <= from) {
    return respond(log, LogStatus.INVALID, `${log.job}: entries from ${from} to ${to} are no range`);
  }
  if (from < log.first) {
    return respond(log, LogStatus.TRIMMED, `${log.job}: the log begins at entry ${log.first}`);
  }
  if (from > log.seq) return respond(log, LogStatus.OK, "");
  const { entries, problem } = readEntries(
    store,
    log,
    from,
    Math.min(to, log.seq + 1),
    READ_ANSWER_BYTES_MAX,
  );
  if (entries.length === 0 && problem !== undefined) return respond(log, LogStatus.DAMAGED, problem.detail);
  return { ...respond(log, LogStatus.OK, ""), entries };
}
