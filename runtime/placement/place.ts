import type { JobRecord } from "../../proto/generated/evercross/v1/hierarchy.ts";

/** A node as a home sees it. */
export interface PlaceableNode {
  readonly node: string;
  readonly labels: readonly string[];
  /** Empty: nobody's own. */
  readonly customer: string;
  /** Up, not drained, and an agent keeps jobs of the service there. */
  readonly open: boolean;
  /** The wanted jobs that are put there. */
  readonly jobs: readonly JobRecord[];
}

/** Why a job may not be put on a node. */
export type Obstacle = "closed" | "not_named" | "labels" | "customer" | "apart" | "failed";
