import {
  CrossingAnswer,
  CrossingMessage,
  type RequestBatch,
} from "../../../proto/generated/evercross/v1/link.ts";
import {
  EntryKind,
  type LogEntry,
  type LogRequest,
  Started,
} from "../../../proto/generated/evercross/v1/log.ts";
import type { JobReply, JobRequest } from "../../../runtime/job/definition.ts";
import { LogWriter, type WriterOutput } from "../../../runtime/log/writer.ts";
import type { CrossingJob } from "../../../services/crossing/crossing-job.ts";
import { BUSY_RETRY_MS } from "../../../services/limits.ts";
import { emptyCrossing, FLOW_JOB } from "../crossing-flow.ts";
import type { SimWorld } from "./sim-world.ts";

/** Few, so that the answer `busy` comes about. */
const QUEUE_MAX = 6;
const REPEAT_MS = 200;
const WRITER_TICK_MS = 20;

/** An instance of the crossing job: the real job and the real writer, in the shell's order. */
export class SimCrossing {
  readonly epoch: number;
  alive = true;
  readonly #world: SimWorld;
  readonly #job: CrossingJob;
  readonly #writer: LogWriter;
  readonly #opened: number;
  readonly #held: { readonly after: number; readonly reply: JobReply }[] = [];
  /** Last request of each session, kept apart from the job's own: only for the broken rule. */
  readonly #marks = new Map<string, number>();
  #queue: JobRequest[] = [];
  /** The last entry that was sent. */
  #sent = 0;
  #turnDue = false;

  constructor(world: SimWorld) {
    this.#world = world;
    const { log, clock } = world;
    const instance = `i${world.starts}`;
    this.#writer = new LogWriter({
      job: FLOW_JOB,
      set: ["storage/0"],
      started: (members) =>
        Started.encode({ instance, node: "n1", version: "1", timeUs: 0, members: [...members] }).finish(),
      random: () => world.random.unit(),
    });
    // Opened at once; from STARTED on everything goes over the network.
    this.#perform(this.#writer.begin(clock.now));
    this.epoch = this.#writer.epoch;
    this.#opened = log.log.seq;
    this.#job = restoredJob(world);
    clock.every(WRITER_TICK_MS, () => {
      if (this.alive) this.#perform(this.#writer.tick(clock.now));
      return this.alive;
    });
    clock.every(REPEAT_MS, () => {
      const value = { epoch: this.epoch, seq: this.#writer.committed };
      if (this.alive && this.#serves) world.publish({ body: { $case: "committed", value } });
      return this.alive;
    });
  }

  get #serves(): boolean {
    return this.#writer.committed > this.#opened;
  }

  /** SIGKILL. */
  kill(): void {
    this.alive = false;
  }

  receive(request: JobRequest): void {
    if (!this.alive) return;
    if (this.#queue.length >= QUEUE_MAX) {
      const body = { $case: "busy", value: { retryAfterMs: BUSY_RETRY_MS } } as const;
      const data = CrossingAnswer.encode({ epoch: this.epoch, entry: 0, body }).finish();
      if (request.reply !== undefined) this.#world.reply({ to: request.reply, data });
      return;
    }
    this.#queue.push(this.#world.broken === "ignores_prev" ? this.#linked(request) : request);
    if (this.#turnDue) return;
    this.#turnDue = true;
    this.#world.clock.after(1, () => {
      this.#turnDue = false;
      this.#turn();
    });
  }

  /** The state hash of this instance's book, what is not committed included. */
  hash(): string {
    return bookHash(this.#job);
  }

  #turn(): void {
    if (!this.alive || !this.#serves) return;
    const { clock } = this.#world;
    while (this.#queue.length > 0 && this.#writer.room) {
      const position = { epoch: this.epoch, entry: this.#writer.appended };
      const result = this.#job.step(clock.now * 1000, this.#queue, position);
      this.#queue = this.#queue.slice(result.taken);
      if (result.payload !== undefined) {
        this.#perform(this.#writer.append(clock.now, result.payload));
      }
      for (const reply of result.replies) this.#held.push({ after: this.#writer.appended, reply });
      this.#release();
    }
  }

  #perform(outputs: readonly WriterOutput[]): void {
    for (const output of outputs) {
      if (output.kind === "send") {
        this.#send(output.ask, output.request, output.timeoutMs);
      } else if (output.kind === "committed") {
        if (this.#world.broken !== "publishes_early") this.#publish(output.entry);
      } else if (output.kind === "ended") {
        this.alive = false;
        this.#world.crossingEnded(this);
        return;
      }
    }
  }

  #send(ask: number, request: LogRequest, timeoutMs: number): void {
    const { network, log, clock } = this.#world;
    const { body } = request;
    if (body?.$case !== "append")
      return this.#perform(this.#writer.answer(clock.now, 0, ask, log.handle(request)));
    const { seq } = body.value;
    if (seq > this.#sent && this.#world.broken === "publishes_early") this.#publish(body.value);
    this.#sent = Math.max(this.#sent, seq);
    const answered = (response: Parameters<LogWriter["answer"]>[3]): void => {
      if (!this.alive) return;
      this.#perform(this.#writer.answer(clock.now, 0, ask, response));
      this.#release();
      this.#turn();
    };
    network.send(() => {
      const response = log.handle(request);
      network.send(() => answered(response));
    });
    clock.after(timeoutMs, () => answered(undefined));
  }

  #publish(entry: LogEntry): void {
    this.#world.publish({ body: { $case: "entry", value: entry } });
  }

  #release(): void {
    const committed =
      this.#world.broken === "publishes_early" ? this.#writer.appended : this.#writer.committed;
    const waiting = this.#held.findIndex(({ after }) => after > committed);
    const due = this.#held.splice(0, waiting < 0 ? this.#held.length : waiting);
    for (const { reply } of due) this.#world.reply(reply);
  }

  /** The request as a crossing job that does not look at `prev` would take it. */
  #linked(request: JobRequest): JobRequest {
    const message = CrossingMessage.decode(request.data);
    if (message.body?.$case === "requests") this.#relink(message.body.value);
    return { ...request, data: CrossingMessage.encode(message).finish() };
  }

  #relink(batch: RequestBatch): void {
    for (const { session, request } of batch.requests) {
      const name = batch.sessions[session] ?? "";
      const mark = this.#marks.get(name) ?? askMark(this.#job, name);
      if (request === undefined || request.seq <= mark) continue;
      request.prev = mark;
      this.#marks.set(name, request.seq);
    }
  }
}

/** The job as a restart makes it: rows that lie behind, then the log after them. */
export function restoredJob(world: Pick<SimWorld, "log" | "random" | "broken">): CrossingJob {
  const { log, random } = world;
  const job = emptyCrossing();
  log.storeRows(log.rowsSeq + random.below(log.log.seq - log.rowsSeq + 1));
  for (const [key, value] of log.rows()) {
    const forgotten = world.broken === "forgets_marks" && key[0] === "m".charCodeAt(0);
    if (!forgotten) job.restore(key, value);
  }
  job.restored();
  for (const { kind, payload } of log.read(log.rowsSeq + 1, log.log.seq + 1)) {
    if (kind === EntryKind.DATA) job.replay(payload);
  }
  return job;
}

function ask(job: CrossingJob, body: CrossingMessage["body"]): CrossingAnswer["body"] {
  const data = CrossingMessage.encode({ body }).finish();
  const reply = job.step(0, [{ data, reply: "r" }], { epoch: 1, entry: 0 }).replies[0];
  return reply === undefined ? undefined : CrossingAnswer.decode(reply.data).body;
}

export function bookHash(job: CrossingJob): string {
  const state = ask(job, { $case: "stateQuery", value: {} });
  if (state?.$case !== "state") throw new Error("crossing did not tell its state");
  return state.value.hash;
}

function askMark(job: CrossingJob, session: string): number {
  const marks = ask(job, { $case: "markQuery", value: { sessions: [session] } });
  return marks?.$case === "marks" ? (marks.value.marks[0]?.mark ?? 0) : 0;
}
