import { describe, expect, test } from "vitest";
import { EventReason, Phase, Side } from "../../engine/codes.ts";
import { EventBuffer } from "../../engine/event-buffer.ts";
import { EVENT_WIDTH } from "../../engine/event-fields.ts";
import { Indication } from "../../engine/indication.ts";

const { TIMETABLE, OPERATOR } = EventReason;
const NOTHING = { price: 0, volume: 0, imbalance: 0, side: 0 };

function follow(indication: Indication, write: (events: EventBuffer) => void): void {
  const events = new EventBuffer();
  write(events);
  for (let index = 0; index < events.length; index++) indication.follow(events.values, index * EVENT_WIDTH);
}

describe("the indication", () => {
  test("tells phase and auction as the events do", () => {
    const indication = new Indication(Phase.PRE_OPEN, 90);
    follow(indication, (events) => {
      events.phase(1, Phase.OPENING_AUCTION, 5000, 90, TIMETABLE);
      events.indicative(2, Side.BUY, 101, 40, 3);
    });
    expect(indication.phase).toBe(Phase.OPENING_AUCTION);
    expect([indication.until, indication.referencePrice]).toEqual([5000, 90]);
    expect(indication.indicative).toEqual({ price: 101, volume: 40, imbalance: 3, side: Side.BUY });
    expect(indication.uncrossed).toEqual(NOTHING);
    // The call is made longer: it would still give the same.
    follow(indication, (events) => events.phase(3, Phase.OPENING_AUCTION, 6000, 90, OPERATOR));
    expect([indication.until, indication.indicative.price]).toEqual([6000, 101]);
    follow(indication, (events) => {
      events.uncross(4, Side.SELL, 102, 50, 7, Phase.CONTINUOUS, 0, TIMETABLE);
      events.uncross(5, Side.SELL, 102, 20, 7, Phase.CONTINUOUS, 0, TIMETABLE);
      // What prevention left meets at another price.
      events.uncross(6, Side.BUY, 99, 3, 1, Phase.CONTINUOUS, 0, TIMETABLE);
      events.phase(7, Phase.CONTINUOUS, 0, 99, TIMETABLE);
    });
    expect(indication.phase).toBe(Phase.CONTINUOUS);
    expect(indication.indicative).toEqual(NOTHING);
    expect(indication.uncrossed).toEqual({ price: 99, volume: 3, imbalance: 1, side: Side.BUY });
    expect(indication.referencePrice).toBe(99);
  });

  test("tells the next auction after the last, and a reference price that is set", () => {
    const indication = new Indication();
    follow(indication, (events) => {
      events.uncross(1, 0, 102, 50, 0, Phase.CONTINUOUS, 0, TIMETABLE);
      events.phase(2, Phase.CONTINUOUS, 0, 102, TIMETABLE);
      events.phase(3, Phase.CLOSING_AUCTION, 0, 102, TIMETABLE);
      events.uncross(4, 0, 99, 8, 0, Phase.CLOSED, 0, TIMETABLE);
      events.phase(5, Phase.CLOSED, 0, 99, TIMETABLE);
      events.reference(6, 77, OPERATOR);
      events.massCancelled(7, 1, 0, 0, OPERATOR);
    });
    expect(indication.uncrossed).toEqual({ price: 99, volume: 8, imbalance: 0, side: 0 });
    expect([indication.phase, indication.referencePrice]).toEqual([Phase.CLOSED, 77]);
  });
});
