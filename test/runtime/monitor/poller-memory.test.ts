import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { POLLERS_REMEMBERED_MAX } from "../../../runtime/limits.ts";
import { compareInstances, type InstanceId } from "../../../runtime/monitor/instance.ts";
import { PollerMemory } from "../../../runtime/monitor/poller-memory.ts";

const SILENCE_MS = 800;
const BEAT_MS = 200;

function pollerOf(pid: number): InstanceId {
  return { node: "n1", pid, startTicks: 0 };
}

describe("the memory of pollers", () => {
  test("names the best of those that polled since the asker's first poll", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: POLLERS_REMEMBERED_MAX })), (pids) => {
        const memory = new PollerMemory(compareInstances, SILENCE_MS);
        for (const [index, pid] of pids.entries()) {
          const since = pids.indexOf(pid);
          const expected = Math.min(...pids.slice(since, index + 1));
          expect(memory.polled(pollerOf(pid), index + 1, index).best.pid).toBe(expected);
        }
      }),
    );
  });

  test("does not take a poll that comes twice or late for a sign of life", () => {
    const memory = new PollerMemory(compareInstances, SILENCE_MS);
    expect(memory.polled(pollerOf(1), 2, 0).fresh).toBe(true);
    memory.polled(pollerOf(2), 1, 0);
    expect(memory.polled(pollerOf(1), 2, 0).fresh).toBe(false);
    expect(memory.polled(pollerOf(1), 1, 0).fresh).toBe(false);
    expect(memory.polled(pollerOf(2), 2, 0)).toEqual({ best: pollerOf(2), fresh: true });
  });

  test("forgets those that are silent, so that the next ones are remembered however many there were", () => {
    const memory = new PollerMemory(compareInstances, SILENCE_MS);
    // Each worse than all before it, as processes are that start one after the other on one node.
    let now = 0;
    for (let pid = 1; pid <= 100; pid++)
      for (let beat = 1; beat <= 5; beat++) memory.polled(pollerOf(pid), beat, (now += BEAT_MS));
    memory.polled(pollerOf(101), 1, now);
    memory.polled(pollerOf(100), 1000, now);
    expect(memory.polled(pollerOf(101), 2, now).best).toEqual(pollerOf(100));
  });

  test("leaves one of any number that poll in turn: each but the best is named a better one", () => {
    const memory = new PollerMemory(compareInstances, SILENCE_MS);
    let alive = Array.from({ length: 3 * POLLERS_REMEMBERED_MAX }, (_, index) => pollerOf(index + 1));
    for (let beat = 1; beat <= 30; beat++) {
      const now = beat * BEAT_MS;
      alive = alive.filter((one) => compareInstances(memory.polled(one, beat, now).best, one) >= 0);
    }
    expect(alive).toEqual([pollerOf(1)]);
  });
});
