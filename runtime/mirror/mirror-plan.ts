import {
  MIRROR_ASK_MAX_MS,
  MIRROR_ASK_MIN_MS,
  MIRROR_QUESTIONS_MAX,
  MIRROR_READINGS_MAX,
  MIRROR_REFUSED_MS,
} from "../limits.ts";
import { Allowance } from "./allowance.ts";
import { DueQueue } from "./due-queue.ts";
import { type Heard, LogLag } from "./log-lag.ts";

/** One log of a mirror, as the plan knows it. */
export interface PlannedLog {
  readonly job: string;
  readonly lag: LogLag;
  /** Why it stands still, if it does; the question for how far the source is goes on. */
  readonly refusal: string | undefined;
}

/** Each is to be answered once: `told` or `silent` for `ask`, `stored`, `silent` or `refused` for `read`. */
export type PlanOutput =
  | { readonly kind: "ask"; readonly job: string }
  /** Entries with `from <= seq < to`. */
  | { readonly kind: "read"; readonly job: string; readonly from: number; readonly to: number };

export interface PlanOptions {
  readonly questionsPerSecond: number;
  readonly bytesPerSecond: number;
}

interface Entry {
  readonly job: string;
  readonly lag: LogLag;
  /** Pause before the next question. */
  pauseMs: number;
  refusal: string | undefined;
  /** Nothing is read before. */
  refusedUntil: number;
}

/**
 * Which log of a mirror is asked for and read next, pure. Every log is asked how far its source is, often when it had
 * something new, seldom when it had not; those that lack entries are read in turn, one answer each. Times in milliseconds since the
 * Unix epoch.
 */
export class MirrorPlan {
  readonly #logs = new Map<string, Entry>();
  /** Each log is in one of three places: waiting for its time, under way, or in line to be read. */
  readonly #waiting = new DueQueue<Entry>();
  #line: Entry[] = [];
  readonly #questions: Allowance;
  readonly #bytes: Allowance;
  #asking = 0;
  #reading = 0;

  constructor(now: number, { questionsPerSecond, bytesPerSecond }: PlanOptions) {
    this.#questions = new Allowance(now, questionsPerSecond);
    this.#bytes = new Allowance(now, bytesPerSecond);
  }

  /** `had`: last entry that is here; `refusal`: why its own records cannot be gone on with. */
  add(now: number, job: string, had: number, heard: Heard | undefined, refusal?: string): void {
    const refusedUntil = refusal === undefined ? 0 : Infinity;
    const log: Entry = {
      job,
      lag: new LogLag(had, heard),
      pauseMs: MIRROR_ASK_MIN_MS,
      refusal,
      refusedUntil,
    };
    this.#logs.set(job, log);
    this.#waiting.push(log, now);
  }

  /** In the order in which they were added. */
  logs(): Iterable<PlannedLog> {
    return this.#logs.values();
  }

  log(job: string): PlannedLog | undefined {
    return this.#logs.get(job);
  }

  /** What is to be done now. */
  step(now: number): PlanOutput[] {
    const outputs: PlanOutput[] = [];
    while (this.#reading < MIRROR_READINGS_MAX && this.#bytes.grantedAt(now) <= now) {
      const log = this.#line.shift();
      if (log === undefined) break;
      this.#reading += 1;
      const { had, heard } = log.lag;
      outputs.push({ kind: "read", job: log.job, from: had + 1, to: (heard?.seq ?? 0) + 1 });
    }
    while (this.#asking < MIRROR_QUESTIONS_MAX && this.#questions.grantedAt(now) <= now) {
      const log = this.#waiting.take(now);
      if (log === undefined) break;
      this.#asking += 1;
      this.#questions.use(now, 1);
      outputs.push({ kind: "ask", job: log.job });
    }
    return outputs;
  }

  /** When `step` has something to do unless an answer comes before; Infinity: never. */
  nextDue(now: number): number {
    const ask =
      this.#asking < MIRROR_QUESTIONS_MAX
        ? Math.max(this.#waiting.nextAt, this.#questions.grantedAt(now))
        : Infinity;
    const read =
      this.#line.length > 0 && this.#reading < MIRROR_READINGS_MAX ? this.#bytes.grantedAt(now) : Infinity;
    return Math.min(ask, read);
  }

  /** The source says how far its log is committed, and which epoch is promised there. */
  told(now: number, job: string, seq: number, promised: number): void {
    const log = this.#entry(job);
    this.#asking -= 1;
    const before = log.lag.heard?.seq ?? 0;
    log.lag.hear(now, seq, promised);
    this.#paced(log, seq > before);
    this.#next(now, log);
  }

  /** What was read is on stable storage up to `seq`; `bytes` came for it. */
  stored(now: number, job: string, seq: number, bytes: number): void {
    const log = this.#entry(job);
    this.#reading -= 1;
    this.#bytes.use(now, bytes);
    log.lag.have(seq);
    log.refusal = undefined;
    this.#next(now, log);
  }

  /** There was no answer. */
  silent(now: number, output: PlanOutput): void {
    const log = this.#ended(output);
    this.#paced(log, false);
    this.#waiting.push(log, now + log.pauseMs);
  }

  /** The log cannot be gone on with now or, `lasting`, as it is. */
  refused(now: number, output: PlanOutput, refusal: string, lasting: boolean): void {
    const log = this.#ended(output);
    this.#bytes.use(now, 1);
    log.refusal = refusal;
    log.refusedUntil = lasting ? Infinity : now + MIRROR_REFUSED_MS;
    log.pauseMs = MIRROR_ASK_MAX_MS;
    this.#waiting.push(log, now + log.pauseMs);
  }

  /** The log begins anew behind the rows of `seq`. Its reading goes on: `stored` or `refused` still follows. */
  restarted(job: string, seq: number): void {
    this.#entry(job).lag.restart(seq);
  }

  #ended(output: PlanOutput): Entry {
    if (output.kind === "ask") this.#asking -= 1;
    else this.#reading -= 1;
    return this.#entry(output.job);
  }

  #paced(log: Entry, news: boolean): void {
    log.pauseMs = news ? MIRROR_ASK_MIN_MS : Math.min(2 * log.pauseMs, MIRROR_ASK_MAX_MS);
  }

  #next(now: number, log: Entry): void {
    const lacks = (log.lag.heard?.seq ?? 0) > log.lag.had;
    if (lacks && now >= log.refusedUntil) this.#line.push(log);
    else this.#waiting.push(log, now + log.pauseMs);
  }

  #entry(job: string): Entry {
    const log = this.#logs.get(job);
    if (log === undefined) throw new Error(`the mirror has no log of ${job}`);
    return log;
  }
}
