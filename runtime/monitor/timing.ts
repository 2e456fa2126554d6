import {
  AGENT_BACKOFF_MAX_MS,
  AGENT_BACKOFF_MIN_MS,
  AGENT_SUSPECT_MS,
  HOST_BEAT_MS,
  HOST_BEATS_MISSED_MAX,
  MONITOR_BEAT_MS,
  MONITOR_PROBE_MS,
  MONITOR_RESTARTS_MAX,
  MONITOR_RESTARTS_PERIOD_MS,
  MONITOR_RETRY_MAX_MS,
  MONITOR_RETRY_MIN_MS,
  MONITOR_SILENCE_MS,
  MONITOR_START_MS,
  PARENT_BACKOFF_MAX_MS,
  PARENT_BACKOFF_MIN_MS,
  PARENT_SUSPECT_MS,
  WIDE_BACKOFF_MAX_MS,
  WIDE_BACKOFF_MIN_MS,
  WIDE_PROBE_MS,
  WIDE_SILENCE_MS,
  WIDE_SUSPECT_MS,
} from "../limits.ts";
import type { RestartIntensity } from "../process/restart-window.ts";

/** `[min, max]`, both included. */
export interface TimeRange {
  readonly min: number;
  readonly max: number;
}

/** How long who is reached in one way may be silent. */
export interface Patience {
  /** Of a child. */
  readonly silenceMs: number;
  readonly passiveMs: number;
  /** Without a poll of the parent. */
  readonly suspectMs: number;
}

/** Every time of a monitor, in milliseconds, as data: `../HIERARCHY.md` says what each is for. */
export interface MonitorTiming extends Patience {
  /** Between two polls of a child. */
  readonly beatMs: number;
  /** With who is reached without the broker; absent: no other. Over the broker, the loss of the own link must be seen before. */
  readonly direct?: Patience;
  /** Silence after which the child's node is probed; Infinity: never. */
  readonly probeMs: number;
  /** Not stepped for so long, it ends itself; Infinity: never. */
  readonly pauseMs: number;
  readonly backoffMs: TimeRange;
  /** From a launch until it counts as without success. */
  readonly startMs: number;
  readonly intensity: RestartIntensity;
  readonly retryMs: TimeRange;
}

/** The patience with one peer. */
export function patienceWith({ direct }: { readonly direct: boolean }, timing: MonitorTiming): Patience {
  return direct ? (timing.direct ?? timing) : timing;
}

const HOST_SILENCE_MS = HOST_BEAT_MS * HOST_BEATS_MISSED_MAX;

const STARTS = {
  startMs: MONITOR_START_MS,
  intensity: { max: MONITOR_RESTARTS_MAX, periodMs: MONITOR_RESTARTS_PERIOD_MS },
  retryMs: { min: MONITOR_RETRY_MIN_MS, max: MONITOR_RETRY_MAX_MS },
};

const NEAR_PARENT = {
  suspectMs: PARENT_SUSPECT_MS,
  backoffMs: { min: PARENT_BACKOFF_MIN_MS, max: PARENT_BACKOFF_MAX_MS },
};

const WIDE_PARENT = {
  suspectMs: WIDE_SUSPECT_MS,
  backoffMs: { min: WIDE_BACKOFF_MIN_MS, max: WIDE_BACKOFF_MAX_MS },
};

/** Of a job host: it only watches its agent. Never paused for too long: no one replaces it, but its jobs. */
export function hostTiming(): MonitorTiming {
  return {
    ...STARTS,
    beatMs: HOST_BEAT_MS,
    silenceMs: MONITOR_SILENCE_MS,
    probeMs: Infinity,
    passiveMs: MONITOR_SILENCE_MS,
    pauseMs: Infinity,
    suspectMs: PARENT_SUSPECT_MS,
    direct: { silenceMs: HOST_SILENCE_MS, passiveMs: HOST_SILENCE_MS, suspectMs: AGENT_SUSPECT_MS },
    backoffMs: { min: AGENT_BACKOFF_MIN_MS, max: AGENT_BACKOFF_MAX_MS },
  };
}

/** Of an agent, over its job hosts. `wideParent`: its parent is reached over a wide-area network. */
export function agentTiming({ wideParent }: { readonly wideParent: boolean }): MonitorTiming {
  const parent = wideParent ? WIDE_PARENT : NEAR_PARENT;
  return {
    ...STARTS,
    ...parent,
    beatMs: HOST_BEAT_MS,
    silenceMs: MONITOR_SILENCE_MS,
    probeMs: Infinity,
    passiveMs: MONITOR_SILENCE_MS,
    pauseMs: AGENT_SUSPECT_MS,
    direct: { silenceMs: HOST_SILENCE_MS, passiveMs: HOST_SILENCE_MS, suspectMs: parent.suspectMs },
  };
}

/** Of a coordinator of whichever level. `wideChildren`: one of its children is reached over a wide-area network. */
export function coordinatorTiming(wide: {
  readonly wideParent: boolean;
  readonly wideChildren: boolean;
}): MonitorTiming {
  const silenceMs = wide.wideChildren ? WIDE_SILENCE_MS : MONITOR_SILENCE_MS;
  return {
    ...STARTS,
    ...(wide.wideParent ? WIDE_PARENT : NEAR_PARENT),
    beatMs: MONITOR_BEAT_MS,
    silenceMs,
    probeMs: wide.wideChildren ? WIDE_PROBE_MS : MONITOR_PROBE_MS,
    passiveMs: silenceMs,
    // Before this, neither its children nor its parent can have replaced it.
    pauseMs: Math.min(
      wide.wideChildren ? WIDE_SUSPECT_MS : PARENT_SUSPECT_MS,
      wide.wideParent ? WIDE_SILENCE_MS : MONITOR_SILENCE_MS,
    ),
  };
}
