import {
  EntryKind,
  type LogEntry,
  type LogRequest,
  type LogResponse,
  LogStatus,
  type LogTail,
  type Member,
  Members,
} from "../../proto/generated/evercross/v1/log.ts";
import { codeName } from "../code-name.ts";
import {
  APPEND_TIMEOUT_MS,
  APPENDS_IN_FLIGHT_MAX,
  COMMIT_NOTICE_MS,
  REPLICA_RETRY_MAX_MS,
  REPLICA_RETRY_MS,
  REPLICA_TIMEOUT_MS,
  WRITER_RECENT_BYTES,
  WRITER_STALL_MS,
} from "../limits.ts";
import { sealEntry } from "./entry.ts";
import { nextMembers, type NextMembers, quorumOf, settled, type Standing } from "./membership.ts";
import { type Better, betterTail, type ChosenLog, LogOpener, type OpenerOutput } from "./opener.ts";
import { RecentEntries } from "./recent-entries.ts";
import { type Ask, ReplicaProgress } from "./replica-progress.ts";

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

export type WriterOutput =
  /** Each is answered once, by `answer`; `timeoutMs` is how long the answer may take. */
  | {
      readonly kind: "send";
      /** Index in `names`. */
      readonly replica: number;
      readonly ask: number;
      readonly request: LogRequest;
      readonly timeoutMs: number;
    }
  /** The log was chosen, and `STARTED` appended behind `tail`. Told once. */
  | { readonly kind: "opened"; readonly epoch: number; readonly tail: LogTail; readonly source: number }
  /** In order; `STARTED` and `MEMBERS` too. */
  | { readonly kind: "committed"; readonly entry: LogEntry }
  /** There is no majority: what is missing, by name. Told again when that changes. */
  | { readonly kind: "waits"; readonly detail: string }
  | { readonly kind: "goes" }
  /** The right to write is lost, or can never be exercised; the job must end. Nothing follows. */
  | {
      readonly kind: "ended";
      readonly reason: "fenced" | "refused";
      readonly detail: string;
      readonly status: LogStatus;
    };

type Body = NonNullable<LogRequest["body"]>;

/**
 * A checkpoint log's single writer, pure; LOG.md 2, 3 and 5. Its invariants:
 *
 * 1. An entry is committed when a majority of the members acknowledged it and, before it, the writer's `STARTED`; in order of sequence.
 * 2. An answer older than its deadline is no answer: a writer that was paused may have been replaced meanwhile, so it asks again, and a replica
 *    that promised a higher epoch then refuses it.
 * 3. An unknown outcome is followed by the same entry again, never by another at its place.
 * 4. What a replica acknowledged is what it holds of this writer's log; it counts only while it answers in the incarnation that is a member.
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
  #log: ChosenLog | undefined;
  #progress: ReplicaProgress[] = [];
  #members: readonly Member[] = [];
  /** The last change of the members; the next one waits until it is committed. */
  #membersSeq = 0;
  /** Progress of each member in its incarnation. */
  #voters: (ReplicaProgress | undefined)[] = [];
  #settled = false;
  #recent = new RecentEntries(0, Buffer.alloc(0));
  #tail: { epoch: number; seq: number; chain: Buffer } = { epoch: 0, seq: 0, chain: Buffer.alloc(0) };
  #committed = 0;
  /** When replicas that do not know what is committed are told. */
  #noticeAt = Infinity;
  /** Since when something waits to be committed, or the log to be opened; infinite when nothing does. */
  #waitingSince = Infinity;
  #waits: string | undefined;
  #ended = false;

  constructor(options: WriterOptions) {
    this.#options = options;
    this.#set = options.set;
    this.#names = [...options.set];
    this.#opener = new LogOpener({
      names: this.#names,
      random: options.random,
      better: options.better ?? betterTail,
    });
  }

  /** Of the replicas, by index: the set, then those that only the log's members name. Grows. */
  get names(): readonly string[] {
    return this.#names;
  }

  /** 0 before the log is open. */
  get epoch(): number {
    return this.#log?.epoch ?? 0;
  }

  /** Sequence of the last entry appended. */
  get appended(): number {
    return this.#tail.seq;
  }

  /** Sequence of the last entry known to be committed; before `serving`, of the last that was chosen. */
  get committed(): number {
    return this.#committed;
  }

  /** `STARTED` is committed. */
  get serving(): boolean {
    return this.#log !== undefined && this.#committed > this.#log.tail.seq;
  }

  /** Whether `append` may be called. */
  get room(): boolean {
    return !this.#ended && this.serving && this.#tail.seq - this.#committed < APPENDS_IN_FLIGHT_MAX;
  }

  get members(): readonly Member[] {
    return this.#members;
  }

  begin(now: number): WriterOutput[] {
    this.#waitingSince = now;
    return this.#opening(now, this.#opener.begin());
  }

  /** Seals the next entry and sends it. */
  append(now: number, payload: Uint8Array): WriterOutput[] {
    if (!this.room)
      throw new Error(`${this.#options.job}: append without room at entry ${this.#tail.seq + 1}`);
    const outputs: WriterOutput[] = [];
    this.#extend(now, EntryKind.DATA, payload, outputs);
    return outputs;
  }

  /** The answer to a `send`; undefined when there was none. */
  answer(now: number, replica: number, ask: number, response: LogResponse | undefined): WriterOutput[] {
    if (this.#ended) return [];
    if (this.#log === undefined) return this.#openingAnswer(now, replica, ask, response);
    const progress = this.#progress[replica];
    const asked = progress?.asks.get(ask);
    if (progress === undefined || asked === undefined) return [];
    progress.asks.delete(ask);
    const outputs: WriterOutput[] = [];
    const late = response !== undefined && now - asked.sentAt > timeoutOf(asked.kind);
    if (late) progress.retryAt = now;
    else if (response === undefined) this.#unanswered(now, progress, asked);
    else this.#judge(now, progress, asked, response, outputs);
    this.#advance(now, progress, outputs);
    return outputs;
  }

  /** Does what is due. Call at `nextDue`. */
  tick(now: number): WriterOutput[] {
    const outputs: WriterOutput[] = [];
    if (this.#ended) return outputs;
    if (this.#log === undefined) outputs.push(...this.#opening(now, this.#opener.tick(now)));
    for (const progress of this.#progress) if (progress.retryAt <= now) this.#feed(now, progress, outputs);
    if (this.#noticeAt <= now) this.#notice(now, outputs);
    this.#complain(now, outputs);
    return outputs;
  }

  /** When `tick` has something to do; infinite when nothing is due. */
  nextDue(): number {
    if (this.#ended) return Infinity;
    let due = this.#log === undefined ? this.#opener.nextDue() : this.#noticeAt;
    for (const { retryAt } of this.#progress) due = Math.min(due, retryAt);
    return this.#waits === undefined ? Math.min(due, this.#waitingSince + WRITER_STALL_MS) : due;
  }

  /** Another set by configuration: its replicas are made members, and others removed, step by step. */
  changeSet(now: number, set: readonly string[]): WriterOutput[] {
    if (this.#log === undefined)
      throw new Error(`${this.#options.job}: the set is changed before the log is open`);
    this.#set = set;
    const outputs: WriterOutput[] = [];
    for (const name of set) {
      if (this.#names.includes(name)) continue;
      this.#names.push(name);
      this.#progress.push(new ReplicaProgress(this.#names.length - 1, name));
    }
    this.#settled = false;
    for (const progress of this.#progress) this.#feed(now, progress, outputs);
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
    const outputs: WriterOutput[] = [];
    for (const output of told) {
      if (output.kind === "chosen") this.#start(now, output.log, outputs);
      else if (output.kind === "ended") this.#end(output.reason, output.status, output.detail, outputs);
      else {
        this.#lastAsk += 1;
        this.#openings[output.replica] = { ask: this.#lastAsk, sentAt: now };
        outputs.push(this.#request(output.replica, this.#lastAsk, output.body, 0, REPLICA_TIMEOUT_MS));
      }
    }
    return outputs;
  }

  #start(now: number, log: ChosenLog, outputs: WriterOutput[]): void {
    const { tail, epoch, source, promises } = log;
    this.#log = log;
    this.#members = log.members;
    this.#tail = { epoch: tail.epoch, seq: tail.seq, chain: tail.chain };
    this.#membersSeq = this.#committed = tail.seq;
    this.#recent = new RecentEntries(tail.seq, tail.chain);
    this.#progress = this.#names.map((name, replica) => new ReplicaProgress(replica, name));
    for (const progress of this.#progress) {
      const promise = promises[progress.replica];
      const asked = this.#openings[progress.replica];
      if (promise !== undefined) this.#place(progress, promise, outputs);
      else if (asked !== undefined) {
        progress.asks.set(asked.ask, { kind: "open", seq: 0, committed: 0, sentAt: asked.sentAt });
      }
    }
    this.#recount();
    outputs.push({ kind: "opened", epoch, tail, source });
    this.#extend(now, EntryKind.STARTED, this.#options.started(log.members), outputs);
  }

  // Appending

  #extend(now: number, kind: EntryKind, payload: Uint8Array, outputs: WriterOutput[]): void {
    const { job } = this.#options;
    const seq = this.#tail.seq + 1;
    const fields = { job, epoch: this.epoch, seq, prevEpoch: this.#tail.epoch, kind, payload };
    const entry = sealEntry(fields, this.#tail.chain);
    this.#tail = { epoch: this.epoch, seq, chain: entry.chain };
    this.#recent.push(entry);
    if (this.#waitingSince === Infinity) this.#waitingSince = now;
    for (const progress of this.#progress) this.#feed(now, progress, outputs);
  }

  /** Sends a replica all that it can be sent now. */
  #feed(now: number, progress: ReplicaProgress, outputs: WriterOutput[]): void {
    if (progress.retryAt > now && progress.retryAt !== Infinity) return;
    const again = progress.retryAt !== Infinity;
    if (again) progress.rewind();
    if (!this.#wanted(progress)) return;
    if (progress.state === "live" && progress.next < this.#recent.first) progress.become("behind");
    if (progress.state !== "live") {
      if (progress.asks.size === 0) this.#question(now, progress, outputs);
      return;
    }
    const window = progress.failures > 0 || progress.regressed > 0 ? 1 : APPENDS_IN_FLIGHT_MAX;
    while (progress.next <= this.#tail.seq && progress.underWay < window) {
      const entry = this.#recent.at(progress.next);
      if (entry === undefined) throw new Error(`${this.#options.job}: entry ${progress.next} was forgotten`);
      progress.next += 1;
      this.#send(now, progress, "append", entry.seq, { $case: "append", value: entry }, outputs);
    }
    if (again && progress.asks.size === 0) this.#tell(now, progress, outputs);
  }

  #question(now: number, progress: ReplicaProgress, outputs: WriterOutput[]): void {
    const { epoch } = this;
    if (progress.state === "probing") {
      this.#send(now, progress, "open", 0, { $case: "open", value: { epoch } }, outputs);
      return;
    }
    const source = this.#source(progress);
    if (source === undefined) {
      progress.failed(now, "behind, and nobody has what it lacks", REPLICA_RETRY_MAX_MS);
      return;
    }
    const { seq, chain, name } = source;
    const value = { epoch, seq, chain, source: name };
    this.#send(now, progress, "align", seq, { $case: "align", value }, outputs);
  }

  /** An entry that the writer knows the chain value of, and who has it: the furthest, of those that answer if possible. */
  #source(
    behind: ReplicaProgress,
  ): { readonly seq: number; readonly chain: Buffer; readonly name: string } | undefined {
    let best: ReplicaProgress | undefined;
    for (const each of this.#progress) {
      if (each === behind || each.state !== "live" || each.match === 0) continue;
      if (this.#recent.chainAt(each.match) === undefined) continue;
      const answers = (each.failures === 0 ? 1 : 0) - (best === undefined || best.failures === 0 ? 1 : 0);
      if (best === undefined || answers > 0 || (answers === 0 && each.match > best.match)) best = each;
    }
    const chain = best && this.#recent.chainAt(best.match);
    return best === undefined || chain === undefined
      ? undefined
      : { seq: best.match, chain, name: best.name };
  }

  #send(
    now: number,
    progress: ReplicaProgress,
    kind: Ask["kind"],
    seq: number,
    body: Body,
    outputs: WriterOutput[],
  ): void {
    this.#lastAsk += 1;
    const committed = this.serving ? this.#committed : 0;
    progress.asks.set(this.#lastAsk, { kind, seq, committed, sentAt: now });
    outputs.push(this.#request(progress.replica, this.#lastAsk, body, committed, timeoutOf(kind)));
  }

  #request(replica: number, ask: number, body: Body, committed: number, timeoutMs: number): WriterOutput {
    return { kind: "send", replica, ask, request: { job: this.#options.job, body, committed }, timeoutMs };
  }

  /** It is in the set, or counts. */
  #wanted({ name }: ReplicaProgress): boolean {
    return this.#set.includes(name) || this.#members.some((member) => member.name === name);
  }

  // Answers

  #unanswered(now: number, progress: ReplicaProgress, { kind, seq }: Ask): void {
    if (kind === "append" && seq <= progress.match) return;
    progress.lost = Math.max(progress.lost, seq);
    progress.failed(now, "no answer", this.#patience(progress));
  }

  /** Who is needed for a majority is asked at the quickest rate, who is not needed ever more seldom. */
  #patience(progress: ReplicaProgress): number {
    const answering = this.#voters.filter((voter) => voter !== progress && voter?.failures === 0).length;
    return answering < quorumOf(this.#members.length) ? REPLICA_RETRY_MS : REPLICA_RETRY_MAX_MS;
  }

  #judge(
    now: number,
    progress: ReplicaProgress,
    asked: Ask,
    response: LogResponse,
    outputs: WriterOutput[],
  ): void {
    const { tail, status, detail } = response;
    const promised = tail?.promised ?? 0;
    if (promised > this.epoch) {
      const replaced = `epoch ${this.epoch} was replaced by epoch ${promised}`;
      return this.#end("fenced", LogStatus.FENCED, replaced, outputs);
    }
    switch (status) {
      case LogStatus.OK:
        return this.#granted(progress, asked, tail, outputs);
      case LogStatus.FENCED:
        // What it promised is gone, or the promise of this epoch went astray.
        if (asked.kind === "open" && tail !== undefined) return this.#place(progress, tail, outputs);
        progress.forget();
        return progress.become("probing");
      case LogStatus.GAP:
        return this.#gap(progress, tail, outputs);
      case LogStatus.CONFLICT:
      case LogStatus.TRIMMED:
        return this.#behind(progress, status, detail, outputs);
      case LogStatus.BEHIND:
        if (tail !== undefined) this.#place(progress, tail, outputs);
        if (progress.state === "behind") progress.failed(now, "is being aligned", REPLICA_RETRY_MAX_MS);
        return;
      case LogStatus.FULL:
        progress.lost = Math.max(progress.lost, asked.seq);
        return progress.failed(now, `FULL: ${detail}`, REPLICA_RETRY_MS);
      case LogStatus.DAMAGED:
      case LogStatus.TRUNCATED:
        if (this.#sole(progress)) break;
        return progress.failed(now, `${codeName(LogStatus, status)}: ${detail}`, REPLICA_RETRY_MAX_MS);
      case LogStatus.INVALID:
      case LogStatus.EXPIRED:
      case LogStatus.UNSPECIFIED:
        break;
    }
    this.#refuse(progress, status, detail, outputs);
  }

  #granted(progress: ReplicaProgress, asked: Ask, tail: LogTail | undefined, outputs: WriterOutput[]): void {
    if (asked.kind === "append" || asked.kind === "align") progress.acknowledged(asked.seq);
    if (tail !== undefined) progress.heardTail(tail, this.epoch);
    progress.heard();
    if (asked.kind === "append" || asked.kind === "commit") {
      progress.told = Math.max(progress.told, asked.committed);
    } else if (tail !== undefined) this.#place(progress, tail, outputs);
  }

  /** Takes in where a replica stands that has promised, and what it can be sent. */
  #place(progress: ReplicaProgress, tail: LogTail, outputs: WriterOutput[]): void {
    const log = this.#log;
    if (log === undefined) return;
    if (progress.incarnation !== tail.incarnation) {
      const lost = this.#members.length === 1 && this.#members[0]?.name === progress.name;
      if (lost && this.#members[0]?.incarnation !== tail.incarnation) {
        const detail = `${progress.name} lost the log: it is another incarnation`;
        return this.#end("refused", LogStatus.TRUNCATED, detail, outputs);
      }
      if (progress.incarnation !== undefined) progress.forget();
      progress.incarnation = tail.incarnation;
      this.#settled = false;
      this.#recount();
    }
    if (tail.blank) progress.forget();
    progress.heardTail(tail, this.epoch);
    const chosen =
      tail.epoch === log.tail.epoch && tail.seq === log.tail.seq && tail.chain.equals(log.tail.chain);
    if (chosen && !tail.blank) progress.acknowledged(tail.seq);
    const known = (chosen || progress.match > 0) && !tail.blank;
    progress.become(known && progress.match + 1 >= this.#recent.first ? "live" : "behind");
    progress.next = progress.match + 1;
  }

  /** An entry before it was lost on its way, or out of order: all from there go again. Twice the same: it lost what it had. */
  #gap(progress: ReplicaProgress, tail: LogTail | undefined, outputs: WriterOutput[]): void {
    // A pause ends with all that is missing anyway.
    if (progress.state !== "live" || progress.retryAt < Infinity) return;
    if (tail !== undefined) progress.heardTail(tail, this.epoch);
    progress.heard();
    const regress = (tail?.seq ?? 0) < progress.match;
    progress.regressed = regress ? progress.regressed + 1 : 0;
    if (progress.regressed <= 1) return progress.rewind();
    const detail = `ends at entry ${tail?.seq ?? 0}, behind ${progress.match}, which it acknowledged`;
    this.#behind(progress, LogStatus.TRUNCATED, detail, outputs);
  }

  #behind(progress: ReplicaProgress, status: LogStatus, detail: string, outputs: WriterOutput[]): void {
    if (this.#sole(progress)) return this.#refuse(progress, status, detail, outputs);
    progress.forget();
    progress.become("behind");
    progress.reason = detail;
  }

  #sole(progress: ReplicaProgress): boolean {
    return this.#voters.length === 1 && this.#voters[0] === progress;
  }

  #refuse({ name }: ReplicaProgress, status: LogStatus, detail: string, outputs: WriterOutput[]): void {
    this.#end("refused", status, `${name}: ${codeName(LogStatus, status)}: ${detail}`, outputs);
  }

  // Committing

  /** What follows from an answer of this replica. */
  #advance(now: number, progress: ReplicaProgress, outputs: WriterOutput[]): void {
    if (this.#ended) return;
    this.#commit(now, outputs);
    if (!this.#settled) this.#review(now, outputs);
    this.#feed(now, progress, outputs);
    const uninformed = this.#progress.length > 1 && progress.state === "live" && this.#tells(progress);
    if (uninformed && this.#noticeAt === Infinity) this.#noticeAt = now + COMMIT_NOTICE_MS;
  }

  #commit(now: number, outputs: WriterOutput[]): void {
    const log = this.#log;
    const reached = Math.min(this.#majority(), this.#tail.seq);
    // Entries of earlier writers count only along with an entry of this one.
    if (log === undefined || reached <= this.#committed) return;
    while (this.#committed < reached) {
      this.#committed += 1;
      const entry = this.#recent.at(this.#committed);
      if (entry === undefined)
        throw new Error(`${this.#options.job}: entry ${this.#committed} was forgotten`);
      outputs.push({ kind: "committed", entry });
    }
    this.#forget();
    this.#waitingSince = this.#committed < this.#tail.seq ? now : Infinity;
    if (this.#waits !== undefined) {
      this.#waits = undefined;
      outputs.push({ kind: "goes" });
    }
  }

  /** The entry up to which a majority of the members has the log. */
  #majority(): number {
    const voters = this.#voters;
    if (voters.length === 1) return voters[0]?.match ?? 0;
    const matches = voters.map((voter) => voter?.match ?? 0).sort((a, b) => b - a);
    return matches[quorumOf(matches.length) - 1] ?? 0;
  }

  #forget(): void {
    let all = Infinity;
    for (const progress of this.#progress) if (this.#wanted(progress)) all = Math.min(all, progress.match);
    const bytes = this.#options.recentBytes ?? WRITER_RECENT_BYTES;
    while (
      this.#recent.first <= this.#committed &&
      (this.#recent.first <= all || this.#recent.bytes > bytes)
    ) {
      this.#recent.shift();
    }
  }

  /** Tells who has nothing on its way how far is committed. */
  #notice(now: number, outputs: WriterOutput[]): void {
    this.#noticeAt = Infinity;
    for (const progress of this.#progress) {
      if (progress.state !== "live" || progress.failures > 0 || !this.#tells(progress)) continue;
      if (progress.asks.size === 0) this.#tell(now, progress, outputs);
      this.#noticeAt = now + COMMIT_NOTICE_MS;
    }
  }

  /** A sole member knows by itself. */
  #tells(progress: ReplicaProgress): boolean {
    return this.serving && progress.told < this.#committed && !this.#sole(progress) && this.#wanted(progress);
  }

  #tell(now: number, progress: ReplicaProgress, outputs: WriterOutput[]): void {
    if (!this.#tells(progress)) return;
    const value = { epoch: this.epoch, seq: this.#committed };
    this.#send(now, progress, "commit", this.#committed, { $case: "commit", value }, outputs);
  }

  // Members

  #recount(): void {
    this.#voters = this.#members.map(({ name, incarnation }) =>
      this.#progress.find((each) => each.name === name && each.incarnation === incarnation),
    );
  }

  #standings(): Standing[] {
    return this.#progress.map(({ name, incarnation, state, failures, match }) => {
      const current = state === "live" && failures === 0 && match >= this.#committed;
      return { name, incarnation, current };
    });
  }

  /** The next change of the members, when the last one is committed. */
  #review(now: number, outputs: WriterOutput[]): void {
    if (!this.serving || this.#membersSeq > this.#committed) return;
    const standings = this.#standings();
    const next = (this.#options.nextMembers ?? nextMembers)(this.#members, this.#set, standings);
    if (next === undefined) {
      this.#settled = settled(this.#members, this.#set, standings);
      return;
    }
    this.#members = next;
    this.#membersSeq = this.#tail.seq + 1;
    this.#recount();
    this.#extend(now, EntryKind.MEMBERS, Members.encode({ members: [...next] }).finish(), outputs);
  }

  // Waiting, ending

  #complain(now: number, outputs: WriterOutput[]): void {
    if (this.#ended || now - this.#waitingSince < WRITER_STALL_MS) return;
    const detail = this.#missing();
    if (detail === this.#waits) return;
    this.#waits = detail;
    outputs.push({ kind: "waits", detail });
  }

  #missing(): string {
    const { job } = this.#options;
    if (this.#log === undefined)
      return `${job}: the log cannot be opened: waits for ${this.#opener.missing()}`;
    const missing = this.#members.flatMap(({ name, incarnation }, index) => {
      const voter = this.#voters[index];
      if (voter === undefined) return [`${name} (incarnation ${incarnation} is gone)`];
      return voter.match > this.#committed
        ? []
        : [`${name} (${voter.reason === "" ? "has not synced" : voter.reason})`];
    });
    return `${job}: entry ${this.#committed + 1} is not committed: waits for ${missing.join(", ")}`;
  }

  #end(reason: "fenced" | "refused", status: LogStatus, detail: string, outputs: WriterOutput[]): void {
    if (this.#ended) return;
    this.#ended = true;
    outputs.push({ kind: "ended", reason, status, detail: `${this.#options.job}: ${detail}` });
  }
}

function timeoutOf(kind: Ask["kind"]): number {
  return kind === "append" || kind === "commit" ? APPEND_TIMEOUT_MS : REPLICA_TIMEOUT_MS;
}
