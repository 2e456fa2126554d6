import { JobState } from "../../proto/generated/evercross/v1/control.ts";
import type { JobRecord } from "../../proto/generated/evercross/v1/hierarchy.ts";
import type { DesiredView } from "./desired-view.ts";

/** What the directory says of an instance that is there, or may be. */
const THERE: readonly JobState[] = [JobState.STARTING, JobState.RUNNING, JobState.WANTSTOP];

/**
 * The state of a job as far as the records tell: what is wanted of it, and what its agent last said. What a node that is down was said
 * to run counts for nothing.
 */
export function knownState(view: DesiredView, job: JobRecord): JobState {
  const place = view.places.get(job.job)?.value;
  const known = place !== undefined && view.states.get(place.node)?.value.up !== false ? place : undefined;
  if (!job.wanted) {
    return known !== undefined && THERE.includes(known.state) ? JobState.WANTSTOP : JobState.IDLE;
  }
  if (job.quarantinedUntilMs > 0) return JobState.STOPPED;
  return known !== undefined && known.node === job.node ? known.state : JobState.WANTRUN;
}
