import { JobState, type JobStatus } from "../../proto/generated/evercross/v1/control.ts";
import { HistoryKind } from "../../proto/generated/evercross/v1/hierarchy.ts";
import { GROUP_DEATHS_MAX, JOB_RESTARTS_PERIOD_MS } from "../limits.ts";
import type { MonitorEvent } from "../monitor/monitor-message.ts";
import { addRestart } from "../process/restart-window.ts";
import type { DesiredJob } from "./agent-message.ts";
import type { WatchedHost } from "./watched-host.ts";
import { WatchedJobState } from "./watched-job.ts";

const GROUP_INTENSITY = { max: GROUP_DEATHS_MAX, periodMs: JOB_RESTARTS_PERIOD_MS };

/** What befell a job; the rest of the event is known of the job. */
export type JobNews = Pick<MonitorEvent, "kind" | "cause"> & Partial<MonitorEvent>;

/** The jobs of an agent, and what their failures mean for them. */
export class JobBoard {
  readonly #jobs = new Map<string, WatchedJobState>();
  readonly #loose = new Set<WatchedJobState>();
  readonly #escalated = new Set<WatchedJobState>();
  readonly #touched = new Map<string, WatchedJobState | undefined>();
  readonly #groupDeaths = new Map<string, readonly number[]>();
  readonly #event: (event: MonitorEvent) => void;

  constructor(event: (event: MonitorEvent) => void) {
    this.#event = event;
  }

  all(): IterableIterator<WatchedJobState> {
    return this.#jobs.values();
  }

  /** Those that are wanted and have no host. */
  loose(): Iterable<WatchedJobState> {
    return this.#loose;
  }

  /** Whether one of this group is wanted on a node and has no host. */
  isGroupLoose(node: string, group: string): boolean {
    for (const job of this.#loose) if (job.node === node && job.group === group) return true;
    return false;
  }

  /** Those that cannot be kept running here. */
  escalated(): Iterable<WatchedJobState> {
    return this.#escalated;
  }

  get(name: string): WatchedJobState | undefined {
    return this.#jobs.get(name);
  }

  /** What changed since this was asked last, by name; undefined: it is no job of this agent any more. */
  takeTouched(): Map<string, WatchedJobState | undefined> {
    const touched = new Map(this.#touched);
    this.#touched.clear();
    return touched;
  }

  /** To be called after each change of a job that is not made in here. */
  touch(job: WatchedJobState): void {
    this.#touched.set(job.name, job);
    if (job.escalated) this.#escalated.add(job);
    else this.#escalated.delete(job);
  }

  tell(job: WatchedJobState, news: JobNews): void {
    const node = job.host?.node ?? job.node;
    this.#event({ element: job.name, node, oldInstance: "", newInstance: "", tookMs: 0, ...news });
  }

  /** The whole of what is wanted. Gives the jobs that have to be stopped where they are. */
  setDesired(desired: readonly DesiredJob[], now: number): WatchedJobState[] {
    const wanted = new Set(desired.map((one) => one.job));
    for (const { job: name, group, node, standby = false } of desired) {
      const job = this.#jobs.get(name) ?? this.#add(name, { group, node }, now);
      job.node = node;
      job.wanted = true;
      job.standby = standby;
      if (job.host === undefined) this.#loose.add(job);
      if (job.orderedGroup === group) continue;
      // One that was found is in a host that was found: what it runs is its group.
      if (job.orderedGroup === undefined && job.host !== undefined) job.host.group = group;
      job.orderedGroup = group;
      job.group = group;
    }
    const misplaced: WatchedJobState[] = [];
    for (const job of this.#jobs.values()) {
      job.wanted = wanted.has(job.name);
      if (job.host === undefined && !job.wanted) this.#forget(job);
      const stays = job.wanted && job.host?.node === job.node;
      if (job.host !== undefined && !stays && job.state !== JobState.WANTSTOP) misplaced.push(job);
    }
    return misplaced;
  }

  /** A host runs it that nobody told to. */
  adopt(host: WatchedHost, status: JobStatus, beat: number, now: number): void {
    const found = { node: host.node, group: `found:${host.key}` };
    const job = this.#jobs.get(status.job) ?? this.#add(status.job, found, now);
    if (job.state === JobState.IDLE || job.state === JobState.STOPPED) job.become(JobState.WANTRUN, now);
    this.assign(job, host, beat);
    job.become(status.state, now, status.detail);
    job.epoch = status.epoch;
    job.instance = status.instance;
    job.failedAt = undefined;
    this.tell(job, {
      kind: HistoryKind.ADOPTED,
      cause: `runs in ${host.name}`,
      newInstance: status.instance,
    });
  }

  assign(job: WatchedJobState, host: WatchedHost, beat: number): void {
    job.host = host;
    job.orderedBeat = beat;
    host.jobs.add(job);
    host.group ??= job.group;
    host.standby = undefined;
    this.#loose.delete(job);
    this.touch(job);
  }

  /** Its host runs it now. */
  running(job: WatchedJobState, status: JobStatus, now: number): void {
    const oldInstance = job.instance;
    job.become(JobState.RUNNING, now, status.detail);
    job.instance = status.instance;
    const again = job.failedAt !== undefined;
    this.tell(job, {
      kind: again ? HistoryKind.RECOVERED : HistoryKind.JOB_STARTED,
      cause: again ? "runs again" : "as wanted",
      oldInstance,
      newInstance: status.instance,
      tookMs: Math.round(now - (job.failedAt ?? now)),
    });
    job.failedAt = undefined;
    this.touch(job);
  }

  /** What the job says of itself has changed. While it starts, why it had to is known until it says something. */
  described(job: WatchedJobState, detail: string): void {
    if (job.detail === detail || (job.state === JobState.STARTING && detail === "")) return;
    job.detail = detail;
    this.touch(job);
  }

  /** Its host has stopped it. */
  stopped(job: WatchedJobState, now: number, detail: string): void {
    const asked = job.state === JobState.WANTSTOP;
    if (asked || !job.wanted) {
      this.tell(job, { kind: HistoryKind.JOB_STOPPED, cause: detail, oldInstance: job.instance });
    }
    this.#release(job);
    if (!job.wanted) return this.#forget(job);
    if (asked) job.stoppedToMove(now, detail);
    else this.#fail(job, now, detail, false);
  }

  /** The process that ran them is no more. */
  hostGone(host: WatchedHost, now: number, detail: string): void {
    const jobs = [...host.jobs];
    const why = `its host ${host.name} died: ${detail}`;
    for (const job of jobs) {
      this.#release(job);
      if (!job.wanted) this.#forget(job);
      else if (jobs.length === 1 && !host.ordered && job.state !== JobState.WANTSTOP)
        this.#fail(job, now, why, true);
      else this.#lose(job, now, why);
    }
    if (jobs.length > 1 && !host.ordered && host.group !== undefined) this.#groupDied(host, jobs, now);
  }

  #add(name: string, place: { readonly node: string; readonly group: string }, now: number): WatchedJobState {
    const job = new WatchedJobState(name, place, now);
    this.#jobs.set(name, job);
    this.touch(job);
    return job;
  }

  #forget(job: WatchedJobState): void {
    this.#jobs.delete(job.name);
    this.#loose.delete(job);
    this.#escalated.delete(job);
    this.#touched.set(job.name, undefined);
  }

  #release(job: WatchedJobState): void {
    job.host?.jobs.delete(job);
    job.host = undefined;
    if (job.wanted) this.#loose.add(job);
    this.touch(job);
  }

  #lose(job: WatchedJobState, now: number, why: string): void {
    job.lostHost(now, why);
    this.tell(job, { kind: HistoryKind.FAILED, cause: why, oldInstance: job.instance });
  }

  #fail(job: WatchedJobState, now: number, detail: string, hostGone: boolean): void {
    const outcome = job.failed(now, detail, hostGone);
    this.touch(job);
    const kind = outcome === "quarantine" ? HistoryKind.QUARANTINED : HistoryKind.FAILED;
    this.tell(job, { kind, cause: job.detail, oldInstance: job.instance });
  }

  /** Nobody can say which of many jobs killed their host: halving the group finds out. */
  #groupDied(host: WatchedHost, jobs: readonly WatchedJobState[], now: number): void {
    const group = host.group ?? "";
    const key = `${host.node}/${group}`;
    const { restarts, exceeded } = addRestart(this.#groupDeaths.get(key) ?? [], now, GROUP_INTENSITY);
    this.#groupDeaths.set(key, restarts);
    if (!exceeded) return;
    this.#groupDeaths.delete(key);
    const cause = `its host died ${restarts.length} times: its jobs are divided between two hosts`;
    const { node } = host;
    this.#event({
      kind: HistoryKind.FAILED,
      element: `group ${group}`,
      cause,
      node,
      oldInstance: "",
      newInstance: "",
      tookMs: 0,
    });
    jobs.forEach((job, index) => {
      job.group = `${group}.${index < jobs.length / 2 ? 0 : 1}`;
    });
  }
}
