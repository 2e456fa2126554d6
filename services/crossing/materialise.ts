import type { RowChange } from "../../runtime/job/definition.ts";
import { OrderTerms } from "../../proto/generated/evercross/v1/event.ts";
import { EventReason, OrderType } from "../../proto/generated/evercross/v1/types.ts";
import { BatchState } from "./batch-state.ts";
import { MessageScan } from "./message-scan.ts";
import { orderValue, partValue, type SpecialValue, triggerValue, typeValue } from "./order-value.ts";
import { OrderPart, orderKey } from "./row-key.ts";

/** Field numbers of event.proto; a test holds what is read by them against the generated code. */
const Batch = { FIRST_EVENT: 1, TIME_US: 2, SESSIONS: 3, STEPS: 4 } as const;
const Step = { SESSION: 1, SEQ: 2, EVENTS: 3, MESSAGES: 4, TIMETABLE_US: 5 } as const;
const Kind = {
  ACCEPTED: 1,
  TRADE: 3,
  CANCELLED: 4,
  REPLACED: 5,
  ENTERED: 7,
  REFRESHED: 8,
  TRIGGER_MOVED: 9,
  DECREMENTED: 10,
} as const;

const ORDER_PARTS: Uint8Array = Uint8Array.from(Object.values(OrderPart));

function field(values: Float64Array, number: number): number {
  return values[number] as number;
}

/** What of an entry's payload bears on rows, read in one pass. */
class BatchRows {
  readonly changes: RowChange[] = [];
  readonly #scan: MessageScan;
  readonly #sessions: string[] = [];
  readonly #state = new BatchState();
  #event = 0;
  /** The order that came in last, and what its event says that lives of it. */
  #incoming = 0;
  #resting = 0;

  constructor(payload: Uint8Array) {
    this.#scan = new MessageScan(payload);
    const steps = this.#head(payload);
    for (let i = 0; i < steps.length; i += 2) {
      this.#scan.within(steps[i] as number, steps[i + 1] as number);
      this.#step();
    }
    this.#state.changes(this.#event, (index) => this.#session(index), this.changes);
  }

  /** All but the steps, which may stand anywhere; gives where each of them begins and ends. */
  #head(payload: Uint8Array): number[] {
    const text = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
    const steps: number[] = [];
    const scan = this.#scan;
    for (let number = scan.next(); number !== 0; number = scan.next()) {
      if (number === Batch.FIRST_EVENT) this.#event = scan.varint();
      else if (number === Batch.TIME_US) this.#state.timeUs = scan.varint();
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
    let messages = 0;
    let timetableUs = 0;
    for (let number = scan.next(); number !== 0; number = scan.next()) {
      if (number === Step.SESSION) session = scan.varint();
      else if (number === Step.SEQ) seq = scan.varint();
      else if (number === Step.MESSAGES) messages = scan.varint();
      else if (number === Step.TIMETABLE_US) timetableUs = scan.varint();
      else if (number === Step.EVENTS) {
        const outer = scan.enter();
        this.#anyEvent(session);
        scan.leave(outer);
        this.#event += 1;
      } else scan.skip();
    }
    this.#state.step(session, seq, messages, timetableUs);
  }

  #anyEvent(session: number): void {
    const scan = this.#scan;
    for (let kind = scan.next(); kind !== 0; kind = scan.next()) {
      const outer = scan.enter();
      if (kind === Kind.ACCEPTED) this.#accepted(scan.flat(), session);
      else if (kind === Kind.TRADE) this.#trade(scan.flat());
      else if (kind === Kind.CANCELLED) this.#cancelled(scan.flat());
      else if (kind === Kind.REPLACED) this.#replaced(scan.flat());
      else if (kind === Kind.ENTERED) this.#entered(scan.flat());
      else if (kind === Kind.REFRESHED) this.#refreshed(scan.flat());
      else if (kind === Kind.TRIGGER_MOVED) this.#triggerMoved(scan.flat());
      else if (kind === Kind.DECREMENTED) this.#decremented(scan.flat());
      else this.#state.event(kind, scan);
      scan.leave(outer);
    }
  }

  #accepted(values: Float64Array, session: number): void {
    const orderId = field(values, 1);
    const leaves = field(values, 8);
    this.#state.nextOrderId = orderId + 1;
    this.#begins(orderId, leaves);
    if (leaves === 0) return;
    const special = this.#scan.nested === 0 ? undefined : this.#special(this.#scan.bytes());
    const value = orderValue(
      {
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
        shown: field(values, 9),
      },
      special,
    );
    this.changes.push({ key: orderKey(orderId), value, fresh: true });
  }

  /** Further terms as a row holds them: the minimum is forgotten, the account is named. */
  #special(bytes: Uint8Array): SpecialValue {
    let terms: OrderTerms;
    try {
      terms = OrderTerms.decode(bytes);
    } catch (error) {
      throw new RangeError(`no terms that can be read: ${String(error)}`, { cause: error });
    }
    const account = terms.account === undefined ? "" : this.#session(terms.account);
    return { terms: { ...terms, minQuantity: 0, account: undefined }, account };
  }

  #trade(values: Float64Array): void {
    this.#state.lastPrice = field(values, 1);
    this.#filled(field(values, 7), field(values, 10));
    // In continuous trading the taker's own event has said what lives of it.
    if (field(values, 14) === EventReason.AUCTION_FILL) this.#filled(field(values, 4), field(values, 6));
  }

  #filled(orderId: number, leaves: number): void {
    if (leaves === 0) this.#ended(orderId);
    else this.#part(orderId, OrderPart.LEAVES, partValue(0, 0, leaves, 0, 0));
  }

  #cancelled(values: Float64Array): void {
    if (field(values, 7) > 0) this.#ended(field(values, 1));
  }

  #replaced(values: Float64Array): void {
    const orderId = field(values, 1);
    const quantity = field(values, 7);
    const leaves = field(values, 9);
    const shown = field(values, 11);
    this.#begins(orderId, leaves);
    if (leaves === 0) this.#ended(orderId);
    else if (field(values, 10) === 1) this.#reduced(orderId, quantity, leaves, shown);
    else this.#placed(orderId, field(values, 6), quantity, leaves, shown);
  }

  #entered(values: Float64Array): void {
    const orderId = field(values, 1);
    const quantity = field(values, 7);
    const leaves = field(values, 9);
    const shown = field(values, 10);
    this.#begins(orderId, leaves);
    if (leaves === 0) return this.#ended(orderId);
    // A pegged order keeps its own limit and its place; what it traded up to is not its own.
    if (field(values, 5) === OrderType.PEGGED) return this.#reduced(orderId, quantity, leaves, shown);
    if (field(values, 11) === EventReason.ALL_OR_NONE_MATCHED)
      return this.#reduced(orderId, quantity, leaves, shown);
    this.#placed(orderId, field(values, 6), quantity, leaves, shown);
    this.#part(orderId, OrderPart.TRIGGER, typeValue(field(values, 5)));
  }

  #refreshed(values: Float64Array): void {
    this.#placed(field(values, 1), field(values, 5), field(values, 6), field(values, 7), field(values, 8));
  }

  #triggerMoved(values: Float64Array): void {
    this.#part(field(values, 1), OrderPart.TRIGGER, triggerValue(field(values, 5), this.#event));
  }

  #decremented(values: Float64Array): void {
    const orderId = field(values, 1);
    const resting = field(values, 9) > 0;
    // Of an order that comes in and does not live on there is no row.
    if (!resting && (orderId !== this.#incoming || this.#resting === 0)) return;
    this.#part(orderId, OrderPart.TOTAL, partValue(0, field(values, 7), 0, 0, 0));
    if (resting) this.#part(orderId, OrderPart.LEAVES, partValue(0, 0, field(values, 8), 0, 0));
  }

  #begins(orderId: number, resting: number): void {
    this.#incoming = orderId;
    this.#resting = resting;
  }

  #placed(orderId: number, price: number, quantity: number, leaves: number, shown: number): void {
    this.#part(orderId, OrderPart.PLACED, partValue(price, quantity, leaves, this.#event, shown));
    this.#removed(orderId, OrderPart.REDUCED);
    this.#removed(orderId, OrderPart.TOTAL);
    this.#removed(orderId, OrderPart.LEAVES);
  }

  #reduced(orderId: number, quantity: number, leaves: number, shown: number): void {
    this.#part(orderId, OrderPart.REDUCED, partValue(0, quantity, leaves, 0, shown));
    this.#removed(orderId, OrderPart.TOTAL);
    this.#removed(orderId, OrderPart.LEAVES);
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

  #session(index: number): string {
    const name = this.#sessions[index];
    if (name === undefined) {
      throw new RangeError(`a batch speaks of session ${index}, it names ${this.#sessions.length}`);
    }
    return name;
  }
}

/**
 * The row changes of one `EventBatch`, in the order in which they apply. An order has a row while it lives; a rejected
 * one, and one that was filled at once, never has. Throws `RangeError` when the payload is not an event batch.
 */
export function materialise(payload: Uint8Array): RowChange[] {
  return new BatchRows(payload).changes;
}
