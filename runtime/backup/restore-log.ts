import { setTimeout as wait } from "node:timers/promises";
import {
  type AlignRequest,
  EntryKind,
  type LogEntry,
  type LogRequest,
  type LogResponse,
  LogStatus,
  type Member,
  Started,
} from "../../proto/generated/evercross/v1/log.ts";
import { codeName } from "../code-name.ts";
import { formatJob, jobName, type JobName } from "../job/name.ts";
import {
  LOG_READING_SILENCE_MS,
  REPLICA_RETRY_MS,
  REPLICA_TIMEOUT_MS,
  RESTORE_EPOCH_STEP,
} from "../limits.ts";
import type { StartedBy } from "../log/checkpoint-log.ts";
import { sealEntry } from "../log/entry.ts";
import type { ReplicaPort } from "../log/replica-port.ts";
import { type Bus, BusRequestError } from "../messaging/bus.ts";
import { jobSubject } from "../messaging/subject.ts";
import { BackupCode, BackupError } from "./backup-error.ts";
import type { BackupLog } from "./backup-log.ts";
import { type BackupSurvey, CopiedReplica, surveyBackup } from "./copied-replica.ts";

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
  readonly backup: BackupLog;
  /** By which the replicas can be reached, and reach who they are to copy from. */
  readonly bus: Bus;
  readonly cluster: string;
  /** Told of every entry that is read. */
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
 * Lets empty replicas copy a backed up log as they would from another replica, so that each of them proves every entry. Behind
 * it goes a `STARTED` entry that makes these replicas, in their present incarnations, the only members, in an epoch above every
 * one that a writer of the lost market can have had: a replica from before that comes back is a learner, and its log gives way.
 * Throws `BackupError`.
 */
export async function restoreLog(task: RestoreTask): Promise<Restored> {
  const writers = task.replicas.map((replica) => new ReplicaRestore(task, replica));
  for (const writer of writers) await writer.checkEmpty();
  const survey = await surveyBackup(task.job, task.backup);
  const { log: tail } = survey;
  const copy = async (epoch: number): Promise<void> => {
    tail.promised = epoch;
    await Promise.all(
      writers.map((writer, index) => copyTo(task, survey, writer, index === 0 ? task.progress : undefined)),
    );
  };
  const { epoch, seq } = await refound(task, writers, tail, copy);
  await Promise.all(writers.map((writer) => writer.untilRows()));
  return { entries: tail.seq - tail.first + 1, epoch, seq };
}

async function copyTo(
  { bus, cluster, backup }: RestoreTask,
  survey: BackupSurvey,
  writer: ReplicaRestore,
  progress: (() => void) | undefined,
): Promise<void> {
  const source = jobName("backup", writer.replica.key);
  let given = 0;
  const replica = new CopiedReplica(bus, jobSubject(cluster, source, "in"), backup, survey, () => {
    given += 1;
    progress?.();
  });
  try {
    const { promised: epoch, seq, chain } = survey.log;
    await writer.align({ epoch, seq, chain, source: formatJob(source) }, () => given);
  } finally {
    await replica.close();
  }
}

/** Where a log ends. */
export type LogEnd = Pick<LogEntry, "epoch" | "seq" | "chain">;

/**
 * Appends to a log that all of `replicas` have, up to `tail`, a `STARTED` entry that makes them, in their present incarnations,
 * the only members. Its epoch is above that of the tail, and of every writer that anybody else knew. Throws `BackupError`.
 */
export function refoundLog(task: RefoundTask, tail: LogEnd): Promise<LogEnd> {
  const writers = task.replicas.map((replica) => new ReplicaRestore(task, replica));
  return refound(task, writers, tail, async () => undefined);
}

/** The writer's rules 2.1 to 2.4, with all replicas in one hand. `prepare`: that all of them have the log. */
async function refound(
  task: RefoundTask,
  writers: readonly ReplicaRestore[],
  tail: LogEnd,
  prepare: (epoch: number) => Promise<void>,
): Promise<LogEnd> {
  const { instance, node, version, timeUs } = task.started;
  const known = Math.max(tail.epoch, task.promised ?? 0);
  const epoch = Math.max(known, Math.floor(timeUs / 1_000_000)) + RESTORE_EPOCH_STEP;
  const members = await Promise.all(writers.map((writer) => writer.open(epoch)));
  await prepare(epoch);
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
  await Promise.all(writers.map((writer) => writer.append(entry)));
  await Promise.all(writers.map((writer) => writer.commit(epoch, entry.seq)));
  return entry;
}

class ReplicaRestore {
  readonly replica: JobName;
  readonly #task: RefoundTask;

  constructor(task: RefoundTask, replica: JobName) {
    this.replica = replica;
    this.#task = task;
  }

  async checkEmpty(): Promise<void> {
    const { tail } = await this.#call({ $case: "tail", value: {} });
    if (tail === undefined || tail.seq > 0 || tail.promised > 0) {
      const detail = `${formatJob(this.replica)} has a log of ${formatJob(this.#task.job)}`;
      throw new BackupError(BackupCode.RESTORE_NOT_EMPTY, `${detail}, up to entry ${tail?.seq ?? 0}`);
    }
  }

  /** What the replica is as a member. */
  async open(epoch: number): Promise<Member> {
    const { tail } = await this.#call({ $case: "open", value: { epoch } });
    return { name: formatJob(this.replica), incarnation: tail?.incarnation ?? "" };
  }

  /** Resolves when the replica's log is what it is to be. `given`: how much it has been given so far. */
  async align(value: AlignRequest, given: () => number): Promise<void> {
    await this.#call({ $case: "align", value }, 0, given);
  }

  async append(entry: LogEntry): Promise<void> {
    // Nothing of what is before it is uncommitted.
    await this.#call({ $case: "append", value: entry }, entry.seq - 1);
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

  /** Asks again until there is an answer, for as long as `moved` gives another number from time to time. */
  async #call(body: Body, committed = 0, moved: () => number = () => 0): Promise<LogResponse> {
    const { job, port } = this.#task;
    const name = formatJob(job);
    let deadline = performance.now() + LOG_READING_SILENCE_MS;
    let before = moved();
    for (let why = "no answer"; ;) {
      if (moved() !== before) deadline = performance.now() + LOG_READING_SILENCE_MS;
      before = moved();
      if (performance.now() > deadline) {
        const detail = `${name}: ${formatJob(this.replica)} does not take it: ${why}`;
        throw new BackupError(BackupCode.BACKUP_REFUSED, detail);
      }
      try {
        const response = await port.call(this.replica, { job: name, body, committed }, REPLICA_TIMEOUT_MS);
        if (response.status === LogStatus.OK) return response;
        why = `${codeName(LogStatus, response.status)}: ${response.detail}`;
        if (!AGAIN.has(response.status)) {
          throw new BackupError(BackupCode.BACKUP_REFUSED, `${name}: ${formatJob(this.replica)}: ${why}`);
        }
      } catch (error) {
        if (!(error instanceof BusRequestError)) throw error;
      }
      await wait(REPLICA_RETRY_MS);
    }
  }
}

/** Who has just begun waits for its peers, and who is aligned copies first. */
const AGAIN: ReadonlySet<LogStatus> = new Set([LogStatus.FULL, LogStatus.BEHIND]);

/** Rows are stored a while after their entries, `ROWS_INTERVAL_MS`. */
const ROWS_LOOK_MS = 250;
