import { setTimeout as delay } from "node:timers/promises";
import type { PlaceRecord } from "../../proto/generated/evercross/v1/hierarchy.ts";
import { CHANGE_TIMEOUT_MS, CHANGES_IN_FLIGHT_MAX } from "../limits.ts";
import type { DesiredStore, RecordChange, StoredRecord } from "./desired-store.ts";
import type { DesiredView } from "./desired-view.ts";

/**
 * Keeps the directory's records of one agent's jobs as the agent says. Only the last word of each job is written, and only
 * where the job's own record puts it on that node: a job that was moved away meanwhile is another's to tell of.
 */
export class PlaceWriter {
  readonly #store: DesiredStore;
  readonly #view: DesiredView;
  readonly #role: string;
  /** The agent's last word of each job that it has, and of those whose record is still to be removed. */
  readonly #said = new Map<string, PlaceRecord | undefined>();
  /** Jobs to look at, in the order in which they came up. */
  readonly #due = new Set<string>();
  readonly #busy = new Set<string>();
  /** Of the last change made here of each job, while the view may not have it yet. */
  readonly #made = new Map<string, number>();
  /** Of the last record that the view has. */
  #revision = 0;
  #begun = false;
  #stopped = false;

  constructor(store: DesiredStore, view: DesiredView, role: string) {
    this.#store = store;
    this.#view = view;
    this.#role = role;
  }

  /** The view is complete: what was said so far is written. */
  begin(): void {
    this.#begun = true;
    for (const job of this.#said.keys()) this.#due.add(job);
    this.#pump();
  }

  /** `undefined`: it is no job of this agent any more. */
  say(job: string, place: PlaceRecord | undefined): void {
    this.#said.set(job, place);
    this.#look(job);
  }

  /** The view has this record, of whichever kind. */
  seen({ kind, name, revision }: StoredRecord): void {
    this.#revision = revision;
    if ((this.#made.get(name) ?? Infinity) <= revision) this.#made.delete(name);
    if ((kind === "place" || kind === "job") && this.#said.has(name)) this.#due.add(name);
    if (this.#due.size > 0) this.#pump();
  }

  stop(): void {
    this.#stopped = true;
  }

  #look(job: string): void {
    this.#due.add(job);
    this.#pump();
  }

  #pump(): void {
    if (!this.#begun || this.#stopped) return;
    for (const job of this.#due) {
      if (this.#busy.size >= CHANGES_IN_FLIGHT_MAX) return;
      // What the view does not show yet would be judged by a record that is no more.
      if (this.#busy.has(job) || (this.#made.get(job) ?? 0) > this.#revision) continue;
      this.#due.delete(job);
      const change = this.#changeOf(job);
      if (change !== undefined) void this.#make(job, change);
    }
  }

  #changeOf(job: string): RecordChange | undefined {
    const place = this.#said.get(job);
    const held = this.#view.places.get(job);
    const expected = held?.revision ?? 0;
    if (place === undefined) {
      this.#said.delete(job);
      if (held?.value.agent !== this.#role) return undefined;
      return { kind: "place", name: job, expected, value: undefined };
    }
    if (this.#view.jobs.get(job)?.value.node !== place.node) return undefined;
    if (held !== undefined && isSame(held.value, place)) return undefined;
    return { kind: "place", name: job, expected, value: place };
  }

  async #make(job: string, change: RecordChange): Promise<void> {
    this.#busy.add(job);
    const outcome = await this.#store.change(change);
    if (outcome.kind === "ok") {
      this.#made.set(job, outcome.revision);
    } else {
      // A removal that was not made is to be made still, unless something else was said since.
      if (change.value === undefined && !this.#said.has(job)) this.#said.set(job, undefined);
      this.#due.add(job);
      // After a conflict the watch is about to show why; an unknown outcome shows by itself, or not at all.
      await delay(outcome.kind === "conflict" ? 0 : CHANGE_TIMEOUT_MS, undefined, { ref: false });
    }
    this.#busy.delete(job);
    this.#pump();
  }
}

function isSame(one: PlaceRecord, other: PlaceRecord): boolean {
  return (Object.keys(one) as (keyof PlaceRecord)[]).every((key) => one[key] === other[key]);
}
