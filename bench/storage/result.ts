import type { Latency } from "./latency.ts";
import { type Spread, spreadOf } from "./spread.ts";
import type { AppendResult, FloorResult, LogPlan, RestoreResult, RowsInterval } from "./task.ts";

/** Microseconds, over the runs. */
export interface LatencySpread {
  readonly p50: Spread;
  readonly p99: Spread;
  readonly p999: Spread;
}

export const FLOORS = ["fdatasync", "rocksdb", "roundTrip", "jetstreamSynced", "jetstreamUnsynced"] as const;
export type Floor = (typeof FLOORS)[number];

/** What each step of an append costs by itself, with an entry of so many requests. */
export interface FloorRow {
  readonly requests: number;
  readonly entryBytes: number;
  readonly floors: Readonly<Record<Floor, LatencySpread>>;
}

export interface AppendRow {
  readonly plan: LogPlan;
  readonly requests: number;
  readonly entryBytes: number;
  readonly latency: LatencySpread;
  readonly entriesPerSecond: Spread;
  readonly requestsPerSecond: Spread;
  /** Of all runs together: entries that were committed, and the requests in them. */
  readonly entries: number;
  readonly totalRequests: number;
  /** Median to one broker round trip and one synced batch, of the same run; of one storage job only. */
  readonly ratioToFloor: Spread | undefined;
}

export interface RestoreRow {
  readonly plan: LogPlan;
  readonly orders: number;
  readonly ms: Spread;
  readonly longestTurnMs: Spread;
  /** Entries behind the rows that were replayed. */
  readonly replayed: Spread;
}

export interface RowsRow {
  readonly rows: RowsInterval;
  readonly requestsPerSecond: Spread;
  readonly restore: RestoreRow;
}

export interface StorageResult {
  readonly runs: number;
  readonly seconds: number;
  readonly node: string;
  readonly broker: string;
  /** Version of the binding. */
  readonly rocksdb: string;
  readonly processor: string;
  readonly processors: number;
  readonly system: string;
  readonly fileSystem: string;
  readonly floors: readonly FloorRow[];
  readonly appends: readonly AppendRow[];
  readonly restores: readonly RestoreRow[];
  readonly rows: readonly RowsRow[];
}

function latencySpread(latencies: readonly Latency[]): LatencySpread {
  return {
    p50: spreadOf(latencies.map(({ p50 }) => p50)),
    p99: spreadOf(latencies.map(({ p99 }) => p99)),
    p999: spreadOf(latencies.map(({ p999 }) => p999)),
  };
}

/** Of at least one run. */
export function floorRow(requests: number, runs: readonly FloorResult[]): FloorRow {
  const of = (floor: Floor): LatencySpread => latencySpread(runs.map((run) => run[floor]));
  return {
    requests,
    entryBytes: (runs[0] as FloorResult).entryBytes,
    floors: {
      fdatasync: of("fdatasync"),
      rocksdb: of("rocksdb"),
      roundTrip: of("roundTrip"),
      jetstreamSynced: of("jetstreamSynced"),
      jetstreamUnsynced: of("jetstreamUnsynced"),
    },
  };
}

/** `floors`: of the same runs. */
export function appendRow(
  plan: LogPlan,
  requests: number,
  runs: readonly AppendResult[],
  floors: readonly FloorResult[],
): AppendRow {
  const ratios = runs.map(({ latency }, index) => {
    const { roundTrip, rocksdb } = floors[index] as FloorResult;
    return latency.p50 / (roundTrip.p50 + rocksdb.p50);
  });
  return {
    plan,
    requests,
    entryBytes: (runs[0] as AppendResult).entryBytes,
    latency: latencySpread(runs.map(({ latency }) => latency)),
    entriesPerSecond: spreadOf(runs.map(({ entriesPerSecond }) => entriesPerSecond)),
    requestsPerSecond: spreadOf(runs.map(({ requestsPerSecond }) => requestsPerSecond)),
    entries: runs.reduce((sum, { entries }) => sum + entries, 0),
    totalRequests: runs.reduce((sum, run) => sum + run.requests, 0),
    ratioToFloor: plan.driver === "rocksdb" && plan.replicas === 1 ? spreadOf(ratios) : undefined,
  };
}

export function restoreRow(plan: LogPlan, runs: readonly RestoreResult[]): RestoreRow {
  return {
    plan,
    orders: (runs[0] as RestoreResult).orders,
    ms: spreadOf(runs.map(({ ms }) => ms)),
    longestTurnMs: spreadOf(runs.map(({ longestTurnMs }) => longestTurnMs)),
    replayed: spreadOf(runs.map(({ seq, rowsSeq }) => seq - rowsSeq)),
  };
}
