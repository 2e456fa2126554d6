import { type ExecutionReport, type Reject, ReportKind } from "../../proto/generated/evercross/v1/gateway.ts";
import type { RejectReason } from "../../proto/generated/evercross/v1/types.ts";
import type { FlowAction } from "./action.ts";
import type { Findings } from "./findings.ts";
import { SymbolLedger, type SymbolObserver } from "./symbol-ledger.ts";

/** What happened, by number. Shared by the ledgers of all sessions of a replay. */
export class Tally {
  readonly sent = { new: 0, cancel: 0, replace: 0 };
  answered = 0;
  accepted = 0;
  replaced = 0;
  cancelled = 0;
  fills = 0;
  readonly rejects = new Map<RejectReason, number>();
}

export interface SessionObserver extends SymbolObserver {
  /** The first answer of a request. */
  answered(latencyUs: number): void;
  /**
   * Something was heard of the symbol, after `silenceUs` during which requests waited. `newWriter`: its log has an entry
   * in between that holds no request of ours: another writer's first, or, where others trade it too, somebody else's.
   */
  heard(symbol: string, silenceUs: number, newWriter: boolean, nowUs: number): void;
}

interface SentRequest {
  readonly action: FlowAction;
  readonly atUs: number;
}

/**
 * The books of one session: every request is answered exactly once, every report follows from those before.
 * Pure: the time comes with each call, in microseconds of one clock that never goes back.
 */
export class SessionLedger {
  readonly symbols = new Map<string, SymbolLedger>();
  readonly #unanswered = new Map<number, SentRequest>();
  readonly #exclusive: boolean;
  readonly #tally: Tally;
  readonly #findings: Findings;
  readonly #observer: SessionObserver;

  constructor(exclusive: boolean, tally: Tally, findings: Findings, observer: SessionObserver) {
    this.#exclusive = exclusive;
    this.#tally = tally;
    this.#findings = findings;
    this.#observer = observer;
  }

  get waiting(): number {
    return this.#unanswered.size;
  }

  sent(seq: number, action: FlowAction, nowUs: number): void {
    this.#tally.sent[action.kind]++;
    this.#unanswered.set(seq, { action, atUs: nowUs });
    const symbol = this.#symbol(action.symbol);
    if (symbol.waiting++ === 0) symbol.quietSinceUs = Math.max(symbol.quietSinceUs, nowUs);
  }

  report(report: ExecutionReport, nowUs: number): void {
    const symbol = this.#symbol(report.symbol);
    this.#hear(symbol, report, nowUs);
    if (!symbol.inOrder(report)) return;
    symbol.apply(report, report.seq > 0 ? this.#answer(symbol, report.seq, nowUs) : undefined);
    this.#count(report);
  }

  /** A refusal that is no event: the request is answered all the same. */
  reject(reject: Reject, nowUs: number): void {
    const symbol = this.#symbol(reject.symbol);
    if (this.#answer(symbol, reject.seq, nowUs) === undefined) {
      const what = `request ${reject.seq} was refused, but was answered before or never sent`;
      this.#findings.add("answered_twice", `${reject.symbol}: ${what}`);
    }
    this.#reject(reject.reason);
  }

  /** Nothing more is listened to. `complete`: because nothing more will come, so what is unanswered now is lost. */
  finish(complete: boolean): void {
    for (const symbol of this.symbols.values()) symbol.finish();
    if (!complete) return;
    for (const [seq, { action }] of this.#unanswered) {
      const { kind, symbol, orderId, row } = action;
      this.#findings.add("unanswered", `request ${seq} (row ${row}: ${kind} ${symbol} ${orderId})`);
    }
  }

  #symbol(name: string): SymbolLedger {
    let symbol = this.symbols.get(name);
    if (symbol === undefined) {
      symbol = new SymbolLedger(name, this.#exclusive, this.#findings, this.#observer);
      this.symbols.set(name, symbol);
    }
    return symbol;
  }

  #hear(symbol: SymbolLedger, report: ExecutionReport, nowUs: number): void {
    const newWriter = symbol.lastEntry > 0 && report.entry > symbol.lastEntry + 1;
    const silenceUs = symbol.waiting > 0 ? nowUs - symbol.quietSinceUs : 0;
    symbol.quietSinceUs = nowUs;
    symbol.lastEntry = Math.max(symbol.lastEntry, report.entry);
    this.#observer.heard(report.symbol, silenceUs, newWriter, nowUs);
  }

  #answer(symbol: SymbolLedger, seq: number, nowUs: number): FlowAction | undefined {
    const request = this.#unanswered.get(seq);
    if (request === undefined) return undefined;
    this.#unanswered.delete(seq);
    symbol.waiting--;
    this.#tally.answered++;
    this.#observer.answered(nowUs - request.atUs);
    return request.action;
  }

  #count(report: ExecutionReport): void {
    const tally = this.#tally;
    if (report.kind === ReportKind.ACCEPTED) tally.accepted++;
    else if (report.kind === ReportKind.FILL) tally.fills++;
    else if (report.kind === ReportKind.CANCELLED) tally.cancelled++;
    else if (report.kind === ReportKind.REPLACED) tally.replaced++;
    else if (report.kind === ReportKind.REJECTED) this.#reject(report.rejectReason);
  }

  #reject(reason: RejectReason): void {
    this.#tally.rejects.set(reason, (this.#tally.rejects.get(reason) ?? 0) + 1);
  }
}
