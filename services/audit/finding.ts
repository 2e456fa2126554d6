import { AUDIT_FINDINGS_MAX } from "../limits.ts";

/** What an audit can find. Each code is a statement about the log that does not hold. */
export const FindingCode = {
  /** Entry sequence is gap-free. */
  ENTRY_MISSING: "entry_missing",
  /** Each record is an entry. */
  ENTRY_UNREADABLE: "entry_unreadable",
  /** Each entry is as it was sealed. */
  ENTRY_CHECKSUM: "entry_checksum",
  /** Each entry follows the one before it. */
  ENTRY_CHAIN: "entry_chain",
  /** Each entry is of this job and stands in its place. */
  ENTRY_MISPLACED: "entry_misplaced",
  /** The log reaches at least as far as what was acknowledged, and as its rows. */
  LOG_TRUNCATED: "log_truncated",
  /** The replica's own records of the log are whole. */
  LOG_RECORD: "log_record",
  /** The store can read its files. */
  STORE_UNREADABLE: "store_unreadable",
  /** Epochs never fall, and each entry names that of the one before it. */
  EPOCH_ORDER: "epoch_order",
  /** A writer's first entry says who it is. */
  EPOCH_NOT_STARTED: "epoch_not_started",
  /** A data entry's payload is an event batch. */
  PAYLOAD_UNREADABLE: "payload_unreadable",
  /** Event sequence is gap-free. */
  EVENT_GAP: "event_gap",
  /** A session's executed requests strictly increase. */
  MARK_ORDER: "mark_order",
  /** Order ids are given once. */
  ORDER_REPEATED: "order_repeated",
  /** Only live orders are executed, replaced and cancelled. */
  ORDER_UNKNOWN: "order_unknown",
  /** No order is executed beyond its quantity. */
  ORDER_OVERFILLED: "order_overfilled",
  /** The open quantity that an event states is the order's quantity less what was executed. */
  ORDER_LEAVES: "order_leaves",
  /** Buyers trade with sellers. */
  TRADE_SIDES: "trade_sides",
  /** Accepted or replaced quantity is what was executed, cancelled and is still live. */
  QUANTITY_NOT_CONSERVED: "quantity_not_conserved",
  /** What was bought was sold. */
  BOUGHT_NOT_SOLD: "bought_not_sold",
  /** Each event follows from the book before it. */
  BOOK_CONTRADICTED: "book_contradicted",
  /** The stored rows can be read and put together. */
  ROWS_UNREADABLE: "rows_unreadable",
  /** The stored rows are the book and the marks that the log leads to. */
  ROWS_DIFFER: "rows_differ",
} as const;
export type FindingCode = (typeof FindingCode)[keyof typeof FindingCode];

export interface Finding {
  readonly code: FindingCode;
  /** Entry concerned, 0 for the log as a whole. */
  readonly entry: number;
  /** Event concerned, 0 for none. */
  readonly event: number;
  readonly detail: string;
}

/** Findings in the order in which they were made. All are counted; the first of them are kept. */
export class Findings {
  readonly kept: Finding[] = [];
  readonly counts = new Map<FindingCode, number>();

  add(code: FindingCode, entry: number, event: number, detail: string): void {
    this.counts.set(code, (this.counts.get(code) ?? 0) + 1);
    if (this.kept.length < AUDIT_FINDINGS_MAX) this.kept.push({ code, entry, event, detail });
  }

  get total(): number {
    let total = 0;
    for (const count of this.counts.values()) total += count;
    return total;
  }
}
