import type { Fills } from "./fill-digest.ts";
import type { Flow } from "./flow.ts";

/** Books that a process can run, by name. */
export type Engine = "evercross" | "stripped" | "nodejs-order-book" | "hft-limit-order-book" | "loop-only";

/** What the parent asks of an engine's process; each is answered by the `Answer` of the same kind. */
export type Request =
  | { readonly kind: "load"; readonly flow: Flow }
  /** Executes a fresh book up to operation `to`, and digests its fills. */
  | { readonly kind: "verify"; readonly to: number }
  /** Times a fresh book, `rounds` times over. `marks`: ascending numbers of operations behind the resting ones. */
  | { readonly kind: "run"; readonly rounds: number; readonly marks: readonly number[] }
  | { readonly kind: "pauses" }
  | { readonly kind: "allocation" }
  /** A book of `orders` that all rest, `far`: each at a price of its own, spread over all prices there are. */
  | { readonly kind: "memory"; readonly orders: number; readonly far: boolean };

export interface Pauses {
  /** Nanoseconds of the slowest batch, and of the slowest single operation among those timed one by one. */
  readonly batchMax: number;
  readonly operationMax: number;
  /** While the resting orders were entered; 0 when there are none. */
  readonly restingBatchMax: number;
}

export interface Allocation {
  /** Bytes per operation, on the heap and as array buffers, over the second half of a flow. */
  readonly heap: number;
  readonly buffers: number;
}

export type Answer =
  | { readonly kind: "load" }
  | { readonly kind: "verify"; readonly fills: Fills }
  /** Nanoseconds up to each mark, summed over the rounds. */
  | { readonly kind: "run"; readonly elapsed: readonly number[] }
  | ({ readonly kind: "pauses" } & Pauses)
  | ({ readonly kind: "allocation" } & Allocation)
  | { readonly kind: "memory"; readonly bytesPerOrder: number }
  | { readonly kind: "failed"; readonly reason: string };

export type AnswerTo<Kind extends Request["kind"]> = Extract<Answer, { kind: Kind }>;
