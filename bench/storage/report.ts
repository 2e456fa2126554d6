import { planName } from "./market.ts";
import {
  type AppendRow,
  type Floor,
  FLOORS,
  type LatencySpread,
  type RestoreRow,
  type StorageResult,
} from "./result.ts";
import type { Spread } from "./spread.ts";

const FLOOR_NAMES: Readonly<Record<Floor, string>> = {
  fdatasync: "write and fdatasync",
  rocksdb: "RocksDB synced batch",
  roundTrip: "broker round trip",
  jetstreamSynced: "JetStream publish, synced",
  jetstreamUnsynced: "JetStream publish, not synced",
};

const NOT_MEASURED = [
  "what this does not measure",
  "  several machines: everything runs on one, whose processors and disk all of it shares; R=3 writes everything three times on that disk",
  "  a network: the round trip is over loopback",
  "  gateways, routing, followers, and crossing in the appends: the entries were made before",
  "  many logs at a time, whose entries would share syncs",
  "  files that the system does not have in memory any more, and the start of a process: the restored job is rehearsed and connected",
];

/** The result for people. */
export function toTable(result: StorageResult): string {
  const { runs, seconds, node, broker, rocksdb, processor, processors, system, fileSystem } = result;
  const lines = [
    `Checkpoint log: ${processor}, ${processors} processors, ${system}, ${fileSystem}`,
    `Node ${node}, nats-server ${broker}, @nxtedition/rocksdb ${rocksdb}; medians of ${runs} runs (lowest to highest), ${seconds} s each; times in µs`,
    "",
    ...layOut([["one step by itself", "requests", "bytes", "p50", "p99", "p99.9"], ...floorRows(result)]),
    "",
    ...layOut([
      ["append, one entry at a time", "requests", "bytes", "p50", "p99", "p99.9", "of round trip + batch"],
      ...result.appends.map(latencyRow),
    ]),
    "",
    ...layOut([
      ["append, as fast as it goes", "requests", "entries/s", "requests/s"],
      ...result.appends.map((row) => [
        planName(row.plan),
        String(row.requests),
        range(row.entriesPerSecond, 0),
        range(row.requestsPerSecond, 0),
      ]),
    ]),
    "",
    ...layOut([
      ["restore", "orders", "ms", "longest turn, ms", "entries replayed"],
      ...result.restores.map((row) => [planName(row.plan), ...restoreCells(row)]),
    ]),
    "",
    ...layOut([
      [
        "rows each … entries or ms",
        "requests/s",
        "orders",
        "restore, ms",
        "longest turn, ms",
        "entries replayed",
      ],
      ...result.rows.map(({ rows, requestsPerSecond, restore }) => [
        `${rows.entries} or ${rows.ms}`,
        range(requestsPerSecond, 0),
        ...restoreCells(restore),
      ]),
    ]),
    "",
    ...NOT_MEASURED,
  ];
  return `${lines.join("\n")}\n`;
}

function floorRows(result: StorageResult): string[][] {
  return FLOORS.flatMap((floor) =>
    result.floors.map(({ requests, entryBytes, floors }) => [
      FLOOR_NAMES[floor],
      String(requests),
      String(entryBytes),
      ...latencyCells(floors[floor]),
    ]),
  );
}

function latencyRow({ plan, requests, entryBytes, latency, ratioToFloor }: AppendRow): string[] {
  const ratio = ratioToFloor === undefined ? "" : range(ratioToFloor, 2);
  return [planName(plan), String(requests), String(entryBytes), ...latencyCells(latency), ratio];
}

function latencyCells({ p50, p99, p999 }: LatencySpread): string[] {
  return [range(p50, 0), range(p99, 0), range(p999, 0)];
}

function restoreCells({ orders, ms, longestTurnMs, replayed }: RestoreRow): string[] {
  return [String(orders), range(ms, 0), range(longestTurnMs, 0), range(replayed, 0)];
}

function range({ median, lowest, highest }: Spread, digits: number): string {
  const [low, high] = [lowest.toFixed(digits), highest.toFixed(digits)];
  return low === high ? median.toFixed(digits) : `${median.toFixed(digits)} (${low} to ${high})`;
}

/** The first column to the left, the others to the right. */
function layOut(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? "").length)),
  );
  return rows.map((row) =>
    row
      .map((cell, column) => {
        const width = widths[column] as number;
        return column === 0 ? cell.padEnd(width) : cell.padStart(width);
      })
      .join("  ")
      .trimEnd(),
  );
}
