import type { BookCore } from "./book-core.ts";
import { EventField, EventKind } from "./event-fields.ts";
import { broken } from "./invariant.ts";

const F = EventField;

/** The event at hand of those that a book is to follow, and what is said when it does not follow from the book. */
export class AppliedEvent {
  values: Float64Array = new Float64Array(0);
  base = 0;
  private readonly core: BookCore;

  constructor(core: BookCore) {
    this.core = core;
  }

  set(values: Float64Array, base: number): void {
    this.values = values;
    this.base = base;
  }

  /** A field by its `EventField`. */
  of(field: number): number {
    return this.values[this.base + field]!;
  }

  /** The live order that the event names. */
  order(account: number, clientOrderIdField: number, orderIdField: number): number {
    const clientOrderId = this.of(clientOrderIdField);
    const orderId = this.of(orderIdField);
    const handle = this.core.resting.find(account, clientOrderId);
    if (handle === 0 || this.core.resting.orders.orderId(handle) !== orderId) {
      this.contradicts(
        `order ${orderId} (client order id ${clientOrderId} of account ${account}) is not live`,
      );
    }
    return handle;
  }

  /** Of the event's order: side, own price and what its QUANTITY is. */
  expectOfOrder(order: number, quantity: number): void {
    const { resting } = this.core;
    this.expect("side", this.of(F.SIDE), resting.sideOf(order));
    this.expect("price", this.of(F.PRICE), resting.ownPrice(order));
    this.expect("quantity", this.of(F.QUANTITY), quantity);
  }

  expect(what: string, said: number, is: number): void {
    if (said !== is) this.contradicts(`its ${what} is ${said}, the book says ${is}`);
  }

  contradicts(why: string): never {
    const kind = Object.entries(EventKind).find((entry) => entry[1] === this.of(F.KIND))?.[0] ?? "event";
    return broken(
      `book ${this.core.instrument.symbol}: ${kind} ${this.of(F.SEQUENCE)} contradicts it: ${why}`,
    );
  }
}
