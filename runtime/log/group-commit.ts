import {
  type AlignRequest,
  type LogEntry,
  type LogRequest,
  type LogResponse,
  LogStatus,
} from "../../proto/generated/evercross/v1/log.ts";
import { parseJob } from "../job/name.ts";
import { GROUP_COMMIT_BYTES_MAX, REPLICA_JOBS_MAX } from "../limits.ts";
import { answerChain, answerRead, readEntry } from "./entry-read.ts";
import { JobLog, loadJobLog } from "./job-log.ts";
import {
  alignLog,
  appendEntry,
  blankLog,
  commitLog,
  openLog,
  respond,
  trimLog,
  type Handled,
} from "./replica.ts";
import type { RowViews } from "./row-views.ts";
import type { Damage } from "./scrub.ts";
import type { LogStore, StoreChange } from "./store.ts";
import type { Witness } from "./witness.ts";

/** What became of one turn's requests. */
export interface Committed {
  /** One for each request, in their order. All that they acknowledge is on stable storage. */
  readonly responses: LogResponse[];
  /** What the logs grew by, in order. */
  readonly grown: readonly { readonly log: JobLog; readonly entry: LogEntry }[];
  /** Logs of which more is known to be committed. */
  readonly known: ReadonlySet<JobLog>;
  /** Logs that are to be copied from another replica. */
  readonly behind: readonly { readonly log: JobLog; readonly align: AlignRequest }[];
}

type Body = NonNullable<LogRequest["body"]>;

/** What is around the logs. */
export interface Surroundings {
  /** Of the folder. */
  readonly incarnation: string;
  /** A log lost what it acknowledged. Gives the incarnation under which it begins anew; undefined where there is no other copy. */
  lost(log: JobLog): string | undefined;
  /** Begins to make the log's rows anew; false when it cannot. */
  remakeRows(log: JobLog): boolean;
  /** Why nothing is served yet; undefined when it is. */
  waits(): string | undefined;
  /** Why no entry is taken for now; undefined when there is room. */
  shortage(): string | undefined;
  /** So many bytes were written. */
  wrote(bytes: number): void;
  /** A reader was refused what cannot be proved. */
  damaged(damage: Damage): void;
}

const NOTHING_AROUND: Surroundings = {
  incarnation: "",
  lost: () => undefined,
  remakeRows: () => false,
  waits: () => undefined,
  shortage: () => undefined,
  wrote: () => {},
  damaged: () => {},
};

/**
 * The logs of a replica over its store. All requests of one turn share one sync; reads see what the writes of their
 * turn left. A thrown error means that the outcome of the turn is unknown: nothing of it may be answered, and this
 * object and its store must be given up.
 */
export class GroupCommit {
  readonly #store: LogStore;
  readonly #witness: Witness;
  readonly #views: RowViews;
  readonly #around: Surroundings;
  readonly #logs = new Map<string, JobLog>();
  #changes: StoreChange[] = [];
  #changeBytes = 0;
  readonly #touched = new Set<JobLog>();

  constructor(store: LogStore, witness: Witness, views: RowViews, around: Surroundings = NOTHING_AROUND) {
    this.#store = store;
    this.#witness = witness;
    this.#views = views;
    this.#around = around;
  }

  /** Where a job's log stands, read when it is first spoken of. Throws `StoreError`, or `RangeError` for a bad name. */
  log(job: string): JobLog {
    let log = this.#logs.get(job);
    if (log === undefined) {
      parseJob(job);
      log = loadJobLog(this.#store, job, this.#witness.acknowledged(job), this.#around.incarnation);
      if (log.rowsDamage !== undefined && !this.#around.remakeRows(log))
        log.refusal ??= {
          status: LogStatus.DAMAGED,
          detail: `${log.rowsDamage}; the log does not reach back to make them`,
        };
      const anew = log.refusal && this.#around.lost(log);
      if (anew !== undefined) this.beginAnew(log, anew);
      this.#logs.set(job, log);
    }
    return log;
  }

  /** Writes what was changed in a log beside the requests, synced. `lowered`: it ends before what was acknowledged. */
  apply(log: JobLog, changes: readonly StoreChange[], lowered = false): void {
    // First, so that the log is never found to end too early.
    if (lowered) this.#witness.lower(log.acknowledged());
    this.#add(log, changes);
    this.#sync();
  }

  /** What is here of the log counts no more: it is to be copied from the others, as another incarnation. */
  beginAnew(log: JobLog, incarnation: string): void {
    this.apply(log, blankLog(log, incarnation).changes);
  }

  /** `opened` is called for each log whose promise was synced, when its earlier writers are fenced. */
  turn(now: number, requests: readonly LogRequest[], opened: (log: JobLog) => void): Committed {
    const grown: { log: JobLog; entry: LogEntry }[] = [];
    const known = new Set<JobLog>();
    const behind: { log: JobLog; align: AlignRequest }[] = [];
    const written = requests.map((request) => {
      const handled = this.#write(request, known);
      if (handled === undefined) return undefined;
      const { response, entry } = handled;
      if (entry !== undefined) grown.push({ log: this.log(request.job), entry });
      if (request.body?.$case === "align" && response.status === LogStatus.BEHIND)
        behind.push({ log: this.log(request.job), align: request.body.value });
      return response;
    });
    this.#sync();
    const responses = requests.map((request, index) => {
      const response = written[index];
      if (response === undefined) return this.#read(now, request);
      if (request.body?.$case === "open" && response.status === LogStatus.OK) opened(this.log(request.job));
      return response;
    });
    return { responses, grown, known, behind };
  }

  #write(request: LogRequest, known: Set<JobLog>): Handled | undefined {
    const { body } = request;
    const refused = this.#refusal(request);
    if (refused !== undefined) return { response: refused, changes: [] };
    const log = this.log(request.job);
    const before = log.committed;
    const handled = this.#handle(log, body as Body, request.committed);
    if (handled === undefined) return undefined;
    if (log.committed > before) known.add(log);
    this.#add(log, handled.changes);
    if (this.#changeBytes > GROUP_COMMIT_BYTES_MAX) this.#sync();
    return handled;
  }

  #add(log: JobLog, changes: readonly StoreChange[]): void {
    for (const change of changes) {
      this.#changes.push(change);
      this.#changeBytes += change.key.length + (change.value?.length ?? 0);
    }
    if (changes.length > 0) this.#touched.add(log);
  }

  #handle(log: JobLog, body: Body, committed: number): Handled | undefined {
    const stored = (job: string, seq: number): LogEntry | undefined => readEntry(this.#store, job, seq);
    switch (body.$case) {
      case "open":
        return openLog(log, body.value);
      case "append":
        return appendEntry(log, body.value, stored, committed);
      case "trim":
        return trimLog(log, body.value, stored);
      case "align":
        return alignLog(log, body.value);
      case "commit":
        return commitLog(log, body.value);
      case "tail":
      case "read":
      case "rows":
      case "chain":
      case "witness":
        return undefined;
    }
  }

  #refusal({ job, body }: LogRequest): LogResponse | undefined {
    if (body === undefined)
      return nameless(LogStatus.INVALID, `${job}: the request has no body that is known`);
    const waits = this.#around.waits();
    if (waits !== undefined) return nameless(LogStatus.FULL, waits);
    if (!this.#logs.has(job)) {
      if (this.#logs.size >= REPLICA_JOBS_MAX) {
        return nameless(LogStatus.FULL, `${job}: this replica keeps ${REPLICA_JOBS_MAX} logs already`);
      }
      try {
        parseJob(job);
      } catch (error) {
        return nameless(LogStatus.INVALID, (error as Error).message);
      }
    }
    const log = this.log(job);
    if (log.refusal !== undefined) return respond(log, log.refusal.status, log.refusal.detail);
    const shortage = body.$case === "append" ? this.#around.shortage() : undefined;
    return shortage === undefined ? undefined : respond(log, LogStatus.FULL, `${job}: ${shortage}`);
  }

  #read(now: number, { job, body }: LogRequest): LogResponse {
    const log = this.log(job);
    switch (body?.$case) {
      case "read":
        return this.#proved(log, "entry", body.value.from, answerRead(this.#store, log, body.value));
      case "rows":
        return this.#proved(log, "rows", 0, this.#views.answer(now, log, body.value.cursor));
      case "chain":
        return answerChain(this.#store, log, body.value);
      default:
        return respond(log, LogStatus.OK, "");
    }
  }

  #proved(log: JobLog, kind: Damage["kind"], from: number, response: LogResponse): LogResponse {
    const { status, detail } = response;
    if (status === LogStatus.DAMAGED) this.#around.damaged({ log, kind, from, through: from, detail });
    return response;
  }

  #sync(): void {
    if (this.#changes.length === 0) return;
    this.#store.write(this.#changes, true);
    this.#around.wrote(this.#changeBytes);
    this.#witness.note(Array.from(this.#touched, (log) => log.acknowledged()));
    this.#changes = [];
    this.#changeBytes = 0;
    this.#touched.clear();
  }
}

/** An answer about a job that has no log here. */
function nameless(status: LogStatus, detail: string): LogResponse {
  return respond(new JobLog(""), status, detail);
}
