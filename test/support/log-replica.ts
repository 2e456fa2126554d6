import { type LogRequest, type LogResponse, LogStatus } from "../../proto/generated/evercross/v1/log.ts";
import { answerChain, answerRead, readEntry } from "../../runtime/log/entry-read.ts";
import { type JobLog, loadJobLog } from "../../runtime/log/job-log.ts";
import { MemoryStore } from "../../runtime/log/memory-store.ts";
import {
  alignLog,
  appendEntry,
  commitLog,
  type Handled,
  openLog,
  respond,
  trimLog,
} from "../../runtime/log/replica.ts";
import { RowViews } from "../../runtime/log/row-views.ts";

/** A replica of one job's log by the real rules, on a disk in memory: what it answers is synced. */
export class LogReplica {
  store = new MemoryStore();
  log: JobLog;
  readonly #views: RowViews;

  constructor(
    readonly job: string,
    readonly name: string,
    readonly incarnation: string,
  ) {
    this.log = loadJobLog(this.store, job, undefined, incarnation);
    this.#views = new RowViews(this.store, 0);
  }

  ask(body: NonNullable<LogRequest["body"]>, committed = 0): LogResponse {
    const { response, changes } = this.#handle(body, committed);
    if (changes.length > 0) this.store.write(changes, true);
    return response;
  }

  /** Begins again from what is on the disk. */
  restart(): void {
    this.store.crash(0);
    this.log = loadJobLog(this.store, this.job, undefined, this.incarnation);
  }

  #handle(body: NonNullable<LogRequest["body"]>, committed: number): Handled {
    const { log, store } = this;
    const stored = (job: string, seq: number): ReturnType<typeof readEntry> => readEntry(store, job, seq);
    const answered = (response: LogResponse): Handled => ({ response, changes: [] });
    if (log.refusal !== undefined) return answered(respond(log, log.refusal.status, log.refusal.detail));
    switch (body.$case) {
      case "open":
        return openLog(log, body.value);
      case "append":
        return appendEntry(log, body.value, stored, committed);
      case "align":
        return alignLog(log, body.value);
      case "commit":
        return commitLog(log, body.value);
      case "trim":
        return trimLog(log, body.value, stored);
      case "chain":
        return answered(answerChain(store, log, body.value));
      case "read":
        return answered(answerRead(store, log, body.value));
      case "rows":
        return answered(this.#views.answer(0, log, body.value.cursor));
      default:
        return answered(respond(log, LogStatus.OK, ""));
    }
  }
}
