import {
  EntryKind,
  type LogResponse,
  LogStatus,
  type Member,
  Members,
} from "../../proto/generated/evercross/v1/log.ts";
import {
  APPENDS_IN_FLIGHT_MAX,
  REPLICA_TIMEOUT_MS,
  WRITER_RECENT_BYTES,
  WRITER_STALL_MS,
} from "../limits.ts";
import { sealEntry } from "./entry.ts";
import { nextMembers, type NextMembers, settled } from "./membership.ts";
import { type Better, betterTail, type ChosenLog, LogOpener, type OpenerOutput } from "./opener.ts";
import { Replication } from "./replication.ts";
import type { EndedOutput, SendOutput, WriterOutput } from "./writer-output.ts";

export type { WriterOutput } from "./writer-output.ts";

export interface WriterOptions {
  /** `service/key`. */
  readonly job: string;
  /** Names of the replicas, `storage/0.1`. */
  readonly set: readonly string[];
  /** Payload of `STARTED`, given the members in force. */
  readonly started: (members: readonly Member[]) => Uint8Array;
  /** [0, 1): spreads the tries of openers that race. */
  readonly random: () => number;
  readonly recentBytes?: number;
  readonly better?: Better;
  readonly nextMembers?: NextMembers;
}

/** Where the log ends. */
interface End {
  readonly epoch: number;
  readonly seq: number;
  readonly chain: Buffer;
}

/**
 * A checkpoint log's single writer, pure; LOG.md 2, 3 and 5. Its invariants:
 *
 * 1. An entry is committed when a majority of the members acknowledged it and, before it, the writer's `STARTED`; in order of sequence.
 * 2. An answer older than its deadline is no answer: a writer that was paused may have been replaced meanwhile, so it asks again, and a replica
 *    that promised a higher epoch then refuses it.
 * 3. An unknown outcome is followed by the same entry again, never by another at its place.
 * 4. The members change by one at a time, when the change before is committed.
 *
 * `now` is in milliseconds, monotonic.
 */
export class LogWriter {
  readonly #options: WriterOptions;
  readonly #names: string[];
  readonly #opener: LogOpener;
  /** The question that the opener waits for, by replica. */
  readonly #openings: ({ readonly ask: number; readonly sentAt: number } | undefined)[] = [];
  #set: readonly string[];
  #lastAsk = 0;
  /** Once the log is open. */
  #open: { readonly log: ChosenLog; readonly replication: Replication } | undefined;
  #end: End = { epoch: 0, seq: 0, chain: Buffer.alloc(0) };
  #committed = 0;
  /** The last change of the members. */
  #membersSeq = 0;
  #settled = false;
  /** Since when something waits to be committed, or the log to be opened; infinite when nothing does. */
  #waitingSince = Infinity;
  #waits: string | undefined;
  #ended = false;

  constructor(options: WriterOptions) {
    const { set, random, better = betterTail } = options;
    this.#options = options;
    this.#set = set;
    this.#names = [...set];
    this.#opener = new LogOpener({ names: this.#names, random, better });
  }

  /** Of the replicas, by index: the set, then those that only the log's members name. Grows. */
  get names(): readonly string[] {
    return this.#names;
  }

  /** 0 before the log is open. */
  get epoch(): number {
    return this.#open?.log.epoch ?? 0;
  }

  /** Sequence of the last entry appended. */
  get appended(): number {
    return this.#end.seq;
  }

  /** Sequence of the last entry known to be committed; before `serving`, of the last that was chosen. */
  get committed(): number {
    return this.#committed;
  }

  /** `STARTED` is committed. */
  get serving(): boolean {
    return this.#open !== undefined && this.#committed > this.#open.log.tail.seq;
  }

  /** Whether `append` may be called. */
  get room(): boolean {
    return !this.#ended && this.serving && this.#end.seq - this.#committed < APPENDS_IN_FLIGHT_MAX;
  }

  get members(): readonly Member[] {
    return this.#open?.replication.members ?? [];
  }

  begin(now: number): WriterOutput[] {
    this.#waitingSince = now;
    return this.#opening(now, this.#opener.begin());
  }

  /** Seals the next entry and sends it. */
  append(now: number, payload: Uint8Array): WriterOutput[] {
    if (!this.room)
      throw new Error(`${this.#options.job}: append without room at entry ${this.#end.seq + 1}`);
    const outputs: WriterOutput[] = [];
    this.#extend(now, EntryKind.DATA, payload, outputs);
    return outputs;
  }

  /** The answer to a `send`; undefined when there was none. */
  answer(now: number, replica: number, ask: number, response: LogResponse | undefined): WriterOutput[] {
    if (this.#ended) return [];
    if (this.#open === undefined) return this.#openingAnswer(now, replica, ask, response);
    const { replication } = this.#open;
    const told = replication.answer(now, replica, ask, response);
    if (told === undefined) return [];
    const outputs: WriterOutput[] = [];
    this.#pass(told, outputs);
    if (this.#ended) return outputs;
    this.#commit(now, outputs);
    this.#review(now, outputs);
    this.#pass(replication.goOn(now, replica), outputs);
    return outputs;
  }

  /** Does what is due. Call at `nextDue`. */
  tick(now: number): WriterOutput[] {
    if (this.#ended) return [];
    const outputs: WriterOutput[] = [];
    if (this.#open === undefined) outputs.push(...this.#opening(now, this.#opener.tick(now)));
    else this.#pass(this.#open.replication.tick(now), outputs);
    this.#complain(now, outputs);
    return outputs;
  }

  /** When `tick` has something to do; infinite when nothing is due. */
  nextDue(): number {
    if (this.#ended) return Infinity;
    const due = this.#open === undefined ? this.#opener.nextDue() : this.#open.replication.nextDue();
    return this.#waits === undefined ? Math.min(due, this.#waitingSince + WRITER_STALL_MS) : due;
  }

  /** Another set by configuration: its replicas are made members, and others removed, step by step. */
  changeSet(now: number, set: readonly string[]): WriterOutput[] {
    if (this.#open === undefined)
      throw new Error(`${this.#options.job}: the set is changed before the log is open`);
    for (const name of set) if (!this.#names.includes(name)) this.#names.push(name);
    this.#set = set;
    const { replication } = this.#open;
    replication.replicas = set;
    const outputs: WriterOutput[] = [];
    this.#names.forEach((_, replica) => this.#pass(replication.goOn(now, replica), outputs));
    this.#review(now, outputs);
    return outputs;
  }

  // Opening

  #openingAnswer(
    now: number,
    replica: number,
    ask: number,
    response: LogResponse | undefined,
  ): WriterOutput[] {
    const asked = this.#openings[replica];
    if (asked?.ask !== ask) return [];
    this.#openings[replica] = undefined;
    const inTime = now - asked.sentAt <= REPLICA_TIMEOUT_MS ? response : undefined;
    return this.#opening(now, this.#opener.answer(now, replica, inTime));
  }

  #opening(now: number, told: readonly OpenerOutput[]): WriterOutput[] {
    const { job } = this.#options;
    const outputs: WriterOutput[] = [];
    for (const output of told) {
      if (output.kind === "chosen") this.#start(now, output.log, outputs);
      else if (output.kind === "ended")
        this.#pass([{ ...output, detail: `${job}: ${output.detail}` }], outputs);
      else {
        const { replica, body } = output;
        const ask = this.#nextAsk();
        this.#openings[replica] = { ask, sentAt: now };
        const request = { job, body, committed: 0 };
        outputs.push({ kind: "send", replica, ask, request, timeoutMs: REPLICA_TIMEOUT_MS });
      }
    }
    return outputs;
  }

  #nextAsk(): number {
    this.#lastAsk += 1;
    return this.#lastAsk;
  }

  #start(now: number, log: ChosenLog, outputs: WriterOutput[]): void {
    const { job, recentBytes = WRITER_RECENT_BYTES } = this.#options;
    const nextAsk = (): number => this.#nextAsk();
    const replication = new Replication({
      job,
      log,
      names: this.#names,
      set: this.#set,
      nextAsk,
      recentBytes,
    });
    this.#open = { log, replication };
    this.#end = log.tail;
    this.#membersSeq = this.#committed = log.tail.seq;
    const told = replication.start((replica) => this.#openings[replica]);
    outputs.push({ kind: "opened", epoch: log.epoch, tail: log.tail, source: log.source });
    this.#pass(told, outputs);
    this.#extend(now, EntryKind.STARTED, this.#options.started(log.members), outputs);
  }

  // The open log

  #extend(now: number, kind: EntryKind, payload: Uint8Array, outputs: WriterOutput[]): void {
    const { job } = this.#options;
    const { epoch } = this;
    const seq = this.#end.seq + 1;
    const entry = sealEntry({ job, epoch, seq, prevEpoch: this.#end.epoch, kind, payload }, this.#end.chain);
    this.#end = { epoch, seq, chain: entry.chain };
    if (this.#waitingSince === Infinity) this.#waitingSince = now;
    if (this.#open !== undefined) this.#pass(this.#open.replication.extend(now, entry), outputs);
  }

  #commit(now: number, outputs: WriterOutput[]): void {
    if (this.#open === undefined) return;
    const { replication } = this.#open;
    const reached = replication.majority();
    // What a majority has of earlier writers' entries alone counts for nothing: it begins with `STARTED`.
    if (reached <= this.#committed) return;
    while (this.#committed < reached) {
      this.#committed += 1;
      const entry = replication.recent.at(this.#committed);
      if (entry === undefined)
        throw new Error(`${this.#options.job}: entry ${this.#committed} was forgotten`);
      outputs.push({ kind: "committed", entry });
    }
    replication.committed(reached);
    this.#waitingSince = reached < this.#end.seq ? now : Infinity;
    if (this.#waits === undefined) return;
    this.#waits = undefined;
    outputs.push({ kind: "goes" });
  }

  /** The next change of the members, when one is due and the last one is committed. */
  #review(now: number, outputs: WriterOutput[]): void {
    if (this.#open === undefined) return;
    const { replication } = this.#open;
    if (replication.changed) this.#settled = replication.changed = false;
    if (this.#settled || !this.serving || this.#membersSeq > this.#committed) return;
    const standings = replication.standings();
    const next = (this.#options.nextMembers ?? nextMembers)(replication.members, this.#set, standings);
    if (next === undefined) {
      this.#settled = settled(replication.members, this.#set, standings);
      return;
    }
    // They count from when they are appended.
    replication.members = next;
    this.#membersSeq = this.#end.seq + 1;
    this.#extend(now, EntryKind.MEMBERS, Members.encode({ members: [...next] }).finish(), outputs);
  }

  #pass(told: readonly (SendOutput | EndedOutput)[], outputs: WriterOutput[]): void {
    for (const output of told) {
      if (this.#ended) return;
      if (output.kind === "ended") this.#ended = true;
      outputs.push(output);
    }
  }

  #complain(now: number, outputs: WriterOutput[]): void {
    if (this.#ended || now < this.#waitingSince + WRITER_STALL_MS) return;
    const { job } = this.#options;
    if (this.#open !== undefined && !this.serving && this.#open.replication.stranded()) {
      const gone = `${job}: nobody that answers has entry ${this.#open.log.tail.seq} of the log that was chosen; open it anew`;
      return this.#pass([{ kind: "ended", reason: "refused", status: LogStatus.GAP, detail: gone }], outputs);
    }
    const detail =
      this.#open === undefined
        ? `${job}: the log cannot be opened: waits for ${this.#opener.missing()}`
        : `${job}: entry ${this.#committed + 1} is not committed: waits for ${this.#open.replication.missing()}`;
    this.#open?.replication.suspect(now);
    if (detail === this.#waits) return;
    this.#waits = detail;
    outputs.push({ kind: "waits", detail });
  }
}
