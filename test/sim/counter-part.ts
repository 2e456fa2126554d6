import {
  EntryKind,
  type LogEntry,
  type LogRequest,
  type LogResponse,
  LogStatus,
  type LogTail,
} from "../../proto/generated/evercross/v1/log.ts";
import {
  APPEND_TIMEOUT_MS,
  OPEN_TRIES_MAX,
  REPLICA_RETRY_MS,
  REPLICA_TIMEOUT_MS,
} from "../../runtime/limits.ts";
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
  #fenced = 0;
  #count = 0;
  #committedAt = 0;

  constructor(run: JobRun, storage: string) {
    this.#run = run;
    this.#storage = storage;
  }

  begin(): void {
    this.#call({ $case: "tail", value: {} }, (response) => this.#open((response.tail?.promised ?? 0) + 1));
  }

  end(): void {
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
  }

  #open(epoch: number): void {
    this.#once({ $case: "open", value: { epoch } }, REPLICA_TIMEOUT_MS, (response) => {
      // An attempt whose outcome is unknown may have taken its epoch.
      if (response === undefined) return this.#open(epoch + 1);
      const { tail, status } = response;
      if (tail === undefined) throw new Error("a replica answered without its tail");
      if (status === LogStatus.OK) return this.#recover(epoch, tail);
      this.#fenced += 1;
      if (status !== LogStatus.FENCED || this.#fenced > OPEN_TRIES_MAX)
        return this.#run.fail(`cannot open: ${response.detail}`);
      this.#open(Math.max(epoch, tail.promised) + 1);
    });
  }

  #recover(epoch: number, tail: LogTail): void {
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
      this.#serve(epoch, tail);
    };
    if (tail.seq === 0) return start([]);
    this.#call({ $case: "read", value: { from: 1, to: tail.seq + 1, epoch: 0 } }, (response) => {
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

  #serve(epoch: number, tail: LogTail): void {
    const { world, link, job, process, instance } = this.#run;
    this.#epoch = epoch;
    this.#openedSeq = tail.seq;
    this.#writer = new LogWriter({ job, epoch, tail, replicas: 1 });
    this.#unsubscribe.push(
      world.network.subscribe(link, `job ${job}`, (message) => this.#hear(message)),
      world.network.subscribe(link, `epoch ${job}`, (message) => {
        if (message.kind === "epoch" && message.epoch > this.#epoch)
          this.#run.fail("fenced by a later epoch");
      }),
    );
    world.network.publish(link, `epoch ${job}`, () => ({ kind: "epoch", epoch }));
    this.#perform(this.#writer.append(process.now, EntryKind.STARTED, Buffer.from(instance)));
    const verify = (): void => {
      if (this.#run.ended) return;
      this.#verify();
      process.after(VERIFY_MS, verify);
    };
    process.after(VERIFY_MS, verify);
    const tick = (): void => {
      if (this.#run.ended || this.#writer === undefined) return;
      this.#perform(this.#writer.tick(process.now));
      process.after(WRITER_TICK_MS, tick);
    };
    process.after(WRITER_TICK_MS, tick);
  }

  /** A job that was paused learns here that it was replaced, though nobody asks anything of it. */
  #verify(): void {
    if (this.#run.process.now - this.#committedAt < VERIFY_MS) return;
    this.#once({ $case: "tail", value: {} }, REPLICA_TIMEOUT_MS, (response) => {
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
    if (this.#run.ended || writer === undefined || writer.committed <= this.#openedSeq) return;
    while (writer.room && this.#queue.length > 0) {
      const requests = this.#queue.splice(0, 4);
      this.#count += requests.length;
      const payload = Buffer.from(`${this.#run.instance} ${this.#count} ${requests.join(" ")}`);
      this.#perform(writer.append(this.#run.process.now, EntryKind.DATA, payload));
    }
  }

  #perform(outputs: readonly WriterOutput[]): void {
    for (const output of outputs) {
      if (this.#run.ended) return;
      switch (output.kind) {
        case "send":
          this.#send(output.entry, output.attempt);
          break;
        case "committed":
          this.#committedAt = this.#run.process.now;
          this.#run.world.checks.logs.published(this.#run.job, output.entry);
          if (output.entry.seq === this.#openedSeq + 1) this.#run.running(this.#epoch);
          break;
        case "ended":
          this.#run.fail(`${output.reason}: ${output.detail}`);
          return;
      }
    }
  }

  #send(entry: LogEntry, attempt: number): void {
    this.#once({ $case: "append", value: entry }, APPEND_TIMEOUT_MS, (response) => {
      const writer = this.#writer as LogWriter;
      this.#perform(writer.answer(this.#run.process.now, 0, entry.seq, attempt, response));
      this.#turn();
    });
  }

  /** Asks until there is an answer. */
  #call(body: NonNullable<LogRequest["body"]>, done: (response: LogResponse) => void): void {
    this.#once(body, REPLICA_TIMEOUT_MS, (response) => {
      if (response !== undefined) return done(response);
      this.#run.process.after(REPLICA_RETRY_MS, () => {
        if (!this.#run.ended) this.#call(body, done);
      });
    });
  }

  /** One attempt; undefined: no answer in time. */
  #once(
    body: NonNullable<LogRequest["body"]>,
    timeoutMs: number,
    done: (response: LogResponse | undefined) => void,
  ): void {
    const { world, process, link, job } = this.#run;
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
      (answer) => ({ kind: "log", request: { job, body, committed: 0 }, answer }),
      settle,
    );
  }
}
