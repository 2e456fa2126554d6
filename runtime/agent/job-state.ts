import { JobState } from "../../proto/generated/evercross/v1/control.ts";

/**
 * What may follow what. `wantrun → running` is an adoption: the job ran all along.
 * `starting → wantrun` and `running → wantrun`: its host is gone.
 */
const NEXT: Readonly<Record<JobState, readonly JobState[]>> = {
  [JobState.UNSPECIFIED]: [],
  [JobState.IDLE]: [JobState.WANTRUN],
  [JobState.WANTRUN]: [JobState.STARTING, JobState.RUNNING, JobState.STOPPED, JobState.IDLE],
  [JobState.STARTING]: [JobState.RUNNING, JobState.STOPPED, JobState.WANTSTOP, JobState.WANTRUN],
  [JobState.RUNNING]: [JobState.STOPPED, JobState.WANTSTOP, JobState.WANTRUN],
  [JobState.WANTSTOP]: [JobState.STOPPED],
  [JobState.STOPPED]: [JobState.WANTRUN, JobState.IDLE],
};

export function mayFollow(from: JobState, to: JobState): boolean {
  return NEXT[from].includes(to);
}

const NAMES = new Map<JobState, string>(
  Object.entries(JobState).map(([name, state]) => [state, name.toLowerCase()]),
);

/** `running` for `JobState.RUNNING`. */
export function jobStateName(state: JobState): string {
  return NAMES.get(state) ?? String(state);
}
