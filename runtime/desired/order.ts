import type { RecordChange } from "./desired-store.ts";

/** Why an operator's order is refused. ERRORS.md says of each what to do. */
export const OrderCode = {
  /** No record has this job's name. */
  NO_SUCH_JOB: "no_such_job",
  /** A job of this name is there already. */
  JOB_EXISTS: "job_exists",
  /** A job, node or role cannot have this name. */
  BAD_NAME: "bad_name",
  /** What is ordered cannot follow the state that the job is in. */
  WRONG_STATE: "wrong_state",
  /** No record has this node's name. */
  NO_SUCH_NODE: "no_such_node",
  /** A node of this name, or its agent, is there already. */
  NODE_EXISTS: "node_exists",
  /** Jobs or monitors need the node. */
  NODE_IN_USE: "node_in_use",
  /** The arrangement has no such coordinator. */
  NO_SUCH_ROLE: "no_such_role",
  /** Something stands against this job on this node. */
  NOT_ALLOWED: "not_allowed",
  /** Something stands against this job on every node. */
  NO_PLACE: "no_place",
} as const;
export type OrderCode = (typeof OrderCode)[keyof typeof OrderCode];

export type OrderOutcome =
  /** To be made in this order, each as a compare-and-set. None: it is so already. On a conflict the order is decided anew. */
  | { readonly kind: "ok"; readonly changes: readonly RecordChange[] }
  | { readonly kind: "refused"; readonly code: OrderCode; readonly detail: string };

export function accepted(...changes: RecordChange[]): OrderOutcome {
  return { kind: "ok", changes };
}

export function refused(code: OrderCode, detail: string): OrderOutcome {
  return { kind: "refused", code, detail };
}
