import { drawPlan, type PlanBounds } from "./draw-plan.ts";
import { History, type HistoryResult } from "./history.ts";

/** What one seed leads to. Never throws: what a machine or the simulator itself throws is a failure of the seed. */
export function runHistory(
  seed: number,
  bounds: PlanBounds = {},
  print?: (line: string) => void,
): HistoryResult {
  return new History(drawPlan(seed, bounds), print).run();
}
