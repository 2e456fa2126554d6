import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RowChanges } from "../../../runtime/log/row-changes.ts";
import type { CrossingJob } from "../../../services/crossing/crossing-job.ts";
import { materialise } from "../../../services/crossing/materialise.ts";
import type { Setup } from "../../engine/flow.ts";
import { SETUPS } from "../../engine/setups.ts";
import { mixedJob, MixedFlow, payloads } from "../../support/mixed-flow.ts";
import { plainMaterialise } from "../../support/plain-materialise.ts";
import { StoredRows } from "../../support/stored-rows.ts";

const STEPS = 60;
const COMMANDS = 6;

function restoredFrom(setup: Setup, rows: StoredRows): CrossingJob {
  const job = mixedJob(setup);
  for (const [key, value] of rows.sorted()) job.restore(key, value);
  job.restored();
  return job;
}

/** A flow of which every payload is replayed, and turned into rows that a job is restored from: all stand alike. */
function follow(setup: Setup, seed: number): void {
  const flow = new MixedFlow(setup, seed);
  let live = mixedJob(setup);
  live.restored();
  const follower = mixedJob(setup);
  follower.restored();
  const [rows, plainRows] = [new StoredRows(), new StoredRows()];
  const [waiting, plainWaiting] = [new RowChanges(), new RowChanges()];
  let payload = 0;
  for (let step = 0; step < STEPS; step++) {
    const messages = flow.next(COMMANDS);
    for (const bytes of payloads(live, flow.nowUs, messages)) {
      payload += 1;
      follower.replay(bytes);
      for (const change of materialise(bytes)) waiting.add(change);
      for (const change of plainMaterialise(bytes)) plainWaiting.add(change);
      const state = live.state();
      expect(follower.state(), `replayed, payload ${payload}`).toEqual(state);
      if (payload % 3 === 0) continue;
      rows.store(waiting.take());
      plainRows.store(plainWaiting.take());
      expect(rows.text(), `rows of the generated code, payload ${payload}`).toEqual(plainRows.text());
      expect(restoredFrom(setup, rows).state(), `restored, payload ${payload}`).toEqual(state);
    }
    // Sometimes it is a restored job that goes on.
    if (step % 10 === 9) {
      rows.store(waiting.take());
      plainRows.store(plainWaiting.take());
      live = restoredFrom(setup, rows);
    }
  }
}

describe.each(SETUPS)("a crossing job of $instrument.symbol, told everything there is", (setup) => {
  test("is led to the same state by its log and by its rows, after every entry", () => {
    fc.assert(
      fc.property(fc.noShrink(fc.integer()), (seed) => follow(setup, seed)),
      { numRuns: 20 },
    );
  });
});
