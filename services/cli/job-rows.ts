import { jobStateName } from "../../runtime/agent/job-state.ts";
import type { LocatedJob } from "../market/operator.ts";

export const JOB_COLUMNS = ["job", "state", "node", "host", "pid", "epoch", "restarts", "detail"] as const;

/** First line of a detail: the rest is in the log. */
const firstLine = (text: string): string => text.split("\n", 1)[0] ?? "";

export function jobRows(jobs: readonly LocatedJob[]): (string | number)[][] {
  return jobs.map(({ status, node, host, pid, restarts }) => [
    status?.job ?? "",
    status === undefined ? "" : jobStateName(status.state),
    node,
    host === "" ? "-" : host,
    pid === 0 ? "-" : pid,
    status?.epoch ?? 0,
    restarts,
    firstLine(status?.detail ?? ""),
  ]);
}

/** The same for programs. */
export function jobObject({
  status,
  node,
  host,
  pid,
  restarts,
  sinceMs,
}: LocatedJob): Record<string, unknown> {
  const { job, state, epoch, detail } = status ?? { job: "", state: 0, epoch: 0, detail: "" };
  return { job, state: jobStateName(state), node, host, pid, epoch, restarts, since_ms: sinceMs, detail };
}
