import { FLOW_FINDINGS_KEPT_MAX } from "../limits.ts";

/** What a finding means: something is missing, something came twice, or two statements disagree. */
const MEANING = {
  /** A request that nothing answered. */
  unanswered: "lost",
  /** Events of which no report came. */
  event_missing: "lost",
  /** A trade of which only one side was reported. */
  half_trade: "lost",
  /** An order that was acknowledged, did not end, and is not in the book. */
  order_missing: "lost",
  /** A report of an event that was reported before. */
  event_repeated: "duplicated",
  /** A second answer to a request. */
  answered_twice: "duplicated",
  /** More executed than the order had open. */
  overfilled: "duplicated",
  /** A report of an order that is not live. */
  order_not_live: "duplicated",
  /** Open quantity that does not follow from the reports before. */
  wrong_leaves: "inconsistent",
  /** A report whose terms are not those of the request or of the trade's other side. */
  wrong_terms: "inconsistent",
  /** The session ended although nobody asked for it. */
  session_ended: "lost",
} as const satisfies Record<string, "lost" | "duplicated" | "inconsistent">;

export type FindingCode = keyof typeof MEANING;

/** What was found wrong, counted by meaning, the first ones kept in words. */
export class Findings {
  readonly counts = { lost: 0, duplicated: 0, inconsistent: 0 };
  readonly details: string[] = [];

  add(code: FindingCode, detail: string, count = 1): void {
    this.counts[MEANING[code]] += count;
    if (this.details.length < FLOW_FINDINGS_KEPT_MAX) this.details.push(`${code}: ${detail}`);
  }

  get clean(): boolean {
    return this.counts.lost + this.counts.duplicated + this.counts.inconsistent === 0;
  }
}
