import { EntryKind, type LogEntry, LogStatus, type LogTail } from "../../proto/generated/evercross/v1/log.ts";
import { type LogPosition, LogRefusedError, type LogSource, type RecoveryTarget } from "./checkpoint-log.ts";
import { checkEntry } from "./entry.ts";
import { WorkSlices } from "./work-slices.ts";

/**
 * Gives the target everything of a job's log up to `tail`: after `from` when it has that already and the log continues it, else
 * all, begun anew. False: the reading was not wanted any more. Throws `LogRefusedError` on an entry that does not prove itself.
 */
export async function recover(
  job: string,
  log: LogSource,
  tail: LogTail,
  target: RecoveryTarget,
  from?: LogPosition,
): Promise<boolean> {
  if (from !== undefined && (await continues(log, tail, from)))
    return replay(job, log, tail, target, from.seq, from.chain);
  const rows = await log.rows(target);
  if (rows === undefined) return false;
  await target.restored(rows);
  return replay(job, log, tail, target, rows, undefined);
}

/** Whether the log has that position, and what is behind it. */
async function continues(log: LogSource, tail: LogTail, from: LogPosition): Promise<boolean> {
  if (from.seq >= tail.seq) return from.seq === tail.seq && tail.chain.equals(from.chain);
  let next: readonly LogEntry[] | undefined;
  try {
    next = await log.entries(from.seq + 1, from.seq + 2);
  } catch (error) {
    if (error instanceof LogRefusedError && error.status === LogStatus.TRIMMED) return false;
    throw error;
  }
  const entry = next?.[0];
  return entry?.seq === from.seq + 1 && checkEntry(entry, from.chain) === "ok";
}

async function replay(
  job: string,
  log: LogSource,
  tail: LogTail,
  target: RecoveryTarget,
  after: number,
  chainThere: Uint8Array | undefined,
): Promise<boolean> {
  const slices = new WorkSlices();
  let chain = chainThere;
  for (let next = after + 1; next <= tail.seq;) {
    const entries = await log.entries(next, tail.seq + 1);
    if (entries === undefined) return false;
    for (const entry of entries) {
      const verdict = entry.seq === next ? checkEntry(entry, chain) : "sequence";
      if (verdict !== "ok") {
        throw new LogRefusedError(LogStatus.DAMAGED, `${job}: entry ${next} is damaged (${verdict})`);
      }
      if (entry.kind === EntryKind.DATA) target.entry(entry.payload);
      chain = entry.chain;
      next += 1;
      await slices.pause();
    }
  }
  if (chain !== undefined && !tail.chain.equals(chain)) {
    throw new LogRefusedError(LogStatus.DAMAGED, `${job}: entry ${tail.seq} is not the log's last (chain)`);
  }
  return true;
}
