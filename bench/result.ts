import type { Comparison } from "./comparison.ts";
import type { FlowFacts } from "./flow-maker.ts";
import type { Variant } from "./variant.ts";

export type VariantResult =
  | { readonly kind: "measured"; readonly facts: FlowFacts | undefined; readonly comparison: Comparison }
  | { readonly kind: "skipped"; readonly reason: string };

/** Everything that one run of the bench found out. */
export interface BenchResult {
  readonly seed: number;
  readonly runs: number;
  readonly node: string;
  readonly processor: string;
  readonly variants: ReadonlyMap<Variant, VariantResult>;
  /** Of a million resting orders near the touch, and each at a far price of its own. */
  readonly bytesPerOrder: number;
  readonly bytesPerOrderFar: number;
}

/** What was measured of a variant, if it was. */
export function measured(result: BenchResult, variant: Variant): Comparison | undefined {
  const found = result.variants.get(variant);
  return found?.kind === "measured" ? found.comparison : undefined;
}

/** Time per operation with a million orders over that without. */
export function deepToNormal(result: BenchResult, deep: "deep-book" | "deep-cancels"): number | undefined {
  const [one, other] = [measured(result, deep), measured(result, "normal")];
  return one && other && one.evercross.median / other.evercross.median;
}
