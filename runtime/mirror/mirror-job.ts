import { statfs } from "node:fs/promises";
import { type LogEntry, LogStatus, type LogTail } from "../../proto/generated/evercross/v1/log.ts";
import type { JobContext, KeptRows, RunningJob } from "../job/definition.ts";
import { formatJob, type JobName } from "../job/name.ts";
import {
  DISK_LOOK_MS,
  MIRROR_BYTES_PER_SECOND,
  MIRROR_NOTE_MS,
  MIRROR_QUESTIONS_PER_SECOND,
  MIRROR_TURN_ENTRIES,
} from "../limits.ts";
import { LogRefusedError, type LogSource } from "../log/checkpoint-log.ts";
import { DiskRoom } from "../log/disk-room.ts";
import { markFailed, type StorageFolder } from "../log/storage-folder.ts";
import type { BusSubscription } from "../messaging/bus.ts";
import { jobSubject } from "../messaging/subject.ts";
import type { Heard } from "./log-lag.ts";
import { lagAnswer } from "./lag-answer.ts";
import { MirrorPlan, type PlanOutput } from "./mirror-plan.ts";
import { MirrorSources } from "./mirror-sources.ts";
import { type BatchOutcome, MirrorStore } from "./mirror-store.ts";
import { mirrorSummary } from "./mirror-summary.ts";
import { InstallError } from "./rows-install.ts";

export interface MirrorJobOptions {
  readonly context: JobContext;
  readonly folder: StorageFolder;
  /** Jobs whose logs are mirrored. */
  readonly jobs: readonly JobName[];
  readonly kept: ReadonlyMap<string, KeptRows>;
}

/** What a source answered to a reading, and what of it is not written yet. */
interface Arrived {
  readonly output: PlanOutput;
  readonly bytes: number;
  readonly entries: readonly LogEntry[];
}

/** Bytes of an entry beside its payload, about. */
const ENTRY_BYTES = 100;

/**
 * A mirror: follows the committed logs of many jobs from another site into a folder of its own. It is no member of any log: nobody waits
 * for it, and what it asks is bounded. All that arrives in a turn of the event loop is written in one synced batch.
 */
export class MirrorJob implements RunningJob {
  readonly epoch = 0;
  readonly #context: JobContext;
  readonly #path: string;
  readonly #room: DiskRoom;
  readonly #store: MirrorStore;
  readonly #plan: MirrorPlan;
  readonly #sources = new MirrorSources();
  readonly #subscription: BusSubscription;
  readonly #noted = new Map<string, Heard>();
  #arrived: Arrived[] = [];
  #writeDue = false;
  #stepTimer: NodeJS.Timeout | undefined;
  #rowsTimer: NodeJS.Timeout | undefined;
  readonly #noteTimer: NodeJS.Timeout;
  readonly #diskTimer: NodeJS.Timeout;
  #summary = "";
  #closed: Promise<void> | undefined;

  constructor({ context, folder, jobs, kept }: MirrorJobOptions) {
    this.#context = context;
    this.#path = folder.path;
    this.#room = new DiskRoom(folder.path);
    this.#store = new MirrorStore({
      folder,
      kept,
      shortage: () => this.#room.shortage,
      wrote: (bytes) => this.#room.wrote(bytes),
      rowsFailed: (reason) => context.logger.error({ reason }, "rows stop"),
    });
    const now = Date.now();
    this.#plan = new MirrorPlan(now, {
      questionsPerSecond: MIRROR_QUESTIONS_PER_SECOND,
      bytesPerSecond: MIRROR_BYTES_PER_SECOND,
    });
    for (const job of jobs) this.#add(now, job);
    this.#subscription = context.bus.subscribe(
      jobSubject(context.cluster, context.job, "in"),
      ({ data, reply }) => {
        if (reply !== undefined)
          context.bus.publish(reply, lagAnswer(Date.now(), this.#plan, this.#store, data));
      },
    );
    this.#noteTimer = setInterval(() => this.#guard(() => this.#note()), MIRROR_NOTE_MS);
    this.#diskTimer = setInterval(() => void this.#look(), DISK_LOOK_MS);
    void this.#look();
    this.#step();
  }

  get detail(): string {
    return this.#summary;
  }

  async stop(): Promise<void> {
    this.#guard(() => {
      this.#note();
      this.#store.flush();
    });
    await this.#close();
  }

  #add(now: number, name: JobName): void {
    const job = formatJob(name);
    const { seq, refusal } = this.#store.log(job);
    if (refusal !== undefined)
      this.#context.logger.error({ job, reason: refusal.detail }, "log stands still");
    this.#sources.add(this.#context.logs, name);
    this.#plan.add(now, job, seq, this.#store.heard(job), refusal?.detail);
  }

  #close(): Promise<void> {
    this.#closed ??= (async () => {
      this.#subscription.unsubscribe();
      this.#sources.close();
      for (const timer of [this.#stepTimer, this.#rowsTimer, this.#noteTimer, this.#diskTimer])
        clearTimeout(timer);
      await this.#store.close();
    })();
    return this.#closed;
  }

  /** What a broken folder holds is not known any more: the next start opens it anew. */
  #guard(work: () => void): void {
    if (this.#closed !== undefined) return;
    try {
      work();
    } catch (error) {
      const reason = `the mirror cannot go on: ${error instanceof Error ? error.message : String(error)}`;
      markFailed(this.#path, reason);
      this.#context.fail(reason);
      void this.#close();
    }
  }

  #step(): void {
    if (this.#closed !== undefined) return;
    const now = Date.now();
    for (const output of this.#plan.step(now)) {
      if (output.kind === "ask") void this.#ask(output);
      else void this.#read(output);
    }
    clearTimeout(this.#stepTimer);
    const due = this.#plan.nextDue(now);
    if (due < Infinity) this.#stepTimer = setTimeout(() => this.#step(), Math.max(1, due - now));
  }

  async #ask(output: PlanOutput): Promise<void> {
    const tail = await this.#answer(output, (log) => log.tail());
    if (tail === undefined) return;
    this.#guard(() => this.#told(output, tail));
    this.#step();
  }

  #told(output: PlanOutput, tail: LogTail): void {
    const { job } = output;
    const fork = this.#store.contradiction(job, tail.seq, tail.chain);
    if (fork !== undefined) this.#refuse(output, fork, true);
    else this.#plan.told(Date.now(), job, tail.seq, tail.promised);
  }

  async #read(output: PlanOutput & { readonly kind: "read" }): Promise<void> {
    if (this.#store.log(output.job).blank) return this.#install(output);
    let trimmed = false;
    const entries = await this.#answer(output, async (log) => {
      try {
        return await log.entries(output.from, output.to);
      } catch (error) {
        trimmed = error instanceof LogRefusedError && error.status === LogStatus.TRIMMED;
        if (!trimmed) throw error;
        return [];
      }
    });
    if (entries === undefined) return;
    if (trimmed) return this.#trimmed(output);
    const bytes = entries.reduce((sum, { payload }) => sum + payload.length + ENTRY_BYTES, 0);
    this.#arrived.push({ output, entries, bytes });
    this.#schedule();
  }

  /** What is here is never given up for rows that cannot be shown to continue it. */
  #trimmed(output: PlanOutput & { readonly kind: "read" }): Promise<void> | void {
    const { job, from } = output;
    if (this.#store.log(job).seq === 0) return this.#install(output);
    const reason = `${job}: the market trimmed entry ${from} before it was mirrored: mirror into an empty folder`;
    this.#refuse(output, reason, false);
    this.#step();
  }

  /** The log's first entries were trimmed at the source, or this was broken off before. */
  async #install(output: PlanOutput): Promise<void> {
    const { job } = output;
    this.#context.logger.info({ job }, "log begins anew from rows");
    const bytes = await this.#answer(output, (log) =>
      this.#store.install(job, log, {
        open: () => this.#closed === undefined,
        progress: () => this.#sources.prolong(job),
      }),
    );
    if (bytes === undefined) return;
    const { seq } = this.#store.log(job);
    this.#plan.restarted(job, seq);
    this.#plan.stored(Date.now(), job, seq, bytes);
    this.#step();
  }

  /** Undefined: the plan was told why there is none. */
  async #answer<T>(
    output: PlanOutput,
    ask: (log: LogSource) => Promise<T | undefined>,
  ): Promise<T | undefined> {
    try {
      const answer = await this.#sources.ask(output.job, ask);
      if (this.#closed !== undefined) return undefined;
      if (answer !== undefined) return answer;
      this.#plan.silent(Date.now(), output);
    } catch (error) {
      if (this.#closed !== undefined) return undefined;
      if (!(error instanceof LogRefusedError) && !(error instanceof InstallError)) {
        this.#guard(() => {
          throw error;
        });
        return undefined;
      }
      this.#refuse(output, error.message, false);
    }
    this.#step();
    return undefined;
  }

  #refuse(output: PlanOutput, reason: string, lasting: boolean): void {
    if (this.#plan.log(output.job)?.refusal !== reason) {
      this.#context.logger.error({ job: output.job, reason }, "log stands still");
    }
    this.#plan.refused(Date.now(), output, reason, lasting);
  }

  #schedule(): void {
    if (this.#writeDue) return;
    this.#writeDue = true;
    setImmediate(() => {
      this.#writeDue = false;
      this.#guard(() => {
        this.#write();
        this.#store.slice(performance.now());
      });
      this.#rowsLater();
      this.#step();
    });
  }

  /** As much as a turn may take, in one synced batch. */
  #write(): void {
    const some: Arrived[] = [];
    let left = MIRROR_TURN_ENTRIES;
    while (left > 0) {
      const next = this.#arrived.shift();
      if (next === undefined) break;
      some.push(next);
      left -= next.entries.length;
    }
    if (some.length === 0) return;
    const rest = left < 0 ? (some.at(-1)?.entries.slice(left) ?? []) : [];
    const batches = some.map(({ output, entries }, index) => ({
      job: output.job,
      entries: index === some.length - 1 ? entries.slice(0, entries.length - rest.length) : entries,
    }));
    const outcomes = this.#store.write(performance.now(), batches);
    some.forEach((arrived, index) => {
      const outcome = outcomes[index] as BatchOutcome;
      const more = index === some.length - 1 && rest.length > 0;
      if (outcome.kind === "refused") this.#refuse(arrived.output, outcome.detail, outcome.lasting);
      else if (more) this.#arrived.unshift({ ...arrived, entries: rest });
      else this.#plan.stored(Date.now(), arrived.output.job, outcome.seq, arrived.bytes);
    });
    if (this.#arrived.length > 0) this.#schedule();
  }

  #rowsLater(): void {
    if (this.#closed !== undefined) return;
    clearTimeout(this.#rowsTimer);
    if (this.#store.busy) this.#schedule();
    else if (this.#store.dueAt < Infinity) {
      const delay = Math.max(0, this.#store.dueAt - performance.now());
      this.#rowsTimer = setTimeout(() => this.#schedule(), delay);
    }
  }

  #note(): void {
    const news: { job: string; heard: Heard }[] = [];
    for (const { job, lag } of this.#plan.logs()) {
      const { heard } = lag;
      if (heard === undefined || heard.atMs === this.#noted.get(job)?.atMs) continue;
      this.#noted.set(job, heard);
      news.push({ job, heard });
    }
    this.#store.note(news);
    const summary = mirrorSummary(Date.now(), this.#plan.logs());
    if (summary === this.#summary) return;
    this.#summary = summary;
    this.#context.describe(summary);
  }

  async #look(): Promise<void> {
    try {
      const { bavail, blocks, bsize } = await statfs(this.#path);
      this.#room.looked(bavail * bsize, blocks * bsize);
    } catch (error) {
      this.#context.logger.warn({ reason: String(error) }, "disk not looked at");
    }
  }
}
