import { type Comparison, PEERS, type Timing } from "./comparison.ts";
import type { FlowFacts } from "./flow-maker.ts";
import { type BenchResult, deepToNormal, measured } from "./result.ts";

/** The result for programs. All times are nanoseconds; a figure whose variant did not run is `null`. */
export function toJson(result: BenchResult): object {
  const normal = measured(result, "normal");
  return {
    ns_per_op: orNull(normal?.evercross.median),
    peers: Object.fromEntries(PEERS.map((peer) => [peer, orNull(normal?.peers[peer]?.median)])),
    ratio_to_peers: Object.fromEntries(PEERS.map((peer) => [peer, orNull(normal?.peers[peer]?.ratio)])),
    ratio_to_stripped: orNull(normal?.ratioToStripped),
    deep_to_normal: orNull(deepToNormal(result, "deep-book")),
    deep_cancels_to_normal: orNull(deepToNormal(result, "deep-cancels")),
    bytes_per_order: result.bytesPerOrder,
    bytes_per_order_far: result.bytesPerOrderFar,
    alloc_bytes_per_op: orNull(normal?.allocation.heap),
    longest_pause_ns: orNull(normal?.pauses.batchMax),
    seed: result.seed,
    runs: result.runs,
    node: result.node,
    processor: result.processor,
    variants: Object.fromEntries(
      [...result.variants].map(([name, variant]) => [
        name,
        variant.kind === "skipped"
          ? { skipped: variant.reason }
          : variantJson(variant.comparison, variant.facts),
      ]),
    ),
  };
}

function variantJson(comparison: Comparison, facts: FlowFacts | undefined): object {
  const { fills, evercross, stripped, loopOnly, peers, pauses, allocation } = comparison;
  return {
    ...timingJson(evercross),
    fills: { count: fills.count, quantity: fills.quantity, price_sum: fills.priceSum, hash: fills.hash },
    flow: facts && {
      new_orders: facts.newOrders,
      cancels: facts.cancels,
      takers: facts.takers,
      live_at_end: facts.liveAtEnd,
      levels_swept_max: facts.levelsSweptMax,
    },
    stripped: timingJson(stripped),
    ratio_to_stripped: comparison.ratioToStripped,
    loop_only: timingJson(loopOnly),
    peers: Object.fromEntries(
      Object.entries(peers).map(([name, peer]) => [name, { ...timingJson(peer), ratio: peer.ratio }]),
    ),
    longest_pause_ns: {
      batch: pauses.batchMax,
      operation: pauses.operationMax,
      resting_batch: pauses.restingBatchMax,
    },
    allocation_bytes_per_op: { heap: allocation.heap, buffers: allocation.buffers },
  };
}

function timingJson({ median, min, max, runs, operations }: Timing): object {
  return { ns_per_op: median, ns_per_op_min: min, ns_per_op_max: max, runs, operations };
}

const orNull = (value: number | undefined): number | null => value ?? null;
