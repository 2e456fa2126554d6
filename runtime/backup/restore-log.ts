import { setTimeout as wait } from "node:timers/promises";
import {
  EntryKind,
  type LogEntry,
  type LogRequest,
  type LogResponse,
  LogStatus,
  type Member,
  Started,
} from "../../proto/generated/evercross/v1/log.ts";
import { codeName } from "../code-name.ts";
import { formatJob, type JobName } from "../job/name.ts";
import {
  LOG_READING_SILENCE_MS,
  REPLICA_RETRY_MS,
  REPLICA_TIMEOUT_MS,
  RESTORE_APPENDS_MAX,
  RESTORE_EPOCH_STEP,
} from "../limits.ts";
import type { StartedBy } from "../log/checkpoint-log.ts";
import { sealEntry } from "../log/entry.ts";
import type { ReadableLog } from "../log/readable-log.ts";
import type { ReplicaPort } from "../log/replica-port.ts";
import { BusRequestError } from "../messaging/bus.ts";
import { BackupCode, BackupError } from "./backup-error.ts";

/** A log that is to go on with other members. */
export interface RefoundTask {
  readonly job: JobName;
  /** The log's set, all of it in one hand. */
  readonly replicas: readonly JobName[];
  readonly port: ReplicaPort;
  /** Stands in the entry by which the log goes on. */
  readonly started: StartedBy;
  /** An epoch that was promised to somebody, as far as that is known. */
  readonly promised?: number;
}

export interface RestoreTask extends RefoundTask {
  /** What is to be written, from its first entry on. */
  readonly log: ReadableLog;
  /** Told of every entry that is on all replicas. */
  readonly progress?: () => void;
}

export interface Restored {
  /** Of the backup. */
  readonly entries: number;
  readonly epoch: number;
  /** Last entry, which is the one that makes the replicas the log's members. */
  readonly seq: number;
}

type Body = NonNullable<LogRequest["body"]>;

/**
 * Writes a log into empty replicas as its writers wrote it, entry by entry and epoch by epoch, so that each is proved on
 * its way by the replica itself. Behind it goes a `STARTED` entry that makes these replicas, in their present incarnations,
 * the only members, in an epoch above every one that a writer of the lost market can have had: a replica from before that
 * comes back is a learner, and its log gives way. Throws `BackupError` or `LogRefusedError`.
 */
export async function restoreLog(task: RestoreTask): Promise<Restored> {
  const writers = task.replicas.map((replica) => new ReplicaRestore(task, replica));
  for (const writer of writers) await writer.checkEmpty();
  const { first, last } = await task.log.bounds();
  if (first !== 1) {
    const detail = `${formatJob(task.job)}: the log begins at entry ${first}: what is before it was trimmed`;
    throw new BackupError(BackupCode.BACKUP_GAP, `${detail}, and cannot be restored entry by entry`);
  }
  let tail: LogEntry | undefined;
  let window: LogEntry[] = [];
  const write = async (): Promise<void> => {
    const entries = window;
    window = [];
    await Promise.all(writers.map((writer) => writer.append(entries)));
    for (const _ of entries) task.progress?.();
  };
  for await (const entry of task.log.entries(first, last + 1)) {
    tail = entry;
    window.push(entry);
    if (window.length === RESTORE_APPENDS_MAX) await write();
  }
  await write();
  if (tail === undefined) throw new Error(`${formatJob(task.job)}: a backup without entries`);
  return begin(task, writers, tail);
}

async function begin(
  task: RestoreTask,
  writers: readonly ReplicaRestore[],
  tail: LogEntry,
): Promise<Restored> {
  const { epoch, seq } = await refound(task, writers, tail);
  await Promise.all(writers.map((writer) => writer.untilRows()));
  return { entries: tail.seq, epoch, seq };
}

/** Where a log ends. */
export type LogEnd = Pick<LogEntry, "epoch" | "seq" | "chain">;

/**
 * Appends to a log that all of `replicas` have, up to `tail`, a `STARTED` entry that makes them, in their present incarnations,
 * the only members. Its epoch is above that of the tail, and of every writer that anybody else knew. Throws `BackupError`.
 */
export function refoundLog(task: RefoundTask, tail: LogEnd): Promise<LogEnd> {
  const writers = task.replicas.map((replica) => new ReplicaRestore(task, replica));
  return refound(task, writers, tail);
}

/** The writer's rules 2.1 to 2.4, with all replicas in one hand. */
async function refound(task: RefoundTask, writers: readonly ReplicaRestore[], tail: LogEnd): Promise<LogEnd> {
  const { instance, node, version, timeUs } = task.started;
  const known = Math.max(tail.epoch, task.promised ?? 0);
  const epoch = Math.max(known, Math.floor(timeUs / 1_000_000)) + RESTORE_EPOCH_STEP;
  const members = await Promise.all(writers.map((writer) => writer.open(epoch)));
  const payload = Started.encode({ instance, node, version, timeUs, members }).finish();
  const fields = {
    job: formatJob(task.job),
    epoch,
    seq: tail.seq + 1,
    prevEpoch: tail.epoch,
    kind: EntryKind.STARTED,
    payload,
  };
  const entry = sealEntry(fields, tail.chain);
  await Promise.all(writers.map((writer) => writer.append([entry])));
  await Promise.all(writers.map((writer) => writer.commit(epoch, entry.seq)));
  return entry;
}

class ReplicaRestore {
  readonly #task: RefoundTask;
  readonly #replica: JobName;
  #promised = 0;

  constructor(task: RefoundTask, replica: JobName) {
    this.#task = task;
    this.#replica = replica;
  }

  async checkEmpty(): Promise<void> {
    const { tail } = await this.#call({ $case: "tail", value: {} });
    if (tail === undefined || tail.seq > 0 || tail.promised > 0) {
      const detail = `${formatJob(this.#replica)} has a log of ${formatJob(this.#task.job)}`;
      throw new BackupError(BackupCode.RESTORE_NOT_EMPTY, `${detail}, up to entry ${tail?.seq ?? 0}`);
    }
  }

  /** What the replica is as a member. */
  async open(epoch: number): Promise<Member> {
    const { tail } = await this.#call({ $case: "open", value: { epoch } });
    this.#promised = epoch;
    return { name: formatJob(this.#replica), incarnation: tail?.incarnation ?? "" };
  }

  /** All of the window together, but for where the writer changed. */
  async append(entries: readonly LogEntry[]): Promise<void> {
    let together: Promise<unknown>[] = [];
    for (const value of entries) {
      if (value.epoch !== this.#promised) {
        await Promise.all(together);
        together = [];
        await this.open(value.epoch);
      }
      // Nothing of a backup is uncommitted.
      together.push(this.#call({ $case: "append", value }, value.seq - 1));
    }
    await Promise.all(together);
  }

  async commit(epoch: number, seq: number): Promise<void> {
    await this.#call({ $case: "commit", value: { epoch, seq } });
  }

  /** Waits until the rows have followed the log, that the market comes up as fast as before. Where none are made, gives up. */
  async untilRows(): Promise<void> {
    const deadline = performance.now() + LOG_READING_SILENCE_MS;
    for (let before = -1; performance.now() < deadline;) {
      const { rows, tail } = await this.#call({ $case: "rows", value: { cursor: 0 } });
      const seq = rows?.seq ?? 0;
      if (tail === undefined || seq >= tail.seq - 1 || seq === before) return;
      before = seq;
      await wait(ROWS_LOOK_MS);
    }
  }

  /** Asks again until there is an answer. */
  async #call(body: Body, committed = 0): Promise<LogResponse> {
    const { job, port } = this.#task;
    const name = formatJob(job);
    const deadline = performance.now() + LOG_READING_SILENCE_MS;
    for (let why = "no answer"; ;) {
      if (performance.now() > deadline) {
        const detail = `${name}: ${formatJob(this.#replica)} does not take it: ${why}`;
        throw new BackupError(BackupCode.BACKUP_REFUSED, detail);
      }
      try {
        const response = await port.call(this.#replica, { job: name, body, committed }, REPLICA_TIMEOUT_MS);
        if (response.status === LogStatus.OK) return response;
        why = `${codeName(LogStatus, response.status)}: ${response.detail}`;
        // The window's first entry may come last, and a replica that has just begun waits for its peers.
        if (!AGAIN.has(response.status)) {
          throw new BackupError(BackupCode.BACKUP_REFUSED, `${name}: ${formatJob(this.#replica)}: ${why}`);
        }
      } catch (error) {
        if (!(error instanceof BusRequestError)) throw error;
      }
      await wait(REPLICA_RETRY_MS);
    }
  }
}

const AGAIN: ReadonlySet<LogStatus> = new Set([LogStatus.FULL, LogStatus.GAP, LogStatus.BEHIND]);

/** Rows are stored a while after their entries, `ROWS_INTERVAL_MS`. */
const ROWS_LOOK_MS = 250;
