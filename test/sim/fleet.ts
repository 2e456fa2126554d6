import { type ChildProcess, fork } from "node:child_process";

/** To a process: the seeds to run, one after the other. */
export interface SeedOrder<Bounds> {
  readonly from: number;
  readonly count: number;
  readonly bounds: Bounds;
}

export type SeedAnswer<Result> =
  { readonly kind: "result"; readonly result: Result } | { readonly kind: "done" };

/** Seeds that a process is given at a time. */
const PORTION = 10;

/** Several processes that run seeds. */
export class Fleet<Bounds, Result> {
  readonly #worker: URL;
  readonly #workers: number;

  /** `worker`: the program of each process, which calls `serveSeeds`. */
  constructor(worker: URL, workers: number) {
    this.#worker = worker;
    this.#workers = workers;
  }

  /** `onResult` hears each as it comes, in no order. Rejects when a process ends before its work. */
  async run({ from, count, bounds }: SeedOrder<Bounds>, onResult: (result: Result) => void): Promise<void> {
    let next = from;
    const end = from + count;
    const children: ChildProcess[] = [];
    const serve = (child: ChildProcess): Promise<void> =>
      new Promise((resolve, reject) => {
        const order = (): void => {
          if (next >= end) return resolve();
          const portion = Math.min(PORTION, end - next);
          child.send({ from: next, count: portion, bounds } satisfies SeedOrder<Bounds>);
          next += portion;
        };
        child.on("message", (answer: SeedAnswer<Result>) => {
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
      for (let index = 0; index < Math.min(this.#workers, Math.ceil(count / PORTION)); index++)
        children.push(fork(this.#worker, { execArgv: ["--enable-source-maps"] }));
      await Promise.all(children.map(serve));
    } finally {
      for (const child of children) {
        child.removeAllListeners("exit");
        child.kill("SIGKILL");
      }
    }
  }
}
