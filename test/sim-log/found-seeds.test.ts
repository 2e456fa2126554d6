import { describe, expect, test } from "vitest";
import type { PlanBounds } from "./draw-plan.ts";
import { runHistory } from "./run-history.ts";

const FORGOT =
  "a copy went on although the writer's own appends had come in meanwhile, and forgot what was acknowledged";

/** Histories that failed once, each with what they showed. They hold for as long as the drawing of plans is as it was then. */
const FOUND: readonly { readonly seed: number; readonly showed: string; readonly bounds?: PlanBounds }[] = [
  { seed: 410, showed: FORGOT },
  { seed: 482, showed: FORGOT },
  { seed: 239, showed: FORGOT, bounds: { replicas: 5 } },
  {
    seed: 288,
    showed:
      "a writer's due time lay in the past, whatever it did: it would have taken a processor for itself",
    bounds: { replicas: 1 },
  },
];

describe("a history that failed once passes", () => {
  test.each(FOUND)("seed $seed: $showed", ({ seed, bounds }) => {
    expect(runHistory(seed, bounds).violations).toEqual([]);
  });
});
