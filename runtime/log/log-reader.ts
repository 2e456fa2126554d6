import type { LogEntry } from "../../proto/generated/evercross/v1/log.ts";

/** What an entry of a log, or the log as a whole, is not as it must be. */
export type LogProblemKind =
  /** No record where one must be. */
  | "missing"
  /** A record that is no entry at all. */
  | "unreadable"
  /** An entry that is not as it was sealed. */
  | "checksum"
  /** An entry that does not follow the one before it. */
  | "chain"
  /** An entry of another job or another place. */
  | "misplaced"
  /** The log ends before what was acknowledged, or before its own rows. */
  | "truncated"
  /** The record of the promised epoch, or of the rows' entry, is damaged. */
  | "record"
  /** The store cannot read its own files. */
  | "store";

/** Concerns the entries from `seq` up to and including `through`. */
export interface LogProblem {
  readonly seq: number;
  readonly through: number;
  readonly problem: LogProblemKind;
  readonly detail: string;
}

export type LogItem =
  { readonly kind: "entry"; readonly entry: LogEntry } | ({ readonly kind: "problem" } & LogProblem);

export interface RowsRead {
  /** The rows are the state after this entry; 0 when there are none. */
  readonly seq: number;
  /** What kept rows from being read, if anything did. */
  readonly problem: LogProblem | undefined;
}

/**
 * Reads all of one job's log to prove it: what is wrong is reported where it stands, and the reading goes on behind it.
 * Two implementations: `StoreLogReader` (a folder that nobody else has open) and `SourceLogReader` (a log that is in use).
 */
export interface LogReader {
  /** In order of sequence. Entries are whole and in their place; each follows the one given before it, if that was next to it. */
  entries(): AsyncIterable<LogItem>;
  /** Gives every row, in ascending order of key. */
  rows(take: (key: Uint8Array, value: Uint8Array) => void): Promise<RowsRead>;
}

export function problemAt(seq: number, problem: LogProblemKind, detail: string, through = seq): LogProblem {
  return { seq, through, problem, detail };
}
