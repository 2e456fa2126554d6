import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { INSTANCES_REMEMBERED_MAX } from "../../../runtime/limits.ts";
import { compareInstances, type InstanceId } from "../../../runtime/monitor/instance.ts";
import { type Hearing, InstanceMemory } from "../../../runtime/monitor/instance-memory.ts";

const SILENCE_MS = 800;
const BEAT_MS = 200;

function pollerOf(pid: number): InstanceId {
  return { node: "n1", pid, startTicks: 0 };
}

/** Polls are heard in the order in which they come. */
class Polls {
  readonly memory = new InstanceMemory(compareInstances, SILENCE_MS);
  count = 0;

  polled(from: InstanceId, beat: number, now: number): Hearing {
    this.count += 1;
    return this.memory.heard(from, beat, this.count, now);
  }
}

describe("the memory of instances", () => {
  test("names the best of those that polled since the asker's first poll", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: INSTANCES_REMEMBERED_MAX })), (pids) => {
        const memory = new Polls();
        for (const [index, pid] of pids.entries()) {
          const since = pids.indexOf(pid);
          const expected = Math.min(...pids.slice(since, index + 1));
          expect(memory.polled(pollerOf(pid), index + 1, index).best.pid).toBe(expected);
        }
      }),
    );
  });

  test("does not take a poll that comes twice or late for a sign of life", () => {
    const memory = new Polls();
    expect(memory.polled(pollerOf(1), 2, 0).fresh).toBe(true);
    memory.polled(pollerOf(2), 1, 0);
    expect(memory.polled(pollerOf(1), 2, 0).fresh).toBe(false);
    expect(memory.polled(pollerOf(1), 1, 0).fresh).toBe(false);
    expect(memory.polled(pollerOf(2), 2, 0)).toEqual({ best: pollerOf(2), fresh: true });
  });

  test("forgets those that are silent, so that the next ones are remembered however many there were", () => {
    const memory = new Polls();
    // Each worse than all before it, as processes are that start one after the other on one node.
    let now = 0;
    for (let pid = 1; pid <= 100; pid++)
      for (let beat = 1; beat <= 5; beat++) memory.polled(pollerOf(pid), beat, (now += BEAT_MS));
    memory.polled(pollerOf(101), 1, now);
    memory.polled(pollerOf(100), 1000, now);
    expect(memory.polled(pollerOf(101), 2, now).best).toEqual(pollerOf(100));
  });

  test("leaves one of any number that poll in turn: each but the best is named a better one", () => {
    const memory = new Polls();
    let alive = Array.from({ length: 3 * INSTANCES_REMEMBERED_MAX }, (_, index) => pollerOf(index + 1));
    for (let beat = 1; beat <= 30; beat++) {
      const now = beat * BEAT_MS;
      alive = alive.filter((one) => compareInstances(memory.polled(one, beat, now).best, one) >= 0);
    }
    expect(alive).toEqual([pollerOf(1)]);
  });

  test("takes two that answered the same question, and no two of which one came after the other, for twins", () => {
    const memory = new InstanceMemory(compareInstances, SILENCE_MS);
    const best = (pid: number, beat: number): number =>
      memory.heard(pollerOf(pid), beat, beat, beat * BEAT_MS).best.pid;
    expect(best(1, 1)).toBe(1);
    // Late, but of the time before 2 was there.
    expect(best(2, 3)).toBe(2);
    expect(best(1, 2)).toBe(1);
    expect(best(2, 4)).toBe(2);
    expect(best(1, 4)).toBe(1);
    expect(best(2, 5)).toBe(1);
  });
});
