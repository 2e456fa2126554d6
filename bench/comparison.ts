import type { EngineProcess } from "./engine-process.ts";
import { type Fills, sameFills } from "./fill-digest.ts";
import type { Allocation, Engine, Pauses } from "./messages.ts";
import type { Variant, Workload } from "./variant.ts";

export const PEERS = ["nodejs-order-book", "hft-limit-order-book"] as const;
export type Peer = (typeof PEERS)[number];

/** A recorded day is short: it is repeated until a run has about this many operations. */
const OPERATIONS_PER_RUN = 600_000;
/** What a peer executes of a variant, and how often, where all of it would take minutes: its cancels search a queue of
 * orders, and a million orders are objects that take seconds to make. Ratios compare the same operations. */
const PEER_SHARES: Partial<Record<Variant, { readonly operations: number; readonly runs: number }>> = {
  "special-orders": { operations: 60_000, runs: 1 },
  "deep-book": { operations: 60_000, runs: 1 },
  "deep-cancels": { operations: 60_000, runs: 1 },
};

/** Nanoseconds per operation. */
export interface Timing {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly runs: number;
  readonly operations: number;
}

export interface PeerTiming extends Timing {
  /** How many times as long as this engine on the same operations. */
  readonly ratio: number;
}

export interface Comparison {
  readonly variant: Variant;
  readonly fills: Fills;
  readonly evercross: Timing;
  readonly stripped: Timing;
  /** The engine's time over the stripped book's, of runs next to each other. */
  readonly ratioToStripped: number;
  readonly loopOnly: Timing;
  readonly peers: Partial<Record<Peer, PeerTiming>>;
  readonly pauses: Pauses;
  readonly allocation: Allocation;
}

export type Processes = Record<Engine, EngineProcess>;

/** Runs one workload on all engines. Throws when any two differ in their fills, before anything is timed. */
export async function compare(
  processes: Processes,
  variant: Variant,
  workload: Workload,
  runs: number,
): Promise<Comparison> {
  const { flow } = workload;
  const all = flow.kind.length - flow.resting;
  const share = PEER_SHARES[variant];
  const peerOperations = Math.min(share?.operations ?? all, all);
  const peerRuns = Math.min(share?.runs ?? runs, runs);
  for (const process of Object.values(processes)) await process.ask({ kind: "load", flow });
  const fills = await verify(processes, workload, flow.resting + peerOperations);

  const rounds = Math.max(1, Math.round(OPERATIONS_PER_RUN / all));
  const marks = peerOperations < all ? [peerOperations, all] : [all];
  const times = new Map<Engine, number[][]>();
  const run = async (
    engine: Engine,
    engineRounds: number,
    engineMarks: readonly number[],
  ): Promise<number[]> => {
    const { elapsed } = await processes[engine].ask({
      kind: "run",
      rounds: engineRounds,
      marks: engineMarks,
    });
    return elapsed.map((spent, index) => spent / engineRounds / engineMarks[index]!);
  };
  for (let n = 0; n <= runs; n++) {
    for (const engine of Object.keys(processes) as Engine[]) {
      const isPeer = (PEERS as readonly Engine[]).includes(engine);
      // The first run warms up; where a peer has but one run, verifying was its warm-up.
      if (isPeer && (n > peerRuns || (n === 0 && peerRuns < runs))) continue;
      const result = await run(engine, isPeer ? 1 : rounds, isPeer ? [peerOperations] : marks);
      if (n > 0) times.set(engine, [...(times.get(engine) ?? []), result]);
    }
  }
  const at = (engine: Engine, mark: number): number[] => times.get(engine)!.map((result) => result.at(mark)!);
  const ours = timing(at("evercross", -1), all);
  const peers: Partial<Record<Peer, PeerTiming>> = {};
  for (const peer of PEERS) {
    const theirs = timing(at(peer, 0), peerOperations);
    peers[peer] = { ...theirs, ratio: theirs.median / median(at("evercross", 0)) };
  }
  const stripped = at("stripped", -1);
  return {
    variant,
    fills,
    evercross: ours,
    stripped: timing(stripped, all),
    ratioToStripped: median(at("evercross", -1).map((spent, n) => spent / stripped[n]!)),
    loopOnly: timing(at("loop-only", -1), all),
    peers,
    pauses: await medianPauses(processes.evercross, runs),
    allocation: await allocationOf(processes.evercross),
  };
}

async function verify(processes: Processes, workload: Workload, peersTo: number): Promise<Fills> {
  const { flow, expected } = workload;
  const engines = (Object.keys(processes) as Engine[]).filter((engine) => engine !== "loop-only");
  const fillsTo = async (engine: Engine, to: number): Promise<Fills> =>
    (await processes[engine].ask({ kind: "verify", to })).fills;
  const prefix = await fillsTo("evercross", peersTo);
  for (const engine of engines) requireSame(flow.variant, engine, await fillsTo(engine, peersTo), prefix);
  const whole = await fillsTo("evercross", flow.kind.length);
  requireSame(flow.variant, "stripped", await fillsTo("stripped", flow.kind.length), whole);
  if (expected !== undefined) requireSame(flow.variant, "the exchange", expected, whole);
  return whole;
}

function requireSame(variant: string, engine: string, theirs: Fills, ours: Fills): void {
  if (sameFills(theirs, ours)) return;
  throw new Error(
    `bench: ${variant}: the fills of ${engine} are not those of evercross, so nothing was timed: ` +
      `${JSON.stringify(theirs)} against ${JSON.stringify(ours)}`,
  );
}

/** Each figure is the median of what several books had at the most, since the system interrupts any process now and then. */
async function medianPauses(process: EngineProcess, runs: number): Promise<Pauses> {
  const seen: Pauses[] = [];
  for (let n = 0; n < runs; n++) seen.push(await process.ask({ kind: "pauses" }));
  return {
    batchMax: median(seen.map((pauses) => pauses.batchMax)),
    operationMax: median(seen.map((pauses) => pauses.operationMax)),
    restingBatchMax: median(seen.map((pauses) => pauses.restingBatchMax)),
  };
}

async function allocationOf(process: EngineProcess): Promise<Allocation> {
  const { heap, buffers } = await process.ask({ kind: "allocation" });
  return { heap, buffers };
}

function timing(times: readonly number[], operations: number): Timing {
  return {
    median: median(times),
    min: Math.min(...times),
    max: Math.max(...times),
    runs: times.length,
    operations,
  };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
