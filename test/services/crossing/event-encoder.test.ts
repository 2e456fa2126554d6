import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { EventBuffer, OrderBook } from "../../../engine/index.ts";
import { Event } from "../../../proto/generated/evercross/v1/event.ts";
import { RejectReason } from "../../../proto/generated/evercross/v1/types.ts";
import { decodeEvent } from "../../../services/crossing/event-decoder.ts";
import { encodeEvent } from "../../../services/crossing/event-encoder.ts";
import { readEvents } from "../../engine/event-objects.ts";
import { COARSE, command, execute, WIDE } from "../../engine/flow.ts";

/** Sessions stand in another order than accounts, so that one taken for the other shows. */
const indexOf = (account: number): number => 10 - account;
const accountOf = (index: number): number => 10 - index;

describe("events as messages", () => {
  test.each([WIDE, COARSE])("come back from the wire as the engine of $symbol made them", (instrument) => {
    fc.assert(
      fc.property(fc.array(command(instrument), { minLength: 1, maxLength: 150 }), (commands) => {
        const made = new EventBuffer();
        const read = new EventBuffer();
        const book = new OrderBook(instrument, made);
        let next = 0;
        for (const one of commands) {
          execute(book, one);
          for (; next < made.length; next++) {
            const bytes = Event.encode(encodeEvent(made, next, indexOf)).finish();
            decodeEvent(Event.decode(bytes), next + 1, one.account, accountOf, read);
          }
        }
        expect(readEvents(read)).toEqual(readEvents(made));
      }),
      { numRuns: 200 },
    );
  });

  test("so does a refusal that the gateway asked for", () => {
    const made = new EventBuffer();
    const read = new EventBuffer();
    new OrderBook(WIDE, made).refuse(3, 2 ** 53 - 1, RejectReason.NOT_REPRESENTABLE);
    decodeEvent(encodeEvent(made, 0, indexOf), 1, 3, accountOf, read);
    expect(readEvents(read)).toEqual(readEvents(made));
  });

  test("a kind that this version does not know is refused", () => {
    const unknown = Event.decode(Uint8Array.of(0x7a, 0));
    expect(() => decodeEvent(unknown, 9, 0, accountOf, new EventBuffer())).toThrow(
      "event 9 has a kind that this version does not know",
    );
  });
});
