import { JobState } from "../../proto/generated/evercross/v1/control.ts";
import { jobStateName } from "../../runtime/agent/job-state.ts";
import type { LocatedJob } from "../../runtime/operator/located-job.ts";

export const JOB_COLUMNS = ["job", "state", "node", "host", "pid", "epoch", "restarts", "detail"] as const;

/** First line of a detail: the rest is in the log. */
const firstLine = (text: string): string => text.split("\n", 1)[0] ?? "";

/** `running`; `unknown` of a job whose agent does not answer. */
export function stateText(job: LocatedJob): string {
  const state = job.status?.state ?? JobState.UNSPECIFIED;
  return state === JobState.UNSPECIFIED ? "unknown" : jobStateName(state);
}

export function jobRows(jobs: readonly LocatedJob[]): (string | number)[][] {
  return jobs.map((job) => [
    job.status?.job ?? "",
    stateText(job),
    job.node === "" ? "-" : job.node,
    job.host === "" ? "-" : job.host,
    job.pid === 0 ? "-" : job.pid,
    job.status?.epoch ?? 0,
    job.restarts,
    firstLine(job.status?.detail ?? ""),
  ]);
}

/** The same for programs. */
export function jobObject(job: LocatedJob): Record<string, unknown> {
  return {
    job: job.status?.job ?? "",
    state: stateText(job),
    wanted: job.wanted,
    node: job.node,
    agent: job.agent,
    host: job.host,
    pid: job.pid,
    epoch: job.status?.epoch ?? 0,
    restarts: job.restarts,
    since_ms: job.sinceMs,
    detail: job.status?.detail ?? "",
    reason: job.reason,
  };
}
