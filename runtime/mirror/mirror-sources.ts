import { formatJob, type JobName } from "../job/name.ts";
import { MIRROR_ANSWER_MS } from "../limits.ts";
import type { LogDriver, LogSource } from "../log/checkpoint-log.ts";

interface Source {
  readonly log: LogSource;
  /** Until when an answer is waited for, in the milliseconds of `performance.now()`. */
  deadline: number;
}

/** Where a mirror reads its logs. One question for each log at a time. */
export class MirrorSources {
  readonly #sources = new Map<string, Source>();
  #closed = false;

  add(logs: LogDriver, job: JobName): void {
    const wanted = (): boolean => !this.#closed && performance.now() < source.deadline;
    const source: Source = { log: logs.source(job, wanted), deadline: 0 };
    this.#sources.set(formatJob(job), source);
  }

  /** Undefined when there is no answer within `MIRROR_ANSWER_MS`. Rejects with what the source rejects with. */
  ask<T>(job: string, question: (log: LogSource) => Promise<T | undefined>): Promise<T | undefined> {
    this.prolong(job);
    return question(this.#of(job).log);
  }

  /** Something of the answer came: the rest is waited for as long again. */
  prolong(job: string): void {
    this.#of(job).deadline = performance.now() + MIRROR_ANSWER_MS;
  }

  close(): void {
    this.#closed = true;
  }

  #of(job: string): Source {
    const source = this.#sources.get(job);
    if (source === undefined) throw new Error(`the mirror has no source of ${job}`);
    return source;
  }
}
