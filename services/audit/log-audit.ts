import { EventBatch } from "../../proto/generated/evercross/v1/event.ts";
import type { BookState } from "../../proto/generated/evercross/v1/link.ts";
import { EntryKind, type LogEntry } from "../../proto/generated/evercross/v1/log.ts";
import type { JobName } from "../../runtime/job/name.ts";
import { formatJob } from "../../runtime/job/name.ts";
import type { LogItem, LogProblem, LogProblemKind, RowsRead } from "../../runtime/log/log-reader.ts";
import { RowDecoder } from "../crossing/rows.ts";
import { FindingCode, Findings } from "./finding.ts";
import { type Objection, OrderLedger } from "./order-ledger.ts";
import { type AuditedRules, ReplayedState } from "./replayed-state.ts";
import type { AuditCounts, Verdict } from "./verdict.ts";

const PROBLEM_CODE: Record<LogProblemKind, FindingCode> = {
  missing: FindingCode.ENTRY_MISSING,
  unreadable: FindingCode.ENTRY_UNREADABLE,
  checksum: FindingCode.ENTRY_CHECKSUM,
  chain: FindingCode.ENTRY_CHAIN,
  misplaced: FindingCode.ENTRY_MISPLACED,
  truncated: FindingCode.LOG_TRUNCATED,
  record: FindingCode.LOG_RECORD,
  store: FindingCode.STORE_UNREADABLE,
};

/**
 * Proves one crossing job's log from the log alone. Pure: give all rows, then every item of the log, then ask for the
 * verdict. After a hole the accounts begin anew behind it as far as they can: what follows from the hole is not
 * reported as a finding of its own.
 */
export class LogAudit {
  readonly #job: JobName;
  readonly #findings = new Findings();
  readonly #counts: AuditCounts = { entries: 0, events: 0, requests: 0, trades: 0, rows: 0, sessions: 0 };
  readonly #ledger = new OrderLedger();
  readonly #marks = new Map<string, number>();
  /** From the first event on; undefined once it cannot be continued. */
  #replayed: ReplayedState | undefined;
  /** From the rows on; likewise. */
  #stored: ReplayedState | undefined;
  readonly #storedMarks = new Map<string, number>();
  readonly #rows: RowDecoder;
  #rowsSeq = 0;
  #firstSeq = 0;
  /** The entry before, when nothing is missing between. */
  #previous: LogEntry | undefined;
  #lastSeq = 0;
  /** What the next event must be; undefined behind a hole. */
  #nextEvent: number | undefined = 1;
  /** Nothing was missing so far. */
  #whole = true;
  /** The event at hand. */
  #event = 0;

  constructor(job: JobName, rules: AuditedRules = {}) {
    this.#job = job;
    this.#replayed = new ReplayedState(job.key, rules);
    this.#replayed.restored();
    this.#stored = new ReplayedState(job.key, rules);
    this.#rows = new RowDecoder({
      mark: (session, { seq }) => void this.#storedMarks.set(session, seq),
    });
  }

  row(key: Uint8Array, value: Uint8Array): void {
    this.#counts.rows += 1;
    this.#rowsDo(() => {
      this.#rows.row(key, value);
      this.#stored?.row(key, value);
    });
  }

  rowsRead({ seq, problem }: RowsRead): void {
    this.#rowsSeq = seq;
    if (problem !== undefined) {
      this.#findings.add(FindingCode.ROWS_UNREADABLE, seq, 0, problem.detail);
      this.#stored = undefined;
    }
    this.#rowsDo(() => {
      this.#rows.end();
      this.#stored?.restored();
    });
    if (seq === 0) this.#compare(0);
  }

  item(item: LogItem): void {
    if (item.kind === "problem") this.#problem(item);
    else this.#entry(item.entry);
  }

  verdict(): Verdict {
    const object = (code: FindingCode, detail: string): void => this.#findings.add(code, 0, 0, detail);
    // Behind a hole the accounts hold orders whose end, or beginning, was not seen.
    const totals = this.#whole ? this.#ledger.balance(object) : undefined;
    const replayed = this.#state(this.#replayed);
    const stored = this.#state(this.#stored);
    if (replayed !== undefined && stored !== undefined) this.#differ(this.#lastSeq, replayed, stored);
    this.#counts.sessions = this.#marks.size;
    return {
      job: formatJob(this.#job),
      ok: this.#findings.total === 0,
      firstEntry: this.#firstSeq,
      lastEntry: this.#lastSeq,
      rowsEntry: this.#rowsSeq,
      counts: this.#counts,
      quantity: totals,
      book: replayed ?? stored,
      findings: this.#findings.kept,
      findingsTotal: this.#findings.total,
    };
  }

  #problem({ seq, through, problem, detail }: LogProblem): void {
    this.#findings.add(PROBLEM_CODE[problem], seq, 0, detail);
    if (problem === "truncated") {
      // What is there can still be proved, except against rows of what is not.
      if (this.#rowsSeq >= seq) this.#stored = undefined;
      return;
    }
    // A wrong record of the replica's own is no hole in the log.
    if (problem === "record" || seq === 0) return;
    this.#hole(through);
    this.#lastSeq = through;
  }

  /** What depends on every entry before cannot be proved any more. */
  #hole(through: number): void {
    this.#whole = false;
    this.#previous = undefined;
    this.#nextEvent = undefined;
    this.#replayed = undefined;
    if (through > this.#rowsSeq) this.#stored = undefined;
  }

  #entry(entry: LogEntry): void {
    this.#counts.entries += 1;
    if (this.#firstSeq === 0) this.#begin(entry);
    this.#epochs(entry);
    this.#previous = entry;
    this.#lastSeq = entry.seq;
    if (entry.kind === EntryKind.DATA) this.#data(entry);
    if (entry.seq === this.#rowsSeq) this.#compare(entry.seq);
  }

  #begin(entry: LogEntry): void {
    this.#firstSeq = entry.seq;
    if (entry.seq === 1) return;
    // Trimmed, or its beginning is missing: only what is behind the rows can be rebuilt.
    this.#hole(entry.seq - 1);
  }

  #epochs({ seq, epoch, prevEpoch, kind }: LogEntry): void {
    const before = this.#previous?.epoch ?? (seq === 1 ? 0 : undefined);
    if (before === undefined) return;
    if (prevEpoch !== before || epoch < before) {
      const detail = `entry ${seq} of epoch ${epoch}, after epoch ${prevEpoch}, follows epoch ${before}`;
      this.#findings.add(FindingCode.EPOCH_ORDER, seq, 0, detail);
    }
    if (epoch !== before && kind !== EntryKind.STARTED) {
      this.#findings.add(
        FindingCode.EPOCH_NOT_STARTED,
        seq,
        0,
        `epoch ${epoch} begins without its writer's name`,
      );
    }
  }

  #data(entry: LogEntry): void {
    let batch: EventBatch;
    try {
      batch = EventBatch.decode(entry.payload);
    } catch (error) {
      this.#findings.add(FindingCode.PAYLOAD_UNREADABLE, entry.seq, 0, String(error));
      this.#hole(entry.seq);
      return;
    }
    this.#events(entry.seq, batch);
    this.#replayed = this.#replay(this.#replayed, entry);
    if (entry.seq > this.#rowsSeq) this.#stored = this.#replay(this.#stored, entry);
  }

  #events(entry: number, batch: EventBatch): void {
    if (batch.firstEvent !== (this.#nextEvent ?? batch.firstEvent)) {
      const detail = `the batch begins with event ${batch.firstEvent} instead of ${this.#nextEvent}`;
      this.#findings.add(FindingCode.EVENT_GAP, entry, batch.firstEvent, detail);
    }
    this.#event = batch.firstEvent;
    const object = (code: FindingCode, detail: string): void =>
      this.#findings.add(code, entry, this.#event, detail);
    for (const step of batch.steps) {
      if (step.seq > 0) this.#request(batch.sessions[step.session] ?? "", step.seq, object);
      for (const event of step.events) {
        if (this.#whole) this.#ledger.event(event, object);
        if (event.kind?.$case === "trade") this.#counts.trades += 1;
        this.#counts.events += 1;
        this.#event += 1;
      }
    }
    this.#nextEvent = this.#event;
  }

  #request(session: string, seq: number, object: Objection): void {
    const mark = this.#marks.get(session) ?? 0;
    if (seq <= mark) {
      object(FindingCode.MARK_ORDER, `session ${session}: request ${seq} was executed after ${mark}`);
    }
    this.#marks.set(session, seq);
    this.#counts.requests += 1;
  }

  #replay(state: ReplayedState | undefined, { seq, payload }: LogEntry): ReplayedState | undefined {
    try {
      state?.replay(payload);
      return state;
    } catch (error) {
      const which = state === this.#stored ? "the book restored from the rows" : "the replayed book";
      this.#findings.add(FindingCode.BOOK_CONTRADICTED, seq, 0, `${which}: ${(error as Error).message}`);
      return undefined;
    }
  }

  #rowsDo(work: () => void): void {
    try {
      if (this.#stored !== undefined) work();
    } catch (error) {
      this.#findings.add(FindingCode.ROWS_UNREADABLE, this.#rowsSeq, 0, (error as Error).message);
      this.#stored = undefined;
    }
  }

  /** The rows against what was replayed up to their entry. */
  #compare(seq: number): void {
    const replayed = this.#state(this.#replayed);
    const stored = this.#state(this.#stored);
    if (replayed === undefined || stored === undefined) return;
    if (!this.#differ(seq, replayed, stored)) this.#compareMarks(seq);
    else this.#stored = undefined;
  }

  #compareMarks(seq: number): void {
    for (const session of new Set([...this.#marks.keys(), ...this.#storedMarks.keys()])) {
      const [mark, stored] = [this.#marks.get(session) ?? 0, this.#storedMarks.get(session) ?? 0];
      if (mark === stored) continue;
      const detail = `session ${session}: the log leads to request ${mark}, the rows say ${stored}`;
      this.#findings.add(FindingCode.ROWS_DIFFER, seq, 0, detail);
    }
  }

  #differ(seq: number, replayed: BookState, stored: BookState): boolean {
    if (replayed.hash === stored.hash) return false;
    const tell = ({ liveOrders, bidQuantity, askQuantity, nextEvent, hash }: BookState): string =>
      `${liveOrders} orders, ${bidQuantity} bid, ${askQuantity} asked, next event ${nextEvent}, hash ${hash}`;
    const detail = `the log leads to ${tell(replayed)}; the rows to ${tell(stored)}`;
    this.#findings.add(FindingCode.ROWS_DIFFER, seq, 0, detail);
    return true;
  }

  #state(state: ReplayedState | undefined): BookState | undefined {
    return state?.state();
  }
}
