import type { LogEntry, LogStatus, LogTail } from "../../proto/generated/evercross/v1/log.ts";
import type { JobName } from "../job/name.ts";

/** Who opens a log, for its `STARTED` entry. */
export interface StartedBy {
  readonly instance: string;
  readonly node: string;
  readonly version: string;
  /** Microseconds since the Unix epoch. */
  readonly timeUs: number;
}

/** A log cannot be opened or read: the status says why, the message says what to do. */
export class LogRefusedError extends Error {
  override readonly name = "LogRefusedError";
  constructor(
    readonly status: LogStatus,
    detail: string,
  ) {
    super(detail);
  }
}

/** Takes the rows of one consistent view. */
export interface RowTarget {
  /** The reading begins, or begins anew: forget what was given. */
  begin(): void;
  row(key: Uint8Array, value: Uint8Array): void;
}

/** Receives what a log holds, in order: all rows, then `restored`, then the payload of each `DATA` entry behind them. */
export interface RecoveryTarget extends RowTarget {
  /** Is waited for. */
  restored(seq: number): void | Promise<void>;
  entry(payload: Uint8Array): void;
}

/** Everything of a log up to here: the chain value says that it is this log. */
export interface LogPosition {
  readonly seq: number;
  readonly chain: Uint8Array;
}

/** What the single writer of a log is told; never within a call to the log. */
export interface LogEvents {
  /** Each entry from `STARTED` on, once, in order: it is on stable storage for good. */
  committed(entry: LogEntry): void;
  /** The right to write is lost, or can never be exercised. Nothing follows. */
  ended(reason: string): void;
  /** There is no majority: what is missing, by name. Undefined: there is one again. */
  stalled(detail: string | undefined): void;
}

/** A log that is open: its writer's epoch, and where it ended before that writer's `STARTED` entry. */
export interface OpenedLog {
  readonly epoch: number;
  readonly tail: LogTail;
}

/** `unknown`: nobody answered in time. */
export type WriteRight = "held" | "lost" | "unknown";

/**
 * The single writer's side of one job's log: `open`, `recover`, then `append` as long as there is room. Drivers keep the
 * log on storage jobs (`ReplicatedLogs`) or in a JetStream stream.
 */
export interface CheckpointLog {
  /**
   * Fences every earlier writer, chooses the log, and appends `STARTED` behind it. Undefined: closed meanwhile. Rejects
   * with `LogRefusedError`.
   */
  open(started: StartedBy, events: LogEvents): Promise<OpenedLog | undefined>;
  /**
   * Gives the target everything up to the tail that `open` told; what comes after `from`, when it has that already and this log
   * continues it. False: closed meanwhile. Rejects with `LogRefusedError`.
   */
  recover(target: RecoveryTarget, from?: LogPosition): Promise<boolean>;
  /** A `DATA` entry. Throws without `room`. */
  append(payload: Uint8Array): void;
  readonly room: boolean;
  /** Sequence of the last entry that was appended, and of the last one that is committed. */
  readonly appended: number;
  readonly committed: number;
  /** Asks whether the right to write still stands. An answer is from after the call. */
  verify(): Promise<WriteRight>;
  /** Nothing more is sent or told. */
  close(): void;
}

/**
 * The reading side: what is committed of one job's log. Each call asks again and again until there is an answer, or it is
 * not wanted any more: then the result is undefined. Refusals are thrown as `LogRefusedError`.
 */
export interface LogSource {
  /** Where the committed log is known to end. */
  tail(): Promise<LogTail | undefined>;
  /** Entries with `from <= seq < to`: at least one, as many as fit in one answer. */
  entries(from: number, to: number): Promise<readonly LogEntry[] | undefined>;
  /** Gives every row of one view, in ascending order of key. Resolves with the entry after which the rows are so; 0: none. */
  rows(target: RowTarget): Promise<number | undefined>;
}

/** A way to keep the logs of all jobs of a cluster. */
export interface LogDriver {
  writer(job: JobName): CheckpointLog;
  /** `wanted` is asked before each try. */
  source(job: JobName, wanted: () => boolean): LogSource;
  /** Each copy of the log by itself, by its name: to prove them one by one. */
  copies(job: JobName, wanted: () => boolean): ReadonlyMap<string, LogSource>;
}
