import type { LogEntry } from "../../proto/generated/evercross/v1/log.ts";
import { parseJob } from "../../runtime/job/name.ts";
import { provedEntries } from "../../runtime/log/proved-entries.ts";
import { BackupError } from "../../runtime/backup/backup-error.ts";
import { LogRefusedError, type LogSource } from "../../runtime/log/checkpoint-log.ts";
import { withKeptLogs } from "../backup/kept-logs.ts";
import { PromotionCode, PromotionError } from "./promotion-error.ts";
import { findPromotion, type LogStatement } from "./promotion-record.ts";

/** What the lost site had of one log that the mirror had not. */
export interface LogComparison {
  readonly log: string;
  /** Last entry that the mirror had when it was promoted. */
  readonly seq: number;
  /** Last entry that the lost site has; undefined when its log cannot be read. */
  readonly lostSeq: number | undefined;
  /** Why the two cannot be compared, or are not of one log; undefined when they are. */
  readonly problem: string | undefined;
}

/**
 * Holds what a market's mirrors had when they were promoted into `dataDir` against the storage of the lost site, once that can be
 * read again. `take` gets each entry beyond, proved. Throws `PromotionError` or `ConfigError`.
 */
export async function compareLost(
  dataDir: string,
  lostDir: string,
  take: (entry: LogEntry) => void,
): Promise<LogComparison[]> {
  const promotion = findPromotion(dataDir);
  if (promotion?.finished !== true) {
    const detail = `no mirror was promoted into ${dataDir}: 'evercross storage promote' does it`;
    throw new PromotionError(PromotionCode.COMPARE_NOT_PROMOTED, detail);
  }
  const compared: LogComparison[] = [];
  await withKeptLogs(lostDir, async (logs) => {
    for (const statement of promotion.logs) {
      try {
        const source = await logs.source(parseJob(statement.log));
        compared.push(await compareLog(statement, source, take));
      } catch (error) {
        if (!(error instanceof BackupError) && !(error instanceof LogRefusedError)) throw error;
        const { log, seq } = statement;
        compared.push({ log, seq, lostSeq: undefined, problem: error.message });
      }
    }
  });
  return compared;
}

async function compareLog(
  { log, seq, chain }: LogStatement,
  source: LogSource,
  take: (entry: LogEntry) => void,
): Promise<LogComparison> {
  const tail = await source.tail();
  if (tail === undefined) return { log, seq, lostSeq: undefined, problem: `${log}: there is no answer` };
  const lostSeq = tail.seq;
  if (lostSeq < seq) {
    const problem = `${log}: the lost site's log ends at entry ${lostSeq}, before what the mirror had of it`;
    return { log, seq, lostSeq, problem };
  }
  const from = Math.max(1, seq);
  let last = from - 1;
  for await (const entry of provedEntries(source, log, from, lostSeq + 1)) {
    if (entry.seq === seq && entry.chain.toString("hex") !== chain) {
      return {
        log,
        seq,
        lostSeq,
        problem: `${log}: the lost site has another entry ${seq} than the mirror had`,
      };
    }
    if (entry.seq > seq) take(entry);
    last = entry.seq;
  }
  if (last < lostSeq) return { log, seq, lostSeq, problem: `${log}: entry ${last + 1} is not answered` };
  return { log, seq, lostSeq, problem: undefined };
}
