import { drawPlan, type PlanBounds } from "./draw-plan.ts";
import { Simulation, type SimulationResult } from "./simulation.ts";

/** What one seed leads to. Never throws: what a machine or the simulator itself throws is a failure of the seed. */
export function runSeed(
  seed: number,
  bounds: PlanBounds = {},
  print?: (line: string) => void,
): SimulationResult {
  const plan = drawPlan(seed, bounds);
  return new Simulation(plan, print).run();
}
