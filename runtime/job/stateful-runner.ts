import { Committed, type LogEntry, LogPublication } from "../../proto/generated/evercross/v1/log.ts";
import {
  COMMITTED_REPEAT_MAX_MS,
  COMMITTED_REPEAT_MIN_MS,
  ENTRY_PAYLOAD_BYTES_MAX,
  JOB_QUEUE_BYTES_MAX,
  JOB_QUEUE_MESSAGES_MAX,
} from "../limits.ts";
import type { CheckpointLog, LogEvents, OpenedLog } from "../log/checkpoint-log.ts";
import type { BusSubscription } from "../messaging/bus.ts";
import { jobSubject } from "../messaging/subject.ts";
import type { JobContext, JobReply, JobRequest, StatefulDefinition, StatefulJob } from "./definition.ts";
import { DueTimer } from "./due-timer.ts";

interface HeldReply {
  /** Leaves when this entry is committed. */
  readonly after: number;
  readonly reply: JobReply;
}

/**
 * The shell around a stateful job. Its invariants:
 *
 * 1. What a step says leaves only when its entry and all before it are committed (I2).
 * 2. Requests wait in a bounded queue; one that finds it full is answered `busy`.
 * 3. While appends are on their way the next requests are crossed; a step takes all that has arrived.
 * 4. A job that is due is stepped at that time, by the same rules as if a request had come.
 */
export class StatefulRunner implements LogEvents {
  readonly #definition: StatefulDefinition;
  readonly #context: JobContext;
  readonly #log: CheckpointLog;
  readonly #eventSubject: string;
  readonly #epochSubject: string;
  readonly #subscriptions: BusSubscription[] = [];
  readonly #held: HeldReply[] = [];
  readonly #dueTimer = new DueTimer(() => this.#guard(() => this.#turn()));
  readonly #queue: JobRequest[] = [];
  #opened: OpenedLog | undefined;
  /** Undefined until it serves. */
  #state: StatefulJob | undefined;
  /** Committed before there was anything to serve. */
  readonly #early: LogEntry[] = [];
  /** The last entry that was published. */
  #published = 0;
  #queueBytes = 0;
  #turnDue = false;
  /** Why. */
  #ended: string | undefined;
  /** Its start is through: an end from now on is a failure of the job. */
  #started = false;
  /** Nothing new is begun. */
  #stopping = false;
  #lastUs = 0;
  #repeatMs = COMMITTED_REPEAT_MIN_MS;
  #publishedAt = 0;
  #repeatTimer: NodeJS.Timeout | undefined;
  #onCommit: (() => void) | undefined;

  constructor(definition: StatefulDefinition, context: JobContext, log: CheckpointLog) {
    this.#definition = definition;
    this.#context = context;
    this.#log = log;
    this.#eventSubject = jobSubject(context.cluster, context.job, "event");
    this.#epochSubject = jobSubject(context.cluster, context.job, "epoch");
  }

  /** Opens the log with a `STARTED` entry that names `version`. Undefined: ended meanwhile. */
  async open(version: string): Promise<OpenedLog | undefined> {
    const { bus, instance, node } = this.#context;
    this.#opened = await this.#log.open({ instance, node, version, timeUs: this.#nowUs() }, this);
    if (this.#opened === undefined) return undefined;
    const { epoch, tail } = this.#opened;
    this.#subscriptions.push(
      bus.subscribe(this.#epochSubject, ({ data }) => this.#guard(() => this.#hearEpoch(data))),
    );
    // Instances before this one that still run learn here that they are done.
    bus.publish(this.#epochSubject, Committed.encode({ epoch, seq: tail.seq }).finish());
    return this.#opened;
  }

  /** With the state as the opened log has it. Resolves when the `STARTED` entry is committed and published. */
  async serve(state: StatefulJob): Promise<void> {
    const { bus, job, cluster } = this.#context;
    this.#subscriptions.push(
      bus.subscribe(jobSubject(cluster, job, "in"), (message) => this.#guard(() => this.#receive(message))),
      bus.onReconnect(() => void this.#verify()),
    );
    this.#state = state;
    for (const entry of this.#early.splice(0)) this.committed(entry);
    while (this.#ended === undefined && !this.#serves) await this.#nextCommit();
    this.throwEnded();
    this.#started = true;
  }

  /** Throws the reason when it has ended. */
  throwEnded(): void {
    if (this.#ended !== undefined) throw new Error(this.#ended);
  }

  /** Takes nothing more, waits for what is on its way, and goes. */
  async stop(): Promise<void> {
    this.#stopping = true;
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
    while (this.#ended === undefined && this.#published < this.#log.appended) await this.#nextCommit();
    this.#end("stopped");
  }

  /** Its start has failed. */
  abandon(): void {
    this.#end("not started");
  }

  committed(entry: LogEntry): void {
    this.#guard(() => {
      if (this.#state === undefined) return void this.#early.push(entry);
      this.#publish(entry);
      this.#release();
      this.#onCommit?.();
      this.#scheduleTurn();
    });
  }

  ended(reason: string): void {
    this.#fail(reason);
  }

  stalled(detail: string | undefined): void {
    this.#context.describe(detail ?? "");
    if (detail === undefined) this.#context.logger.info("the log goes on");
    else this.#context.logger.warn({ missing: detail }, "the log waits, and nothing is published");
  }

  #nowUs(): number {
    this.#lastUs = Math.max(this.#lastUs, Math.round((performance.timeOrigin + performance.now()) * 1000));
    return this.#lastUs;
  }

  #receive(request: JobRequest): void {
    if (
      this.#queue.length >= JOB_QUEUE_MESSAGES_MAX ||
      this.#queueBytes + request.data.length > JOB_QUEUE_BYTES_MAX
    ) {
      const busy = this.#definition.busy(request, this.#epoch);
      if (busy !== undefined) this.#context.bus.publish(busy.to, busy.data);
      return;
    }
    this.#queue.push(request);
    this.#queueBytes += request.data.length;
    this.#scheduleTurn();
  }

  /** After the poll phase: by then all that has arrived is in the queue, and one step takes it. */
  #scheduleTurn(): void {
    if (this.#turnDue) return;
    this.#turnDue = true;
    setImmediate(() => {
      this.#turnDue = false;
      this.#guard(() => this.#turn());
    });
  }

  #turn(): void {
    // Nothing is served before the STARTED entry is committed: until then what came before it may not be (Raft, 5.4.2).
    const state = this.#state;
    if (state === undefined || this.#stopping || !this.#serves) return;
    for (;;) {
      const dueUs = dueOf(state);
      if (!this.#log.room || (this.#queue.length === 0 && dueUs > this.#nowUs())) break;
      this.#step(state, dueUs);
    }
    // Without room for an entry the next acknowledgement brings the next turn.
    if (this.#log.room) this.#dueTimer.arm(dueOf(state), this.#nowUs());
  }

  #step(state: StatefulJob, dueUs: number): void {
    const position = { epoch: this.#epoch, entry: this.#log.appended };
    const result = state.step(this.#nowUs(), this.#queue, position);
    const idle = result.taken === 0 && result.payload === undefined && dueOf(state) <= dueUs;
    if (result.taken > this.#queue.length || idle) {
      throw new Error(`step took ${result.taken} of ${this.#queue.length} requests, due at ${dueOf(state)}`);
    }
    for (const request of this.#queue.splice(0, result.taken)) this.#queueBytes -= request.data.length;
    if (result.payload !== undefined) this.#append(result.payload);
    for (const reply of result.replies) this.#held.push({ after: this.#log.appended, reply });
    this.#release();
  }

  #append(payload: Uint8Array): void {
    if (payload.length > ENTRY_PAYLOAD_BYTES_MAX) {
      throw new Error(`an entry of ${payload.length} bytes exceeds ${ENTRY_PAYLOAD_BYTES_MAX}`);
    }
    this.#log.append(payload);
  }

  #publish(entry: LogEntry): void {
    const publication = LogPublication.encode({ body: { $case: "entry", value: entry } }).finish();
    this.#context.bus.publish(this.#eventSubject, publication);
    this.#published = entry.seq;
    this.#publishedAt = performance.now();
    this.#repeatMs = COMMITTED_REPEAT_MIN_MS;
    // One timer per burst: it is re-armed when it fires, not with every entry.
    if (this.#repeatTimer === undefined) this.#armRepeat(this.#repeatMs);
  }

  #release(): void {
    let released = 0;
    for (const held of this.#held) {
      if (held.after > this.#published) break;
      this.#context.bus.publish(held.reply.to, held.reply.data);
      released += 1;
    }
    if (released > 0) this.#held.splice(0, released);
  }

  #armRepeat(delayMs: number): void {
    this.#repeatTimer = setTimeout(() => {
      if (this.#ended !== undefined) return;
      const quietMs = performance.now() - this.#publishedAt;
      if (quietMs < this.#repeatMs) return this.#armRepeat(this.#repeatMs - quietMs);
      // Before this timer there may have been a pause, and in it a replacement: the log is asked first.
      void this.#verify();
      this.#repeatMs = Math.min(this.#repeatMs * 2, COMMITTED_REPEAT_MAX_MS);
      this.#armRepeat(this.#repeatMs);
    }, delayMs);
    this.#repeatTimer.unref();
  }

  #repeatCommitted(): void {
    const value = { epoch: this.#epoch, seq: this.#published };
    const publication = LogPublication.encode({ body: { $case: "committed", value } }).finish();
    this.#context.bus.publish(this.#eventSubject, publication);
  }

  #hearEpoch(data: Uint8Array): void {
    const { epoch } = Committed.decode(data);
    if (epoch > this.#epoch) this.#fail(`fenced: epoch ${this.#epoch} was replaced by epoch ${epoch}`);
  }

  /** Asks the log whether this instance still has its right, and if so tells again where the log ends. */
  async #verify(): Promise<void> {
    try {
      const right = await this.#log.verify();
      if (right === "lost") this.#fail(`fenced: epoch ${this.#epoch} was replaced by a later one`);
      else if (right === "held" && this.#ended === undefined) this.#repeatCommitted();
    } catch (error) {
      this.#fail(describe(error));
    }
  }

  get #epoch(): number {
    return this.#opened?.epoch ?? 0;
  }

  /** The entry behind those that the log was opened with is committed. */
  get #serves(): boolean {
    return this.#opened !== undefined && this.#published > this.#opened.tail.seq;
  }

  #nextCommit(): Promise<void> {
    return new Promise((resolve) => {
      this.#onCommit = resolve;
    });
  }

  #guard(action: () => void): void {
    if (this.#ended !== undefined) return;
    try {
      action();
    } catch (error) {
      this.#fail(describe(error));
    }
  }

  #fail(reason: string): void {
    if (this.#ended !== undefined) return;
    this.#end(reason);
    if (this.#started) this.#context.fail(reason);
  }

  #end(reason: string): void {
    this.#ended ??= reason;
    clearTimeout(this.#repeatTimer);
    this.#dueTimer.stop();
    this.#log.close();
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
    this.#onCommit?.();
  }
}

/** When a job is to be stepped unasked, in microseconds since the Unix epoch. */
function dueOf(state: StatefulJob): number {
  return state.nextDue?.() ?? Infinity;
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
