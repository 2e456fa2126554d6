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
  { seed: 401599, showed: "an idle replica whose last answer was lost was not told what is committed" },
  {
    seed: 500468,
    showed: "a reading that began within the log gave an entry with a chain value that nobody made",
  },
];

describe("a history that failed once passes", () => {
  test.each(FOUND)("seed $seed: $showed", ({ seed, bounds }) => {
    expect(runHistory(seed, bounds).violations).toEqual([]);
  });
});
