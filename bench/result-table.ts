import { type Comparison, PEERS } from "./comparison.ts";
import { type BenchResult, deepToNormal, measured } from "./result.ts";
import { VARIANTS } from "./variant.ts";

/** The result for people. */
export function toTable(result: BenchResult): string {
  const comparisons = [...result.variants].flatMap(([, variant]) =>
    variant.kind === "measured" ? [variant.comparison] : [],
  );
  const parts = [
    `Matching engines on the same operations, ${result.processor}, Node ${result.node}`,
    `seed ${result.seed}, median of ${result.runs} runs, each engine in its own process, fills of all equal`,
    "",
    ...layOut([
      [
        "ns per operation",
        "evercross",
        "from – to",
        "stripped",
        "ratio",
        ...PEERS.flatMap((peer) => [peer, "ratio"]),
      ],
      ...comparisons.map(timeRow),
    ]),
    "",
    ...layOut([
      [
        "longest pause, µs",
        "one operation",
        "batch of 64",
        "while a million are entered",
        "allocated per operation, bytes",
      ],
      ...comparisons.map(pauseRow),
    ]),
    "",
    ...layOut([
      [
        "what the operations are",
        "operations",
        "new",
        "cancels",
        "new that trade",
        "fills",
        "levels swept",
        "left live",
      ],
      ...flowRows(result),
    ]),
    "",
    ...summary(result, comparisons),
  ];
  return `${parts.join("\n")}\n`;
}

function timeRow(comparison: Comparison): string[] {
  const { variant, evercross, stripped, ratioToStripped, peers } = comparison;
  return [
    variant,
    evercross.median.toFixed(1),
    `${evercross.min.toFixed(1)} – ${evercross.max.toFixed(1)}`,
    stripped.median.toFixed(1),
    ratioToStripped.toFixed(2),
    ...PEERS.flatMap((name) => {
      const peer = peers[name];
      if (peer === undefined) return ["", ""];
      const partial = peer.operations < evercross.operations ? "*" : "";
      return [`${whole(peer.median)}${partial}`, `${peer.ratio.toFixed(1)}${partial}`];
    }),
  ];
}

function pauseRow({ variant, pauses, allocation }: Comparison): string[] {
  const micros = (nanos: number): string => (nanos === 0 ? "" : (nanos / 1000).toFixed(1));
  const { operationMax, batchMax, restingBatchMax } = pauses;
  return [
    variant,
    micros(operationMax),
    micros(batchMax),
    micros(restingBatchMax),
    allocation.heap.toFixed(2),
  ];
}

function flowRows(result: BenchResult): string[][] {
  return [...result.variants].map(([name, variant]) => {
    if (variant.kind === "skipped") return [name, `skipped: ${variant.reason}`];
    const { facts, comparison } = variant;
    const { operations } = comparison.evercross;
    const fills = whole(comparison.fills.count);
    if (facts === undefined) return [name, whole(operations), "", "", "", fills];
    const share = `${((facts.takers / facts.newOrders) * 100).toFixed(1)} %`;
    const { newOrders, cancels, levelsSweptMax, liveAtEnd } = facts;
    const counts = [newOrders, cancels].map(whole);
    return [name, whole(operations), ...counts, share, fills, whole(levelsSweptMax), whole(liveAtEnd)];
  });
}

function summary(result: BenchResult, comparisons: readonly Comparison[]): string[] {
  const lines = [...result.variants.keys()].map((name) => `${name}: ${VARIANTS[name]}`);
  const normal = measured(result, "normal");
  for (const { variant, evercross, peers } of comparisons) {
    const peer = Object.values(peers).find(({ operations }) => operations < evercross.operations);
    if (peer === undefined) continue;
    const times = peer.runs === 1 ? "once" : `${peer.runs} times`;
    lines.push(
      `*: of ${variant} the npm books ran the first ${whole(peer.operations)} operations, ${times}, ` +
        "since all would take minutes; the ratio compares these operations",
    );
  }
  lines.push("");
  for (const deep of ["deep-book", "deep-cancels"] as const) {
    const ratio = deepToNormal(result, deep);
    if (ratio !== undefined) lines.push(`${deep} takes ${ratio.toFixed(2)} times as long as normal`);
  }
  if (normal !== undefined) {
    lines.push(`the bench's own loop is ${normal.loopOnly.median.toFixed(1)} ns of each figure`);
  }
  const { bytesPerOrder, bytesPerOrderFar } = result;
  lines.push(
    `a million resting orders take ${bytesPerOrder.toFixed(1)} bytes each, ` +
      `${bytesPerOrderFar.toFixed(1)} when each has a far price of its own`,
  );
  return lines;
}

const whole = (value: number): string => Math.round(value).toLocaleString("en-US");

/** Columns side by side; the first is a name, the others are numbers. */
function layOut(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    // The reason of a row that has no figures may be as long as it likes.
    if (row.length > 2 || rows.length === 1) {
      row.forEach((cell, column) => (widths[column] = Math.max(widths[column] ?? 0, cell.length)));
    }
  }
  return rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column] ?? 0)))
      .join("  ")
      .trimEnd(),
  );
}
