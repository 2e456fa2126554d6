import type { JobContext, StatefulDefinition } from "../job/definition.ts";
import { type WarmCopy, WarmState } from "../job/warm-state.ts";
import { WARM_RETRY_MS } from "../limits.ts";
import type { JobBus } from "./job-bus.ts";

/** A job's context, and the bus in it: closed when the context is used no longer. */
export interface WarmContext {
  readonly context: JobContext;
  readonly bus: JobBus;
}

interface WarmJob {
  state: WarmState | undefined;
  bus: JobBus | undefined;
  ended: boolean;
  retry: NodeJS.Timeout | undefined;
}

export interface WarmJobsOptions {
  /** Undefined: no stateful service of this host. */
  readonly definitionOf: (job: string) => StatefulDefinition | undefined;
  /** `fail` hears of what must end it. */
  readonly contextOf: (job: string, fail: (reason: string) => void) => Promise<WarmContext>;
}

/** The jobs whose state this host keeps warm for the host that runs them. What fails is begun anew after a while. */
export class WarmJobs {
  readonly #options: WarmJobsOptions;
  readonly #jobs = new Map<string, WarmJob>();

  constructor(options: WarmJobsOptions) {
    this.#options = options;
  }

  /** Those that could be taken over now, sorted. */
  names(): string[] {
    return [...this.#jobs.keys()].filter((name) => this.#jobs.get(name)?.state?.ready === true).sort();
  }

  /** These, and no others. */
  set(names: readonly string[]): void {
    const wanted = new Set(names);
    for (const [name, job] of this.#jobs) if (!wanted.has(name)) this.#end(name, job);
    for (const name of wanted) if (!this.#jobs.has(name)) this.#begin(name);
  }

  /** The job is to be started here: its state, if there is one that knows where it stands. */
  take(name: string): WarmCopy | undefined {
    const job = this.#jobs.get(name);
    if (job === undefined) return undefined;
    const copy = job.state?.take();
    this.#end(name, job);
    return copy;
  }

  close(): void {
    this.set([]);
  }

  #begin(name: string): void {
    const definition = this.#options.definitionOf(name);
    const job: WarmJob = { state: undefined, bus: undefined, ended: false, retry: undefined };
    this.#jobs.set(name, job);
    if (definition !== undefined) void this.#follow(name, job, definition);
  }

  async #follow(name: string, job: WarmJob, definition: StatefulDefinition): Promise<void> {
    const fail = (): void => {
      this.#again(name, job, definition);
    };
    try {
      const { context, bus } = await this.#options.contextOf(name, fail);
      job.bus = bus;
      if (job.ended) return void bus.close();
      job.state = new WarmState(definition, context);
      await job.state.start();
    } catch {
      // Whatever it is, the job that runs will meet it too, and tell of it.
      fail();
    }
  }

  #again(name: string, job: WarmJob, definition: StatefulDefinition): void {
    if (job.ended || job.retry !== undefined) return;
    this.#stop(job);
    job.retry = setTimeout(() => {
      job.retry = undefined;
      void this.#follow(name, job, definition);
    }, WARM_RETRY_MS);
  }

  #end(name: string, job: WarmJob): void {
    job.ended = true;
    clearTimeout(job.retry);
    this.#stop(job);
    this.#jobs.delete(name);
  }

  #stop(job: WarmJob): void {
    job.state?.close();
    job.state = undefined;
    void job.bus?.close();
    job.bus = undefined;
  }
}
