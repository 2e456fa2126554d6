import type { Logger } from "pino";
import type { LogDriver } from "../log/checkpoint-log.ts";
import type { Bus } from "../messaging/bus.ts";
import type { JobName } from "./name.ts";

/** What a job may know of where it runs. */
export interface JobContext {
  readonly job: JobName;
  readonly cluster: string;
  readonly node: string;
  /** Unique to this start of the job. */
  readonly instance: string;
  /** The node's data folder; a job keeps its files in a folder of its own below it. */
  readonly dataDir: string;
  readonly bus: Bus;
  /** The checkpoint logs of all jobs. */
  readonly logs: LogDriver;
  readonly logger: Logger;
  /** What others may know of it from now on: stands in its status, at most `JOB_DETAIL_CHARS_MAX` of it. Empty: nothing. */
  describe(detail: string): void;
  /**
   * Ends this job: it has lost its right to run, or an invariant is broken. The reason reaches the agent, which
   * restarts what it still wants. Calls after the first are ignored.
   */
  fail(reason: string): void;
}

/** A job that is up. */
export interface RunningJob {
  /** Epoch of a stateful job, 0 for a stateless one. */
  readonly epoch: number;
  /** What others may know of it, such as where it serves: stands in its status from the start on. */
  readonly detail?: string;
  /** Stops in good order; resolves when nothing of it runs any more. */
  stop(): Promise<void>;
}

/** A change of one materialised row; `value` undefined deletes it. Keys sort bytewise, 1 to 64 bytes. */
export interface RowChange {
  readonly key: Uint8Array;
  readonly value: Uint8Array | undefined;
  /** Of a put: no row ever had this key before. A row that ends before it was stored then costs nothing. */
  readonly fresh?: boolean;
  /** Key of the row that this one adds to and never outlives: where that one was not stored yet, neither was this one. */
  readonly owner?: Uint8Array;
  /** Of a removal: last bytes of rows that add to this one. The rows of this key and each of these bytes go with it. */
  readonly parts?: Uint8Array;
}

/** Pure: what an entry's payload changes in the rows. The same payload always gives the same changes. */
export type Materialise = (payload: Uint8Array) => RowChange[];

/**
 * How far the stored rows may lie behind the log: longer coalesces more, shorter restarts faster. They are stored earlier when
 * `ROWS_PENDING_MAX` changes wait.
 */
export interface RowsInterval {
  /** 1 or more. */
  readonly entries: number;
  readonly ms: number;
}

/** What storage needs to know of a service whose jobs keep rows. */
export type KeptRows = Pick<StatefulDefinition, "materialise" | "rowsInterval">;

/** A request as a stateful job sees it. */
export interface JobRequest {
  readonly data: Uint8Array;
  /** Hand this back in `JobReply` to answer. */
  readonly reply: string | undefined;
}

export interface JobReply {
  readonly to: string;
  readonly data: Uint8Array;
}

/**
 * What came of a step. The order is the contract: `payload` is appended to the checkpoint log; when it, and all
 * before it, are committed, it is published on the job's event subject, and only then do the replies leave.
 */
export interface StepResult {
  /** Undefined when the step changed nothing. */
  readonly payload: Uint8Array | undefined;
  readonly replies: readonly JobReply[];
  /**
   * How many of the requests are done with; the rest are given to the next step. 0 only beside a payload, or when
   * `nextDue` is later than before the step.
   */
  readonly taken: number;
}

/**
 * The state machine of a stateful job. Synchronous and deterministic: time comes in as `nowUs` (microseconds since
 * the Unix epoch), nothing else does. A thrown error stops the job.
 */
export interface StatefulJob {
  /** One row of the materialised state, in ascending order of key. Called before any `replay`. */
  restore(key: Uint8Array, value: Uint8Array): void;
  /** All rows were given; they are the state after entry `seq` (0: none). */
  restored(seq: number): void;
  /**
   * Does what `restored` does, a few milliseconds with each step of the iterator, and is then called in its place: for a state
   * that takes long to put together, since who does nothing else for half a second is taken for dead.
   */
  restoredInSlices?(seq: number): Iterator<undefined, void, undefined>;
  /** The payload of each entry behind the rows, in order. */
  replay(payload: Uint8Array): void;
  /** `nowUs` never falls from step to step. Without requests when the job is due. */
  step(nowUs: number, requests: readonly JobRequest[], position: StepPosition): StepResult;
  /**
   * When the job has something to do without being asked, in microseconds since the Unix epoch: `step` is called then or
   * soon after. Infinity: never; what is past: at once. Asked after each step. Absent: the job only answers.
   */
  nextDue?(): number;
}

export interface StepPosition {
  readonly epoch: number;
  /** Sequence of the last entry that was appended before this step. */
  readonly entry: number;
}

export interface StatefulDefinition {
  readonly kind: "stateful";
  readonly service: string;
  create(context: JobContext): StatefulJob;
  readonly materialise: Materialise;
  /** Absent: `ROWS_INTERVAL_ENTRIES` and `ROWS_INTERVAL_MS`. */
  readonly rowsInterval?: RowsInterval;
  /**
   * Runs the service's own code on made-up input, a few milliseconds with each step of the iterator. A spare host does
   * so while it waits, that the first turn of a restarted job is not its slowest. Touches nothing outside itself.
   */
  rehearse?(): Iterator<undefined, void, undefined>;
  /** What a step's queue-is-full answer is: a reply to a request that was not taken. Undefined: no answer. */
  busy(request: JobRequest, epoch: number): JobReply | undefined;
}

export interface StatelessDefinition {
  readonly kind: "stateless";
  readonly service: string;
  /** Resolves when the job serves. */
  start(context: JobContext): Promise<RunningJob>;
}

export type JobDefinition = StatefulDefinition | StatelessDefinition;
