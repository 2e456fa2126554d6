import { describe, expect, test } from "vitest";
import type { StatefulJob } from "../../../runtime/job/definition.ts";
import { completeRestore } from "../../../runtime/job/complete-restore.ts";

function state(told: string[], slices: StatefulJob["restoredInSlices"]): StatefulJob {
  return {
    restore: () => undefined,
    restored: (seq) => void told.push(`restored ${seq}`),
    replay: () => undefined,
    step: () => ({ payload: undefined, replies: [], taken: 0 }),
    ...(slices === undefined ? undefined : { restoredInSlices: slices }),
  };
}

describe("the completion of a restore", () => {
  test("lets whatever else there is to do go on between two slices, and ends with the last one", async () => {
    const told: string[] = [];
    const slices = function* (seq: number): Generator<undefined, void, undefined> {
      for (let slice = 1; slice <= 3; slice++) {
        told.push(`slice ${slice} of ${seq}`);
        setImmediate(() => void told.push(`a beat after slice ${slice}`));
        if (slice < 3) yield;
      }
    };
    await completeRestore(state(told, slices), 7);
    expect(told).toEqual([
      "slice 1 of 7",
      "a beat after slice 1",
      "slice 2 of 7",
      "a beat after slice 2",
      "slice 3 of 7",
    ]);
  });

  test("is one call for a state that has no slices", async () => {
    const told: string[] = [];
    await completeRestore(state(told, undefined), 9);
    expect(told).toEqual(["restored 9"]);
  });

  test("fails with what a slice throws", async () => {
    const broken = function* (): Generator<undefined, void, undefined> {
      yield;
      throw new Error("two orders have the priority 5");
    };
    await expect(completeRestore(state([], broken), 1)).rejects.toThrow("two orders have the priority 5");
  });
});
