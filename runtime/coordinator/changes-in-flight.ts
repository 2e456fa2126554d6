import type { RecordChange, StoredRecord } from "../desired/desired-store.ts";
import { CHANGE_TIMEOUT_MS, CHANGES_IN_FLIGHT_MAX } from "../limits.ts";
import type { MonitorEvent } from "../monitor/monitor-message.ts";

interface Pending {
  readonly change: RecordChange;
  /** Told once the change is known to be made. */
  event: MonitorEvent | undefined;
  readonly sentAt: number;
  answered: boolean;
}

const keyOf = ({ kind, name }: { readonly kind: string; readonly name: string }): string => `${kind} ${name}`;

/**
 * The changes of the store that are under way. A record is not changed again before the watch has shown what became of it, or
 * `CHANGE_TIMEOUT_MS` have passed: until then every decision on it would be made from what is known to be old.
 */
export class ChangesInFlight {
  readonly #pending = new Map<string, Pending>();
  #unanswered = 0;

  get unanswered(): number {
    return this.#unanswered;
  }

  get full(): boolean {
    return this.#unanswered >= CHANGES_IN_FLIGHT_MAX;
  }

  has(kind: RecordChange["kind"], name: string): boolean {
    return this.#pending.has(keyOf({ kind, name }));
  }

  send(now: number, change: RecordChange, event: MonitorEvent | undefined): void {
    this.#pending.set(keyOf(change), { change, event, sentAt: now, answered: false });
    this.#unanswered += 1;
  }

  /** What to tell of a change that was answered. A lost one stays until the watch shows who won. */
  answered(change: RecordChange, outcome: "ok" | "conflict" | "unknown"): MonitorEvent | undefined {
    const pending = this.#pending.get(keyOf(change));
    if (pending === undefined || pending.change.expected !== change.expected) return undefined;
    this.#count(pending);
    const event = outcome === "ok" ? pending.event : undefined;
    if (outcome !== "unknown") pending.event = undefined;
    return event;
  }

  /** The watch shows a record: whatever was under way for it is decided. What to tell if it was ours. */
  shown(record: StoredRecord): MonitorEvent | undefined {
    const key = keyOf(record);
    const pending = this.#pending.get(key);
    if (pending === undefined || record.revision <= pending.change.expected) return undefined;
    this.#pending.delete(key);
    this.#count(pending);
    if (pending.event === undefined) return undefined;
    return JSON.stringify(record.value) === JSON.stringify(pending.change.value) ? pending.event : undefined;
  }

  /** Those of which nothing was heard in time; they are forgotten. */
  expired(now: number): RecordChange[] {
    const expired: RecordChange[] = [];
    for (const [key, pending] of this.#pending) {
      if (now - pending.sentAt < CHANGE_TIMEOUT_MS) continue;
      this.#pending.delete(key);
      this.#count(pending);
      expired.push(pending.change);
    }
    return expired;
  }

  #count(pending: Pending): void {
    if (!pending.answered) this.#unanswered -= 1;
    pending.answered = true;
  }
}
