import { JobState } from "../../proto/generated/evercross/v1/control.ts";
import { GROUP_DEATHS_MAX, JOB_RESTARTS_PERIOD_MS } from "../limits.ts";
import { addRestart } from "../process/restart-window.ts";
import type { AgentEvent, DesiredJob } from "./agent-message.ts";
import type { WatchedHost } from "./watched-host.ts";
import { WatchedJobState } from "./watched-job.ts";

const GROUP_INTENSITY = { max: GROUP_DEATHS_MAX, periodMs: JOB_RESTARTS_PERIOD_MS };

/** The jobs of an agent, and what their failures mean for them. */
export class JobBoard {
  readonly #jobs = new Map<string, WatchedJobState>();
  readonly #groupDeaths = new Map<string, readonly number[]>();
  readonly #event: (name: AgentEvent, subject: string, detail: string) => void;

  constructor(event: (name: AgentEvent, subject: string, detail: string) => void) {
    this.#event = event;
  }

  all(): IterableIterator<WatchedJobState> {
    return this.#jobs.values();
  }

  get(name: string): WatchedJobState | undefined {
    return this.#jobs.get(name);
  }

  on(host: WatchedHost): WatchedJobState[] {
    return [...this.#jobs.values()].filter((job) => job.host === host.name);
  }

  /** The whole of what is wanted. Gives the jobs that have to be stopped for it. */
  setDesired(desired: readonly DesiredJob[], now: number): WatchedJobState[] {
    const wanted = new Set(desired.map((one) => one.job));
    for (const { job: name, group } of desired) {
      const job = this.#jobs.get(name);
      if (job === undefined) this.#jobs.set(name, new WatchedJobState(name, group, now));
      else job.wanted = true;
    }
    const unwanted = [...this.#jobs.values()].filter((job) => !wanted.has(job.name));
    for (const job of unwanted) {
      job.wanted = false;
      if (job.host === undefined) this.#jobs.delete(job.name);
    }
    return unwanted.filter((job) => job.host !== undefined && job.state !== JobState.WANTSTOP);
  }

  /** Its host has stopped it. */
  stopped(job: WatchedJobState, now: number, detail: string): void {
    if (job.wanted) this.#fail(job, now, detail, false);
    else this.#jobs.delete(job.name);
  }

  /** The process that ran them is no more. */
  hostGone(host: WatchedHost, now: number, detail: string): void {
    const jobs = this.on(host);
    const why = `its host ${host.name} died: ${detail}`;
    for (const job of jobs) {
      if (!job.wanted) this.#jobs.delete(job.name);
      else if (jobs.length === 1 && !host.ordered) this.#fail(job, now, why, true);
      else job.lostHost(now, why);
    }
    if (jobs.length > 1 && !host.ordered && host.group !== undefined) this.#groupDied(host.group, jobs, now);
  }

  #fail(job: WatchedJobState, now: number, detail: string, hostGone: boolean): void {
    const outcome = job.failed(now, detail, hostGone);
    this.#event(outcome === "quarantine" ? "job_quarantined" : "job_failed", job.name, job.detail);
  }

  /** Nobody can say which of many jobs killed their host: halving the group finds out. */
  #groupDied(group: string, jobs: readonly WatchedJobState[], now: number): void {
    const { restarts, exceeded } = addRestart(this.#groupDeaths.get(group) ?? [], now, GROUP_INTENSITY);
    this.#groupDeaths.set(group, restarts);
    if (!exceeded) return;
    this.#groupDeaths.delete(group);
    this.#event("group_split", group, `its host died ${restarts.length} times`);
    jobs.forEach((job, index) => {
      job.group = `${group}.${index < jobs.length / 2 ? 0 : 1}`;
    });
  }
}
