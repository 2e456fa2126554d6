/** At most `max` restarts in any `periodMs` milliseconds. */
export interface RestartIntensity {
  readonly max: number;
  readonly periodMs: number;
}

export interface RestartDecision {
  /** The restarts that still count, this one included, oldest first. */
  readonly restarts: readonly number[];
  /** More than the intensity allows. */
  readonly exceeded: boolean;
}

/**
 * Counts a restart at `now` (milliseconds) among the earlier ones: the supervision rule of Erlang/OTP
 * (`supervisor:add_restart/3`). A restart exactly `periodMs` ago still counts.
 */
export function addRestart(
  earlier: readonly number[],
  now: number,
  intensity: RestartIntensity,
): RestartDecision {
  const restarts = [...earlier.filter((at) => now - at <= intensity.periodMs), now];
  return { restarts, exceeded: restarts.length > intensity.max };
}
