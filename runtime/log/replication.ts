import {
  type LogEntry,
  type LogRequest,
  type LogResponse,
  LogStatus,
  type LogTail,
  type Member,
} from "../../proto/generated/evercross/v1/log.ts";
import { codeName } from "../code-name.ts";
import {
  APPEND_TIMEOUT_MS,
  APPENDS_IN_FLIGHT_MAX,
  COMMIT_NOTICE_MS,
  REPLICA_PING_MS,
  REPLICA_RETRY_MAX_MS,
  REPLICA_RETRY_MS,
  REPLICA_TIMEOUT_MS,
  WRITER_STALL_MS,
} from "../limits.ts";
import { quorumOf, type Standing } from "./membership.ts";
import type { ChosenLog } from "./opener.ts";
import { RecentEntries } from "./recent-entries.ts";
import { type Ask, ReplicaProgress } from "./replica-progress.ts";
import type { EndedOutput, SendOutput } from "./writer-output.ts";

export interface ReplicationOptions {
  readonly job: string;
  readonly log: ChosenLog;
  /** Of the replicas, by index. */
  readonly names: readonly string[];
  readonly set: readonly string[];
  readonly nextAsk: () => number;
  readonly recentBytes: number;
}

const NO_ANSWER = "no answer";

type Body = NonNullable<LogRequest["body"]>;
type Outputs = (SendOutput | EndedOutput)[];

/**
 * An open log on its way to its replicas, pure; LOG.md 3. Each is brought to where the log ends by what it says of itself (`ReplicaProgress`):
 * asked for the promise that it has not given, aligned when it is behind, sent what follows, and told how far is committed.
 *
 * What a replica acknowledged is what it holds of this writer's log; it counts only in the incarnation that is a member.
 */
export class Replication {
  readonly recent: RecentEntries;
  /** Another incarnation was heard of: the members may be due to change. */
  changed = true;
  readonly #options: ReplicationOptions;
  readonly #progress: ReplicaProgress[] = [];
  #set: readonly string[];
  #members: readonly Member[];
  /** Progress of each member in its incarnation. */
  #voters: (ReplicaProgress | undefined)[] = [];
  #last: number;
  #committed: number;
  /** When replicas that do not know what is committed are told. */
  #noticeAt = Infinity;
  /** When all are asked whether they are still who they were. */
  #pingAt = Infinity;

  constructor(options: ReplicationOptions) {
    const { log, set } = options;
    this.#options = options;
    this.#set = set;
    this.#members = log.members;
    this.#last = this.#committed = log.tail.seq;
    this.recent = new RecentEntries(log.tail.seq, log.tail.chain);
    this.#meet();
  }

  get members(): readonly Member[] {
    return this.#members;
  }

  /** Who counts from here on. */
  set members(members: readonly Member[]) {
    this.#members = members;
    this.#recount();
  }

  set replicas(set: readonly string[]) {
    this.#set = set;
    this.changed = true;
    this.#meet();
  }

  /** Takes in what was promised, and for the rest the questions that are on their way. */
  start(asked: (replica: number) => { readonly ask: number; readonly sentAt: number } | undefined): Outputs {
    const outputs: Outputs = [];
    for (const progress of this.#progress) {
      const promise = this.#options.log.promises[progress.replica];
      const open = asked(progress.replica);
      if (promise !== undefined) this.#place(progress, promise, outputs);
      else if (open !== undefined) {
        progress.asks.set(open.ask, { kind: "open", seq: 0, committed: 0, sentAt: open.sentAt });
      }
    }
    this.#recount();
    return outputs;
  }

  /** The log goes on with this entry. */
  extend(now: number, entry: LogEntry): Outputs {
    const outputs: Outputs = [];
    this.#last = entry.seq;
    this.recent.push(entry);
    for (const progress of this.#progress) this.#feed(now, progress, outputs);
    return outputs;
  }

  /** The answer to a question; undefined when there was none. Undefined when it is of no use. */
  answer(now: number, replica: number, ask: number, response: LogResponse | undefined): Outputs | undefined {
    const progress = this.#progress[replica];
    const asked = progress?.asks.get(ask);
    if (progress === undefined || asked === undefined) return undefined;
    progress.asks.delete(ask);
    const outputs: Outputs = [];
    // Too old to go by, LOG.md 3.3: it is asked again at once.
    if (response !== undefined && now - asked.sentAt > timeoutOf(asked.kind)) progress.retryAt = now;
    else if (response !== undefined) this.#judge(now, progress, asked, response, outputs);
    else if (asked.kind !== "append" || asked.seq > progress.match) {
      progress.failed(now, NO_ANSWER, this.#patience(progress), asked.seq);
    }
    return outputs;
  }

  /** What a replica can be sent after its answer was dealt with. */
  goOn(now: number, replica: number): Outputs {
    const outputs: Outputs = [];
    const progress = this.#progress[replica];
    if (progress === undefined) return outputs;
    this.#feed(now, progress, outputs);
    if (this.#pingAt === Infinity && this.#progress.length > 1) this.#pingAt = now + REPLICA_PING_MS;
    if (this.#noticeAt === Infinity && progress.state === "live" && this.#tells(progress)) {
      this.#noticeAt = now + COMMIT_NOTICE_MS;
    }
    return outputs;
  }

  tick(now: number): Outputs {
    const outputs: Outputs = [];
    for (const progress of this.#progress) if (progress.retryAt <= now) this.#feed(now, progress, outputs);
    if (this.#noticeAt <= now) this.#notice(now, outputs);
    if (this.#pingAt <= now) this.#ping(now, outputs);
    return outputs;
  }

  /** Nothing gets on: who is silent may be another by now. */
  suspect(now: number): void {
    if (this.#progress.length > 1) this.#pingAt = Math.min(this.#pingAt, now + WRITER_STALL_MS);
  }

  nextDue(): number {
    let due = Math.min(this.#noticeAt, this.#pingAt);
    for (const { retryAt } of this.#progress) if (retryAt < due) due = retryAt;
    return due;
  }

  /** The entry up to which a majority of the members has the log. */
  majority(): number {
    const voters = this.#voters;
    if (voters.length === 1) return voters[0]?.match ?? 0;
    const matches = voters.map((voter) => voter?.match ?? 0).sort((a, b) => b - a);
    return matches[quorumOf(matches.length) - 1] ?? 0;
  }

  /** It is committed up to here: what nobody lacks, or too much of it, is forgotten. */
  committed(seq: number): void {
    this.#committed = seq;
    let all = Infinity;
    for (const progress of this.#progress) if (this.#wanted(progress)) all = Math.min(all, progress.match);
    const { recent } = this;
    const { recentBytes } = this.#options;
    while (recent.first <= seq && (recent.first <= all || recent.bytes > recentBytes)) recent.shift();
  }

  standings(): Standing[] {
    return this.#progress.map(({ name, incarnation, state, failures, match }) => {
      const current = state === "live" && failures === 0 && match >= this.#committed;
      return { name, incarnation, current };
    });
  }

  /** The members that lack the next entry to be committed, and why. */
  missing(): string {
    const missing = this.#members.flatMap(({ name, incarnation }, index) => {
      const voter = this.#voters[index];
      if (voter === undefined) return [`${name} (not heard of as incarnation ${incarnation})`];
      return voter.match > this.#committed
        ? []
        : [`${name} (${voter.reason === "" ? "has not synced" : voter.reason})`];
    });
    return missing.join(", ");
  }

  /**
   * Nobody that answers has the log that was chosen, while a majority does answer: its holders are lost or away, and what only they have is not
   * committed. Another opening need not wait for them.
   */
  stranded(): boolean {
    const held = this.#progress.some(({ state, failures }) => state === "live" && failures === 0);
    const answering = this.#voters.filter((voter) => voter?.state === "behind" && voter.reason !== NO_ANSWER);
    return !held && answering.length >= quorumOf(this.#members.length);
  }

  #meet(): void {
    for (const name of this.#options.names.slice(this.#progress.length)) {
      this.#progress.push(new ReplicaProgress(this.#progress.length, name));
    }
  }

  #recount(): void {
    this.#voters = this.#members.map(({ name, incarnation }) =>
      this.#progress.find((each) => each.name === name && each.incarnation === incarnation),
    );
  }

  /** It is in the set, or counts. */
  #wanted({ name }: ReplicaProgress): boolean {
    return this.#set.includes(name) || this.#members.some((member) => member.name === name);
  }

  #sole(progress: ReplicaProgress): boolean {
    return this.#voters.length === 1 && this.#voters[0] === progress;
  }

  /** Who is needed for a majority is asked at the quickest rate, who is not needed ever more seldom. */
  #patience(progress: ReplicaProgress): number {
    const answering = this.#voters.filter((voter) => voter !== progress && voter?.failures === 0).length;
    return answering < quorumOf(this.#members.length) ? REPLICA_RETRY_MS : REPLICA_RETRY_MAX_MS;
  }

  // Questions

  /** Sends a replica all that it can be sent now. */
  #feed(now: number, progress: ReplicaProgress, outputs: Outputs): void {
    const paused = progress.retryAt !== Infinity;
    if (paused && progress.retryAt > now) return;
    if (paused) progress.rewind();
    if (!this.#wanted(progress)) return;
    if (progress.state === "live" && progress.next < this.recent.first) progress.become("behind");
    if (progress.state !== "live") {
      if (progress.asks.size === 0) this.#question(now, progress, outputs);
      return;
    }
    const window = progress.failures > 0 || progress.regressed > 0 ? 1 : APPENDS_IN_FLIGHT_MAX;
    while (progress.next <= this.#last && progress.underWay < window) {
      const value = this.recent.at(progress.next);
      if (value === undefined) throw new Error(`${this.#options.job}: entry ${progress.next} was forgotten`);
      progress.next += 1;
      this.#send(now, progress, "append", value.seq, { $case: "append", value }, outputs);
    }
    if (paused && progress.asks.size === 0 && this.#tells(progress)) this.#tell(now, progress, outputs);
  }

  #question(now: number, progress: ReplicaProgress, outputs: Outputs): void {
    const { epoch } = this.#options.log;
    if (progress.state === "probing") {
      this.#send(now, progress, "open", 0, { $case: "open", value: { epoch } }, outputs);
      return;
    }
    const source = this.#source(progress);
    const chain = source && this.recent.chainAt(source.match);
    if (source === undefined || chain === undefined) {
      progress.failed(now, "behind, and nobody has what it lacks", REPLICA_RETRY_MAX_MS);
      return;
    }
    const value = { epoch, seq: source.match, chain, source: source.name };
    this.#send(now, progress, "align", source.match, { $case: "align", value }, outputs);
  }

  /** Who is the furthest, of those that answer if possible, and where the chain value is known. */
  #source(behind: ReplicaProgress): ReplicaProgress | undefined {
    let best: ReplicaProgress | undefined;
    for (const each of this.#progress) {
      if (each === behind || each.state !== "live" || each.match === 0) continue;
      if (this.recent.chainAt(each.match) === undefined) continue;
      const answers = Number(each.failures === 0) - Number(best?.failures === 0);
      if (best === undefined || answers > 0 || (answers === 0 && each.match > best.match)) best = each;
    }
    return best;
  }

  #send(
    now: number,
    { replica, asks }: ReplicaProgress,
    kind: Ask["kind"],
    seq: number,
    body: Body,
    outputs: Outputs,
  ): void {
    const ask = this.#options.nextAsk();
    const committed = this.#known;
    asks.set(ask, { kind, seq, committed, sentAt: now });
    const request = { job: this.#options.job, body, committed };
    outputs.push({ kind: "send", replica, ask, request, timeoutMs: timeoutOf(kind) });
  }

  /** Tells who has nothing on its way how far is committed. */
  #notice(now: number, outputs: Outputs): void {
    this.#noticeAt = Infinity;
    for (const progress of this.#progress) {
      if (progress.state !== "live" || !this.#tells(progress)) continue;
      // One that failed is told with its next try, if it has one.
      if (progress.failures > 0 && (progress.retryAt < Infinity || progress.asks.size > 0)) continue;
      if (progress.asks.size === 0) this.#tell(now, progress, outputs);
      this.#noticeAt = now + COMMIT_NOTICE_MS;
    }
  }

  /** Who lost its folder while nothing was written is found by this, and made whole. */
  #ping(now: number, outputs: Outputs): void {
    this.#pingAt = now + REPLICA_PING_MS;
    for (const progress of this.#progress) {
      const idle = progress.state === "live" && progress.asks.size === 0 && progress.retryAt === Infinity;
      if (idle && this.#wanted(progress)) this.#tell(now, progress, outputs);
    }
  }

  /** Before `STARTED` is committed, nothing is known to be. */
  get #known(): number {
    return this.#committed > this.#options.log.tail.seq ? this.#committed : 0;
  }

  /** Whether it does not know what is committed. A sole member knows by itself. */
  #tells(progress: ReplicaProgress): boolean {
    return progress.told < this.#known && !this.#sole(progress) && this.#wanted(progress);
  }

  #tell(now: number, progress: ReplicaProgress, outputs: Outputs): void {
    const value = { epoch: this.#options.log.epoch, seq: this.#known };
    this.#send(now, progress, "commit", value.seq, { $case: "commit", value }, outputs);
  }

  // Answers

  #judge(now: number, progress: ReplicaProgress, asked: Ask, response: LogResponse, outputs: Outputs): void {
    const { tail, status, detail } = response;
    const { epoch } = this.#options.log;
    const promised = tail?.promised ?? 0;
    if (promised > epoch) {
      const replaced = `epoch ${epoch} was replaced by epoch ${promised}`;
      return this.#end("fenced", LogStatus.FENCED, replaced, outputs);
    }
    if (asked.kind !== "open" && anotherFolder(progress, tail))
      return this.#unpromised(progress, asked, tail, outputs);
    switch (status) {
      case LogStatus.OK:
        return this.#granted(progress, asked, tail, outputs);
      case LogStatus.FENCED:
        return this.#unpromised(progress, asked, tail, outputs);
      case LogStatus.GAP:
        return this.#gap(progress, asked, tail, outputs);
      case LogStatus.CONFLICT:
      case LogStatus.TRIMMED:
        return this.#behind(progress, status, detail, outputs);
      case LogStatus.BEHIND:
        return this.#copying(now, progress, tail, outputs);
      case LogStatus.FULL:
        return progress.failed(now, `FULL: ${detail}`, REPLICA_RETRY_MS, asked.seq);
      case LogStatus.DAMAGED:
      case LogStatus.TRUNCATED: {
        if (this.#sole(progress)) break;
        const reason = `${codeName(LogStatus, status)}: ${detail}`;
        return progress.failed(now, reason, REPLICA_RETRY_MAX_MS, asked.seq);
      }
      case LogStatus.INVALID:
      case LogStatus.EXPIRED:
      case LogStatus.UNSPECIFIED:
        break;
    }
    this.#refuse(progress, status, detail, outputs);
  }

  #granted(progress: ReplicaProgress, asked: Ask, tail: LogTail | undefined, outputs: Outputs): void {
    if (asked.kind === "append" || asked.kind === "align") progress.acknowledged(asked.seq);
    if (tail !== undefined) progress.heardTail(tail, this.#options.log.epoch);
    progress.heard();
    if (asked.kind === "append" || asked.kind === "commit") {
      progress.told = Math.max(progress.told, asked.committed);
    } else if (tail !== undefined) this.#place(progress, tail, outputs);
  }

  /** It copies from another. While it gets on it is asked soon again, so that under load it is not left behind anew. */
  #copying(now: number, progress: ReplicaProgress, tail: LogTail | undefined, outputs: Outputs): void {
    if (tail !== undefined) this.#place(progress, tail, outputs);
    if (progress.state !== "behind") return;
    const seq = tail?.seq ?? 0;
    if (seq !== progress.seen) progress.failures = 0;
    progress.seen = seq;
    progress.failed(now, "is being aligned", REPLICA_RETRY_MAX_MS);
  }

  /** What it promised is gone, or it has promised this epoch without the writer's hearing of it. */
  #unpromised(progress: ReplicaProgress, asked: Ask, tail: LogTail | undefined, outputs: Outputs): void {
    progress.heard();
    if (asked.kind === "open" && tail !== undefined) return this.#place(progress, tail, outputs);
    progress.forget();
    progress.become("probing");
  }

  /** Takes in where a replica stands that has promised, and what it can be sent. */
  #place(progress: ReplicaProgress, tail: LogTail, outputs: Outputs): void {
    const { log } = this.#options;
    if (progress.incarnation !== tail.incarnation) {
      const [sole] = this.#members.length === 1 ? this.#members : [];
      if (sole?.name === progress.name && sole.incarnation !== tail.incarnation) {
        const detail = `${progress.name} lost the log: it is another incarnation`;
        return this.#end("refused", LogStatus.TRUNCATED, detail, outputs);
      }
      if (progress.incarnation !== undefined) progress.forget();
      progress.incarnation = tail.incarnation;
      this.changed = true;
      this.#recount();
    }
    if (tail.blank) progress.forget();
    progress.heardTail(tail, log.epoch);
    const chosen =
      tail.epoch === log.tail.epoch && tail.seq === log.tail.seq && tail.chain.equals(log.tail.chain);
    if (chosen && !tail.blank) progress.acknowledged(tail.seq);
    const known = (chosen || progress.match > 0) && !tail.blank;
    progress.become(known && progress.match + 1 >= this.recent.first ? "live" : "behind");
    progress.next = progress.match + 1;
    if (progress.state === "live") progress.heard();
  }

  /** An entry before it was lost on its way, or out of order: all from there go again. Twice the same: it lost what it had. */
  #gap(progress: ReplicaProgress, { seq }: Ask, tail: LogTail | undefined, outputs: Outputs): void {
    if (progress.state !== "live") return;
    // A pause ends with all that is missing; who ends it sooner must know that this entry is.
    progress.lost = Math.max(progress.lost, seq);
    if (progress.retryAt < Infinity) return;
    if (tail !== undefined) progress.heardTail(tail, this.#options.log.epoch);
    progress.heard();
    const regress = (tail?.seq ?? 0) < progress.match;
    progress.regressed = regress ? progress.regressed + 1 : 0;
    if (progress.regressed <= 1) return progress.rewind();
    const detail = `ends at entry ${tail?.seq ?? 0}, behind ${progress.match}, which it acknowledged`;
    this.#behind(progress, LogStatus.TRUNCATED, detail, outputs);
  }

  #behind(progress: ReplicaProgress, status: LogStatus, detail: string, outputs: Outputs): void {
    if (this.#sole(progress)) return this.#refuse(progress, status, detail, outputs);
    progress.forget();
    progress.become("behind");
    progress.reason = detail;
  }

  #refuse({ name }: ReplicaProgress, status: LogStatus, detail: string, outputs: Outputs): void {
    this.#end("refused", status, `${name}: ${codeName(LogStatus, status)}: ${detail}`, outputs);
  }

  #end(reason: "fenced" | "refused", status: LogStatus, detail: string, outputs: Outputs): void {
    outputs.push({ kind: "ended", reason, status, detail: `${this.#options.job}: ${detail}` });
  }
}

/**
 * The name is answered for by another incarnation. It may have promised this epoch, to another opener that asked for the same one, and so take
 * what it is sent: what it acknowledges is not to be counted for the one that is gone.
 */
function anotherFolder({ incarnation }: ReplicaProgress, tail: LogTail | undefined): boolean {
  if (incarnation === undefined || tail === undefined || tail.incarnation === "") return false;
  return tail.incarnation !== incarnation;
}

function timeoutOf(kind: Ask["kind"]): number {
  return kind === "append" || kind === "commit" ? APPEND_TIMEOUT_MS : REPLICA_TIMEOUT_MS;
}
