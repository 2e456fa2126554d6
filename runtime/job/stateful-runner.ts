import {
  Committed,
  EntryKind,
  type LogEntry,
  LogPublication,
  type LogResponse,
  type LogTail,
  Started,
} from "../../proto/generated/evercross/v1/log.ts";
import {
  APPEND_TIMEOUT_MS,
  COMMITTED_REPEAT_MAX_MS,
  COMMITTED_REPEAT_MIN_MS,
  ENTRY_PAYLOAD_BYTES_MAX,
  JOB_QUEUE_BYTES_MAX,
  JOB_QUEUE_MESSAGES_MAX,
  REPLICA_TIMEOUT_MS,
} from "../limits.ts";
import type { ReplicaPort } from "../log/replica-port.ts";
import { LogWriter, type WriterOutput } from "../log/writer.ts";
import { BusRequestError, type BusSubscription } from "../messaging/bus.ts";
import { jobSubject } from "../messaging/subject.ts";
import type { JobContext, JobReply, JobRequest, StatefulDefinition, StatefulJob } from "./definition.ts";
import { DueTimer } from "./due-timer.ts";
import { formatJob, type JobName } from "./name.ts";

/** A stateful job that was recovered, and the log that is open for it. */
export interface RecoveredJob {
  readonly definition: StatefulDefinition;
  readonly context: JobContext;
  readonly port: ReplicaPort;
  readonly replica: JobName;
  readonly state: StatefulJob;
  readonly epoch: number;
  /** Where the log ended when it was opened. */
  readonly opened: LogTail;
}

interface HeldReply {
  /** Leaves when this entry is committed. */
  readonly after: number;
  readonly reply: JobReply;
}

/**
 * The shell around a stateful job that serves. Its invariants:
 *
 * 1. What a step says leaves only when its entry and all before it are committed (I2).
 * 2. Requests wait in a bounded queue; one that finds it full is answered `busy`.
 * 3. While appends are on their way the next requests are crossed; a step takes all that has arrived.
 * 4. A job that is due is stepped at that time, by the same rules as if a request had come.
 */
export class StatefulRunner {
  readonly #definition: StatefulDefinition;
  readonly #context: JobContext;
  readonly #port: ReplicaPort;
  readonly #state: StatefulJob;
  readonly #epoch: number;
  readonly #opened: LogTail;
  readonly #replica: JobName;
  readonly #writer: LogWriter;
  readonly #job: string;
  readonly #eventSubject: string;
  readonly #epochSubject: string;
  readonly #subscriptions: BusSubscription[] = [];
  readonly #held: HeldReply[] = [];
  readonly #dueTimer = new DueTimer(() => this.#guard(() => this.#turn()));
  readonly #queue: JobRequest[] = [];
  #queueBytes = 0;
  #turnDue = false;
  #ended = false;
  /** Nothing new is begun. */
  #stopping = false;
  #lastUs = 0;
  #repeatMs = COMMITTED_REPEAT_MIN_MS;
  #publishedAt = 0;
  #repeatTimer: NodeJS.Timeout | undefined;
  #retryTimer: NodeJS.Timeout | undefined;
  #onCommit: (() => void) | undefined;
  #rejectStart: ((error: Error) => void) | undefined;

  constructor(recovered: RecoveredJob) {
    const { definition, context, port, replica, state, epoch, opened } = recovered;
    this.#definition = definition;
    this.#context = context;
    this.#port = port;
    this.#state = state;
    this.#epoch = epoch;
    this.#opened = opened;
    this.#replica = replica;
    this.#job = formatJob(context.job);
    this.#eventSubject = jobSubject(context.cluster, context.job, "event");
    this.#epochSubject = jobSubject(context.cluster, context.job, "epoch");
    this.#writer = new LogWriter({ job: this.#job, epoch, tail: opened, replicas: 1 });
  }

  /** Resolves when the `STARTED` entry, which names `version`, is committed and published. */
  async start(version: string): Promise<void> {
    const { bus, job, cluster, instance, node } = this.#context;
    this.#subscriptions.push(
      bus.subscribe(jobSubject(cluster, job, "in"), (message) => this.#guard(() => this.#receive(message))),
      bus.subscribe(this.#epochSubject, (message) => this.#guard(() => this.#hearEpoch(message.data))),
      bus.onReconnect(() => void this.#verifyEpoch()),
    );
    // Instances before this one that still run learn here that they are done.
    bus.publish(this.#epochSubject, Committed.encode({ epoch: this.#epoch, seq: this.#opened.seq }).finish());
    const started = Started.encode({
      instance,
      node,
      version,
      timeUs: this.#nowUs(),
    }).finish();
    await new Promise<void>((resolve, reject) => {
      this.#onCommit = () => {
        this.#rejectStart = undefined;
        resolve();
      };
      this.#rejectStart = reject;
      this.#perform(this.#writer.append(performance.now(), EntryKind.STARTED, started));
    });
  }

  /** Takes nothing more, waits for what is on its way, and goes. */
  async stop(): Promise<void> {
    this.#stopping = true;
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
    if (!this.#ended && this.#writer.committed < this.#writer.appended) {
      await new Promise<void>((resolve) => {
        this.#onCommit = () => {
          if (this.#ended || this.#writer.committed === this.#writer.appended) resolve();
        };
      });
    }
    this.#end();
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
    if (this.#ended || this.#stopping || this.#writer.committed <= this.#opened.seq) return;
    for (;;) {
      const dueUs = this.#dueUs();
      if (!this.#writer.room || (this.#queue.length === 0 && dueUs > this.#nowUs())) break;
      this.#step(dueUs);
    }
    // Without room for an entry the next acknowledgement brings the next turn.
    if (this.#writer.room) this.#dueTimer.arm(this.#dueUs(), this.#nowUs());
  }

  #step(dueUs: number): void {
    const position = { epoch: this.#epoch, entry: this.#writer.appended };
    const result = this.#state.step(this.#nowUs(), this.#queue, position);
    const idle = result.taken === 0 && result.payload === undefined && this.#dueUs() <= dueUs;
    if (result.taken > this.#queue.length || idle) {
      throw new Error(`step took ${result.taken} of ${this.#queue.length} requests, due at ${this.#dueUs()}`);
    }
    for (const request of this.#queue.splice(0, result.taken)) this.#queueBytes -= request.data.length;
    if (result.payload !== undefined) this.#append(result.payload);
    for (const reply of result.replies) this.#held.push({ after: this.#writer.appended, reply });
    this.#release();
  }

  #dueUs(): number {
    return this.#state.nextDue?.() ?? Infinity;
  }

  #append(payload: Uint8Array): void {
    if (payload.length > ENTRY_PAYLOAD_BYTES_MAX) {
      throw new Error(`an entry of ${payload.length} bytes exceeds ${ENTRY_PAYLOAD_BYTES_MAX}`);
    }
    this.#perform(this.#writer.append(performance.now(), EntryKind.DATA, payload));
  }

  #perform(outputs: readonly WriterOutput[]): void {
    for (const output of outputs) {
      switch (output.kind) {
        case "send":
          void this.#send(output.entry, output.attempt);
          break;
        case "committed":
          this.#publish(output.entry);
          break;
        case "ended":
          this.#fail(`${output.reason}: ${output.detail}`);
          return;
      }
    }
    this.#armRetry();
  }

  async #send(entry: LogEntry, attempt: number): Promise<void> {
    let response: LogResponse | undefined;
    try {
      const request = { job: this.#job, body: { $case: "append", value: entry } } as const;
      response = await this.#port.call(this.#replica, request, APPEND_TIMEOUT_MS);
    } catch (error) {
      if (!(error instanceof BusRequestError)) return this.#fail(describe(error));
    }
    this.#guard(() => {
      this.#perform(this.#writer.answer(performance.now(), 0, entry.seq, attempt, response));
      this.#release();
      this.#turn();
    });
  }

  #armRetry(): void {
    clearTimeout(this.#retryTimer);
    const due = this.#writer.nextDue();
    if (this.#ended || due === Infinity) return;
    const retry = (): void => this.#guard(() => this.#perform(this.#writer.tick(performance.now())));
    this.#retryTimer = setTimeout(retry, Math.max(0, due - performance.now()));
  }

  #publish(entry: LogEntry): void {
    const publication = LogPublication.encode({ body: { $case: "entry", value: entry } }).finish();
    this.#context.bus.publish(this.#eventSubject, publication);
    this.#publishedAt = performance.now();
    this.#repeatMs = COMMITTED_REPEAT_MIN_MS;
    // One timer per burst: it is re-armed when it fires, not with every entry.
    if (this.#repeatTimer === undefined) this.#armRepeat(this.#repeatMs);
    this.#onCommit?.();
  }

  #release(): void {
    let released = 0;
    for (const held of this.#held) {
      if (held.after > this.#writer.committed) break;
      this.#context.bus.publish(held.reply.to, held.reply.data);
      released += 1;
    }
    if (released > 0) this.#held.splice(0, released);
  }

  #armRepeat(delayMs: number): void {
    this.#repeatTimer = setTimeout(() => {
      if (this.#ended) return;
      const quietMs = performance.now() - this.#publishedAt;
      if (quietMs < this.#repeatMs) return this.#armRepeat(this.#repeatMs - quietMs);
      // Before this timer there may have been a pause, and in it a replacement: the log is asked first.
      void this.#verifyEpoch();
      this.#repeatMs = Math.min(this.#repeatMs * 2, COMMITTED_REPEAT_MAX_MS);
      this.#armRepeat(this.#repeatMs);
    }, delayMs);
    this.#repeatTimer.unref();
  }

  #repeatCommitted(): void {
    const value = { epoch: this.#epoch, seq: this.#writer.committed };
    const publication = LogPublication.encode({ body: { $case: "committed", value } }).finish();
    this.#context.bus.publish(this.#eventSubject, publication);
  }

  #hearEpoch(data: Uint8Array): void {
    const { epoch } = Committed.decode(data);
    if (epoch > this.#epoch) this.#fail(`fenced: epoch ${this.#epoch} was replaced by epoch ${epoch}`);
  }

  /** Asks the log whether this instance still has its right, and if so tells again where the log ends. */
  async #verifyEpoch(): Promise<void> {
    try {
      const askedAt = performance.now();
      const request = { job: this.#job, body: { $case: "tail", value: {} } } as const;
      const response = await this.#port.call(this.#replica, request, REPLICA_TIMEOUT_MS);
      const promised = response.tail?.promised ?? 0;
      if (promised > this.#epoch)
        this.#fail(`fenced: epoch ${this.#epoch} was replaced by epoch ${promised}`);
      // An answer that lay about during a pause proves nothing: the next repetition asks again.
      else if (!this.#ended && performance.now() - askedAt <= APPEND_TIMEOUT_MS) this.#repeatCommitted();
    } catch (error) {
      if (!(error instanceof BusRequestError)) this.#fail(describe(error));
    }
  }

  #guard(action: () => void): void {
    if (this.#ended) return;
    try {
      action();
    } catch (error) {
      this.#fail(describe(error));
    }
  }

  #fail(reason: string): void {
    if (this.#ended) return;
    this.#end();
    if (this.#rejectStart !== undefined) return this.#rejectStart(new Error(reason));
    this.#onCommit?.();
    this.#context.fail(reason);
  }

  #end(): void {
    this.#ended = true;
    clearTimeout(this.#repeatTimer);
    clearTimeout(this.#retryTimer);
    this.#dueTimer.stop();
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
