import {
  EntryKind,
  type LogEntry,
  type LogRequest,
  type LogResponse,
  type LogTail,
  Started,
} from "../../proto/generated/evercross/v1/log.ts";
import { REPLICA_RETRY_MS, REPLICA_TIMEOUT_MS } from "../../runtime/limits.ts";
import { checkEntry, GENESIS_CHAIN } from "../../runtime/log/entry.ts";
import { LogWriter, type WriterOutput } from "../../runtime/log/writer.ts";
import type { Message } from "./message.ts";
import type { JobPart, JobRun } from "./sim-job.ts";

const QUEUE_MAX = 16;
const VERIFY_MS = 400;
const WRITER_TICK_MS = 20;

/**
 * A stateful job: a counter behind the real `LogWriter`, in the order of `StatefulRunner`: open, read, `STARTED`, serve; what it counts is
 * told when it is committed; it ends itself when it is fenced.
 */
export class CounterPart implements JobPart {
  readonly #run: JobRun;
  readonly #storage: string;
  readonly #unsubscribe: (() => void)[] = [];
  #queue: number[] = [];
  #writer: LogWriter | undefined;
  #epoch = 0;
  #openedSeq = 0;
  #recovered = false;
  /** Committed before it was recovered. */
  readonly #early: LogEntry[] = [];
  #count = 0;
  #committedAt = 0;

  constructor(run: JobRun, storage: string) {
    this.#run = run;
    this.#storage = storage;
  }

  begin(): void {
    const { job, instance, process, world } = this.#run;
    this.#writer = new LogWriter({
      job,
      set: [this.#storage],
      started: (members) =>
        Started.encode({ instance, node: "", version: "", timeUs: 0, members: [...members] }).finish(),
      random: () => world.random.unit(),
    });
    this.#perform(this.#writer.begin(process.now));
    const tick = (): void => {
      if (this.#run.ended || this.#writer === undefined) return;
      this.#perform(this.#writer.tick(process.now));
      process.after(WRITER_TICK_MS, tick);
    };
    process.after(WRITER_TICK_MS, tick);
  }

  end(): void {
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
  }

  #recover(tail: LogTail): void {
    const start = (entries: readonly LogEntry[]): void => {
      let chain: Uint8Array = GENESIS_CHAIN;
      entries.forEach((entry, index) => {
        if (entry.seq !== index + 1 || checkEntry(entry, chain) !== "ok")
          throw new Error(`entry ${entry.seq} of ${this.#run.job} does not prove itself`);
        chain = entry.chain;
        if (entry.kind === EntryKind.DATA) this.#recount(entry);
      });
      if (entries.length !== tail.seq)
        throw new Error(`${this.#run.job}: ${entries.length} of ${tail.seq} entries`);
      this.#serve();
    };
    if (tail.seq === 0) return start([]);
    this.#call({ $case: "read", value: { from: 1, to: tail.seq + 1, epoch: this.#epoch } }, (response) => {
      const { random, plan } = this.#run.world;
      const { entries } = response;
      // To read a long log takes its time.
      this.#run.process.after(random.unit() * plan.recoveryMs, () => {
        if (!this.#run.ended) start(entries.slice(0, tail.seq));
      });
    });
  }

  /** Each entry says what it counted to: a log that lost or doubled one would not add up. */
  #recount({ seq, payload }: LogEntry): void {
    const [, count, ...requests] = payload.toString().split(" ");
    this.#count += requests.length;
    if (Number(count) !== this.#count)
      throw new Error(`${this.#run.job}: entry ${seq} counts to ${count}, those before it to ${this.#count}`);
  }

  /** What it counted before is known. */
  #serve(): void {
    const { world, link, job, process } = this.#run;
    this.#recovered = true;
    this.#unsubscribe.push(world.network.subscribe(link, `job ${job}`, (message) => this.#hear(message)));
    const verify = (): void => {
      if (this.#run.ended) return;
      this.#verify();
      process.after(VERIFY_MS, verify);
    };
    process.after(VERIFY_MS, verify);
    for (const entry of this.#early.splice(0)) this.#committed(entry);
  }

  /** A job that was paused learns here that it was replaced, though nobody asks anything of it. */
  #verify(): void {
    if (this.#run.process.now - this.#committedAt < VERIFY_MS) return;
    this.#once(this.#request({ $case: "tail", value: {} }), REPLICA_TIMEOUT_MS, (response) => {
      if ((response?.tail?.promised ?? 0) > this.#epoch) this.#run.fail("fenced by what the log promised");
    });
  }

  #hear(message: Message): void {
    if (message.kind !== "request" || this.#queue.length >= QUEUE_MAX) return;
    this.#queue.push(message.id);
    this.#turn();
  }

  #turn(): void {
    const writer = this.#writer;
    // Nothing is served before the STARTED entry is committed.
    if (this.#run.ended || writer?.serving !== true || !this.#recovered) return;
    while (writer.room && this.#queue.length > 0) {
      const requests = this.#queue.splice(0, 4);
      this.#count += requests.length;
      const payload = Buffer.from(`${this.#run.instance} ${this.#count} ${requests.join(" ")}`);
      this.#perform(writer.append(this.#run.process.now, payload));
    }
  }

  #perform(outputs: readonly WriterOutput[]): void {
    for (const output of outputs) {
      if (this.#run.ended) return;
      switch (output.kind) {
        case "send":
          this.#send(output.ask, output.request, output.timeoutMs);
          break;
        case "opened":
          this.#opened(output.epoch, output.tail);
          break;
        case "committed":
          if (this.#recovered) this.#committed(output.entry);
          else this.#early.push(output.entry);
          break;
        case "waits":
        case "goes":
          break;
        case "ended":
          this.#run.fail(`${output.reason}: ${output.detail}`);
          return;
      }
    }
  }

  #opened(epoch: number, tail: LogTail): void {
    const { world, link, job } = this.#run;
    this.#epoch = epoch;
    this.#openedSeq = tail.seq;
    this.#unsubscribe.push(
      world.network.subscribe(link, `epoch ${job}`, (message) => {
        if (message.kind === "epoch" && message.epoch > epoch) this.#run.fail("fenced by a later epoch");
      }),
    );
    world.network.publish(link, `epoch ${job}`, () => ({ kind: "epoch", epoch }));
    this.#recover(tail);
  }

  #committed(entry: LogEntry): void {
    this.#committedAt = this.#run.process.now;
    this.#run.world.checks.logs.published(this.#run.job, entry);
    if (entry.seq === this.#openedSeq + 1) this.#run.running(this.#epoch);
  }

  #send(ask: number, request: LogRequest, timeoutMs: number): void {
    this.#once(request, timeoutMs, (response) => {
      const writer = this.#writer as LogWriter;
      this.#perform(writer.answer(this.#run.process.now, 0, ask, response));
      this.#turn();
    });
  }

  /** Asks until there is an answer. */
  #call(body: NonNullable<LogRequest["body"]>, done: (response: LogResponse) => void): void {
    this.#once(this.#request(body), REPLICA_TIMEOUT_MS, (response) => {
      if (response !== undefined) return done(response);
      this.#run.process.after(REPLICA_RETRY_MS, () => {
        if (!this.#run.ended) this.#call(body, done);
      });
    });
  }

  #request(body: NonNullable<LogRequest["body"]>): LogRequest {
    return { job: this.#run.job, body, committed: 0 };
  }

  /** One attempt; undefined: no answer in time. */
  #once(request: LogRequest, timeoutMs: number, done: (response: LogResponse | undefined) => void): void {
    const { world, process, link } = this.#run;
    let open = true;
    const settle = (response: LogResponse | undefined): void => {
      if (!open) return;
      open = false;
      world.clock.cancel(timer);
      if (!this.#run.ended) done(response);
    };
    const timer = process.after(timeoutMs, () => settle(undefined));
    world.network.ask<LogResponse>(
      link,
      `job ${this.#storage}`,
      (answer) => ({ kind: "log", request, answer }),
      settle,
    );
  }
}
