import { BookRow, MarkRow, NextOrderRow, type OrderRow } from "../../proto/generated/evercross/v1/event.ts";
import { readOrderValue } from "./order-value.ts";
import { OrderPart, parseRowKey } from "./row-key.ts";

/** Who takes what the rows say. Orders come in ascending order id; everything else at any time. */
export interface RowTaker {
  order(row: OrderRow): void;
  /** The session's last executed request of the symbol. */
  mark(session: string, seq: number): void;
  nextOrderId(id: number): void;
  /** Sequence that the next event gets, and the time of the last batch in microseconds since the Unix epoch. */
  book(nextEvent: number, timeUs: number): void;
}

/**
 * Decodes the rows of a crossing job, given in ascending order of key, and puts together the rows that one order may
 * have. A job without rows is a new one: its first event and its first order id are 1.
 *
 * Throws `RangeError` on a row that `materialise` does not make, and on a part of an order that has no row.
 */
export class RowDecoder {
  readonly #taker: RowTaker;
  /** The order whose parts may still come. */
  #order: OrderRow | undefined;

  constructor(taker: RowTaker) {
    this.#taker = taker;
  }

  row(key: Uint8Array, value: Uint8Array): void {
    const parsed = parseRowKey(key);
    if (parsed.kind === "order") return this.#orderRow(parsed.orderId, parsed.part, readOrderValue(value));
    this.#handOver();
    if (parsed.kind === "mark") this.#taker.mark(parsed.session, MarkRow.decode(value).seq);
    else if (parsed.kind === "next-order") this.#taker.nextOrderId(NextOrderRow.decode(value).nextOrderId);
    else {
      const { nextEvent, timeUs } = BookRow.decode(value);
      this.#taker.book(nextEvent, timeUs);
    }
  }

  /** All rows were given. */
  end(): void {
    this.#handOver();
  }

  #handOver(): void {
    if (this.#order !== undefined) this.#taker.order(this.#order);
    this.#order = undefined;
  }

  #orderRow(orderId: number, part: OrderPart | undefined, row: OrderRow): void {
    if (part === undefined) {
      this.#handOver();
      if (row.orderId !== orderId) {
        throw new RangeError(`the row of order ${orderId} holds order ${row.orderId}`);
      }
      this.#order = row;
      return;
    }
    const order = this.#order;
    if (order?.orderId !== orderId) {
      throw new RangeError(`row part ${part} of order ${orderId} stands without the order's row`);
    }
    order.leaves = row.leaves;
    if (part === OrderPart.LEAVES) return;
    order.quantity = row.quantity;
    if (part === OrderPart.REDUCED) return;
    order.price = row.price;
    order.priority = row.priority;
  }
}
