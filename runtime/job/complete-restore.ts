import { setImmediate as nextTurn } from "node:timers/promises";
import type { StatefulJob } from "./definition.ts";

/** All rows were given to the state: it is put together, and whatever else this process does goes on meanwhile. */
export async function completeRestore(state: StatefulJob, seq: number): Promise<void> {
  const slices = state.restoredInSlices?.(seq);
  if (slices === undefined) return state.restored(seq);
  while (slices.next().done !== true) await nextTurn();
}
