import { describe, expect, test } from "vitest";
import * as limits from "../../../runtime/limits.ts";
import {
  agentTiming,
  coordinatorTiming,
  hostTiming,
  type MonitorTiming,
  patienceWith,
} from "../../../runtime/monitor/timing.ts";

const BOTH = [false, true];

const TIMINGS: readonly (readonly [string, MonitorTiming])[] = [
  ["host", hostTiming()],
  ...BOTH.map((wideParent) => [`agent, wide parent ${wideParent}`, agentTiming({ wideParent })] as const),
  ...BOTH.flatMap((wideParent) =>
    BOTH.map(
      (wideChildren) =>
        [
          `coordinator, wide parent ${wideParent}, wide children ${wideChildren}`,
          coordinatorTiming({ wideParent, wideChildren }),
        ] as const,
    ),
  ),
];

describe.each(TIMINGS)("the timing of a monitor: %s", (_, timing) => {
  test("leaves several beats until a child is failed, and hears each once before it is active", () => {
    expect(timing.silenceMs).toBeGreaterThanOrEqual(5 * timing.beatMs);
    expect(timing.passiveMs).toBeGreaterThanOrEqual(timing.silenceMs);
  });

  test("leaves the loss of its own link to the broker time to be seen before who is reached by it is failed or suspected", () => {
    const noticedMs = (limits.LINK_ECHO_BEATS_MAX + 1) * limits.MONITOR_BEAT_MS;
    expect(timing.silenceMs).toBeGreaterThan(noticedMs);
    expect(timing.suspectMs).toBeGreaterThan(noticedMs);
  });

  test("is no more patient with who is reached directly", () => {
    const direct = patienceWith({ direct: true }, timing);
    expect(patienceWith({ direct: false }, timing)).toBe(timing);
    expect(direct.silenceMs).toBeLessThanOrEqual(timing.silenceMs);
    expect(direct.silenceMs).toBeGreaterThanOrEqual(5 * timing.beatMs);
    expect(direct.passiveMs).toBeGreaterThanOrEqual(direct.silenceMs);
    expect(direct.suspectMs).toBeLessThanOrEqual(timing.suspectMs);
  });

  test("probes a node in time for two answers before its child is failed, or never", () => {
    if (timing.probeMs === Infinity) return;
    expect(timing.silenceMs - timing.probeMs).toBeGreaterThanOrEqual(2 * timing.beatMs);
  });

  test("has ranges that go up, and waits for a start longer than it takes to be suspected", () => {
    expect(timing.backoffMs.max).toBeGreaterThan(timing.backoffMs.min);
    expect(timing.retryMs.max).toBeGreaterThan(timing.retryMs.min);
    expect(timing.startMs).toBeGreaterThan(timing.suspectMs);
  });
});

describe("the timings of monitors that watch each other", () => {
  test("let a job host suspect its agent no sooner than the agent ends itself for a pause", () => {
    const { suspectMs } = patienceWith({ direct: true }, hostTiming());
    expect(agentTiming({ wideParent: false }).pauseMs).toBeLessThanOrEqual(suspectMs);
    expect(limits.AGENT_LOST_MS).toBeGreaterThan(suspectMs + limits.HOST_BEAT_MS);
  });

  test("let an agent be started again by its job hosts before its node is taken for lost", () => {
    const { backoffMs } = hostTiming();
    const { suspectMs } = patienceWith({ direct: true }, hostTiming());
    expect(suspectMs + backoffMs.max).toBeLessThan(limits.MONITOR_SILENCE_MS);
  });

  test("let nobody replace a coordinator before it would end itself for its pause", () => {
    for (const wideChildren of BOTH) {
      const child = coordinatorTiming({ wideParent: wideChildren, wideChildren: false });
      for (const wideParent of BOTH) {
        const { pauseMs } = coordinatorTiming({ wideParent, wideChildren });
        const parent = coordinatorTiming({ wideParent: false, wideChildren: wideParent });
        expect(pauseMs).toBeLessThanOrEqual(child.suspectMs);
        expect(pauseMs).toBeLessThanOrEqual(parent.silenceMs);
      }
    }
  });

  test("let a child hear several polls before it suspects its parent", () => {
    expect(limits.PARENT_SUSPECT_MS).toBeGreaterThan(3 * limits.MONITOR_BEAT_MS);
    expect(limits.AGENT_SUSPECT_MS).toBeGreaterThan(3 * limits.HOST_BEAT_MS);
    expect(limits.WIDE_SUSPECT_MS).toBeGreaterThan(3 * limits.MONITOR_BEAT_MS);
  });
});
