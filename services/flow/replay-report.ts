import { RejectReason } from "../../proto/generated/evercross/v1/types.ts";
import type { ReplayResult } from "./replayer.ts";
import { codeName } from "../../runtime/code-name.ts";

/** What a replay came to, as plain data: the `--json` answer of the command line. */
export interface ReplayReport {
  readonly flow: string;
  readonly symbols: number;
  /** Requests sent: orders, cancels and replaces. */
  readonly orders: number;
  readonly new_orders: number;
  readonly cancels: number;
  readonly replaces: number;
  readonly accepted: number;
  readonly replaced: number;
  readonly cancelled: number;
  readonly rejected: number;
  readonly rejects: Readonly<Record<string, number>>;
  readonly fills: number;
  readonly trades: number;
  readonly live: number;
  readonly skipped: Readonly<Record<string, number>>;
  readonly seconds: number;
  readonly orders_per_second: number;
  readonly latency_us: Readonly<Record<"p50" | "p90" | "p99" | "p99_9" | "max", number>>;
  readonly failovers: number;
  readonly failover_gaps: readonly { readonly cause: string; readonly gap_ms: number }[];
  readonly longest_silence_ms: number;
  readonly trades_checked: number;
  readonly trade_mismatches: number;
  readonly books_checked: number;
  readonly books_unchecked: number;
  readonly book_mismatches: number;
  readonly final_books_checked: number;
  readonly lost: number;
  readonly duplicated: number;
  readonly inconsistent: number;
  readonly first_difference: string | undefined;
  readonly findings: readonly string[];
  readonly stopped: string | undefined;
  /** The whole flow was replayed and nothing was wrong. */
  readonly verified: boolean;
}

const toMs = (us: number): number => Math.round(us / 10) / 100;

export function replayReport(
  result: ReplayResult,
  flow: { readonly name: string; readonly skipped: ReadonlyMap<string, number> },
): ReplayReport {
  const { tally, findings, latency } = result;
  const orders = tally.sent.new + tally.sent.cancel + tally.sent.replace;
  const seconds = result.elapsedUs / 1_000_000;
  const at = (percentile: number): number => latency.getValueAtPercentile(percentile);
  const rejected = [...tally.rejects.values()].reduce((sum, count) => sum + count, 0);
  const difference = result.tradeDifference ?? result.bookDifference;
  return {
    flow: flow.name,
    symbols: result.symbols.size,
    orders,
    new_orders: tally.sent.new,
    cancels: tally.sent.cancel,
    replaces: tally.sent.replace,
    accepted: tally.accepted,
    replaced: tally.replaced,
    cancelled: tally.cancelled,
    rejected,
    rejects: Object.fromEntries(
      [...tally.rejects].map(([reason, count]) => [codeName(RejectReason, reason), count]),
    ),
    fills: tally.fills,
    trades: result.trades,
    live: result.live,
    skipped: Object.fromEntries(flow.skipped),
    seconds: Math.round(seconds * 1000) / 1000,
    orders_per_second: seconds > 0 ? Math.round(orders / seconds) : 0,
    latency_us: { p50: at(50), p90: at(90), p99: at(99), p99_9: at(99.9), max: latency.maxValue },
    failovers: result.outages.length,
    failover_gaps: result.outages.map(({ cause, gapUs }) => ({ cause, gap_ms: toMs(gapUs) })),
    longest_silence_ms: toMs(result.longestSilenceUs),
    trades_checked: result.tradesChecked,
    trade_mismatches: result.tradeDifference === undefined ? 0 : 1,
    books_checked: result.booksChecked,
    books_unchecked: result.booksUnchecked,
    book_mismatches: result.bookDifference === undefined ? 0 : 1,
    final_books_checked: result.finalBooks,
    ...findings.counts,
    first_difference: difference,
    findings: findings.details,
    stopped: result.stopped,
    verified:
      findings.clean &&
      difference === undefined &&
      result.stopped === undefined &&
      result.booksUnchecked === result.booksHidden,
  };
}

const count = (value: number): string => value.toLocaleString("en-US");

function time(us: number): string {
  return us < 10_000 ? `${count(us)} µs` : `${count(Math.round(us / 1000))} ms`;
}

function listed(numbers: Readonly<Record<string, number>>): string {
  const entries = Object.entries(numbers).map(([name, value]) => `${count(value)} ${name.toLowerCase()}`);
  return entries.length === 0 ? "" : ` (${entries.join(", ")})`;
}

function checks(report: ReplayReport): string[] {
  const lines: string[] = [];
  if (report.trades_checked > 0 || report.trade_mismatches > 0) {
    lines.push(`trades as expected  ${count(report.trades_checked)}, ${report.trade_mismatches} different`);
  }
  if (report.books_checked + report.books_unchecked > 0 || report.book_mismatches > 0) {
    const unchecked = report.books_unchecked > 0 ? `, ${count(report.books_unchecked)} not comparable` : "";
    lines.push(
      `books as expected   ${count(report.books_checked)}, ${report.book_mismatches} different${unchecked}`,
    );
  }
  if (report.final_books_checked > 0) {
    lines.push(`final books         ${count(report.final_books_checked)} compared with the live orders`);
  }
  return lines;
}

/** The report for people, one fact a line. */
export function describeReport(report: ReplayReport): string[] {
  const { latency_us: latency } = report;
  const sent = { new: report.new_orders, cancel: report.cancels, replace: report.replaces };
  return [
    `flow                ${report.flow}, ${count(report.symbols)} symbol${report.symbols === 1 ? "" : "s"}${listed(report.skipped)}`,
    `orders              ${count(report.orders)}${listed(sent)}`,
    `accepted            ${count(report.accepted)}, of which ${count(report.live)} live at the end`,
    `fills               ${count(report.fills)} in ${count(report.trades)} trades`,
    `cancelled           ${count(report.cancelled)}; replaced ${count(report.replaced)}`,
    `rejected            ${count(report.rejected)}${listed(report.rejects)}`,
    `speed               ${count(report.orders_per_second)} orders/s over ${report.seconds} s`,
    `latency             p50 ${time(latency.p50)}, p90 ${time(latency.p90)}, p99 ${time(latency.p99)}, p99.9 ${time(latency.p99_9)}, max ${time(latency.max)}`,
    `failovers           ${count(report.failovers)}`,
    ...report.failover_gaps.map(({ cause, gap_ms }) => `  gap               ${gap_ms} ms: ${cause}`),
    ...checks(report),
    `lost                ${count(report.lost)}`,
    `duplicated          ${count(report.duplicated)}`,
    `inconsistent        ${count(report.inconsistent)}`,
    ...(report.first_difference === undefined ? [] : [`first difference    ${report.first_difference}`]),
    ...report.findings.map((finding) => `  found             ${finding}`),
    ...(report.stopped === undefined ? [] : [`stopped             ${report.stopped}`]),
    report.verified ? "verified" : "NOT VERIFIED",
  ];
}
