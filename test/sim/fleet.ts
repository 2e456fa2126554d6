import { type ChildProcess, fork } from "node:child_process";
import type { PlanBounds } from "./draw-plan.ts";
import type { SimulationResult } from "./simulation.ts";

/** To a worker: the seeds to run, one after the other. */
export interface SeedOrder {
  readonly from: number;
  readonly count: number;
  readonly bounds: PlanBounds;
}

export type SeedAnswer =
  { readonly kind: "result"; readonly result: SimulationResult } | { readonly kind: "done" };

/** Seeds that a worker is given at a time. */
const PORTION = 10;

/** Runs seeds on several processes. `onResult` hears each as it comes, in no order. Rejects when a process ends before its work. */
export async function runSeeds(
  { from, count, bounds }: SeedOrder,
  workers: number,
  onResult: (result: SimulationResult) => void,
): Promise<void> {
  let next = from;
  const end = from + count;
  const children: ChildProcess[] = [];
  const serve = (child: ChildProcess): Promise<void> =>
    new Promise((resolve, reject) => {
      const order = (): void => {
        if (next >= end) return resolve();
        const portion = Math.min(PORTION, end - next);
        child.send({ from: next, count: portion, bounds } satisfies SeedOrder);
        next += portion;
      };
      child.on("message", (answer: SeedAnswer) => {
        if (answer.kind === "result") onResult(answer.result);
        else order();
      });
      child.once("error", reject);
      child.once("exit", (code, signal) =>
        reject(new Error(`a worker of the simulator ended: ${signal ?? code}`)),
      );
      order();
    });
  try {
    for (let index = 0; index < Math.min(workers, Math.ceil(count / PORTION)); index++)
      children.push(fork(new URL("./worker.js", import.meta.url), { execArgv: ["--enable-source-maps"] }));
    await Promise.all(children.map(serve));
  } finally {
    for (const child of children) {
      child.removeAllListeners("exit");
      child.kill("SIGKILL");
    }
  }
}
