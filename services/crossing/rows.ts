import {
  BlockedRow,
  BookRow,
  LastPriceRow,
  MarkRow,
  NextOrderRow,
  type OrderRow,
  PhaseRow,
  PositionRow,
  ReferencePriceRow,
  TimetableRow,
  UncrossRow,
} from "../../proto/generated/evercross/v1/event.ts";
import { EMPTY_TERMS } from "./order-terms.ts";
import { readOrderValue } from "./order-value.ts";
import { OrderPart, orderIdOf, parseRowKey, type RowKey } from "./row-key.ts";

/**
 * Who takes what the rows say. Orders come in ascending order id; everything else at any time. What a taker does not
 * name is passed over. What has no row is as it is in a new book.
 */
export interface RowTaker {
  /** Put together from all rows of the order: its `terms` hold its trigger price. */
  order?(row: OrderRow): void;
  /** The session's last executed request of the symbol, and its messages in the rate's window. */
  mark?(session: string, row: MarkRow): void;
  nextOrderId?(id: number): void;
  /** Sequence that the next event gets, and the time of the last batch in microseconds since the Unix epoch. */
  book?(nextEvent: number, timeUs: number): void;
  phase?(row: PhaseRow): void;
  lastPrice?(price: number): void;
  referencePrice?(price: number): void;
  uncross?(row: UncrossRow): void;
  position?(account: string, row: PositionRow): void;
  blocked?(account: string): void;
  /** The timetable's last change that was carried out, microseconds since the Unix epoch. */
  timetable?(timeUs: number): void;
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
    const orderId = orderIdOf(key);
    if (orderId !== undefined) return this.#orderRow(orderId, undefined, readOrderValue(value));
    const parsed = parseRowKey(key);
    if (parsed.kind === "order") return this.#orderRow(parsed.orderId, parsed.part, readOrderValue(value));
    this.#handOver();
    this.#other(parsed, value);
  }

  /** All rows were given. */
  end(): void {
    this.#handOver();
  }

  #other(parsed: Exclude<RowKey, { kind: "order" }>, value: Uint8Array): void {
    const taker = this.#taker;
    switch (parsed.kind) {
      case "mark":
        return taker.mark?.(parsed.name, MarkRow.decode(value));
      case "position":
        return taker.position?.(parsed.name, PositionRow.decode(value));
      case "blocked":
        if (BlockedRow.decode(value).blocked) taker.blocked?.(parsed.name);
        return undefined;
      case "next-order":
        return taker.nextOrderId?.(NextOrderRow.decode(value).nextOrderId);
      case "book": {
        const { nextEvent, timeUs } = BookRow.decode(value);
        return taker.book?.(nextEvent, timeUs);
      }
      case "phase":
        return taker.phase?.(PhaseRow.decode(value));
      case "last-price":
        return taker.lastPrice?.(LastPriceRow.decode(value).price);
      case "reference":
        return taker.referencePrice?.(ReferencePriceRow.decode(value).price);
      case "uncross":
        return taker.uncross?.(UncrossRow.decode(value));
      case "timetable":
        return taker.timetable?.(TimetableRow.decode(value).timeUs);
    }
  }

  #handOver(): void {
    if (this.#order !== undefined) this.#taker.order?.(this.#order);
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
    addPart(order, part, row);
  }
}

function addPart(order: OrderRow, part: OrderPart, row: OrderRow): void {
  order.priority = Math.max(order.priority, row.priority);
  switch (part) {
    case OrderPart.PLACED:
      order.price = row.price;
      order.quantity = row.quantity;
      order.leaves = row.leaves;
      order.shown = row.shown;
      return;
    case OrderPart.REDUCED:
      order.quantity = row.quantity;
      order.leaves = row.leaves;
      order.shown = row.shown;
      return;
    case OrderPart.TOTAL:
      order.quantity = row.quantity;
      return;
    case OrderPart.LEAVES:
      // What goes, goes from what is shown first; what is used up comes back by a `PLACED`.
      order.shown = Math.max(0, order.shown - (order.leaves - row.leaves));
      order.leaves = row.leaves;
      return;
    case OrderPart.TRIGGER:
      addTrigger(order, row);
  }
}

/** A trigger price that moved; or, where the row states a type, an order that waits no more. */
function addTrigger(order: OrderRow, row: OrderRow): void {
  const terms = order.terms ?? EMPTY_TERMS;
  if (row.type !== 0) {
    order.type = row.type;
    order.terms = { ...terms, triggerPrice: 0, offset: 0 };
  } else {
    order.terms = { ...terms, triggerPrice: row.triggerPrice };
  }
}
