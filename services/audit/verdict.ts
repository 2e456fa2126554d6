import type { BookState } from "../../proto/generated/evercross/v1/link.ts";
import type { Finding } from "./finding.ts";
import type { QuantityTotals } from "./order-ledger.ts";

export interface AuditCounts {
  entries: number;
  events: number;
  requests: number;
  trades: number;
  rows: number;
  sessions: number;
}

/** What an audit proved, or found. */
export interface Verdict {
  readonly job: string;
  /** True when nothing was found. */
  readonly ok: boolean;
  /** First and last entry that was there, 0 when there was none. */
  readonly firstEntry: number;
  readonly lastEntry: number;
  /** The stored rows are the state after this entry. */
  readonly rowsEntry: number;
  readonly counts: AuditCounts;
  /** Undefined when entries are missing, so that no account can be closed. */
  readonly quantity: QuantityTotals | undefined;
  /** The book at the end; undefined when it could be rebuilt neither from the log nor from the rows. */
  readonly book: BookState | undefined;
  /** The first of them, in order. */
  readonly findings: readonly Finding[];
  readonly findingsTotal: number;
}

/** The verdict for a reader, one statement a line. */
export function verdictText(verdict: Verdict): string {
  const { job, counts, quantity, book } = verdict;
  const lines = [
    `${job}: entries ${verdict.firstEntry} to ${verdict.lastEntry}, rows at entry ${verdict.rowsEntry}`,
    `  ${counts.entries} entries, ${counts.requests} requests of ${counts.sessions} sessions, ` +
      `${counts.events} events, ${counts.trades} trades, ${counts.rows} rows`,
  ];
  if (quantity !== undefined) {
    const { accepted, bought, sold, cancelled, live } = quantity;
    lines.push(
      `  quantity: ${accepted} accepted; ${bought} bought, ${sold} sold, ${cancelled} cancelled, ${live} live`,
    );
  }
  if (book !== undefined) {
    lines.push(
      `  book: ${book.liveOrders} orders, ${book.bidQuantity} bid, ${book.askQuantity} asked, hash ${book.hash}`,
    );
  }
  for (const { code, entry, event, detail } of verdict.findings) {
    const where = [entry > 0 && `entry ${entry}`, event > 0 && `event ${event}`].filter(Boolean).join(", ");
    lines.push(`  FOUND ${code}${where === "" ? "" : ` at ${where}`}: ${detail}`);
  }
  const hidden = verdict.findingsTotal - verdict.findings.length;
  if (hidden > 0) lines.push(`  and ${hidden} more`);
  lines.push(
    verdict.ok
      ? "  proved: gap-free, checksums and chain hold, quantity conserved, no order over-filled, rows equal replay"
      : `  NOT PROVED: ${verdict.findingsTotal} findings`,
  );
  return lines.join("\n");
}
