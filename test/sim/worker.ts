import type { SeedAnswer, SeedOrder } from "./fleet.ts";
import { runSeed } from "./run-seed.ts";

const answer = (message: SeedAnswer): void => void process.send?.(message);

process.on("message", ({ from, count, bounds }: SeedOrder) => {
  for (let seed = from; seed < from + count; seed++)
    answer({ kind: "result", result: runSeed(seed, bounds) });
  answer({ kind: "done" });
});
process.on("disconnect", () => process.exit(0));
