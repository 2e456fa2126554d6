import type { SeedAnswer, SeedOrder } from "./fleet.ts";

/** What a process of a `Fleet` does: runs the seeds that it is given until nobody gives it any. */
export function serveSeeds(run: (seed: number, bounds: object) => unknown): void {
  const answer = (message: SeedAnswer<unknown>): void => void process.send?.(message);
  process.on("message", ({ from, count, bounds }: SeedOrder<object>) => {
    for (let seed = from; seed < from + count; seed++) answer({ kind: "result", result: run(seed, bounds) });
    answer({ kind: "done" });
  });
  process.on("disconnect", () => process.exit(0));
}
