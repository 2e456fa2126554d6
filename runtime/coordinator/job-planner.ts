import type { HistoryKind, JobRecord } from "../../proto/generated/evercross/v1/hierarchy.ts";
import { PLACINGS_PER_STEP_MAX } from "../limits.ts";
import type { JobIndex } from "./job-index.ts";
import { decide, type Decision, type PlanContext } from "./plan.ts";

export interface PlannedChange {
  readonly value: JobRecord;
  readonly history: HistoryKind | undefined;
  readonly cause: string;
}

/** Ticks, the running one included, for which a job that was changed is left alone. */
const REST_TICKS = 2;

/** What the planner asks of the one who carries its decisions out. */
export interface PlannerHooks {
  /** This home is responsible for it. */
  readonly isMine: (job: JobRecord) => boolean;
  /** A change of it is under way: it will be due again after that. */
  readonly isBusy: (job: string) => boolean;
  /** Makes a change. Whether there may be another one now. */
  readonly change: (change: PlannedChange) => boolean;
  /** There is no place for it, which was not known before. */
  readonly tellStuck: (job: string, reason: string) => void;
}

/**
 * Which jobs are to be decided on. A job is looked at when something about it changed, not otherwise: a step without news costs nothing,
 * however many jobs there are.
 */
export class JobPlanner {
  readonly #index: JobIndex;
  readonly #due = new Set<string>();
  /** Job → the wall-clock time at which it is to be looked at again. */
  readonly #waiting = new Map<string, number>();
  /** Jobs for which there was no place. */
  readonly #stuck = new Set<string>();
  #roomMade = false;
  /** Changed less than a tick ago, and those of them that came due again: whatever it is that two homes disagree about, they take time. */
  readonly #resting = new Map<string, number>();
  readonly #dueAfterRest = new Set<string>();
  #ticks = 0;

  constructor(index: JobIndex) {
    this.#index = index;
  }

  get stuck(): number {
    return this.#stuck.size;
  }

  look(job: string): void {
    this.#due.add(job);
  }

  lookAtAll(): void {
    for (const job of this.#index.names()) this.#due.add(job);
  }

  lookAtNode(node: string): void {
    for (const job of this.#index.jobsOn(node)) this.#due.add(job);
    this.#roomMade = true;
  }

  /** A record as the store shows it, or as a change under way will make it. */
  set(job: string, record: JobRecord | undefined): void {
    const before = this.#index.get(job);
    this.#index.set(job, record);
    if (before !== undefined && leavesRoom(before, record)) this.#roomMade = true;
    if (record === undefined) {
      this.#waiting.delete(job);
      this.#stuck.delete(job);
      this.#due.delete(job);
      return;
    }
    if (record.node === "" || !record.wanted) return;
    const load = this.#index.load(record.node);
    for (const other of load.strangers(record)) this.#due.add(other);
    for (const other of load.twins(record)) this.#due.add(other);
  }

  /** Time passes: what waited for it, and what waits for room where some was made. */
  tick(wallMs: number): void {
    this.#ticks += 1;
    for (const [job, since] of this.#resting)
      if (this.#ticks - since >= REST_TICKS) this.#resting.delete(job);
    for (const job of this.#dueAfterRest) this.#due.add(job);
    this.#dueAfterRest.clear();
    for (const [job, untilMs] of this.#waiting) {
      if (wallMs < untilMs) continue;
      this.#waiting.delete(job);
      this.#due.add(job);
    }
    if (!this.#roomMade) return;
    this.#roomMade = false;
    for (const job of this.#stuck) this.#due.add(job);
  }

  /** Decides on what is due, one job after the other, each with the decisions before it. */
  plan(context: PlanContext, { isMine, isBusy, change, tellStuck }: PlannerHooks): void {
    let placings = 0;
    for (const job of this.#due) {
      if (placings >= PLACINGS_PER_STEP_MAX) return;
      this.#due.delete(job);
      if (this.#resting.has(job)) {
        this.#dueAfterRest.add(job);
        continue;
      }
      const record = this.#index.get(job);
      const decision: Decision =
        record === undefined || isBusy(job) || !isMine(record) ? { kind: "keep" } : decide(record, context);
      this.#waiting.delete(job);
      const wasStuck = this.#stuck.delete(job);
      switch (decision.kind) {
        case "keep":
          break;
        case "wait":
          this.#waiting.set(job, decision.untilMs);
          break;
        case "stuck":
          placings += 1;
          this.#stuck.add(job);
          if (!wasStuck) tellStuck(job, decision.reason);
          break;
        case "change":
          placings += 1;
          this.#resting.set(job, this.#ticks);
          if (!change(decision)) return;
          break;
      }
    }
  }
}

/** Whether a job that was there keeps another one away from its node no more. */
function leavesRoom(before: JobRecord, after: JobRecord | undefined): boolean {
  if (!before.wanted || before.node === "") return false;
  if (after === undefined || !after.wanted || after.node !== before.node) return true;
  return after.customer !== before.customer || after.apart !== before.apart;
}
