import { type LogRequest, type LogResponse, LogStatus } from "../../proto/generated/evercross/v1/log.ts";
import { REPLICA_RECENT_ENTRIES } from "../../runtime/limits.ts";
import { type JobLog, loadJobLog } from "../../runtime/log/job-log.ts";
import type { MemoryStore } from "../../runtime/log/memory-store.ts";
import { appendEntry, type Handled, openLog, respond } from "../../runtime/log/replica.ts";
import { entryRange, seqOfKey } from "../../runtime/log/store-key.ts";
import { decodeEntry } from "../../runtime/log/store-record.ts";
import type { Message } from "./message.ts";
import type { JobPart, JobRun } from "./sim-job.ts";

const READ_BOUNDS = { max: Infinity, bytes: Infinity };

/**
 * A storage job: the real replica functions over a disk that forgets what was not synced. It answers when what it did is on the
 * disk, and what is written together is synced together.
 */
export class SimStorage implements JobPart {
  readonly #run: JobRun;
  readonly #disk: MemoryStore;
  readonly #logs = new Map<string, JobLog>();
  readonly #unanswered: (() => void)[] = [];
  #unsubscribe: (() => void) | undefined;
  #syncing = false;

  constructor(run: JobRun) {
    this.#run = run;
    this.#disk = run.process.node.disk(run.job);
  }

  begin(): void {
    const { world, link, job } = this.#run;
    this.#unsubscribe = world.network.subscribe(link, `job ${job}`, (message) => this.#hear(message));
    this.#run.running(0);
  }

  end(): void {
    this.#unsubscribe?.();
    this.#unanswered.length = 0;
  }

  #hear(message: Message): void {
    if (message.kind !== "log") return;
    const { request, answer } = message;
    const handled = this.#handle(request);
    const reply = (): void => {
      this.#synced(request, handled.response);
      answer(handled.response);
    };
    // What was said before and is not on the disk yet may be what this answer builds on.
    if (handled.changes.length === 0 && this.#unanswered.length === 0) return reply();
    if (handled.changes.length > 0) this.#disk.write(handled.changes, false);
    this.#unanswered.push(reply);
    this.#sync();
  }

  #handle(request: LogRequest): Handled {
    const log = this.#log(request.job);
    const { body } = request;
    if (log.refusal !== undefined)
      return { response: respond(log, log.refusal.status, log.refusal.detail), changes: [] };
    const { checks } = this.#run.world;
    switch (body?.$case) {
      case "open":
        return openLog(log, body.value);
      case "append": {
        const { epoch } = body.value;
        const { promised } = log;
        // The broken rule: any epoch may write.
        if (this.#run.world.plan.broken === "epochs" && epoch < promised) {
          checks.logs.appended(request.job, epoch);
          const tail = { ...log.tail(), promised: epoch, epoch, seq: body.value.seq };
          return { response: { ...respond(log, LogStatus.OK, ""), tail }, changes: [] };
        }
        const handled = appendEntry(log, body.value, (job, seq) => this.#entry(job, seq));
        if (handled.response.status === LogStatus.OK) checks.logs.appended(request.job, epoch);
        return handled;
      }
      case "read": {
        const { from, to } = body.value;
        const entries = this.#disk
          .scan(entryRange(request.job, from, to), READ_BOUNDS)
          .map(({ key, value }) => decodeEntry(value, request.job, seqOfKey(key), undefined))
          .flatMap((found) => (found.ok ? [found.entry] : []));
        return { response: { ...respond(log, LogStatus.OK, ""), entries }, changes: [] };
      }
      default:
        return { response: respond(log, LogStatus.OK, ""), changes: [] };
    }
  }

  #entry(job: string, seq: number): ReturnType<Parameters<typeof appendEntry>[2]> {
    const [record] = this.#disk.scan(entryRange(job, seq, seq + 1), READ_BOUNDS);
    const found = record && decodeEntry(record.value, job, seq, undefined);
    return found?.ok === true ? found.entry : undefined;
  }

  #log(job: string): JobLog {
    let log = this.#logs.get(job);
    if (log === undefined) {
      log = loadJobLog(this.#disk, job, undefined);
      this.#logs.set(job, log);
      this.#found(log);
    }
    return log;
  }

  /** What is found after a crash is on the disk, although nobody was told so: the next answer tells. */
  #found({ job, seq }: JobLog): void {
    const last = Math.max(1, seq - REPLICA_RECENT_ENTRIES);
    for (let at = last; at <= seq; at++) {
      const entry = this.#entry(job, at);
      if (entry !== undefined) this.#run.world.checks.logs.durable(job, entry);
    }
  }

  /** What is answered is on the disk by now, new or known. */
  #synced({ job, body }: LogRequest, { status }: LogResponse): void {
    const { logs } = this.#run.world.checks;
    if (status !== LogStatus.OK) return;
    if (body?.$case === "append") logs.durable(job, body.value);
    if (body?.$case === "open") logs.opened(job, body.value.epoch);
  }

  #sync(): void {
    if (this.#syncing) return;
    this.#syncing = true;
    const { process, world } = this.#run;
    process.after(0.2 + world.random.unit() * world.plan.syncMs, () => {
      this.#syncing = false;
      if (this.#run.ended) return;
      this.#disk.write([], true);
      for (const answer of this.#unanswered.splice(0)) answer();
    });
  }
}
