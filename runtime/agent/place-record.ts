import type { PlaceRecord } from "../../proto/generated/evercross/v1/hierarchy.ts";
import type { WatchedJobState } from "./watched-job.ts";

/** A job as its agent tells it to the directory. */
export function placeRecord(agent: string, job: WatchedJobState): PlaceRecord {
  return {
    job: job.name,
    node: job.host?.node ?? job.node,
    agent,
    host: job.host?.name ?? "",
    pid: job.host?.identity?.pid ?? 0,
    instance: job.instance,
    epoch: job.epoch,
    state: job.state,
    sinceMs: Math.floor(job.since),
    restarts: job.restarts,
    detail: job.detail,
  };
}

/** Whether two records of a job say the same of where it is and how it does; the words in `detail` do not count. */
export function samePlace(a: PlaceRecord | undefined, b: PlaceRecord): boolean {
  return (
    a !== undefined &&
    a.node === b.node &&
    a.host === b.host &&
    a.pid === b.pid &&
    a.instance === b.instance &&
    a.epoch === b.epoch &&
    a.state === b.state &&
    a.restarts === b.restarts
  );
}
