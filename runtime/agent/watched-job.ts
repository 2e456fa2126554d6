import { JobState } from "../../proto/generated/evercross/v1/control.ts";
import {
  JOB_DETAIL_CHARS_MAX,
  JOB_QUARANTINE_MAX_MS,
  JOB_QUARANTINE_MIN_MS,
  JOB_RESTART_STEP_MS,
  JOB_RESTARTS_MAX,
  JOB_RESTARTS_PERIOD_MS,
} from "../limits.ts";
import { addRestart } from "../process/restart-window.ts";
import { jobStateName, mayFollow } from "./job-state.ts";
import type { WatchedHost } from "./watched-host.ts";

export type FailureOutcome = "restart" | "quarantine";

/** One job as its agent sees it. Times are milliseconds of the agent's clock. */
export class WatchedJobState {
  /** `service/key`. */
  readonly name: string;
  /** Where it is wanted; before anything was said of that, where it was found. */
  node: string;
  /** Jobs of one group on one node share a host. */
  group: string;
  /** The group as it was ordered; undefined: the job was found, nothing was ordered yet. */
  orderedGroup: string | undefined;
  wanted = true;
  standby = false;
  state: JobState = JobState.IDLE;
  epoch = 0;
  detail = "";
  /** Of the start that runs, or ran last. */
  instance = "";
  since: number;
  restarts = 0;
  host: WatchedHost | undefined;
  /** Beat at which the host was last told to start or stop it: answers to that beat or an earlier one do not know of it yet. */
  orderedBeat = 0;
  /** Not started before this. */
  retryAt = 0;
  /** When it failed and has not run since. */
  failedAt: number | undefined;
  /** Beyond its restart intensity, and has not run since: what the agent cannot repair by itself. */
  escalated = false;
  #window: readonly number[] = [];
  #quarantines = 0;

  constructor(name: string, place: { readonly node: string; readonly group: string }, now: number) {
    this.name = name;
    this.node = place.node;
    this.group = place.group;
    this.since = now;
  }

  become(state: JobState, now: number, detail = ""): void {
    this.detail = detail.slice(0, JOB_DETAIL_CHARS_MAX);
    if (state === this.state) return;
    if (!mayFollow(this.state, state)) {
      throw new Error(
        `job ${this.name} cannot go from ${jobStateName(this.state)} to ${jobStateName(state)}`,
      );
    }
    this.state = state;
    this.since = now;
    if (state === JobState.RUNNING) this.escalated = false;
  }

  /** Its host is gone through no fault of this job, or of no one job known. */
  lostHost(now: number, detail: string): void {
    this.restarts += 1;
    this.failedAt ??= now;
    if (this.state === JobState.WANTSTOP) this.become(JobState.STOPPED, now, detail);
    else this.become(JobState.WANTRUN, now, detail);
  }

  /** It was stopped to be started again, here or on another node: no failure. */
  stoppedToMove(now: number, detail: string): void {
    this.retryAt = 0;
    this.become(JobState.STOPPED, now, detail);
  }

  /**
   * It failed by itself; `hostGone`: and its host with it, so that a new host is delay enough. Within the restart
   * intensity it is started again soon; beyond it, it is quarantined for a time that grows with each quarantine.
   */
  failed(now: number, detail: string, hostGone: boolean): FailureOutcome {
    this.restarts += 1;
    this.failedAt ??= now;
    const intensity = { max: JOB_RESTARTS_MAX, periodMs: JOB_RESTARTS_PERIOD_MS };
    const { restarts, exceeded } = addRestart(this.#window, now, intensity);
    this.#window = restarts;
    if (this.state === JobState.RUNNING && now - this.since > intensity.periodMs) this.#quarantines = 0;
    // One that comes out of quarantine and fails again goes back at once.
    if (!exceeded && this.#quarantines === 0) {
      this.retryAt = hostGone ? now : now + (restarts.length - 1) * JOB_RESTART_STEP_MS;
      this.become(JobState.STOPPED, now, detail);
      return "restart";
    }
    const waitMs = Math.min(JOB_QUARANTINE_MIN_MS * 2 ** this.#quarantines, JOB_QUARANTINE_MAX_MS);
    this.#quarantines += 1;
    this.escalated = true;
    this.retryAt = now + waitMs;
    this.become(JobState.STOPPED, now, `quarantined for ${waitMs} ms: ${detail}`);
    return "quarantine";
  }
}
