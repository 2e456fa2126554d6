import { EntryKind, LogStatus, type LogTail } from "../../proto/generated/evercross/v1/log.ts";
import { checkEntry } from "./entry.ts";
import { LogRefusedError, type RecoveryTarget } from "./checkpoint-log.ts";
import type { LogClient } from "./log-client.ts";

/**
 * Gives the target everything of the log up to `tail`. False: the reading was not wanted any more. Throws
 * `LogRefusedError` on an entry that does not prove itself.
 */
export async function recover(log: LogClient, tail: LogTail, target: RecoveryTarget): Promise<boolean> {
  const rows = await log.rows(target);
  if (rows === undefined) return false;
  target.restored(rows);
  let chain: Uint8Array | undefined;
  for (let next = rows + 1; next <= tail.seq;) {
    const entries = await log.entries(next, tail.seq + 1);
    if (entries === undefined) return false;
    for (const entry of entries) {
      const verdict = entry.seq === next ? checkEntry(entry, chain) : "sequence";
      if (verdict !== "ok") {
        throw new LogRefusedError(LogStatus.DAMAGED, `${log.job}: entry ${next} is damaged (${verdict})`);
      }
      if (entry.kind === EntryKind.DATA) target.entry(entry.payload);
      chain = entry.chain;
      next += 1;
    }
  }
  if (chain !== undefined && !tail.chain.equals(chain)) {
    throw new LogRefusedError(
      LogStatus.DAMAGED,
      `${log.job}: entry ${tail.seq} is not the log's last (chain)`,
    );
  }
  return true;
}
