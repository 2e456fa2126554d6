import * as fc from "fast-check";
import { expect, test } from "vitest";
import { EVENT_WIDTH, EventBuffer, EventField } from "../../engine/event-buffer.ts";
import { InvariantError } from "../../engine/invariant.ts";
import { OrderBook } from "../../engine/order-book.ts";
import { stateHash } from "../../engine/state-hash.ts";
import { EVENT_FIELDS, readEvents } from "./event-objects.ts";
import { COARSE, command, execute, nameOf } from "./flow.ts";

/** Applies all events to an empty book. */
function hashOfReplica(events: EventBuffer): string {
  const replica = new OrderBook(COARSE, new EventBuffer());
  for (let index = 0; index < events.length; index++) replica.applyEvent(events, index);
  replica.finishApply();
  return stateHash(replica, nameOf);
}

test("an event with any of its fields changed is refused, or leads to another state", () => {
  const flows = fc.array(command(COARSE), { minLength: 20, maxLength: 60, size: "max" });
  fc.assert(
    fc.property(
      flows,
      fc.nat(),
      fc.nat(),
      fc.constantFrom(-10, -1, 1, 5, 2 ** 33),
      (commands, which, part, by) => {
        const events = new EventBuffer();
        const book = new OrderBook(COARSE, events);
        for (const one of commands) execute(book, one);
        const index = which % events.length;
        const { kind, fields } = readEvents(events)[index]!;
        // Of no consequence to the book: reasons, the count that a mass cancel tells, who was refused what, and of an
        // order that did not come to rest its kind and how far its limit would have reached.
        const told = new Set(["REASON", "CANCELLED"]);
        if (kind === "REJECTED" || kind === "MASS_CANCELLED") told.add("ACCOUNT").add("CLIENT_ORDER_ID");
        if (kind === "ACCEPTED" && fields.RESTING === 0) told.add("PRICE").add("TYPE").add("TIME_IN_FORCE");
        if (kind === "REPLACED" && fields.RESTING === 0) told.add("PRICE");
        const names = EVENT_FIELDS[kind].filter((name) => !told.has(name));
        const at = index * EVENT_WIDTH + EventField[names[part % names.length]!];
        events.values[at]! += by;
        let hash: string | undefined;
        try {
          hash = hashOfReplica(events);
        } catch (error) {
          expect(error).toBeInstanceOf(InvariantError);
        }
        expect(hash).not.toBe(stateHash(book, nameOf));
      },
    ),
    { numRuns: 1500 },
  );
});

test("a missing, a doubled or a swapped event is refused by its number", () => {
  const events = new EventBuffer();
  const book = new OrderBook(COARSE, events);
  for (let id = 1; id <= 3; id++) book.newOrder(1, id, 1, 1, 1, 100, 10);
  for (const order of [[0, 2], [0, 0], [1]]) {
    const replica = new OrderBook(COARSE, new EventBuffer());
    expect(() => order.forEach((index) => replica.applyEvent(events, index))).toThrow(
      /ACCEPTED \d contradicts it: the book stands before event/,
    );
  }
  expect(() => new OrderBook(COARSE, new EventBuffer()).applyEvent(events, 3)).toThrow("buffer that holds 3");
});

test("a request whose fills are missing is refused at its end", () => {
  const events = new EventBuffer();
  const book = new OrderBook(COARSE, events);
  book.newOrder(1, 1, 1, 1, 1, 100, 10);
  book.newOrder(2, 1, 2, 1, 1, 100, 30);
  const replica = new OrderBook(COARSE, new EventBuffer());
  replica.applyEvent(events, 0);
  replica.applyEvent(events, 1);
  expect(() => replica.finishApply()).toThrow(
    "order 2 was left with 30 by its fills although its event says that 20 rest",
  );
});
