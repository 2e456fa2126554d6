import { type LogEntry, LogStatus } from "../../proto/generated/evercross/v1/log.ts";
import { LogRefusedError, type LogSource } from "./checkpoint-log.ts";
import { checkEntry } from "./entry.ts";

/**
 * Entries with `from <= seq < to`, each proved by its place, its checksum and the entry before it. `chain`: that of the entry
 * before the first, when it is known. Ends early when the source is not wanted any more. Throws `LogRefusedError`.
 */
export async function* provedEntries(
  source: LogSource,
  job: string,
  from: number,
  to: number,
  chain?: Uint8Array,
): AsyncGenerator<LogEntry, void, undefined> {
  let before = chain;
  for (let next = from; next < to;) {
    const page = await source.entries(next, to);
    if (page === undefined) return;
    for (const entry of page) {
      const verdict = entry.job === job && entry.seq === next ? checkEntry(entry, before) : "misplaced";
      if (verdict !== "ok") {
        throw new LogRefusedError(LogStatus.DAMAGED, `${job}: entry ${next} is damaged (${verdict})`);
      }
      yield entry;
      before = entry.chain;
      next += 1;
    }
  }
}
