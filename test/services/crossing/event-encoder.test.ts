import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { EVENT_WIDTH, EventBuffer, EventField, EventKind, OrderBook } from "../../../engine/index.ts";
import { Event } from "../../../proto/generated/evercross/v1/event.ts";
import { RejectReason } from "../../../proto/generated/evercross/v1/types.ts";
import { decodeEvent } from "../../../services/crossing/event-decoder.ts";
import { encodeEvents, NO_SESSION } from "../../../services/crossing/event-encoder.ts";
import { readEvents } from "../../engine/event-objects.ts";
import { configure, execute } from "../../engine/flow.ts";
import { FlowGenerator } from "../../engine/flow-generator.ts";
import { SETUPS, WIDE } from "../../engine/setups.ts";

/** Sessions stand in another order than accounts, so that one taken for the other shows. */
const indexOf = (account: number): number => 10 - account;
const accountOf = (index: number): number => 10 - index;
const COMMANDS = 150;

/** The sequence of the event at a place of the buffer. */
const sequenceAt = (buffer: EventBuffer, index: number): number =>
  buffer.values[index * EVENT_WIDTH + EventField.SEQUENCE] as number;

/** Sends the events `[from, to)` of a buffer over the wire, and appends what comes back to another. */
function send(made: EventBuffer, from: number, to: number, session: number, read: EventBuffer): void {
  let sequence = sequenceAt(made, from);
  for (const event of encodeEvents(made, from, to, session, indexOf)) {
    decodeEvent(Event.decode(Event.encode(event).finish()), sequence, session, accountOf, read);
    sequence += 1;
  }
}

describe("events as messages", () => {
  test.each(SETUPS)("come back from the wire as the engine of $instrument.symbol made them", (setup) => {
    const kinds = new Set<number>();
    fc.assert(
      fc.property(fc.noShrink(fc.integer()), (seed) => {
        const generator = new FlowGenerator(setup, seed);
        const [made, read] = [new EventBuffer(), new EventBuffer()];
        const book = new OrderBook(setup.instrument, made);
        configure(book, setup);
        for (let count = 0; count < COMMANDS; count++) {
          const from = made.length;
          const command = generator.next();
          execute(book, command);
          const session = "account" in command && command.do !== "block" ? command.account : NO_SESSION;
          if (made.length > from) send(made, from, made.length, session, read);
        }
        for (let index = 0; index < made.length; index++) {
          kinds.add(made.values[index * EVENT_WIDTH + EventField.KIND] as number);
        }
        expect(readEvents(read)).toEqual(readEvents(made));
      }),
      // Beside random flows some that never change: together they have every event.
      { numRuns: 45, examples: Array.from({ length: 15 }, (_, seed): [number] => [seed + 1]) },
    );
    // A flow of everything leaves none of the events untried that any instrument has.
    for (const kind of [EventKind.TERMS, EventKind.ENTERED, EventKind.PHASE, EventKind.UNCROSS]) {
      expect(kinds).toContain(kind);
    }
  });

  test("so does a refusal that the gateway asked for", () => {
    const [made, read] = [new EventBuffer(), new EventBuffer()];
    new OrderBook(WIDE, made).refuse(3, 2 ** 53 - 1, RejectReason.NOT_REPRESENTABLE);
    send(made, 0, 1, 3, read);
    expect(readEvents(read)).toEqual(readEvents(made));
  });

  test("a kind that this version does not know is refused", () => {
    const unknown = Event.decode(Uint8Array.of(0xfa, 0x01, 0));
    expect(() => decodeEvent(unknown, 9, 0, accountOf, new EventBuffer())).toThrow(
      "event 9 has a kind that this version does not know",
    );
  });

  test("a session's event in a step of no session is refused", () => {
    const made = new EventBuffer();
    made.rejected(9, 3, 1, RejectReason.UNKNOWN_ORDER);
    const [event] = encodeEvents(made, 0, 1, 3, indexOf);
    expect(() => decodeEvent(event as Event, 9, NO_SESSION, accountOf, new EventBuffer())).toThrow(
      "event 9 is a session's, but its step has none",
    );
  });
});
