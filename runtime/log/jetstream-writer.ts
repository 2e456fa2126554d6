import { EntryKind, type LogEntry } from "../../proto/generated/evercross/v1/log.ts";
import {
  APPEND_TIMEOUT_MS,
  APPENDS_IN_FLIGHT_MAX,
  OPEN_TRIES_MAX,
  REPLICA_RETRY_MS,
  STREAM_BACKOFF_MAX_MS,
  STREAM_BYTES_PER_MS,
  STREAM_OPEN_PAUSE_MS,
  STREAM_PATIENCE_MAX_MS,
  STREAM_PATIENT_FAILURES,
  STREAM_REQUEST_MS,
  STREAM_SHORT_MS,
} from "../limits.ts";
import { GENESIS_CHAIN, sealEntry } from "./entry.ts";

/**
 * The single writer of a log in a JetStream stream, pure. The stream takes a message only behind a sequence that its sender
 * names, and knows nothing of what stands there. Its invariants:
 *
 * 1. Entry n is sent only when the writer knows which entry stands at n − 1: its own, or the one that it read. What is in the
 *    stream stays, so what is taken follows the entry that it names. Hence one entry is on its way at a time. With two, an
 *    opener could take the place of the first, and the stream would take the second, which follows what never came to be.
 * 2. The first entry, `STARTED`, is the fence: its epoch is above that of the entry before it, and an older writer's next
 *    entry names a sequence that is no longer the last.
 * 3. An unknown outcome is followed by a look at the stream's end, then by the same entry again, never by another at its place.
 *    So is an answer that is older than its deadline: whoever was paused may have been replaced.
 */

/** An entry's place and proof; sequence 0: before the first. */
export interface StreamEnd {
  readonly epoch: number;
  readonly seq: number;
  readonly chain: Buffer;
}

export type StreamAnswer =
  /** To `send`: it is in the stream. */
  | { readonly kind: "stored"; readonly seq: number }
  /** To `send`: the stream does not end where the entry is to follow. */
  | { readonly kind: "misplaced" }
  /** To `look`: the last entry; undefined when there is none. */
  | { readonly kind: "last"; readonly entry: LogEntry | undefined }
  /** No answer, or none that tells the outcome. */
  | { readonly kind: "silent"; readonly detail: string }
  /** It will never be otherwise. */
  | { readonly kind: "refused"; readonly detail: string };

export type JetStreamWriterOutput =
  /** Answered with `answer(now, ask, …)`, after `timeoutMs` with `silent`. */
  | { readonly kind: "send"; readonly ask: number; readonly timeoutMs: number; readonly entry: LogEntry }
  /** Ask the stream's leader for the last message. */
  | { readonly kind: "look"; readonly ask: number; readonly timeoutMs: number }
  /** `STARTED` is in the stream, behind `tail`. */
  | { readonly kind: "opened"; readonly epoch: number; readonly tail: StreamEnd }
  | { readonly kind: "committed"; readonly entry: LogEntry }
  | { readonly kind: "waits"; readonly detail: string }
  | { readonly kind: "goes" }
  /** Nothing follows. */
  | { readonly kind: "ended"; readonly reason: "fenced" | "refused"; readonly detail: string };

export interface JetStreamWriterOptions {
  /** `service/key`. */
  readonly job: string;
  /** Payload of the `STARTED` entry. */
  readonly started: Uint8Array;
  /** [0, 1): spreads those who open at the same time. */
  readonly random: () => number;
}

const GENESIS: StreamEnd = { epoch: 0, seq: 0, chain: GENESIS_CHAIN };

export class JetStreamWriter {
  readonly #options: JetStreamWriterOptions;
  #phase: "opening" | "open" | "ended" = "opening";
  /** Where the stream is known to end, when nothing of ours is on its way. */
  #base: StreamEnd = GENESIS;
  /** The last entry that was made. */
  #tail: StreamEnd = GENESIS;
  /** Entries behind `base` that are not known to be in the stream; the first may be on its way. */
  readonly #waiting: LogEntry[] = [];
  #asks = 0;
  /** What is asked counts if its answer is here by then. */
  #deadline: number | undefined;
  #dueAt = Infinity;
  #due: "send" | "look" = "look";
  #races = 0;
  /** Answers in a row that did not help. */
  #failures = 0;
  #told = false;
  #shortSince: number | undefined;

  constructor(options: JetStreamWriterOptions) {
    this.#options = options;
  }

  /** 0 until `opened`. */
  get epoch(): number {
    return this.#phase === "opening" ? 0 : this.#tail.epoch;
  }

  get room(): boolean {
    return this.#phase === "open" && this.#waiting.length < APPENDS_IN_FLIGHT_MAX;
  }

  /** Sequence of the last entry that was made, 0 until `opened`; and of the last one that is committed. */
  get appended(): number {
    return this.#phase === "opening" ? 0 : this.#tail.seq;
  }

  get committed(): number {
    return this.#phase === "opening" ? 0 : this.#base.seq;
  }

  /** `now` in milliseconds, monotonic. */
  begin(now: number): JetStreamWriterOutput[] {
    return this.#look(now);
  }

  /** A `DATA` entry. Throws without `room`. */
  append(now: number, payload: Uint8Array): JetStreamWriterOutput[] {
    const { job } = this.#options;
    if (!this.room) throw new Error(`${job}: append without room at entry ${this.#tail.seq + 1}`);
    this.#make(this.#tail.epoch, EntryKind.DATA, payload);
    return this.#deadline === undefined && this.#dueAt === Infinity ? this.#send(now) : [];
  }

  answer(now: number, ask: number, answer: StreamAnswer): JetStreamWriterOutput[] {
    const deadline = this.#deadline;
    if (this.#phase === "ended" || ask !== this.#asks || deadline === undefined) return [];
    this.#deadline = undefined;
    if (answer.kind === "refused") return this.#end("refused", answer.detail);
    if (answer.kind === "silent") return this.#later(now, "look", answer.detail);
    if (now > deadline) {
      this.#failures += 1;
      return this.#look(now);
    }
    switch (answer.kind) {
      case "stored":
        return this.#stored(now, answer.seq);
      case "misplaced":
        this.#failures += 1;
        return this.#look(now);
      case "last":
        return this.#judge(now, answer.entry);
    }
  }

  /** Asks again what is due. Call at `nextDue`. */
  tick(now: number): JetStreamWriterOutput[] {
    if (this.#phase === "ended" || now < this.#dueAt) return [];
    return this.#due === "send" ? this.#send(now) : this.#look(now);
  }

  /** The link to the broker is back: what was asked before is lost, most likely. */
  linked(now: number): JetStreamWriterOutput[] {
    if (this.#phase === "ended" || (this.#deadline === undefined && this.#dueAt === Infinity)) return [];
    return this.#look(now);
  }

  /** When `tick` has something to do, in the same milliseconds; infinite when nothing is due. */
  nextDue(): number {
    return this.#phase === "ended" ? Infinity : this.#dueAt;
  }

  #make(epoch: number, kind: EntryKind, payload: Uint8Array): void {
    const { seq, epoch: prevEpoch, chain } = this.#tail;
    const fields = { job: this.#options.job, epoch, seq: seq + 1, prevEpoch, kind, payload };
    const entry = sealEntry(fields, chain);
    this.#tail = entry;
    this.#waiting.push(entry);
  }

  #look(now: number): JetStreamWriterOutput[] {
    const timeoutMs = this.#patience();
    return [{ kind: "look", ask: this.#ask(now, timeoutMs), timeoutMs }];
  }

  #send(now: number): JetStreamWriterOutput[] {
    const [entry] = this.#waiting;
    if (entry === undefined) return [];
    const timeoutMs = this.#patience();
    return [{ kind: "send", ask: this.#ask(now, timeoutMs), timeoutMs, entry }];
  }

  #ask(now: number, timeoutMs: number): number {
    this.#dueAt = Infinity;
    this.#deadline = now + timeoutMs;
    return ++this.#asks;
  }

  /**
   * More for a large entry, which goes there or may be what the look brings back; and more each time that it was too little: not so
   * much that the end of an election is noticed late, but in the end as much as the slowest link needs.
   */
  #patience(): number {
    const bytes = this.#waiting[0]?.payload.length ?? 0;
    const first = APPEND_TIMEOUT_MS + Math.ceil(bytes / STREAM_BYTES_PER_MS);
    if (this.#failures >= STREAM_PATIENT_FAILURES) return Math.max(first, STREAM_PATIENCE_MAX_MS);
    return Math.min(first * 2 ** this.#failures, Math.max(first, STREAM_REQUEST_MS));
  }

  /** One failure may be a lost message; from the second on it is said. */
  #later(now: number, due: "send" | "look", detail: string): JetStreamWriterOutput[] {
    const delayMs = Math.min(REPLICA_RETRY_MS * 2 ** Math.min(this.#failures, 16), STREAM_BACKOFF_MAX_MS);
    this.#failures += 1;
    this.#due = due;
    this.#dueAt = now + delayMs;
    if (this.#told || this.#failures < 2) return [];
    this.#told = true;
    return [{ kind: "waits", detail }];
  }

  #stored(now: number, seq: number): JetStreamWriterOutput[] {
    const [entry] = this.#waiting;
    if (entry?.seq !== seq) {
      return this.#end("refused", `entry ${entry?.seq ?? 0} was stored as message ${seq} of its stream`);
    }
    return this.#commit(now, entry);
  }

  #commit(now: number, entry: LogEntry): JetStreamWriterOutput[] {
    const outputs: JetStreamWriterOutput[] = [];
    if (this.#told) outputs.push({ kind: "goes" });
    if (this.#phase === "opening") {
      this.#phase = "open";
      outputs.push({ kind: "opened", epoch: entry.epoch, tail: this.#base });
    }
    this.#failures = 0;
    this.#told = false;
    this.#base = entry;
    this.#waiting.shift();
    outputs.push({ kind: "committed", entry }, ...this.#send(now));
    return outputs;
  }

  /** What follows from where the stream ends. */
  #judge(now: number, last: LogEntry | undefined): JetStreamWriterOutput[] {
    const end: StreamEnd = last ?? GENESIS;
    const [entry] = this.#waiting;
    if (end.seq < this.#base.seq) return this.#short(now, end.seq);
    this.#shortSince = undefined;
    if (entry === undefined) return this.#start(now, end);
    if (end.seq === entry.seq && end.chain.equals(entry.chain)) return this.#commit(now, entry);
    if (end.seq > this.#base.seq) return this.#overtaken(now, end);
    if (!end.chain.equals(this.#base.chain)) {
      return this.#end(
        "refused",
        `the stream holds another entry ${end.seq} than the one before ${entry.seq}`,
      );
    }
    const again = `the stream does not take entry ${entry.seq} although it ends at ${end.seq}`;
    return this.#failures < 2 ? this.#send(now) : this.#later(now, "send", again);
  }

  #start(now: number, end: StreamEnd): JetStreamWriterOutput[] {
    this.#base = end;
    this.#tail = end;
    this.#make(end.epoch + 1, EntryKind.STARTED, this.#options.started);
    return this.#send(now);
  }

  #overtaken(now: number, end: StreamEnd): JetStreamWriterOutput[] {
    if (this.#phase === "open") {
      return end.epoch > this.#base.epoch
        ? this.#end("fenced", `epoch ${this.#base.epoch} was replaced by epoch ${end.epoch}`)
        : this.#end("refused", `another entry stands at ${end.seq}, of epoch ${end.epoch}`);
    }
    if (this.#races === OPEN_TRIES_MAX) {
      return this.#end("fenced", `epoch ${end.epoch} was opened meanwhile, as were ${this.#races} before it`);
    }
    this.#races += 1;
    // Its first entry never was and never will be in the stream: its place is taken.
    this.#waiting.length = 0;
    this.#due = "look";
    this.#dueAt = now + this.#options.random() * STREAM_OPEN_PAUSE_MS;
    return [];
  }

  /** The one that answered may only not know better: it is believed when it has said so for long enough. */
  #short(now: number, seq: number): JetStreamWriterOutput[] {
    this.#shortSince ??= now;
    const detail = `the stream ends at entry ${seq}, before ${this.#base.seq}, which was in it`;
    if (now - this.#shortSince > STREAM_SHORT_MS) return this.#end("refused", detail);
    return this.#later(now, "look", detail);
  }

  #end(reason: "fenced" | "refused", detail: string): JetStreamWriterOutput[] {
    this.#phase = "ended";
    return [{ kind: "ended", reason, detail: `${this.#options.job}: ${detail}` }];
  }
}
