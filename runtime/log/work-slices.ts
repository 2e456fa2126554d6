import { setImmediate as turn } from "node:timers/promises";
import { REPLAY_SLICE_MS } from "../limits.ts";

/** Divides long work into slices, between which the event loop has its turn: beats are answered meanwhile. */
export class WorkSlices {
  #began = performance.now();

  /** Call between two pieces of work. */
  async pause(): Promise<void> {
    if (performance.now() - this.#began < REPLAY_SLICE_MS) return;
    await turn();
    this.#began = performance.now();
  }
}
