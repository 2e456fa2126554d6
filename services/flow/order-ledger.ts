import { type ExecutionReport, ReportKind } from "../../proto/generated/evercross/v1/gateway.ts";
import { Side } from "../../proto/generated/evercross/v1/types.ts";
import type { NewAction } from "./action.ts";
import type { Findings } from "./findings.ts";
import { PriceLevels } from "./price-levels.ts";
import { codeName } from "../../runtime/code-name.ts";

interface LiveOrder {
  readonly side: Side;
  price: number;
  /** Total, what was executed included. */
  quantity: number;
  leaves: number;
}

/** Quantity of all orders together: each is below 2^53, their sums need not be. */
export interface LedgerTotals {
  /** Accepted, as replaced last. */
  readonly accepted: bigint;
  readonly bought: bigint;
  readonly sold: bigint;
  readonly cancelled: bigint;
  /** Still open. */
  readonly live: bigint;
}

/**
 * The live orders of one symbol as the execution reports tell of them, each report checked against those before.
 * Quantity is conserved in it by construction: what an order has open is what it had minus what was executed.
 */
export class OrderLedger {
  readonly #symbol: string;
  readonly #findings: Findings;
  readonly #orders = new Map<number, LiveOrder>();
  /** Ended orders by id; undefined when every order is known, so that what is not live has ended or never was. */
  readonly #ended: Set<number> | undefined;
  readonly #totals = { accepted: 0n, bought: 0n, sold: 0n, cancelled: 0n };

  /** `exclusive`: every order of the session in the symbol is told to this ledger; none is from an earlier process. */
  constructor(symbol: string, exclusive: boolean, findings: Findings) {
    this.#symbol = symbol;
    this.#ended = exclusive ? undefined : new Set();
    this.#findings = findings;
  }

  /** Orders that were accepted and have not ended. */
  get live(): number {
    return this.#orders.size;
  }

  totals(): LedgerTotals {
    let live = 0n;
    for (const { leaves } of this.#orders.values()) live += BigInt(leaves);
    return { ...this.#totals, live };
  }

  /** What rests in the book, if these are its only orders. */
  levels(): PriceLevels {
    const levels = new PriceLevels();
    for (const { side, price, leaves } of this.#orders.values()) {
      levels.set(side, price, levels.get(side, price) + leaves);
    }
    return levels;
  }

  accepted(report: ExecutionReport, action: NewAction | undefined): void {
    const { clientOrderId, side, price, quantity, leaves } = report;
    if (this.#orders.has(clientOrderId)) this.#add("answered_twice", report, "is live already");
    if (
      action !== undefined &&
      (action.orderId !== clientOrderId ||
        action.side !== side ||
        action.price !== price ||
        action.quantity !== quantity)
    ) {
      this.#add(
        "wrong_terms",
        report,
        `was asked as order ${action.orderId}, ${action.quantity} at ${action.price}`,
      );
    }
    if (leaves !== quantity)
      this.#add("wrong_leaves", report, `of ${quantity}, ${leaves} open on acceptance`);
    this.#orders.set(clientOrderId, { side, price, quantity, leaves });
    this.#ended?.delete(clientOrderId);
    this.#totals.accepted += BigInt(quantity);
  }

  filled(report: ExecutionReport): void {
    const order = this.#find(report);
    if (order === undefined) return;
    if (report.lastQuantity > order.leaves) {
      this.#add("overfilled", report, `${report.lastQuantity} executed of ${order.leaves} open`);
    }
    if (report.leaves !== order.leaves - report.lastQuantity) {
      const { leaves, lastQuantity } = report;
      this.#add(
        "wrong_leaves",
        report,
        `${order.leaves} open, ${lastQuantity} executed, ${leaves} said to be left`,
      );
    }
    if (report.side !== order.side) this.#add("wrong_terms", report, "filled on the other side");
    const better =
      order.side === Side.BUY ? report.lastPrice <= order.price : report.lastPrice >= order.price;
    if (order.price !== 0 && !better) {
      this.#add("wrong_terms", report, `executed at ${report.lastPrice}, beyond its limit ${order.price}`);
    }
    order.leaves -= report.lastQuantity;
    this.#totals[order.side === Side.BUY ? "bought" : "sold"] += BigInt(report.lastQuantity);
    if (order.leaves <= 0) this.#end(report.clientOrderId);
  }

  cancelled(report: ExecutionReport): void {
    const order = this.#find(report);
    if (order === undefined) return;
    if (report.quantity !== order.leaves) {
      this.#add("wrong_leaves", report, `${report.quantity} cancelled of ${order.leaves} open`);
    }
    this.#end(report.clientOrderId);
    this.#totals.cancelled += BigInt(report.quantity);
  }

  replaced(report: ExecutionReport): void {
    const order = this.#find(report);
    if (order === undefined) return;
    const executed = order.quantity - order.leaves;
    if (report.leaves !== report.quantity - executed) {
      this.#add(
        "wrong_leaves",
        report,
        `${executed} executed of ${report.quantity}, ${report.leaves} said to be open`,
      );
    }
    this.#totals.accepted += BigInt(report.quantity - order.quantity);
    order.price = report.price;
    order.quantity = report.quantity;
    order.leaves = report.leaves;
  }

  /** Self-trade prevention took a part of it: that counts as cancelled. */
  decremented(report: ExecutionReport): void {
    const order = this.#find(report);
    if (order === undefined) return;
    const by = order.quantity - report.quantity;
    if (by < 1 || report.leaves !== order.leaves - by) {
      const { quantity, leaves } = report;
      this.#add(
        "wrong_leaves",
        report,
        `${order.leaves} open of ${order.quantity}, now ${leaves} of ${quantity}`,
      );
    }
    this.#totals.cancelled += BigInt(by);
    order.quantity = report.quantity;
    order.leaves = report.leaves;
  }

  #end(clientOrderId: number): void {
    this.#orders.delete(clientOrderId);
    this.#ended?.add(clientOrderId);
  }

  #find(report: ExecutionReport): LiveOrder | undefined {
    const order = this.#orders.get(report.clientOrderId);
    const isEarlier = this.#ended?.has(report.clientOrderId) === false;
    if (order === undefined && !isEarlier) this.#add("order_not_live", report, "is not live");
    return order;
  }

  #add(
    code: "answered_twice" | "wrong_terms" | "wrong_leaves" | "overfilled" | "order_not_live",
    report: ExecutionReport,
    what: string,
  ): void {
    const kind = codeName(ReportKind, report.kind);
    this.#findings.add(
      code,
      `${this.#symbol} event ${report.event} (${kind}): order ${report.clientOrderId} ${what}`,
    );
  }
}
