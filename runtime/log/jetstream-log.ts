import {
  EntryKind,
  type LogEntry,
  LogStatus,
  type LogTail,
  Started,
} from "../../proto/generated/evercross/v1/log.ts";
import { BrokerStoreError } from "../broker/stored.ts";
import { APPEND_TIMEOUT_MS, REPLICA_TIMEOUT_MS } from "../limits.ts";
import type { BusSubscription } from "../messaging/bus.ts";
import {
  type CheckpointLog,
  type LogEvents,
  type LogPosition,
  LogRefusedError,
  type OpenedLog,
  type RecoveryTarget,
  type StartedBy,
  type WriteRight,
} from "./checkpoint-log.ts";
import { checkEntry, GENESIS_CHAIN } from "./entry.ts";
import { DamagedStreamError, type JetStreamStream } from "./jetstream-stream.ts";
import { readStream } from "./jetstream-reading.ts";
import {
  JetStreamWriter,
  type JetStreamWriterOutput,
  type StreamAnswer,
  type StreamEnd,
} from "./jetstream-writer.ts";

/** The writing side of a log in a JetStream stream: drives a `JetStreamWriter`. */
export class JetStreamLog implements CheckpointLog {
  readonly #stream: JetStreamStream;
  #writer: JetStreamWriter | undefined;
  #events: LogEvents | undefined;
  #opened: OpenedLog | undefined;
  #settle: { resolve(opened: OpenedLog | undefined): void; reject(error: Error): void } | undefined;
  #timer: NodeJS.Timeout | undefined;
  #reconnects: BusSubscription | undefined;
  #closed = false;
  #close: () => void = () => undefined;
  readonly #whenClosed = new Promise<void>((resolve) => (this.#close = resolve));

  constructor(stream: JetStreamStream) {
    this.#stream = stream;
  }

  async open(by: StartedBy, events: LogEvents): Promise<OpenedLog | undefined> {
    if (this.#writer !== undefined) throw new Error(`${this.#stream.job}: a log is opened once`);
    const started = Started.encode({ ...by, members: [] }).finish();
    const writer = new JetStreamWriter({ job: this.#stream.job, started, random: Math.random });
    this.#writer = writer;
    this.#events = events;
    if (!(await this.#make())) return undefined;
    this.#reconnects = this.#stream.bus.onReconnect(() => {
      if (!this.#closed) this.#perform(writer.linked(performance.now()));
    });
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
      this.#perform(writer.begin(performance.now()));
    });
  }

  async recover(target: RecoveryTarget, from?: LogPosition): Promise<boolean> {
    if (this.#opened === undefined) throw new Error(`${this.#stream.job}: recovered before it is open`);
    const { seq, chain: last } = this.#opened.tail;
    try {
      const known = from !== undefined && (await this.#continues(from)) ? from : undefined;
      if (this.#closed) return false;
      if (known === undefined) {
        target.begin();
        await target.restored(0);
      }
      let chain = known?.chain ?? GENESIS_CHAIN;
      const whole = await readStream(this.#stream, (known?.seq ?? 0) + 1, seq, this.#whenClosed, (entry) => {
        const verdict = checkEntry(entry, chain);
        if (verdict !== "ok") {
          throw new DamagedStreamError(`entry ${entry.seq} is damaged (${verdict})`);
        }
        if (entry.kind === EntryKind.DATA) target.entry(entry.payload);
        chain = entry.chain;
      });
      if (whole && !last.equals(chain)) {
        throw new DamagedStreamError(`entry ${seq} is not the log's last (chain)`);
      }
      return whole;
    } catch (error) {
      if (!(error instanceof DamagedStreamError)) throw error;
      throw new LogRefusedError(LogStatus.DAMAGED, `${this.#stream.job}: ${error.message}`);
    }
  }

  /** Whether this log has that position. */
  async #continues({ seq, chain }: LogPosition): Promise<boolean> {
    if (seq === 0 || seq > (this.#opened?.tail.seq ?? 0)) return false;
    let there: LogEntry | undefined;
    await readStream(this.#stream, seq, seq, this.#whenClosed, (entry) => (there = entry));
    return there?.chain.equals(chain) === true;
  }

  append(payload: Uint8Array): void {
    if (this.#closed || this.#writer === undefined) {
      throw new Error(`${this.#stream.job}: append to a log that is not open`);
    }
    this.#perform(this.#writer.append(performance.now(), payload));
  }

  get room(): boolean {
    return !this.#closed && this.#writer?.room === true;
  }

  get appended(): number {
    return this.#writer?.appended ?? 0;
  }

  get committed(): number {
    return this.#writer?.committed ?? 0;
  }

  /**
   * By the word of the stream's leader. One that was cut off from the others may say `held` for as long as it does not know; it
   * takes no entry then.
   */
  async verify(): Promise<WriteRight> {
    const epoch = this.#writer?.epoch ?? 0;
    const askedAt = performance.now();
    try {
      const last = await this.#stream.last(REPLICA_TIMEOUT_MS);
      if (last !== undefined && last.epoch > epoch) return "lost";
      // An answer that lay about during a pause proves nothing.
      return performance.now() - askedAt <= APPEND_TIMEOUT_MS && last !== undefined ? "held" : "unknown";
    } catch {
      return "unknown";
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#close();
    this.#reconnects?.unsubscribe();
    clearTimeout(this.#timer);
    this.#settle?.resolve(undefined);
  }

  async #make(): Promise<boolean> {
    let told = false;
    const waits = (detail: string): void => {
      if (!told) this.#tell((events) => events.stalled(detail));
      told = true;
    };
    try {
      const made = await this.#stream.make(() => !this.#closed, waits);
      if (told) this.#tell((events) => events.stalled(undefined));
      return made;
    } catch (error) {
      if (!(error instanceof BrokerStoreError)) throw error;
      throw new LogRefusedError(LogStatus.INVALID, error.message);
    }
  }

  #perform(outputs: readonly JetStreamWriterOutput[]): void {
    for (const output of outputs) {
      switch (output.kind) {
        case "send":
          void this.#ask(output.ask, this.#stream.append(output.entry, output.timeoutMs));
          break;
        case "look":
          void this.#ask(output.ask, this.#last(output.timeoutMs));
          break;
        case "opened":
          this.#opened = { epoch: output.epoch, tail: tailOf(output.tail) };
          this.#settle?.resolve(this.#opened);
          this.#settle = undefined;
          break;
        case "committed":
          this.#tell((events) => events.committed(output.entry));
          break;
        case "waits":
          this.#tell((events) => events.stalled(output.detail));
          break;
        case "goes":
          this.#tell((events) => events.stalled(undefined));
          break;
        case "ended":
          this.#end(output.reason, output.detail);
          return;
      }
    }
    this.#arm();
  }

  /** What `open` resolves with is heard before anything that follows from it. */
  #tell(tell: (events: LogEvents) => void): void {
    const events = this.#events;
    setImmediate(() => {
      if (!this.#closed && events !== undefined) tell(events);
    });
  }

  #end(reason: "fenced" | "refused", detail: string): void {
    clearTimeout(this.#timer);
    this.#reconnects?.unsubscribe();
    if (this.#settle === undefined) return this.#tell((events) => events.ended(`${reason}: ${detail}`));
    const status = reason === "fenced" ? LogStatus.FENCED : LogStatus.DAMAGED;
    this.#settle.reject(new LogRefusedError(status, detail));
  }

  async #last(timeoutMs: number): Promise<StreamAnswer> {
    try {
      return { kind: "last", entry: await this.#stream.last(timeoutMs) };
    } catch (error) {
      const kind = error instanceof DamagedStreamError ? "refused" : "silent";
      return { kind, detail: (error as Error).message };
    }
  }

  async #ask(ask: number, asked: Promise<StreamAnswer>): Promise<void> {
    const answer = await asked;
    if (!this.#closed && this.#writer !== undefined) {
      this.#perform(this.#writer.answer(performance.now(), ask, answer));
    }
  }

  #arm(): void {
    clearTimeout(this.#timer);
    const writer = this.#writer;
    const due = writer?.nextDue() ?? Infinity;
    if (writer === undefined || due === Infinity) return;
    this.#timer = setTimeout(
      () => this.#perform(writer.tick(performance.now())),
      Math.max(0, due - performance.now()),
    );
  }
}

/** Whatever is in the stream is committed. */
export function tailOf({ epoch, seq, chain }: StreamEnd): LogTail {
  return {
    promised: epoch,
    epoch,
    seq,
    chain,
    first: 1,
    committed: seq,
    incarnation: "",
    members: [],
    blank: false,
    membersSeq: 0,
    membersBefore: [],
  };
}

/** For `LogSource`. */
export function tailOfLast(last: LogEntry | undefined): LogTail {
  return tailOf(last ?? { epoch: 0, seq: 0, chain: Buffer.from(GENESIS_CHAIN) });
}
