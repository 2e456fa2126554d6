import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { OrderType, Side, TimeInForce } from "../../engine/codes.ts";
import { EventBuffer } from "../../engine/event-buffer.ts";
import { OrderBook } from "../../engine/order-book.ts";
import { OrderEntry } from "../../engine/order-entry.ts";
import { readEvents } from "./event-objects.ts";
import { WIDE } from "./setups.ts";

/** A book and the ids, in their order, of what ends by `advance`. */
class Calendar {
  readonly book: OrderBook;
  private readonly out = new EventBuffer();
  private readonly entry = new OrderEntry();

  constructor() {
    this.book = new OrderBook(WIDE, this.out);
  }

  enter(id: number, expiry: number): void {
    const { DAY, GOOD_TILL_DATE } = TimeInForce;
    this.entry.plain(id, Side.BUY, OrderType.LIMIT, expiry === 0 ? DAY : GOOD_TILL_DATE, 1 + (id % 7), 1);
    this.entry.expiry = expiry;
    this.book.enter(1, this.entry);
  }

  advance(now: number): number[] {
    this.out.clear();
    this.book.advance(now);
    return readEvents(this.out).map(({ fields }) => fields.CLIENT_ORDER_ID as number);
  }
}

describe("orders with an expiry", () => {
  test("end in the order of expiry, then of entry, whatever else ended before", () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant("enter" as const), after: fc.integer({ min: 0, max: 30 }) }),
      fc.record({ do: fc.constant("cancel" as const), which: fc.nat() }),
      fc.record({ do: fc.constant("advance" as const), by: fc.integer({ min: 0, max: 10 }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200, size: "max" }), (steps) => {
        const calendar = new Calendar();
        let live: { readonly id: number; readonly expiry: number }[] = [];
        let now = 1;
        steps.forEach((one, index) => {
          if (one.do === "enter") {
            const expiry = one.after === 0 ? 0 : now + one.after;
            calendar.enter(index + 1, expiry);
            live.push({ id: index + 1, expiry });
          } else if (one.do === "cancel") {
            const gone = live[one.which % Math.max(1, live.length)];
            if (gone !== undefined) calendar.book.cancel(1, gone.id);
            live = live.filter((order) => order !== gone);
          } else {
            now += one.by;
            const due = live.filter(({ expiry }) => expiry !== 0 && expiry <= now);
            due.sort((a, b) => a.expiry - b.expiry || a.id - b.id);
            live = live.filter((order) => !due.includes(order));
            expect(calendar.advance(now)).toEqual(due.map(({ id }) => id));
          }
          const next = Math.min(...live.filter(({ expiry }) => expiry !== 0).map(({ expiry }) => expiry));
          expect(calendar.book.due).toBe(next);
          expect(calendar.book.liveOrders).toBe(live.length);
        });
      }),
      { numRuns: 200 },
    );
  });

  test("are forgotten when they end otherwise, however many come and go", () => {
    const calendar = new Calendar();
    calendar.advance(1);
    for (let id = 1; id <= 5000; id++) {
      calendar.enter(id, 1_000_000 - id);
      if (id > 3) calendar.book.cancel(1, id - 3);
    }
    expect(calendar.book.due).toBe(1_000_000 - 5000);
    expect(calendar.advance(2_000_000)).toEqual([5000, 4999, 4998]);
    expect(calendar.book.due).toBe(Infinity);
  });

  test("may expire at the last microsecond that there is", () => {
    const calendar = new Calendar();
    calendar.enter(1, Number.MAX_SAFE_INTEGER);
    expect(calendar.advance(Number.MAX_SAFE_INTEGER - 1)).toEqual([]);
    expect(calendar.advance(Number.MAX_SAFE_INTEGER)).toEqual([1]);
  });
});
