import {
  type LogRequest,
  type LogResponse,
  LogStatus,
  type LogTail,
  type Member,
} from "../../proto/generated/evercross/v1/log.ts";
import { codeName } from "../code-name.ts";
import { OPEN_TRIES_MAX, REPLICA_RETRY_MAX_MS, REPLICA_RETRY_MS } from "../limits.ts";
import { isMember, quorumOf } from "./membership.ts";

/** Where a log ends. */
export type Place = Pick<LogTail, "epoch" | "seq">;

/** Whether tail `a` is better than `b` (LOG.md 1). */
export type Better = (a: Place, b: Place) => boolean;

export const betterTail: Better = (a, b) => a.epoch > b.epoch || (a.epoch === b.epoch && a.seq > b.seq);

/** The log that was chosen, and who promised the epoch. */
export interface ChosenLog {
  readonly epoch: number;
  /** Empty (`seq` 0) when the log is founded. */
  readonly tail: LogTail;
  /** Index of the replica that it was chosen from. */
  readonly source: number;
  readonly members: readonly Member[];
  /** By index; undefined for who has not promised. */
  readonly promises: readonly (LogTail | undefined)[];
}

export type OpenerOutput =
  | { readonly kind: "ask"; readonly replica: number; readonly body: NonNullable<LogRequest["body"]> }
  | { readonly kind: "chosen"; readonly log: ChosenLog }
  | {
      readonly kind: "ended";
      readonly reason: "fenced" | "refused";
      readonly detail: string;
      readonly status: LogStatus;
    };

export interface OpenerOptions {
  /** Names of the replicas, the set first. Grows by those that only the log's members name. */
  readonly names: string[];
  /** [0, 1). */
  readonly random: () => number;
  readonly better: Better;
}

interface Candidate {
  /** As it last said where it stands. */
  tail: LogTail | undefined;
  /** It promised the present epoch. */
  promised: boolean;
  /** An attempt at the present epoch has an unknown outcome. */
  unknown: boolean;
  /** When to ask again; infinite while an answer is due. */
  retryAt: number;
  failures: number;
  /** Why it is waited for. */
  reason: string;
}

/**
 * Opening a log, LOG.md 2, pure. First every replica is asked for its tail: nobody is fenced before it is known that the log could be opened.
 * Then each is asked for a promise of one epoch, again and again, until those that promised decide. An epoch that may have been taken by another
 * is given up for a higher one: at once when the other may have been this one's own lost attempt, else after a random pause, so that two
 * openers do not fence each other for ever.
 */
export class LogOpener {
  readonly #options: OpenerOptions;
  readonly #candidates: Candidate[] = [];
  /** 0 before the first attempt, and between two. */
  #epoch = 0;
  #epochMax = 0;
  #fenced = 0;
  /** When the next attempt begins. */
  #roundAt = Infinity;
  #done = false;

  constructor(options: OpenerOptions) {
    this.#options = options;
  }

  begin(): OpenerOutput[] {
    return this.#meet();
  }

  /** The answer to what this replica was asked last; undefined when there was none in time. */
  answer(now: number, replica: number, response: LogResponse | undefined): OpenerOutput[] {
    const candidate = this.#candidates[replica];
    if (this.#done || candidate === undefined) return [];
    const tail = response?.tail;
    if (response === undefined || tail === undefined) {
      candidate.unknown = true;
      return this.#later(now, candidate, "no answer");
    }
    this.#epochMax = Math.max(this.#epochMax, tail.promised);
    const known = response.status === LogStatus.OK || response.status === LogStatus.FENCED;
    if (!known) return this.#refused(now, candidate, response);
    candidate.failures = 0;
    candidate.tail = tail;
    candidate.reason = tail.blank ? "lost what it had" : "";
    const outputs = this.#meet(tail.members);
    const next =
      this.#epoch === 0 ? this.#told(now, candidate) : this.#promise(now, candidate, response, tail);
    return [...outputs, ...next];
  }

  tick(now: number): OpenerOutput[] {
    if (this.#done) return [];
    if (this.#roundAt <= now) {
      this.#roundAt = Infinity;
      return this.#attempt();
    }
    const outputs: OpenerOutput[] = [];
    this.#candidates.forEach((candidate, replica) => {
      if (candidate.retryAt <= now) outputs.push(this.#ask(candidate, replica));
    });
    return outputs;
  }

  nextDue(): number {
    if (this.#done) return Infinity;
    return this.#candidates.reduce((due, { retryAt }) => Math.min(due, retryAt), this.#roundAt);
  }

  /** Whom the opening waits for, and why. */
  missing(): string {
    const missing = this.#candidates.flatMap(({ promised, reason }, replica) =>
      promised && reason === ""
        ? []
        : [`${this.#name(replica)} (${reason === "" ? "not asked yet" : reason})`],
    );
    return missing.join(", ");
  }

  #name(replica: number): string {
    return this.#options.names[replica] ?? "";
  }

  /** Asks those that were not heard of before. */
  #meet(members: readonly Member[] = []): OpenerOutput[] {
    const { names } = this.#options;
    for (const { name } of members) if (!names.includes(name)) names.push(name);
    const outputs: OpenerOutput[] = [];
    while (this.#candidates.length < names.length) {
      const candidate = {
        tail: undefined,
        promised: false,
        unknown: false,
        retryAt: Infinity,
        failures: 0,
        reason: "no answer",
      };
      this.#candidates.push(candidate);
      outputs.push(this.#ask(candidate, this.#candidates.length - 1));
    }
    return outputs;
  }

  #ask(candidate: Candidate, replica: number): OpenerOutput {
    candidate.retryAt = Infinity;
    const body =
      this.#epoch === 0
        ? ({ $case: "tail", value: {} } as const)
        : ({ $case: "open", value: { epoch: this.#epoch } } as const);
    return { kind: "ask", replica, body };
  }

  #later(now: number, candidate: Candidate, reason: string): OpenerOutput[] {
    candidate.reason = reason;
    const max = this.#candidates.length === 1 ? REPLICA_RETRY_MS : REPLICA_RETRY_MAX_MS;
    candidate.retryAt = now + Math.min(REPLICA_RETRY_MS * 2 ** candidate.failures, max);
    candidate.failures += 1;
    return [];
  }

  #refused(now: number, candidate: Candidate, { status, detail }: LogResponse): OpenerOutput[] {
    const patient = status === LogStatus.FULL || this.#candidates.length > 1;
    if (patient) return this.#later(now, candidate, `${codeName(LogStatus, status)}: ${detail}`);
    return this.#end("refused", status, detail);
  }

  #end(reason: "fenced" | "refused", status: LogStatus, detail: string): OpenerOutput[] {
    this.#done = true;
    return [{ kind: "ended", reason, status, detail }];
  }

  #told(now: number, candidate: Candidate): OpenerOutput[] {
    if (this.#roundAt < Infinity) return [];
    // What it says may change before the others have answered.
    candidate.retryAt = now + REPLICA_RETRY_MAX_MS;
    return this.#attempt();
  }

  /** Begins an attempt when those whose tails are known could decide. */
  #attempt(): OpenerOutput[] {
    if (this.#decide(this.#candidates.map(({ tail }) => tail)) === undefined) return [];
    this.#epoch = this.#epochMax + 1;
    this.#epochMax = this.#epoch;
    return this.#candidates.map((candidate, replica) => {
      candidate.promised = false;
      candidate.unknown = false;
      return this.#ask(candidate, replica);
    });
  }

  #promise(now: number, candidate: Candidate, response: LogResponse, tail: LogTail): OpenerOutput[] {
    if (response.status === LogStatus.OK) {
      candidate.promised = true;
      const chosen = this.#choose();
      if (chosen.length === 0 && this.#candidates.every(({ promised }) => promised)) this.#lookAgain(now);
      return chosen;
    }
    const own = tail.promised === this.#epoch && candidate.unknown;
    this.#epoch = 0;
    if (own) return this.#attempt();
    this.#fenced += 1;
    if (this.#fenced > OPEN_TRIES_MAX) return this.#end("fenced", response.status, response.detail);
    this.#roundAt = now + this.#options.random() * REPLICA_RETRY_MS * 2 ** (this.#fenced - 1);
    for (const each of this.#candidates) each.retryAt = Infinity;
    return [];
  }

  /** All have promised, and could not decide after all: it is seen from the tails when they can. */
  #lookAgain(now: number): void {
    this.#epoch = 0;
    for (const each of this.#candidates) each.retryAt = now + REPLICA_RETRY_MAX_MS;
  }

  #choose(): OpenerOutput[] {
    const promises = this.#candidates.map(({ tail, promised }) => (promised ? tail : undefined));
    const decided = this.#decide(promises);
    if (decided === undefined) return [];
    const { tail, source, members } = decided;
    for (const other of promises) {
      if (other?.epoch === tail.epoch && other.seq === tail.seq && !other.chain.equals(tail.chain)) {
        const detail = `the logs of ${this.#name(source)} and ${this.#name(promises.indexOf(other))} end at entry ${tail.seq} of epoch ${tail.epoch}, and differ: one is of another log`;
        return this.#end("refused", LogStatus.DAMAGED, detail);
      }
    }
    this.#done = true;
    return [{ kind: "chosen", log: { epoch: this.#epoch, tail, source, members, promises } }];
  }

  /** The best of these tails when they are of a majority of its members, LOG.md 2.2; of a log that nobody has when they are of the whole set, 2.3. */
  #decide(
    tails: readonly (LogTail | undefined)[],
  ): Pick<ChosenLog, "tail" | "source" | "members"> | undefined {
    let tail: LogTail | undefined;
    let source = 0;
    tails.forEach((each, replica) => {
      if (each !== undefined && (tail === undefined || this.#options.better(each, tail)))
        [tail, source] = [each, replica];
    });
    if (tail === undefined) return undefined;
    const present = tails.flatMap((each, replica) =>
      each === undefined
        ? []
        : [{ name: this.#name(replica), incarnation: each.incarnation, blank: each.blank }],
    );
    if (tail.seq === 0) {
      const founders = present.filter(({ blank }) => !blank);
      if (founders.length < this.#candidates.length) return undefined;
      return { tail, source, members: founders.map(({ name, incarnation }) => ({ name, incarnation })) };
    }
    // A log of an earlier version names no members: it had this one replica.
    const members =
      tail.members.length > 0 ? tail.members : [{ name: this.#name(source), incarnation: tail.incarnation }];
    const majority = present.filter((each) => isMember(members, each)).length >= quorumOf(members.length);
    return majority ? { tail, source, members } : undefined;
  }
}
