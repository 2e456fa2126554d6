import type { PlannedLog } from "./mirror-plan.ts";

const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`;

/** One line about all logs of a mirror, for its job's status. Whole seconds, so that it does not change all the time. */
export function mirrorSummary(nowMs: number, logs: Iterable<PlannedLog>): string {
  let count = 0;
  let behind = 0;
  let entries = 0;
  let oldestMs = 0;
  let heardMs = Infinity;
  let refused = 0;
  let refusal: string | undefined;
  for (const log of logs) {
    const lag = log.lag.read(nowMs);
    count += 1;
    heardMs = Math.min(heardMs, lag.unheardMs ?? Infinity);
    if (log.refusal !== undefined) {
      refused += 1;
      refusal ??= log.refusal;
    }
    if (lag.entries === 0) continue;
    behind += 1;
    entries += lag.entries;
    oldestMs = Math.max(oldestMs, lag.ageMs);
  }
  const parts = [`mirrors ${plural(count, "log")}`];
  if (count > 0 && heardMs === Infinity) parts.push("none heard of yet");
  else if (heardMs >= UNHEARD_MS) parts.push(`the market was last heard ${seconds(heardMs)} ago`);
  if (behind > 0)
    parts.push(
      `${behind} behind by ${plural(entries, "entry").replace("entrys", "entries")} and ${seconds(oldestMs)} at the most`,
    );
  if (refused > 0) parts.push(`${refused} refused: ${refusal ?? ""}`);
  return parts.join(", ");
}

/** Shorter than that is the pace of asking. */
const UNHEARD_MS = 5000;

const seconds = (ms: number): string => `${Math.ceil(ms / 1000)} s`;
