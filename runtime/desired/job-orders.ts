import { JobState } from "../../proto/generated/evercross/v1/control.ts";
import type { JobRecord } from "../../proto/generated/evercross/v1/hierarchy.ts";
import { jobStateName } from "../agent/job-state.ts";
import { parseJob, serviceOf } from "../job/name.ts";
import { parseRole } from "../monitor/role.ts";
import { place } from "../placement/place.ts";
import { placeableNodes } from "../placement/placeable-nodes.ts";
import type { Topology } from "../topology/topology.ts";
import type { RecordChange } from "./desired-store.ts";
import type { DesiredView, Held } from "./desired-view.ts";
import { knownState } from "./known-state.ts";
import { accepted, OrderCode, type OrderOutcome, refused } from "./order.ts";

export interface JobAddition {
  readonly kind: "add";
  readonly job: string;
  /** Left out: a job host of its own. */
  readonly group?: string;
  readonly labels?: readonly string[];
  readonly nodes?: readonly string[];
  readonly customer?: string;
  readonly apart?: string;
  /** Left out: none. */
  readonly standby?: boolean;
  /** The coordinator that is to place it. Left out: the first top. */
  readonly home?: string;
  /** Left out: it is to run. */
  readonly wanted?: boolean;
}

export type JobOrder =
  | JobAddition
  | { readonly kind: "remove" | "start" | "stop"; readonly job: string }
  /** `node` left out: wherever else it may run. */
  | { readonly kind: "move"; readonly job: string; readonly node?: string };

type Change = Exclude<JobOrder["kind"], "add">;

/** From which state an order may come, and to which it leads. What is removed was idle last. */
export const ORDERED: Readonly<Record<Change, ReadonlyMap<JobState, JobState>>> = {
  start: new Map([
    [JobState.IDLE, JobState.WANTRUN],
    [JobState.STOPPED, JobState.WANTRUN],
  ]),
  stop: new Map([
    [JobState.WANTRUN, JobState.IDLE],
    [JobState.STARTING, JobState.WANTSTOP],
    [JobState.RUNNING, JobState.WANTSTOP],
    [JobState.STOPPED, JobState.IDLE],
  ]),
  remove: new Map([
    [JobState.IDLE, JobState.IDLE],
    [JobState.WANTRUN, JobState.IDLE],
    [JobState.STOPPED, JobState.IDLE],
  ]),
  move: new Map([
    [JobState.IDLE, JobState.IDLE],
    [JobState.WANTRUN, JobState.WANTRUN],
    [JobState.STARTING, JobState.WANTRUN],
    [JobState.RUNNING, JobState.WANTRUN],
    [JobState.STOPPED, JobState.WANTRUN],
  ]),
};

/** Where an order that is refused wanted to lead, and what helps. */
const AIMS: Readonly<Record<Change, { readonly state: JobState; readonly hint: string }>> = {
  start: { state: JobState.WANTRUN, hint: "only a job that is idle or stopped can be started" },
  stop: { state: JobState.WANTSTOP, hint: "only a job that is wanted can be stopped" },
  remove: { state: JobState.IDLE, hint: "stop it first" },
  move: { state: JobState.WANTRUN, hint: "wait until it is idle" },
};

/** What an operator's order makes of the records. Pure; `wallMs`: milliseconds since the Unix epoch. */
export function orderJob(
  view: DesiredView,
  topology: Topology,
  wallMs: number,
  order: JobOrder,
): OrderOutcome {
  if (order.kind === "add") return addJob(view, topology, order);
  const { kind, job } = order;
  const held = view.jobs.get(job);
  if (held === undefined) return refused(OrderCode.NO_SUCH_JOB, `there is no job ${job}`);
  const state = knownState(view, held.value);
  if (!ORDERED[kind].has(state)) {
    const { state: aim, hint } = AIMS[kind];
    const detail = `${job} is ${jobStateName(state)} and cannot go to ${jobStateName(aim)}: ${hint}`;
    return refused(OrderCode.WRONG_STATE, detail);
  }
  switch (order.kind) {
    case "start":
      return accepted(
        changed(held, {
          ...cleared(held.value),
          wanted: true,
          reason: "started by an operator",
          placedMs: wallMs,
        }),
      );
    case "stop":
      return accepted(
        changed(held, { ...cleared(held.value), wanted: false, reason: "stopped by an operator" }),
      );
    case "remove":
      return removeJob(view, held);
    case "move":
      return order.node === undefined
        ? moveAway(view, topology, wallMs, held)
        : moveTo(view, topology, wallMs, held, order.node);
  }
}

function addJob(view: DesiredView, topology: Topology, order: JobAddition): OrderOutcome {
  const {
    job,
    group = job,
    labels = [],
    nodes = [],
    customer = "",
    apart = "",
    wanted = true,
    standby = false,
  } = order;
  try {
    parseJob(job);
  } catch (error) {
    return refused(OrderCode.BAD_NAME, (error as Error).message);
  }
  if (view.jobs.has(job)) return refused(OrderCode.JOB_EXISTS, `there is a job ${job} already`);
  const missing = nodes.find((node) => !view.nodes.has(node));
  if (missing !== undefined) return refused(OrderCode.NO_SUCH_NODE, `there is no node ${missing}`);
  const home = order.home ?? firstTop(topology);
  if (home === undefined || !isCoordinator(home, topology)) {
    return refused(OrderCode.NO_SUCH_ROLE, `there is no coordinator ${home ?? "at all"}`);
  }
  const value: JobRecord = {
    job,
    group,
    labels: [...labels],
    nodes: [...nodes],
    customer,
    apart,
    wanted,
    node: "",
    home,
    reason: "added by an operator",
    placedMs: 0,
    failed: [],
    quarantinedUntilMs: 0,
    quarantines: 0,
    standby,
  };
  return accepted({ kind: "job", name: job, expected: 0, value });
}

function removeJob(view: DesiredView, { revision, value: { job } }: Held<JobRecord>): OrderOutcome {
  const changes: RecordChange[] = [{ kind: "job", name: job, expected: revision, value: undefined }];
  // Of an agent that is gone: a living one removes it by itself.
  const place = view.places.get(job);
  if (place !== undefined) {
    changes.push({ kind: "place", name: job, expected: place.revision, value: undefined });
  }
  return accepted(...changes);
}

function moveTo(
  view: DesiredView,
  topology: Topology,
  wallMs: number,
  held: Held<JobRecord>,
  name: string,
): OrderOutcome {
  const job = cleared(held.value);
  const node = placeableNodes(view, topology, serviceOf(job.job)).find((one) => one.node === name);
  if (node === undefined) return refused(OrderCode.NO_SUCH_NODE, `there is no node ${name}`);
  if (job.node === name && held.value.quarantinedUntilMs === 0) return accepted();
  const placing = place(job, [node]);
  if (placing.node === undefined)
    return refused(OrderCode.NOT_ALLOWED, `${job.job} cannot run on ${name}: ${placing.reason}`);
  return accepted(changed(held, moved(job, name, topology, wallMs)));
}

function moveAway(
  view: DesiredView,
  topology: Topology,
  wallMs: number,
  held: Held<JobRecord>,
): OrderOutcome {
  const job = cleared(held.value);
  const nodes = placeableNodes(view, topology, serviceOf(job.job)).filter(({ node }) => node !== job.node);
  const placing = place(job, nodes);
  if (placing.node === undefined) {
    return refused(OrderCode.NO_PLACE, `${job.job} cannot run anywhere else: ${placing.reason}`);
  }
  return accepted(changed(held, moved(job, placing.node, topology, wallMs)));
}

function moved(job: JobRecord, node: string, topology: Topology, wallMs: number): JobRecord {
  const home = topology.homeOf(node) ?? job.home;
  return { ...job, node, home, reason: "moved by an operator", placedMs: wallMs };
}

/** An order begins a new life: what failed before it is forgotten. */
const cleared = (job: JobRecord): JobRecord => ({
  ...job,
  failed: [],
  quarantinedUntilMs: 0,
  quarantines: 0,
});

const changed = ({ revision }: Held<JobRecord>, value: JobRecord): RecordChange => ({
  kind: "job",
  name: value.job,
  expected: revision,
  value,
});

const isCoordinator = (role: string, topology: Topology): boolean =>
  topology.role(role) !== undefined && parseRole(role).level !== "agent";

function firstTop(topology: Topology): string | undefined {
  const tops = topology.tops().map(({ role }) => role);
  return tops.filter((role) => isCoordinator(role, topology)).sort()[0];
}
