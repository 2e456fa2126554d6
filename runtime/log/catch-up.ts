import {
  type AlignRequest,
  LogEntry,
  type LogRequest,
  type LogResponse,
  LogStatus,
  type LogTail,
  type Member,
} from "../../proto/generated/evercross/v1/log.ts";
import { codeName } from "../code-name.ts";
import {
  CATCH_UP_RECORDS_MAX,
  CATCH_UP_TRIES_MAX,
  READ_ANSWER_BYTES_MAX,
  REPLICA_RETRY_MS,
  REPLICA_TIMEOUT_MS,
} from "../limits.ts";
import { CommonEntry } from "./common-entry.ts";
import { checkEntry, GENESIS_CHAIN } from "./entry.ts";
import { chainAt, readEntry } from "./entry-read.ts";
import type { JobLog } from "./job-log.ts";
import { membersOf } from "./membership.ts";
import { metaChange } from "./replica.ts";
import { RowSeal } from "./row-seal.ts";
import { unpackRows } from "./rows-page.ts";
import { entryKey, entryRange, rowsRange, rowsRecordKey } from "./store-key.ts";
import { encodeRowsRecord } from "./store-record.ts";
import type { LogStore, StoreChange } from "./store.ts";

export type CatchUpOutput =
  /** Answer with `answer`, once, with nothing after `timeoutMs`. */
  | {
      readonly kind: "ask";
      /** Logical name of the replica. */
      readonly source: string;
      readonly ask: number;
      readonly request: LogRequest;
      readonly timeoutMs: number;
    }
  /** To be synced in order, before anything that is said of the log leaves. */
  | {
      readonly kind: "changes";
      readonly changes: readonly StoreChange[];
      /** The log's end falls: the witness must know that first. */
      readonly lowered: boolean;
      /** The rows that were there count no more; those that are written here come in their place. */
      readonly cleared: boolean;
      /** What the log grew by, in order. */
      readonly entries: readonly LogEntry[];
    }
  /** The log has the entry that it was to be aligned to. */
  | { readonly kind: "done" }
  /** It ended before; the next `align` begins another. */
  | { readonly kind: "failed"; readonly detail: string };

export type CatchUpInput =
  | { readonly kind: "answer"; readonly ask: number; readonly response: LogResponse | undefined }
  | { readonly kind: "tick" };

type Body = NonNullable<LogRequest["body"]>;

type Phase =
  | { readonly kind: "begin" }
  | { readonly kind: "locate"; readonly common: CommonEntry }
  | { readonly kind: "forget"; readonly to: number }
  | { readonly kind: "copy" }
  | { readonly kind: "clear"; readonly next: "copy" | "rows" }
  | { readonly kind: "rows"; readonly cursor: number; readonly seq: number }
  /** The rows are whole; the log begins with the entry that they are the state after. */
  | { readonly kind: "chain"; readonly seq: number }
  | { readonly kind: "base"; readonly seq: number; readonly chainBefore: Buffer }
  | { readonly kind: "ended" };

/**
 * Makes one log at a replica its writer's, up to the entry that an `align` named, by copying from another replica; LOG.md 3.5. Pure, but for
 * reading its own store. Its invariants:
 *
 * 1. It goes by an answer only if the source has promised the writer's epoch, and on only while this replica has.
 * 2. What it forgets is behind the last entry that both have, and was never known to be committed.
 * 3. Each entry is proved by its chain before it is taken.
 * 4. Where the source trimmed what is needed, the log is marked blank, and made anew from the source's rows and the log behind them: a crash on
 *    the way leaves a blank log. It stays a member in its incarnation: what the source trimmed is committed, on a majority without this replica,
 *    and whatever else this one had is before that.
 *
 * The log runs ahead of the disk, as with `appendEntry`. One question is on its way at a time; each piece of work is bounded.
 */
export class CatchUp {
  readonly #log: JobLog;
  readonly #store: LogStore;
  readonly #target: AlignRequest;
  readonly #seal: RowSeal;
  #phase: Phase = { kind: "begin" };
  /** Copied up to here: the target, or the source's end behind it. */
  #to: number;
  #ask = 0;
  #waiting: { readonly ask: number; readonly body: Body } | undefined;
  /** The question to be asked again, when `#dueAt` has come. */
  #again: Body | undefined;
  #dueAt = 0;
  #tries = 0;
  #restarts = 0;

  constructor(log: JobLog, store: LogStore, target: AlignRequest) {
    this.#log = log;
    this.#store = store;
    this.#target = target;
    this.#to = target.seq;
    this.#seal = new RowSeal(log.job);
  }

  get epoch(): number {
    return this.#target.epoch;
  }

  /** When `tick` has something to do; infinite while an answer is due, and at the end. */
  nextDue(): number {
    return this.#phase.kind === "ended" ? Infinity : this.#dueAt;
  }

  /** `now` in milliseconds, monotonic. Throws `StoreError`. */
  step(now: number, input: CatchUpInput): CatchUpOutput[] {
    if (this.#phase.kind === "ended") return [];
    if (this.#log.refusal !== undefined) return this.#fail(this.#log.refusal.detail);
    if (this.#log.promised !== this.epoch)
      return this.#fail(`epoch ${this.#log.promised} is promised meanwhile`);
    const { kind } = this.#phase;
    // An append came first: entries of an epoch are its one writer's, and so is all that is before them.
    if ((kind === "locate" || kind === "forget") && this.#log.epoch === this.epoch) return this.#copy();
    if (input.kind === "answer") {
      if (input.ask !== this.#waiting?.ask) return [];
      return this.#heard(now, this.#waiting.body, input.response);
    }
    if (this.#dueAt > now) return [];
    this.#dueAt = Infinity;
    if (this.#again !== undefined) return this.#question(this.#again);
    return this.#work(now);
  }

  // What needs no answer

  #work(now: number): CatchUpOutput[] {
    const phase = this.#phase;
    switch (phase.kind) {
      case "begin":
        return this.#begin(now);
      case "forget":
        return this.#forget(now, phase.to);
      case "clear":
        return this.#clear(now, phase.next);
      default:
        return this.#fail(`nothing is to be done in phase ${phase.kind}`);
    }
  }

  #begin(now: number): CatchUpOutput[] {
    const log = this.#log;
    if (log.blank) {
      log.clear();
      return this.#go(now, { kind: "clear", next: "copy" });
    }
    const { seq, chain, epoch } = this.#target;
    const high = Math.min(log.seq, seq);
    // Entries of an epoch are its one writer's, and so is all that is before them.
    if (log.epoch === epoch || high === 0) return this.#copy();
    if (high === seq && chainAt(this.#store, log, high)?.equals(chain) === true)
      return this.#located(now, high);
    const low = Math.max(log.committed, log.first - 1);
    if (high < low) {
      return this.#fail(
        `entry ${low} is committed here, and the writer's log ends at ${seq}: one is of another log`,
      );
    }
    const common = new CommonEntry(low, high);
    this.#phase = { kind: "locate", common };
    return this.#question({ $case: "chain", value: { seq: common.next } });
  }

  #located(now: number, seq: number): CatchUpOutput[] {
    return seq === this.#log.seq ? this.#copy() : this.#forget(now, seq);
  }

  /** From the end downwards, so that the log is one after each piece. */
  #forget(now: number, to: number): CatchUpOutput[] {
    const log = this.#log;
    const seq = Math.max(to, log.seq - CATCH_UP_RECORDS_MAX);
    const end = seq === 0 ? { epoch: 0, seq, chain: GENESIS_CHAIN } : readEntry(this.#store, log.job, seq);
    if (end === undefined) return this.#fail(`entry ${seq} is missing or damaged here`);
    const changes: StoreChange[] = [];
    for (let old = seq + 1; old <= log.seq; old++)
      changes.push({ key: entryKey(log.job, old), value: undefined });
    if (log.truncate(end)) changes.push(metaChange(log));
    const output = this.#changes(changes, { lowered: true });
    return [output, ...(seq === to ? this.#copy() : this.#go(now, { kind: "forget", to }))];
  }

  /** Removes every record of a blank log but its meta record. */
  #clear(now: number, next: "copy" | "rows"): CatchUpOutput[] {
    const { job } = this.#log;
    const bounds = { max: CATCH_UP_RECORDS_MAX, bytes: READ_ANSWER_BYTES_MAX };
    for (const range of [entryRange(job, 0, Number.MAX_SAFE_INTEGER), rowsRange(job)]) {
      const found = this.#store.scan(range, bounds);
      if (found.length === 0) continue;
      this.#phase = { kind: "clear", next };
      this.#dueAt = now;
      return [
        this.#changes(
          found.map(({ key }) => ({ key, value: undefined })),
          { cleared: true },
        ),
      ];
    }
    return next === "copy" ? this.#copy() : this.#rows(0, 0);
  }

  // Questions

  #copy(): CatchUpOutput[] {
    const from = this.#log.seq + 1;
    if (from > this.#to) return this.#finish();
    this.#phase = { kind: "copy" };
    return this.#question({ $case: "read", value: { from, to: this.#to + 1, epoch: this.epoch } });
  }

  #rows(cursor: number, seq: number): CatchUpOutput[] {
    this.#phase = { kind: "rows", cursor, seq };
    return this.#question({ $case: "rows", value: { cursor } });
  }

  #question(body: Body): CatchUpOutput[] {
    const { job } = this.#log;
    const { source } = this.#target;
    this.#ask += 1;
    this.#again = undefined;
    this.#dueAt = Infinity;
    this.#waiting = { ask: this.#ask, body };
    const request = { job, body, committed: 0 };
    return [{ kind: "ask", source, ask: this.#ask, request, timeoutMs: REPLICA_TIMEOUT_MS }];
  }

  #heard(now: number, body: Body, response: LogResponse | undefined): CatchUpOutput[] {
    this.#waiting = undefined;
    if (response === undefined || response.status === LogStatus.FULL) {
      this.#tries += 1;
      if (this.#tries > CATCH_UP_TRIES_MAX) return this.#fail(response?.detail ?? "no answer");
      this.#again = body;
      this.#dueAt = now + REPLICA_RETRY_MS * 2 ** this.#tries;
      return [];
    }
    this.#tries = 0;
    const { tail, status, detail } = response;
    if (tail?.promised !== this.epoch) return this.#fail(`it has promised epoch ${tail?.promised ?? 0}`);
    // What the writer appended meanwhile stands in its own epoch.
    if (tail.epoch === this.epoch) this.#to = Math.max(this.#to, tail.seq);
    const trimmed = status === LogStatus.TRIMMED || status === LogStatus.EXPIRED;
    if (status !== LogStatus.OK && !trimmed) return this.#fail(`${codeName(LogStatus, status)}: ${detail}`);
    if (!trimmed) return this.#take(now, response, tail);
    // Appends came meanwhile: what is needed now was not trimmed.
    if (this.#phase.kind === "copy" && tail.first <= this.#log.seq + 1) return this.#copy();
    return this.#install(now);
  }

  #take(now: number, response: LogResponse, tail: LogTail): CatchUpOutput[] {
    const phase = this.#phase;
    switch (phase.kind) {
      case "locate":
        return this.#compare(now, phase.common, response, tail);
      case "copy":
        return this.#takeEntries(response.entries);
      case "rows":
        return this.#takeRows(now, phase, response);
      case "chain":
        if (response.chain.length === 0) return this.#install(now);
        this.#phase = { kind: "base", seq: phase.seq, chainBefore: response.chain };
        return this.#question({
          $case: "read",
          value: { from: phase.seq, to: phase.seq + 1, epoch: this.epoch },
        });
      case "base":
        return this.#takeBase(phase, response, tail);
      default:
        return this.#fail(`an answer in phase ${phase.kind}`);
    }
  }

  #compare(now: number, common: CommonEntry, { chain }: LogResponse, tail: LogTail): CatchUpOutput[] {
    const ask = (): CatchUpOutput[] => this.#question({ $case: "chain", value: { seq: common.next } });
    const seq = common.next;
    if (seq < tail.first - 1) return common.raise(tail.first - 1) ? ask() : this.#install(now);
    if (chain.length === 0) return this.#fail(`it does not give entry ${seq}`);
    const own = chainAt(this.#store, this.#log, seq);
    if (own === undefined) return this.#fail(`entry ${seq} is missing or damaged here`);
    const found = common.compared(own.equals(chain));
    if (found === "open") return ask();
    if (found !== "none") return this.#located(now, found);
    if (seq > this.#log.committed) return this.#install(now);
    return this.#fail(`entry ${seq} is committed here, and another one there: one is of another log`);
  }

  #takeEntries(entries: readonly LogEntry[]): CatchUpOutput[] {
    const grown: LogEntry[] = [];
    const changes: StoreChange[] = [];
    for (const entry of entries) {
      // An append may have come first.
      if (entry.seq <= this.#log.seq) continue;
      const wrong = this.#extend(entry, changes);
      if (wrong !== undefined) return [...this.#grew(grown, changes), ...this.#fail(wrong)];
      grown.push(entry);
    }
    if (entries.length === 0) return this.#fail(`it does not give entry ${this.#log.seq + 1}`);
    return [...this.#grew(grown, changes), ...this.#copy()];
  }

  #grew(entries: readonly LogEntry[], changes: readonly StoreChange[]): CatchUpOutput[] {
    return changes.length === 0 ? [] : [this.#changes(changes, { entries })];
  }

  /** What is wrong with the entry; undefined when it was taken. */
  #extend(entry: LogEntry, changes: StoreChange[]): string | undefined {
    const log = this.#log;
    const { epoch, seq, chain } = this.#target;
    const place = entry.seq === log.seq + 1 && entry.prevEpoch === log.epoch && entry.epoch <= epoch;
    const verdict = place ? checkEntry(entry, log.chain) : "sequence";
    if (verdict !== "ok") return `entry ${log.seq + 1} that it gives does not follow (${verdict})`;
    if (entry.seq > seq && entry.epoch !== epoch)
      return `entry ${entry.seq} that it gives is behind the writer's`;
    if (entry.seq === seq && !entry.chain.equals(chain))
      return `entry ${seq} that it gives is not the writer's`;
    let members: Member[] | undefined;
    try {
      members = membersOf(entry);
    } catch (error) {
      return `entry ${entry.seq} does not tell its members: ${String(error)}`;
    }
    changes.push({ key: entryKey(log.job, entry.seq), value: LogEntry.encode(entry).finish() });
    if (log.extend(entry, members)) changes.push(metaChange(log));
    return undefined;
  }

  // From rows

  #install(now: number): CatchUpOutput[] {
    this.#restarts += 1;
    if (this.#restarts > CATCH_UP_TRIES_MAX) return this.#fail("it trims faster than its rows can be copied");
    const log = this.#log;
    log.clear();
    return [
      this.#changes([metaChange(log)], { lowered: true, cleared: true }),
      ...this.#go(now, { kind: "clear", next: "rows" }),
    ];
  }

  #takeRows(now: number, phase: Phase & { kind: "rows" }, { rows }: LogResponse): CatchUpOutput[] {
    if (rows === undefined) return this.#fail("an answer without rows");
    if (phase.cursor !== 0 && rows.seq !== phase.seq) return this.#install(now);
    const changes: StoreChange[] = [];
    if (!unpackRows(rows, (key, value) => changes.push(this.#seal.change(key, value)))) {
      return this.#fail("rows arrived damaged");
    }
    const output = changes.length === 0 ? [] : [this.#changes(changes, { cleared: true })];
    if (rows.cursor !== 0) return [...output, ...this.#rows(rows.cursor, rows.seq)];
    if (rows.seq === 0) return [...output, ...this.#fail("it trimmed its log, and has no rows")];
    this.#phase = { kind: "chain", seq: rows.seq };
    return [...output, ...this.#question({ $case: "chain", value: { seq: rows.seq - 1 } })];
  }

  #takeBase(phase: Phase & { kind: "base" }, { entries }: LogResponse, tail: LogTail): CatchUpOutput[] {
    const [entry] = entries;
    const log = this.#log;
    if (entry === undefined) return this.#fail(`it does not give entry ${phase.seq}`);
    log.begin(phase.seq, entry.prevEpoch, phase.chainBefore);
    const since = tail.membersSeq <= phase.seq;
    log.members = since ? tail.members : tail.membersBefore;
    log.membersBefore = log.members;
    log.membersSeq = Math.min(tail.membersSeq, phase.seq);
    const changes: StoreChange[] = [];
    const wrong = this.#extend(entry, changes);
    if (wrong !== undefined) return this.#fail(wrong);
    const rows = { seq: entry.seq, chain: entry.chain };
    const key = rowsRecordKey(log.job);
    log.rowsSeq = rows.seq;
    log.rowsChain = rows.chain;
    changes.push({ key, value: encodeRowsRecord(key, rows) });
    return [this.#changes(changes, { cleared: true }), ...this.#copy()];
  }

  // Ends

  #finish(): CatchUpOutput[] {
    const log = this.#log;
    this.#phase = { kind: "ended" };
    if (!log.blank) return [{ kind: "done" }];
    log.blank = false;
    return [this.#changes([metaChange(log)], { cleared: true }), { kind: "done" }];
  }

  #fail(why: string): CatchUpOutput[] {
    this.#phase = { kind: "ended" };
    const { seq, source } = this.#target;
    const detail = `${this.#log.job}: not aligned to entry ${seq} by ${source}: ${why}`;
    return [{ kind: "failed", detail }];
  }

  #go(now: number, phase: Phase): CatchUpOutput[] {
    this.#phase = phase;
    this.#dueAt = now;
    return [];
  }

  #changes(
    changes: readonly StoreChange[],
    what: { readonly lowered?: boolean; readonly cleared?: boolean; readonly entries?: readonly LogEntry[] },
  ): CatchUpOutput {
    const { lowered = false, cleared = false, entries = [] } = what;
    return { kind: "changes", changes, lowered, cleared, entries };
  }
}
