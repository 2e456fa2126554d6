import {
  type ChainRequest,
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
  let chain: Buffer | undefined = log.chainBefore;
  let next = from;
  try {
    // The checksum of an entry does not cover its chain value: that is proved from the entry before.
    if (from > log.first) chain = readEntry(store, log.job, from - 1)?.chain;
    for (const { key, value } of store.scan(entryRange(log.job, from, to), { max: to - from, bytes })) {
      if (seqOfKey(key) !== next) return problem(next, "missing", "missing");
      const stored = decodeEntry(value, log.job, next, chain);
      if (!stored.ok) {
        // Of two that do not fit either may be the wrong one: neither is proved.
        if (stored.problem === "chain" && entries.pop() !== undefined) next -= 1;
        return problem(next, stored.problem, `damaged (${stored.problem})`);
      }
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
 * Answers a `ReadRequest`, LOG.md 4.1. What is not known to be committed is left out, but for who names the promised epoch; `GAP` when that
 * is all. `TRIMMED` before the first entry. `DAMAGED` when not even the first entry asked for can be proved: what can be is answered first.
 */
export function answerRead(store: LogStore, log: JobLog, { from, to, epoch }: ReadRequest): LogResponse {
  if (from < 1 || to <= from) {
    return respond(log, LogStatus.INVALID, `${log.job}: entries from ${from} to ${to} are no range`);
  }
  if (from < log.first) {
    return respond(log, LogStatus.TRIMMED, `${log.job}: the log begins at entry ${log.first}`);
  }
  if (epoch !== 0 && epoch !== log.promised) {
    const detail = `${log.job}: epoch ${epoch} is not the promised one, ${log.promised}`;
    return respond(log, LogStatus.FENCED, detail);
  }
  if (log.blank) return respond(log, LogStatus.BEHIND, `${log.job}: the log is blank, and is copied`);
  const end = epoch === 0 ? log.committed : log.seq;
  if (from > end) {
    const known = end < log.seq ? `is known to be committed up to entry ${end}` : `ends at entry ${end}`;
    return respond(log, LogStatus.GAP, `${log.job}: the log ${known}, before ${from}`);
  }
  const { entries, problem } = readEntries(store, log, from, Math.min(to, end + 1), READ_ANSWER_BYTES_MAX);
  if (entries.length === 0 && problem !== undefined) return respond(log, LogStatus.DAMAGED, problem.detail);
  return { ...respond(log, LogStatus.OK, ""), entries };
}

/** Answers a `ChainRequest`: the chain value of an entry, or none when the entry is not here or cannot be proved. */
export function answerChain(store: LogStore, log: JobLog, { seq }: ChainRequest): LogResponse {
  return { ...respond(log, LogStatus.OK, ""), chain: chainAt(store, log, seq) ?? Buffer.alloc(0) };
}

/** Chain value of an entry, or of the one before the first that is kept; undefined when it is not known here. */
export function chainAt(store: LogStore, log: JobLog, seq: number): Buffer | undefined {
  if (log.blank || seq > log.seq || seq < log.first - 1) return undefined;
  if (seq === log.first - 1) return log.chainBefore;
  return seq === log.seq ? log.chain : readEntry(store, log.job, seq)?.chain;
}
