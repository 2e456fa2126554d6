import type { RestartIntensity } from "../process/restart-window.ts";

/** `[min, max]`, both included. */
export interface TimeRange {
  readonly min: number;
  readonly max: number;
}

/** Every time of a monitor, in milliseconds, as data: `../HIERARCHY.md` says what each is for. */
export interface MonitorTiming {
  /** Between two polls of a child. */
  readonly beatMs: number;
  readonly silenceMs: number;
  /** Silence after which the child's node is probed; Infinity: never. */
  readonly probeMs: number;
  readonly passiveMs: number;
  /** Not stepped for so long, it ends itself; Infinity: never. */
  readonly pauseMs: number;
  /** Without a poll of the parent. */
  readonly suspectMs: number;
  readonly backoffMs: TimeRange;
  /** From a launch until it counts as without success. */
  readonly startMs: number;
  readonly intensity: RestartIntensity;
  readonly retryMs: TimeRange;
}
