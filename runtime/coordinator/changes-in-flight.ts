import type { ChangeOutcome, RecordChange, StoredRecord } from "../desired/desired-store.ts";
import { CHANGE_TIMEOUT_MS, CHANGES_IN_FLIGHT_MAX } from "../limits.ts";
import type { MonitorEvent } from "../monitor/monitor-message.ts";

interface Sent {
  readonly change: RecordChange;
  /** Told once the change is known to be made. */
  readonly event: MonitorEvent | undefined;
  readonly at: number;
  outcome: ChangeOutcome["kind"] | undefined;
  /** What the watch showed next of this record. */
  shown: "ours" | "another" | undefined;
}

const keyOf = ({ kind, name }: { readonly kind: string; readonly name: string }): string => `${kind} ${name}`;
const numberedKeyOf = (change: RecordChange): string => `${change.expected} ${keyOf(change)}`;

/**
 * The changes of the store that are under way. A record is not changed again before the watch has shown what became of it, or
 * `CHANGE_TIMEOUT_MS` have passed: until then every decision on it would be made from what is known to be old.
 */
export class ChangesInFlight {
  /** By record: the watch has shown nothing newer yet. */
  readonly #open = new Map<string, Sent>();
  /** By record and revision. */
  readonly #unanswered = new Map<string, Sent>();
  readonly #openStates = new Set<string>();

  /** The condition of a node is about to be known to all. */
  get hasStates(): boolean {
    return this.#openStates.size > 0;
  }

  get unanswered(): number {
    return this.#unanswered.size;
  }

  get full(): boolean {
    return this.#unanswered.size >= CHANGES_IN_FLIGHT_MAX;
  }

  has(kind: RecordChange["kind"], name: string): boolean {
    return this.#open.has(keyOf({ kind, name }));
  }

  send(now: number, change: RecordChange, event: MonitorEvent | undefined): void {
    const sent: Sent = { change, event, at: now, outcome: undefined, shown: undefined };
    this.#open.set(keyOf(change), sent);
    if (change.kind === "state") this.#openStates.add(change.name);
    this.#unanswered.set(numberedKeyOf(change), sent);
  }

  /** What to tell of it, if it is known to be made now. */
  answered(change: RecordChange, outcome: ChangeOutcome["kind"]): MonitorEvent | undefined {
    const sent = this.#unanswered.get(numberedKeyOf(change));
    if (sent === undefined) return undefined;
    this.#unanswered.delete(numberedKeyOf(change));
    sent.outcome = outcome;
    if (outcome === "ok") return sent.event;
    return outcome === "unknown" && sent.shown === "ours" ? sent.event : undefined;
  }

  /** The watch shows a record: whatever was under way for it is decided. What to tell of it, if it is known to be made only now. */
  shown(record: StoredRecord): MonitorEvent | undefined {
    const sent = this.#open.get(keyOf(record));
    if (sent === undefined || record.revision <= sent.change.expected) return undefined;
    this.#close(record);
    const isOurs = JSON.stringify(record.value) === JSON.stringify(sent.change.value);
    sent.shown = isOurs ? "ours" : "another";
    return sent.outcome === "unknown" && isOurs ? sent.event : undefined;
  }

  /** Those of which nothing was heard in time; they are forgotten. */
  expired(now: number): RecordChange[] {
    const expired: RecordChange[] = [];
    for (const { at, change } of this.#open.values()) {
      if (now - at < CHANGE_TIMEOUT_MS) continue;
      this.#close(change);
      expired.push(change);
    }
    for (const [key, { at }] of this.#unanswered)
      if (now - at >= CHANGE_TIMEOUT_MS) this.#unanswered.delete(key);
    return expired;
  }

  #close(record: RecordChange | StoredRecord): void {
    this.#open.delete(keyOf(record));
    if (record.kind === "state") this.#openStates.delete(record.name);
  }
}
