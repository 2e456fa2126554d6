import {
  type LogEntry,
  type LogRequest,
  type LogResponse,
  LogStatus,
} from "../../proto/generated/evercross/v1/log.ts";
import { parseJob } from "../job/name.ts";
import { GROUP_COMMIT_BYTES_MAX, REPLICA_JOBS_MAX } from "../limits.ts";
import { answerRead, readEntry } from "./entry-read.ts";
import { JobLog, loadJobLog } from "./job-log.ts";
import { appendEntry, openLog, respond, trimLog, type Handled } from "./replica.ts";
import type { RowViews } from "./row-views.ts";
import type { LogStore, StoreChange } from "./store.ts";
import type { Witness } from "./witness.ts";

/** What became of one turn's requests. */
export interface Committed {
  /** One for each request, in their order. All that they acknowledge is on stable storage. */
  readonly responses: LogResponse[];
  /** What the logs grew by, in order. */
  readonly grown: readonly { readonly log: JobLog; readonly entry: LogEntry }[];
}

type Body = NonNullable<LogRequest["body"]>;

/**
 * The logs of a replica over its store. All requests of one turn share one sync; reads see what the writes of their
 * turn left. A thrown error means that the outcome of the turn is unknown: nothing of it may be answered, and this
 * object and its store must be given up.
 */
export class GroupCommit {
  readonly #store: LogStore;
  readonly #witness: Witness;
  readonly #views: RowViews;
  readonly #logs = new Map<string, JobLog>();
  #changes: StoreChange[] = [];
  #changeBytes = 0;
  readonly #touched = new Set<JobLog>();

  constructor(store: LogStore, witness: Witness, views: RowViews) {
    this.#store = store;
    this.#witness = witness;
    this.#views = views;
  }

  /** Where a job's log stands, read when it is first spoken of. Throws `StoreError`, or `RangeError` for a bad name. */
  log(job: string): JobLog {
    let log = this.#logs.get(job);
    if (log === undefined) {
      parseJob(job);
      log = loadJobLog(this.#store, job, this.#witness.acknowledged(job));
      this.#logs.set(job, log);
    }
    return log;
  }

  /** `opened` is called for each log whose promise was synced, when its earlier writers are fenced. */
  turn(now: number, requests: readonly LogRequest[], opened: (log: JobLog) => void): Committed {
    const grown: { log: JobLog; entry: LogEntry }[] = [];
    const written = requests.map((request) => {
      const handled = this.#write(request);
      if (handled?.entry !== undefined) grown.push({ log: this.log(request.job), entry: handled.entry });
      return handled?.response;
    });
    this.#sync();
    const responses = requests.map((request, index) => {
      const response = written[index];
      if (response === undefined) return this.#read(now, request);
      if (request.body?.$case === "open" && response.status === LogStatus.OK) opened(this.log(request.job));
      return response;
    });
    return { responses, grown };
  }

  #write(request: LogRequest): Handled | undefined {
    const { body } = request;
    const refused = this.#refusal(request);
    if (refused !== undefined) return { response: refused, changes: [] };
    const log = this.log(request.job);
    const handled = this.#handle(log, body as Body);
    if (handled === undefined) return undefined;
    for (const change of handled.changes) {
      this.#changes.push(change);
      this.#changeBytes += change.key.length + (change.value?.length ?? 0);
    }
    if (handled.changes.length > 0) this.#touched.add(log);
    if (this.#changeBytes > GROUP_COMMIT_BYTES_MAX) this.#sync();
    return handled;
  }

  #handle(log: JobLog, body: Body): Handled | undefined {
    const stored = (job: string, seq: number): LogEntry | undefined => readEntry(this.#store, job, seq);
    switch (body.$case) {
      case "open":
        return openLog(log, body.value);
      case "append":
        return appendEntry(log, body.value, stored);
      case "trim":
        return trimLog(log, body.value, stored);
      case "tail":
      case "read":
      case "rows":
      case "align":
      case "commit":
      case "chain":
        return undefined;
    }
  }

  #refusal({ job, body }: LogRequest): LogResponse | undefined {
    if (body === undefined)
      return nameless(LogStatus.INVALID, `${job}: the request has no body that is known`);
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
    const { refusal } = this.log(job);
    return refusal && respond(this.log(job), refusal.status, refusal.detail);
  }

  #read(now: number, { job, body }: LogRequest): LogResponse {
    const log = this.log(job);
    if (body?.$case === "read") return answerRead(this.#store, log, body.value);
    if (body?.$case === "rows") return this.#views.answer(now, log, body.value.cursor);
    return respond(log, LogStatus.OK, "");
  }

  #sync(): void {
    if (this.#changes.length === 0) return;
    this.#store.write(this.#changes, true);
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
