import type { ChaosOutcome } from "./chaos-run.ts";
import type { KindRecoveries, Spread } from "./recovery-table.ts";

/** What a run came to, as plain data: the last line of its output. */
export interface ChaosReport {
  readonly seed: number;
  readonly seconds: number;
  readonly nodes: number;
  readonly levels: number;
  readonly orders: number;
  readonly trades: number;
  readonly lost: number;
  readonly duplicated: number;
  readonly inconsistent: number;
  readonly symbols_proved: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly recoveries: Readonly<Record<string, KindRecoveries>>;
  readonly restarts: number;
  readonly needless_restarts: number;
  /** Restarts that no fault explains, at moments when the whole machine stood still. */
  readonly restarts_while_starved: number;
  readonly violations: readonly string[];
  readonly ok: boolean;
}

export interface ChaosFacts {
  readonly seed: number;
  readonly seconds: number;
  readonly nodes: number;
  readonly levels: number;
}

export function chaosReport(facts: ChaosFacts, outcome: ChaosOutcome): ChaosReport {
  const { load, proofs, violations } = outcome;
  const sum = (value: (report: (typeof load.reports)[number]) => number): number =>
    load.reports.reduce((total, report) => total + value(report), 0);
  return {
    ...facts,
    orders: sum(({ orders }) => orders),
    trades: sum(({ trades }) => trades),
    lost: sum(({ lost }) => lost),
    duplicated: sum(({ duplicated }) => duplicated),
    inconsistent: sum(({ inconsistent }) => inconsistent),
    symbols_proved: proofs.filter(({ ok }) => ok).length,
    faults: Object.fromEntries([...outcome.faults].sort(([a], [b]) => (a < b ? -1 : 1))),
    recoveries: Object.fromEntries(outcome.recoveries.kinds()),
    restarts: outcome.restarts,
    needless_restarts: outcome.needless.length,
    restarts_while_starved: outcome.starved.length,
    violations,
    ok: violations.length === 0,
  };
}

const SPREADS = ["silence", "replaced", "whole"] as const;

export const RECOVERY_HEAD: readonly string[] = [
  "fault",
  "count",
  ...SPREADS.flatMap((name) => [`${name} ms`, "worst"]),
];

/** Rows of a table for people, one for each kind of fault: median and worst of each measure. */
export function recoveryRows({ recoveries }: ChaosReport): (string | number)[][] {
  const cells = (spread: Spread | undefined): (string | number)[] =>
    spread === undefined ? ["-", "-"] : [spread.median_ms, spread.worst_ms];
  return Object.entries(recoveries).map(([kind, of]) => [
    kind,
    of.count,
    ...SPREADS.flatMap((name) => cells(of[name])),
  ]);
}

/** The report for people, one fact a line, without the table. */
export function describeChaos(report: ChaosReport): string[] {
  const count = (value: number): string => value.toLocaleString("en-US");
  const faults = Object.values(report.faults).reduce((sum, number) => sum + number, 0);
  return [
    `seed                ${report.seed}, ${report.nodes} nodes, ${report.levels} levels, ${Math.round(report.seconds)} s`,
    `orders              ${count(report.orders)} in ${count(report.trades)} trades`,
    `faults              ${count(faults)} of ${Object.keys(report.faults).length} kinds`,
    `lost                ${count(report.lost)}`,
    `duplicated          ${count(report.duplicated)}`,
    `inconsistent        ${count(report.inconsistent)}`,
    `symbols proved      ${count(report.symbols_proved)}, by reports, log and running book`,
    `restarts            ${count(report.restarts)}, of which ${count(report.needless_restarts)} without need, ${count(report.restarts_while_starved)} while the machine stood still`,
    ...report.violations.map((violation) => `  violated          ${violation}`),
    report.ok ? "verified" : "NOT VERIFIED",
  ];
}
