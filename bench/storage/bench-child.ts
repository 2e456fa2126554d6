import { fork, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Answer, Results, Task } from "./task.ts";

const PROGRAM = fileURLToPath(new URL("child.js", import.meta.url));

/** A child process with one task. It ends with its parent: the channel between them is its sign of life. */
export class BenchChild<K extends Task["kind"]> {
  readonly #process: ChildProcess;
  readonly #ended: Promise<void>;
  /** The task's result; of a server: it serves. */
  readonly result: Promise<Results[K]>;

  constructor(task: Extract<Task, { readonly kind: K }>) {
    const child = fork(PROGRAM, { stdio: ["ignore", "ignore", "inherit", "ipc"] });
    this.#process = child;
    this.#ended = new Promise((resolve) => {
      child.once("exit", () => resolve());
    });
    this.result = new Promise((resolve, reject) => {
      child.once("message", (answer: Answer) => {
        if (answer.kind === "done") resolve(answer.result as Results[K]);
        else reject(new Error(`bench: ${task.kind}: ${answer.reason}`));
      });
      child.once("error", reject);
      child.once("exit", (code, signal) => {
        reject(new Error(`bench: ${task.kind} ended (${signal ?? `code ${code}`})`));
      });
    });
    // Who only stops it need not look at it.
    this.result.catch(() => undefined);
    child.send(task);
  }

  /** Ends it in good order; resolves when it is gone. */
  async stop(): Promise<void> {
    if (this.#process.connected) this.#process.disconnect();
    await this.#ended;
  }

  async kill(): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#ended;
  }
}

/** Runs a task to its end in a process of its own. */
export async function inChild<K extends Task["kind"]>(
  task: Extract<Task, { readonly kind: K }>,
): Promise<Results[K]> {
  const child = new BenchChild<K>(task);
  try {
    return await child.result;
  } finally {
    await child.stop();
  }
}
