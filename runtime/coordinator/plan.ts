import { JobState } from "../../proto/generated/evercross/v1/control.ts";
import {
  HistoryKind,
  type JobRecord,
  type PlaceRecord,
} from "../../proto/generated/evercross/v1/hierarchy.ts";
import { serviceOf } from "../job/name.ts";
import { JOB_GOOD_MS, JOB_PLACES_MAX, JOB_QUARANTINE_MAX_MS, JOB_QUARANTINE_MIN_MS } from "../limits.ts";
import { obstacle, place, type PlaceableNode } from "../placement/place.ts";

/** What a home knows when it decides on a job. */
export interface PlanContext {
  readonly role: string;
  /** Undefined: it is a top. */
  readonly parent: string | undefined;
  /** Milliseconds since the Unix epoch. */
  readonly wallMs: number;
  /** Where jobs of this service may be put, in any order: the nodes below the home. */
  nodes(service: string): readonly PlaceableNode[];
  /** A node as a job of this service sees it; undefined: no agent keeps such jobs there. */
  node(node: string, service: string): PlaceableNode | undefined;
  /** Why what runs on a node must leave it if it can: it is down or drained. Empty: it need not. */
  leaving(node: string): string;
  /** Whose business a job on this node is. */
  homeOf(node: string): string;
  /** Why the node's agent gave the job up. */
  givenUp(job: string, node: string): string | undefined;
  place(job: string): PlaceRecord | undefined;
  /** As the store shows it: not what a change under way, of which others do not know yet, would make of it. */
  record(job: string): JobRecord | undefined;
}

export type Decision =
  | { readonly kind: "keep" }
  /** Nothing before this wall-clock time, in milliseconds. */
  | { readonly kind: "wait"; readonly untilMs: number }
  /** It needs a place, and there is none: to be tried again when there may be one. */
  | { readonly kind: "stuck"; readonly reason: string }
  | {
      readonly kind: "change";
      readonly value: JobRecord;
      /** What it is in the history; undefined: nothing to tell. */
      readonly history: HistoryKind | undefined;
      readonly cause: string;
    };

const KEEP: Decision = { kind: "keep" };

/** Rules 5.4 and 5.5 for one job, by the home that is responsible for it. Does nothing without a reason. */
export function decide(job: JobRecord, context: PlanContext): Decision {
  if (!job.wanted) return KEEP;
  if (job.quarantinedUntilMs > 0) {
    if (context.wallMs < job.quarantinedUntilMs) return { kind: "wait", untilMs: job.quarantinedUntilMs };
    const released = { ...job, node: "", failed: [], quarantinedUntilMs: 0 };
    return settle(job, released, "its quarantine is over", context);
  }
  if (job.node === "") return settle(job, job, "", context);
  const givenUp = context.givenUp(job.job, job.node);
  if (givenUp !== undefined) return moveFailed(job, givenUp, context);
  const node = context.node(job.node, serviceOf(job.job));
  const barred = node === undefined ? `no agent keeps it on ${job.node}` : forbidden(job, node, context);
  if (barred !== undefined) return settle(job, { ...job, node: "" }, barred, context);
  const leaving = context.leaving(job.node);
  return leaving === "" ? stay(job, context) : evacuate(job, leaving, context);
}

function moveFailed(job: JobRecord, reason: string, context: PlanContext): Decision {
  const earlier = job.failed.filter((failed) => failed.node !== job.node);
  const failed = [...earlier, { node: job.node, atMs: context.wallMs, reason }];
  const cause = `${job.node} gave it up: ${reason}`;
  const homeless = { ...job, node: "", failed };
  return failed.length >= JOB_PLACES_MAX
    ? quarantine(homeless, `${failed.length} nodes gave it up, the last ${cause}`, context)
    : settle(job, homeless, cause, context);
}

/** Puts a job without a node somewhere; `job` is the record as it stands, `homeless` what becomes of it without a place. */
function settle(job: JobRecord, homeless: JobRecord, cause: string, context: PlanContext): Decision {
  const nodes = context.nodes(serviceOf(job.job));
  const placing = place(homeless, nodes);
  if (placing.node !== undefined) {
    const reason = cause === "" ? "it had no node" : cause;
    const history = job.node === "" ? HistoryKind.PLACED : HistoryKind.MOVED;
    return moved(homeless, placing.node, reason, history, context);
  }
  const reason = cause === "" ? placing.reason : `${cause}; ${placing.reason}`;
  if (context.parent !== undefined) {
    return escalated({ ...homeless, home: context.parent, reason });
  }
  if (homeless.failed.length > 0 && place({ ...homeless, failed: [] }, nodes).node !== undefined) {
    return quarantine(homeless, reason, context);
  }
  const kept = { ...homeless, home: context.role, reason };
  if (job === homeless && job.home === kept.home && sameKind(job.reason, reason))
    return { kind: "stuck", reason };
  return escalated(kept);
}

/** Its node is down or drained: it goes if there is where to go. */
function evacuate(job: JobRecord, leaving: string, context: PlanContext): Decision {
  const placing = place(job, context.nodes(serviceOf(job.job)));
  if (placing.node !== undefined) return moved(job, placing.node, leaving, HistoryKind.MOVED, context);
  const reason = `${leaving}; ${placing.reason}`;
  if (context.parent === undefined) return { kind: "stuck", reason };
  return escalated({ ...job, home: context.parent, reason });
}

function stay(job: JobRecord, context: PlanContext): Decision {
  const home = context.homeOf(job.node);
  if (job.home !== home) {
    const reason = `${job.node} is its node`;
    return { kind: "change", value: { ...job, home, reason }, history: undefined, cause: reason };
  }
  if (job.failed.length === 0 && job.quarantines === 0) return KEEP;
  const run = context.place(job.job);
  if (run?.state !== JobState.RUNNING || run.node !== job.node)
    return { kind: "wait", untilMs: context.wallMs + JOB_GOOD_MS };
  const goodMs = Math.max(job.placedMs, run.sinceMs) + JOB_GOOD_MS;
  if (context.wallMs < goodMs)
    return { kind: "wait", untilMs: Math.min(goodMs, context.wallMs + JOB_GOOD_MS) };
  const value = { ...job, failed: [], quarantines: 0 };
  return { kind: "change", value, history: undefined, cause: "it runs well" };
}

function moved(
  job: JobRecord,
  node: string,
  reason: string,
  history: HistoryKind,
  context: PlanContext,
): Decision {
  const value = { ...job, node, home: context.homeOf(node), reason, placedMs: context.wallMs };
  return { kind: "change", value, history, cause: reason };
}

function escalated(value: JobRecord): Decision {
  return { kind: "change", value, history: HistoryKind.ESCALATED, cause: value.reason };
}

function quarantine(job: JobRecord, cause: string, context: PlanContext): Decision {
  const waitMs = Math.min(JOB_QUARANTINE_MIN_MS * 2 ** job.quarantines, JOB_QUARANTINE_MAX_MS);
  const reason = `quarantined for ${waitMs} ms: ${cause}`;
  const value = {
    ...job,
    home: context.role,
    reason,
    quarantinedUntilMs: context.wallMs + waitMs,
    quarantines: job.quarantines + 1,
  };
  return { kind: "change", value, history: HistoryKind.QUARANTINED, cause: reason };
}

/** Why a job may not be where it is, undefined when it may. Of two that must not be together, the later one must go. */
function forbidden(job: JobRecord, node: PlaceableNode, context: PlanContext): string | undefined {
  switch (obstacle({ ...job, failed: [] }, { ...node, closed: "" })) {
    case "not_named":
      return `${node.node} is not among the nodes it names`;
    case "labels":
      return `${node.node} has not all of its labels (${job.labels.join(", ")})`;
    case "customer":
    case "apart": {
      if (node.customer !== "" && node.customer !== job.customer)
        return `${node.node} is of another customer`;
      for (const other of node.load.strangers(job))
        if (isLater(job, context.record(other))) return `${other} of another customer is on ${node.node}`;
      for (const other of node.load.twins(job))
        if (isLater(job, context.record(other))) return `${other} of ${job.apart} is on ${node.node}`;
      return undefined;
    }
    default:
      return undefined;
  }
}

/** Whether the other one is there too, and was before it. */
function isLater(job: JobRecord, other: JobRecord | undefined): boolean {
  if (other === undefined || !other.wanted || other.node !== job.node) return false;
  return job.placedMs === other.placedMs ? job.job > other.job : job.placedMs > other.placedMs;
}

/** The same reasons, however many nodes each holds for: not worth a change of the record. */
function sameKind(a: string, b: string): boolean {
  const kinds = (reason: string): string => reason.replaceAll(/\d+/g, "#");
  return kinds(a) === kinds(b);
}
