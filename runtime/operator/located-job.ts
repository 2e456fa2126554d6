import { type AgentStatus, JobState, type WatchedJob } from "../../proto/generated/evercross/v1/control.ts";
import type { JobRecord, PlaceRecord } from "../../proto/generated/evercross/v1/hierarchy.ts";
import type { DesiredView } from "../desired/desired-view.ts";
import { parseJob } from "../job/name.ts";
import type { Topology } from "../topology/topology.ts";

/** A job of a cluster and where it is. State `UNSPECIFIED`: its agent does not answer, so nobody knows. */
export interface LocatedJob extends WatchedJob {
  /** Of the agent that keeps it, `agent/n1`; empty while it has no node. */
  readonly agent: string;
  /** Whether it is to run. */
  readonly wanted: boolean;
  /** Its node was chosen by an operator or a coordinator, and why. */
  readonly reason: string;
}

/**
 * Every job that the records name, in the order of their names: as its agent sees it, or another one where it still runs; else as
 * far as the records tell. `statuses`: of each agent that answered, by its role.
 */
export function locatedJobs(
  view: DesiredView,
  topology: Topology,
  statuses: ReadonlyMap<string, AgentStatus>,
): LocatedJob[] {
  const watched = new Map<string, (WatchedJob & { readonly agent: string })[]>();
  for (const [agent, { jobs }] of statuses) {
    for (const job of jobs) {
      const name = job.status?.job ?? "";
      const seen = watched.get(name);
      if (seen === undefined) watched.set(name, [{ ...job, agent }]);
      else seen.push({ ...job, agent });
    }
  }
  return [...view.jobs.values()]
    .map(({ value: record }) => {
      const agent = topology.agentOf(record.node, parseJob(record.job).service)?.role ?? "";
      const seen = watched.get(record.job) ?? [];
      const known =
        seen.find((one) => one.agent === agent && one.node === record.node) ??
        seen.find((one) => one.pid !== 0) ??
        unwatched(record, view.places.get(record.job)?.value, agent, statuses);
      return { agent, ...known, wanted: record.wanted, reason: record.reason };
    })
    .toSorted((a, b) => compareText(a.status?.job ?? "", b.status?.job ?? ""));
}

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** A job that no agent told of. */
function unwatched(
  record: JobRecord,
  place: PlaceRecord | undefined,
  agent: string,
  statuses: ReadonlyMap<string, AgentStatus>,
): WatchedJob {
  const { job, node, reason, placedMs: sinceMs, wanted } = record;
  const told = (state: JobState, detail: string): WatchedJob => ({
    status: { job, state, epoch: 0, detail, instance: "" },
    host: "",
    pid: 0,
    restarts: 0,
    sinceMs,
    node,
  });
  if (!wanted) return told(JobState.IDLE, "");
  if (node === "") return told(JobState.WANTRUN, reason);
  if (agent === "") return told(JobState.WANTRUN, `no agent keeps jobs of its service on ${node}`);
  if (statuses.has(agent)) return told(JobState.WANTRUN, `${agent} has not taken it yet`);
  const last = place === undefined ? "" : `; it was on ${place.node} in process ${place.pid}`;
  return told(JobState.UNSPECIFIED, `${agent} does not answer${last}`);
}
