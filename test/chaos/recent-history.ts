import type { HistoryEvent } from "../../proto/generated/evercross/v1/hierarchy.ts";
import { historyLine } from "../../runtime/history/history-line.ts";
import type { HistoryLog } from "../../runtime/history/history-log.ts";

const KEPT_MS = 30_000;
const KEPT_MAX = 400;

/** What the hierarchy told of itself lately, by the time at which it was heard: the tellers' own clocks may be set wrong. */
export class RecentHistory {
  readonly #events: { readonly atMs: number; readonly event: HistoryEvent }[] = [];
  readonly #watch: { stop(): void };

  constructor(log: HistoryLog) {
    this.#watch = log.follow({ kind: "first" }, (event) => {
      this.#events.push({ atMs: performance.now(), event });
      if (this.#events.length > KEPT_MAX) this.#events.shift();
    });
  }

  /** Oldest first; each line begins with how many seconds ago it was heard. */
  lines(): string[] {
    const nowMs = performance.now();
    return this.#events
      .filter(({ atMs }) => nowMs - atMs <= KEPT_MS)
      .map(({ atMs, event }) => `${((atMs - nowMs) / 1000).toFixed(2)} s  ${historyLine(event, "utc")}`);
  }

  stop(): void {
    this.#watch.stop();
  }
}
