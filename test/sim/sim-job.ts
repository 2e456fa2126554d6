import { JobState, type JobStatus } from "../../proto/generated/evercross/v1/control.ts";
import type { Link } from "./network.ts";
import type { SimProcess } from "./sim-process.ts";
import type { World } from "./world.ts";

/** What a job does beside being there. */
export interface JobPart {
  /** Leads to `JobRun.running` or `JobRun.fail`, now or later. */
  begin(): void;
  end(): void;
}

/** One start of a job within a host. */
export class JobRun {
  readonly world: World;
  readonly process: SimProcess;
  readonly link: Link;
  readonly job: string;
  readonly instance: string;
  status: JobStatus;
  ended = false;
  readonly #part: JobPart;
  readonly #onStatus: (status: JobStatus) => void;

  constructor(
    world: World,
    process: SimProcess,
    link: Link,
    job: string,
    part: (run: JobRun) => JobPart,
    onStatus: (status: JobStatus) => void,
  ) {
    this.world = world;
    this.process = process;
    this.link = link;
    this.job = job;
    this.instance = `${job}#${world.nextInstance()}`;
    this.status = { job, state: JobState.STARTING, epoch: 0, detail: "", instance: this.instance };
    this.#onStatus = onStatus;
    this.#part = part(this);
  }

  begin(): void {
    this.#become(JobState.STARTING, 0, "");
    const { plan, random } = this.world;
    this.process.after(1 + random.unit() * plan.jobStartMs, () => {
      if (!this.ended) this.#part.begin();
    });
  }

  running(epoch: number): void {
    if (!this.ended) this.#become(JobState.RUNNING, epoch, "");
  }

  fail(reason: string): void {
    if (this.ended) return;
    this.#end();
    this.#become(JobState.STOPPED, this.status.epoch, reason);
  }

  stop(): void {
    if (this.ended) return;
    this.#end();
    this.#become(JobState.WANTSTOP, this.status.epoch, "");
    this.process.after(this.world.random.unit() * 5, () => {
      this.#become(JobState.STOPPED, this.status.epoch, "stopped as asked");
    });
  }

  #end(): void {
    this.ended = true;
    this.#part.end();
  }

  #become(state: JobState, epoch: number, detail: string): void {
    this.status = { ...this.status, state, epoch, detail };
    this.#onStatus(this.status);
  }
}

/** Runs, and has no more to do. */
export class StatelessPart implements JobPart {
  readonly #run: JobRun;

  constructor(run: JobRun) {
    this.#run = run;
  }

  begin(): void {
    this.#run.running(0);
  }

  end(): void {
    // It holds nothing.
  }
}

/** Fails wherever it is put, by itself or with its host, until it is mended. */
export class PoisonPart implements JobPart {
  readonly #run: JobRun;
  readonly #killsHost: boolean;

  constructor(run: JobRun, killsHost: boolean) {
    this.#run = run;
    this.#killsHost = killsHost;
  }

  begin(): void {
    const { process, world } = this.#run;
    this.#run.running(0);
    process.after(world.random.unit() * 200, () => {
      if (this.#run.ended) return;
      if (this.#killsHost) process.end(`${this.#run.job} killed it`);
      else this.#run.fail("poisoned");
    });
  }

  end(): void {
    // It holds nothing.
  }
}
