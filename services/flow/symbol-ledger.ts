import { type ExecutionReport, ReportKind } from "../../proto/generated/evercross/v1/gateway.ts";
import { Side } from "../../proto/generated/evercross/v1/types.ts";
import type { FlowAction } from "./action.ts";
import type { FlowTrade } from "./expected.ts";
import type { Findings } from "./findings.ts";
import { OrderLedger } from "./order-ledger.ts";

/** What a ledger tells of, as it happens. */
export interface SymbolObserver {
  /** The request of `row` caused `event`. */
  caused(symbol: string, row: number, event: number): void;
  /** Both sides of it were reported. */
  traded(symbol: string, trade: FlowTrade): void;
}

/** A request that was answered last: the events of a request lie together. */
interface Current {
  readonly seq: number;
  readonly row: number;
}

/**
 * One symbol as one session hears of it: the order of its events, the pairs of fills that are trades, its orders.
 * `exclusive`: nobody else trades the symbol and its book began empty, so that every event must be heard of.
 */
export class SymbolLedger {
  readonly orders: OrderLedger;
  lastEvent = 0;
  lastEntry = 0;
  /** Pairs of fills, and fills of which the other side belongs to somebody else. */
  trades = 0;
  /** Requests sent and unanswered. */
  waiting = 0;
  /** When something was last heard of the symbol or, later, when a request began to wait. */
  quietSinceUs = 0;
  readonly #symbol: string;
  readonly #exclusive: boolean;
  readonly #findings: Findings;
  readonly #observer: SymbolObserver;
  #current: Current | undefined;
  /** The last fill, when its other side has not been heard of. */
  #half: ExecutionReport | undefined;

  constructor(symbol: string, exclusive: boolean, findings: Findings, observer: SymbolObserver) {
    this.orders = new OrderLedger(symbol, exclusive, findings);
    this.#symbol = symbol;
    this.#exclusive = exclusive;
    this.#findings = findings;
    this.#observer = observer;
  }

  /** False: the report is a repetition and must not count again. */
  inOrder(report: ExecutionReport): boolean {
    const half = this.#half;
    if (report.event === this.lastEvent && report.kind === ReportKind.FILL && half !== undefined) {
      if (half.maker !== report.maker) return true;
    }
    if (report.event <= this.lastEvent) {
      this.#findings.add(
        "event_repeated",
        `${this.#symbol}: event ${report.event} after event ${this.lastEvent}`,
      );
      return false;
    }
    this.#endHalf();
    const missing = report.event - this.lastEvent - 1;
    if (this.#exclusive && missing > 0) {
      const first = this.lastEvent + 1;
      const range = missing === 1 ? `${first}` : `${first} to ${report.event - 1}`;
      this.#findings.add("event_missing", `${this.#symbol}: no report of event ${range}`, missing);
    }
    this.lastEvent = report.event;
    return true;
  }

  /** `answered`: the request that this report is the first to answer. */
  apply(report: ExecutionReport, answered: FlowAction | undefined): void {
    if (answered !== undefined) this.#current = { seq: report.seq, row: answered.row };
    if (report.seq > 0) this.#cause(report);
    switch (report.kind) {
      case ReportKind.ACCEPTED:
        this.orders.accepted(report, answered?.kind === "new" ? answered : undefined);
        break;
      case ReportKind.FILL:
        this.#fill(report);
        break;
      case ReportKind.CANCELLED:
        this.orders.cancelled(report);
        break;
      case ReportKind.REPLACED:
        this.orders.replaced(report);
        break;
      case ReportKind.DECREMENTED:
        this.orders.decremented(report);
        break;
      default:
    }
  }

  /** No report will come any more. */
  finish(): void {
    this.#endHalf();
  }

  #cause(report: ExecutionReport): void {
    if (this.#current?.seq === report.seq) {
      this.#observer.caused(this.#symbol, this.#current.row, report.event);
    } else {
      const what = `event ${report.event} answers request ${report.seq}, which was answered before or never sent`;
      this.#findings.add("answered_twice", `${this.#symbol}: ${what}`);
    }
  }

  #fill(report: ExecutionReport): void {
    this.orders.filled(report);
    const half = this.#half;
    if (half === undefined) {
      this.#half = report;
      return;
    }
    this.#half = undefined;
    this.trades++;
    const [maker, taker] = half.maker ? [half, report] : [report, half];
    const agree =
      maker.lastPrice === taker.lastPrice &&
      maker.lastQuantity === taker.lastQuantity &&
      maker.side !== taker.side;
    if (!agree)
      this.#findings.add("wrong_terms", `${this.#symbol}: the sides of event ${report.event} disagree`);
    const takerBuys = taker.side === Side.BUY;
    this.#observer.traded(this.#symbol, {
      row: this.#current?.row ?? -1,
      buyId: takerBuys ? taker.clientOrderId : maker.clientOrderId,
      sellId: takerBuys ? maker.clientOrderId : taker.clientOrderId,
      price: taker.lastPrice,
      quantity: taker.lastQuantity,
      taker: taker.side,
    });
  }

  #endHalf(): void {
    const half = this.#half;
    if (half === undefined) return;
    this.#half = undefined;
    this.trades++;
    if (!this.#exclusive) return;
    const side = half.maker ? "maker's" : "taker's";
    this.#findings.add(
      "half_trade",
      `${this.#symbol}: of event ${half.event} only the ${side} side was reported`,
    );
  }
}
