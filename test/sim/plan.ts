import type { JobRecord, NodeRecord, RoleRecord } from "../../proto/generated/evercross/v1/hierarchy.ts";
import type { MonitorTiming } from "../../runtime/monitor/timing.ts";
import type { PlannedFault } from "./fault.ts";

/** A rule that is left out on purpose, so that tests see that the simulator notices. */
export type Broken = "passive" | "standDown" | "ties" | "epochs" | "link";

export type JobKind =
  | { readonly kind: "stateless" }
  /** Behind a log that the named storage job keeps. */
  | { readonly kind: "counter"; readonly storage: string }
  | { readonly kind: "storage" }
  /** Fails wherever it is put, by itself or with its host. */
  | { readonly kind: "poison"; readonly killsHost: boolean };

export interface JobPlan {
  readonly record: JobRecord;
  readonly what: JobKind;
}

/** A cluster, the manners of its machines, and what befalls it: all that a seed decides before time begins. */
export interface Plan {
  readonly seed: number;
  readonly broken: Broken | undefined;
  readonly levels: number;
  /** In words, for the trace. */
  readonly arrangement: string;
  readonly sites: number;
  readonly hubs: number;
  /** The store has a copy beside each of three servers. */
  readonly storeCopies: boolean;
  readonly nodes: readonly { readonly record: NodeRecord; readonly site: number }[];
  readonly roles: readonly RoleRecord[];
  readonly jobs: readonly JobPlan[];
  readonly spares: number;
  readonly timing: { readonly host: MonitorTiming; readonly roles: ReadonlyMap<string, MonitorTiming> };
  /** A machine starts its agents when it has power, and again when none is there for a while. */
  readonly bootGuard: boolean;
  readonly clockDrift: number;
  readonly wallSkewMs: number;
  readonly timerJitterMs: number;
  readonly latencyMs: number;
  readonly siteLatencyMs: number;
  readonly storeLatencyMs: number;
  readonly syncMs: number;
  readonly jobStartMs: number;
  readonly recoveryMs: number;
  readonly hostStartMs: number;
  readonly unitStartMs: number;
  /** Between two requests to one counter. */
  readonly requestMs: number;
  /** Faults begin this long after the start; undefined: when everything runs. */
  readonly faultsAfterMs: number | undefined;
  readonly faultMs: number;
  readonly faults: readonly PlannedFault[];
  /** Processes that are stopped when the faults end stay so. */
  readonly leavesStopped: boolean;
  readonly quietMs: number;
}
