import type { RowChange } from "../../runtime/job/definition.ts";
import { BookRow, MarkRow, NextOrderRow } from "../../proto/generated/evercross/v1/event.ts";
import { MessageScan } from "./message-scan.ts";
import { orderValue, partValue } from "./order-value.ts";
import { BOOK_KEY, markKey, NEXT_ORDER_KEY, OrderPart, orderKey } from "./row-key.ts";

/** Field numbers of event.proto; a test holds what is read by them against the generated code. */
const Batch = { FIRST_EVENT: 1, TIME_US: 2, SESSIONS: 3, STEPS: 4 } as const;
const Step = { SESSION: 1, SEQ: 2, EVENTS: 3 } as const;
const Kind = { ACCEPTED: 1, TRADE: 3, CANCELLED: 4, REPLACED: 5 } as const;

const ORDER_PARTS: Uint8Array = Uint8Array.of(OrderPart.TERMS, OrderPart.REDUCED, OrderPart.LEAVES);

function field(values: Float64Array, number: number): number {
  return values[number] as number;
}

/** What of an entry's payload bears on rows, read in one pass. */
class BatchRows {
  readonly changes: RowChange[] = [];
  readonly #scan: MessageScan;
  readonly #sessions: string[] = [];
  readonly #marks = new Map<number, number>();
  #event = 0;
  #timeUs = 0;
  #nextOrderId = 0;

  constructor(payload: Uint8Array) {
    this.#scan = new MessageScan(payload);
    const steps = this.#head(payload);
    for (let i = 0; i < steps.length; i += 2) {
      this.#scan.within(steps[i] as number, steps[i + 1] as number);
      this.#step();
    }
    this.#scalars();
  }

  /** All but the steps, which may stand anywhere; gives where each of them begins and ends. */
  #head(payload: Uint8Array): number[] {
    const text = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
    const steps: number[] = [];
    const scan = this.#scan;
    for (let number = scan.next(); number !== 0; number = scan.next()) {
      if (number === Batch.FIRST_EVENT) this.#event = scan.varint();
      else if (number === Batch.TIME_US) this.#timeUs = scan.varint();
      else if (number === Batch.SESSIONS || number === Batch.STEPS) {
        const outer = scan.enter();
        const start = scan.position;
        scan.leave(outer);
        if (number === Batch.STEPS) steps.push(start, scan.position);
        else this.#sessions.push(text.toString("utf8", start, scan.position));
      } else scan.skip();
    }
    return steps;
  }

  #step(): void {
    const scan = this.#scan;
    let session = 0;
    let seq = 0;
    for (let number = scan.next(); number !== 0; number = scan.next()) {
      if (number === Step.SESSION) session = scan.varint();
      else if (number === Step.SEQ) seq = scan.varint();
      else if (number === Step.EVENTS) {
        const outer = scan.enter();
        this.#anyEvent(session);
        scan.leave(outer);
        this.#event += 1;
      } else scan.skip();
    }
    this.#marks.set(session, seq);
  }

  #anyEvent(session: number): void {
    const scan = this.#scan;
    for (let kind = scan.next(); kind !== 0; kind = scan.next()) {
      const outer = scan.enter();
      if (kind === Kind.ACCEPTED) this.#accepted(scan.flat(), session);
      else if (kind === Kind.TRADE) this.#trade(scan.flat());
      else if (kind === Kind.CANCELLED) this.#cancelled(scan.flat());
      else if (kind === Kind.REPLACED) this.#replaced(scan.flat());
      scan.leave(outer);
    }
  }

  #accepted(values: Float64Array, session: number): void {
    const orderId = field(values, 1);
    const leaves = field(values, 8);
    this.#nextOrderId = orderId + 1;
    if (leaves === 0) return;
    const value = orderValue({
      orderId,
      session: this.#session(session),
      clientOrderId: field(values, 2),
      side: field(values, 3),
      type: field(values, 4),
      timeInForce: field(values, 5),
      price: field(values, 6),
      quantity: field(values, 7),
      leaves,
      priority: this.#event,
    });
    this.changes.push({ key: orderKey(orderId), value, fresh: true });
  }

  #trade(values: Float64Array): void {
    const makerId = field(values, 7);
    const makerLeaves = field(values, 10);
    if (makerLeaves === 0) this.#ended(makerId);
    else this.#part(makerId, OrderPart.LEAVES, partValue(0, 0, makerLeaves, 0));
  }

  #cancelled(values: Float64Array): void {
    if (field(values, 7) > 0) this.#ended(field(values, 1));
  }

  #replaced(values: Float64Array): void {
    const orderId = field(values, 1);
    const quantity = field(values, 7);
    const leaves = field(values, 9);
    if (leaves === 0) {
      this.#ended(orderId);
    } else if (field(values, 10) === 1) {
      this.#part(orderId, OrderPart.REDUCED, partValue(0, quantity, leaves, 0));
      this.#removed(orderId, OrderPart.LEAVES);
    } else {
      const price = field(values, 6);
      this.#part(orderId, OrderPart.TERMS, partValue(price, quantity, leaves, this.#event));
      this.#removed(orderId, OrderPart.REDUCED);
      this.#removed(orderId, OrderPart.LEAVES);
    }
  }

  #part(orderId: number, part: OrderPart, value: Uint8Array): void {
    this.changes.push({ key: orderKey(orderId, part), value, owner: orderKey(orderId) });
  }

  #removed(orderId: number, part: OrderPart): void {
    this.changes.push({ key: orderKey(orderId, part), value: undefined, owner: orderKey(orderId) });
  }

  #ended(orderId: number): void {
    this.changes.push({ key: orderKey(orderId), value: undefined, parts: ORDER_PARTS });
  }

  #scalars(): void {
    const { changes } = this;
    for (const [session, seq] of this.#marks) {
      changes.push({ key: markKey(this.#session(session)), value: MarkRow.encode({ seq }).finish() });
    }
    if (this.#nextOrderId > 0) {
      const value = NextOrderRow.encode({ nextOrderId: this.#nextOrderId }).finish();
      changes.push({ key: NEXT_ORDER_KEY, value });
    }
    const book = { nextEvent: this.#event, timeUs: this.#timeUs };
    changes.push({ key: BOOK_KEY, value: BookRow.encode(book).finish() });
  }

  #session(index: number): string {
    const name = this.#sessions[index];
    if (name === undefined) {
      throw new RangeError(`a batch speaks of session ${index}, it names ${this.#sessions.length}`);
    }
    return name;
  }
}

/**
 * The row changes of one `EventBatch`, in the order in which they apply. An order has a row while it rests; a rejected
 * one, and one that was filled at once, never has. Throws `RangeError` when the payload is not an event batch.
 */
export function materialise(payload: Uint8Array): RowChange[] {
  return new BatchRows(payload).changes;
}
