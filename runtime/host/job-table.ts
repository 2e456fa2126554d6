import type { Logger } from "pino";
import { JobState, type JobStatus } from "../../proto/generated/evercross/v1/control.ts";
import type { JobContext, JobDefinition, RunningJob } from "../job/definition.ts";
import { parseJob } from "../job/name.ts";
import { startStateful } from "../job/run-stateful.ts";
import type { WarmCopy } from "../job/warm-state.ts";
import { JOB_DETAIL_CHARS_MAX, JOB_STOP_MS } from "../limits.ts";
import type { LogDriver } from "../log/checkpoint-log.ts";
import type { Bus } from "../messaging/bus.ts";
import { JobBus } from "./job-bus.ts";
import { WarmJobs } from "./warm-jobs.ts";

export interface JobTableOptions {
  /** By service. */
  readonly definitions: ReadonlyMap<string, JobDefinition>;
  /** The checkpoint logs, by way of a job's own bus. */
  readonly logs: (bus: Bus) => Promise<LogDriver>;
  readonly cluster: string;
  readonly node: string;
  /** The node's data folder. */
  readonly dataDir: string;
  /** Of the program; goes into each log's `STARTED` entry. */
  readonly version: string;
  /** Jobs wait for it; the host does not. */
  readonly bus: Promise<Bus>;
  readonly logger: Logger;
}

interface HostedJob {
  readonly name: string;
  status: JobStatus;
  bus: JobBus | undefined;
  running: RunningJob | undefined;
  /** Failed or told to stop: what its start still brings is stopped at once. */
  ended: boolean;
  /** Settles when its start is through, one way or the other. Never rejects. */
  started: Promise<void>;
}

const describe = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? error.message) : String(error);

/**
 * The jobs of one host. A job's failure stays its own: it is stopped, reported as `stopped` with the reason, and
 * forgotten; the others go on.
 */
export class JobTable {
  readonly #options: JobTableOptions;
  readonly #onStatus: (status: JobStatus) => void;
  readonly #jobs = new Map<string, HostedJob>();
  readonly #warm: WarmJobs;

  /** `onStatus` hears each change of state. */
  constructor(options: JobTableOptions, onStatus: (status: JobStatus) => void) {
    this.#options = options;
    this.#onStatus = onStatus;
    this.#warm = new WarmJobs({
      definitionOf: (job) => {
        const definition = options.definitions.get(parseJob(job).service);
        return definition?.kind === "stateful" ? definition : undefined;
      },
      contextOf: async (job, fail) => {
        const bus = new JobBus(await options.bus, (error) => {
          fail(describe(error));
        });
        return { context: await this.#context(job, bus, { fail, describe: () => undefined }), bus };
      },
    });
  }

  /** Keeps the state of these jobs warm, and of no others: they run elsewhere. */
  warm(jobs: readonly string[]): void {
    this.#warm.set(jobs);
  }

  /** Sorted. */
  warmed(): string[] {
    return this.#warm.names();
  }

  statuses(): JobStatus[] {
    return [...this.#jobs.values()].map((job) => job.status);
  }

  start(name: string): void {
    const present = this.#jobs.get(name);
    if (present !== undefined) {
      this.#onStatus(present.status);
      return;
    }
    const status = { job: name, state: JobState.STARTING, epoch: 0, detail: "", instance: "" };
    const job: HostedJob = {
      name,
      status,
      bus: undefined,
      running: undefined,
      ended: false,
      started: Promise.resolve(),
    };
    this.#jobs.set(name, job);
    this.#become(job, JobState.STARTING, 0, "");
    // Taken now: from here on this host is told to keep it warm no longer.
    job.started = this.#run(job, this.#warm.take(name)).catch((error: unknown) => {
      this.#fail(job, describe(error));
    });
  }

  /** Resolves when nothing of the job runs here. */
  async stop(name: string): Promise<void> {
    const job = this.#jobs.get(name);
    if (job === undefined) {
      this.#onStatus({ job: name, state: JobState.STOPPED, epoch: 0, detail: "was not here", instance: "" });
      return;
    }
    if (job.ended) return;
    job.ended = true;
    this.#become(job, JobState.WANTSTOP, job.status.epoch, "");
    // One that is still starting is cut off, or its start might go on for ever.
    if (job.running === undefined) await job.bus?.close();
    await this.#finish(job, "stopped as asked");
  }

  async stopAll(): Promise<void> {
    this.#warm.close();
    await Promise.all([...this.#jobs.keys()].map((name) => this.stop(name)));
  }

  async #run(job: HostedJob, copy: WarmCopy | undefined): Promise<void> {
    const name = parseJob(job.name);
    const definition = this.#options.definitions.get(name.service);
    if (definition === undefined)
      throw new Error(`${job.name}: this host has no definition of service ${name.service}`);
    const shared = await this.#options.bus;
    if (job.ended) return;
    const bus = new JobBus(shared, (error) => {
      this.#fail(job, describe(error));
    });
    job.bus = bus;
    const context = await this.#context(job.name, bus, {
      describe: (detail) => {
        if (!job.ended) this.#become(job, job.status.state, job.status.epoch, detail);
      },
      fail: (reason) => {
        this.#fail(job, reason);
      },
    });
    if (job.ended) return;
    job.status = { ...job.status, instance: context.instance };
    const { version } = this.#options;
    job.running =
      definition.kind === "stateful"
        ? await startStateful(definition, context, version, copy)
        : await definition.start(context);
    const { epoch, detail = job.status.detail } = job.running;
    if (!job.ended) this.#become(job, JobState.RUNNING, epoch, detail);
  }

  async #context(job: string, bus: JobBus, told: Pick<JobContext, "describe" | "fail">): Promise<JobContext> {
    const { logs, cluster, node, dataDir, logger } = this.#options;
    const instance = crypto.randomUUID();
    return {
      job: parseJob(job),
      cluster,
      node,
      instance,
      dataDir,
      bus,
      logs: await logs(bus),
      logger: logger.child({ job }),
      ...told,
    };
  }

  #become(job: HostedJob, state: JobState, epoch: number, detail: string): void {
    job.status = { ...job.status, state, epoch, detail: detail.slice(0, JOB_DETAIL_CHARS_MAX) };
    this.#onStatus(job.status);
  }

  #fail(job: HostedJob, reason: string): void {
    if (job.ended) return;
    job.ended = true;
    this.#options.logger.error({ job: job.name, reason }, "job failed");
    // It has lost its right to run: it is silenced first, and put in order after.
    void job.bus?.close();
    this.#become(job, JobState.WANTSTOP, job.status.epoch, reason);
    void this.#finish(job, reason);
  }

  /** Reports `stopped` only when the job's ports and files are free again: the agent may start it at once. */
  async #finish(job: HostedJob, reason: string): Promise<void> {
    const stopping = (async (): Promise<string> => {
      // A start that has not come back is followed by this very function when it fails; otherwise it has settled.
      if (job.running === undefined) await job.started;
      await job.running?.stop();
      return reason;
    })().catch((error: unknown) => `${reason}; and its stop failed: ${describe(error)}`);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<string>((resolve) => {
      timer = setTimeout(resolve, JOB_STOP_MS, `${reason}; and it did not stop within ${JOB_STOP_MS} ms`);
    });
    const detail = await Promise.race([stopping, late]);
    clearTimeout(timer);
    await job.bus?.close();
    this.#jobs.delete(job.name);
    this.#become(job, JobState.STOPPED, job.status.epoch, detail);
  }
}
