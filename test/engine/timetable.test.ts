import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Phase } from "../../engine/codes.ts";
import { InvariantError } from "../../engine/invariant.ts";
import { type LocalDay, requireTimetable, type Timetable, timetableAt } from "../../engine/timetable.ts";

const HOUR = 3_600_000_000;
const DAY = 24 * HOUR;
const DAY_OF_TRADE: Timetable = [
  { at: 8 * HOUR, phase: Phase.PRE_OPEN },
  { at: 9 * HOUR, phase: Phase.OPENING_AUCTION },
  { at: 9.5 * HOUR, phase: Phase.CONTINUOUS },
  { at: 17 * HOUR, phase: Phase.CLOSED },
];

/** Days of 24 hours from day `from` on. */
function plainDays(...numbers: number[]): LocalDay[] {
  return numbers.map((number) => ({ start: number * DAY, end: (number + 1) * DAY }));
}

describe("a timetable", () => {
  test("says what phase should be, since when, and when the next change is due", () => {
    const days = plainDays(99, 100, 101);
    const at = (hours: number) => timetableAt(DAY_OF_TRADE, days, 100 * DAY + hours * HOUR);
    expect(at(9)).toEqual({
      phase: Phase.OPENING_AUCTION,
      since: 100 * DAY + 9 * HOUR,
      next: 100 * DAY + 9.5 * HOUR,
    });
    // At night yesterday's last phase lasts; a book whose time is past its beginning has nothing to catch up.
    expect(at(1)).toEqual({ phase: Phase.CLOSED, since: 99 * DAY + 17 * HOUR, next: 100 * DAY + 8 * HOUR });
    expect(at(23)).toEqual({ phase: Phase.CLOSED, since: 100 * DAY + 17 * HOUR, next: 101 * DAY + 8 * HOUR });
  });

  test("passes over days without trading", () => {
    const friday = plainDays(8, 11);
    expect(timetableAt(DAY_OF_TRADE, friday, 10 * DAY)).toEqual({
      phase: Phase.CLOSED,
      since: 8 * DAY + 17 * HOUR,
      next: 11 * DAY + 8 * HOUR,
    });
  });

  test("says that it does not know what the days given do not tell", () => {
    const one = plainDays(5);
    expect(timetableAt(DAY_OF_TRADE, one, 5 * DAY)).toEqual({
      phase: 0,
      since: -Infinity,
      next: 5 * DAY + 8 * HOUR,
    });
    expect(timetableAt(DAY_OF_TRADE, one, 6 * DAY).next).toBe(Infinity);
    expect(timetableAt([], one, 6 * DAY)).toEqual({ phase: 0, since: -Infinity, next: Infinity });
  });

  test("goes by the clock on the wall on days on which it is changed", () => {
    // Central European Time, 2026: 29 March has 23 hours, 25 October 25.
    const spring = { start: Date.UTC(2026, 2, 28, 23) * 1000, end: Date.UTC(2026, 2, 29, 22) * 1000 };
    const autumn = { start: Date.UTC(2026, 9, 24, 22) * 1000, end: Date.UTC(2026, 9, 25, 23) * 1000 };
    const opening = (day: LocalDay): number => timetableAt(DAY_OF_TRADE, [day], day.start).next;
    expect(opening(spring)).toBe(Date.UTC(2026, 2, 29, 6) * 1000);
    expect(opening(autumn)).toBe(Date.UTC(2026, 9, 25, 7) * 1000);
    const early: Timetable = [{ at: HOUR, phase: Phase.PRE_OPEN }];
    expect(timetableAt(early, [spring], spring.start).next).toBe(Date.UTC(2026, 2, 29, 0) * 1000);
  });

  test("is the last change that is due and the first that is not, at any time", () => {
    const times = fc.uniqueArray(fc.integer({ min: 0, max: 47 }), { maxLength: 6 });
    fc.assert(
      fc.property(times, fc.integer({ min: 0, max: 4 * 48 }), (halfHours, now) => {
        const table = halfHours
          .sort((one, other) => one - other)
          .map((at, n) => ({ at: (at * HOUR) / 2, phase: ((n % 7) + 1) as Phase }));
        requireTimetable(table);
        const due = [0, 1, 2, 3].flatMap((day) =>
          table.map(({ at, phase }) => ({ at: day * DAY + at, phase })),
        );
        const last = due.filter(({ at }) => at <= (now * HOUR) / 2).at(-1);
        const next = due.find(({ at }) => at > (now * HOUR) / 2);
        expect(timetableAt(table, plainDays(0, 1, 2, 3), (now * HOUR) / 2)).toEqual({
          phase: last?.phase ?? 0,
          since: last?.at ?? -Infinity,
          next: next?.at ?? Infinity,
        });
      }),
    );
  });

  test("is refused when its times are no times of a day, or not ascending, or a phase is none", () => {
    const wrong = [
      [{ at: -1, phase: Phase.CLOSED }],
      [{ at: DAY, phase: Phase.CLOSED }],
      [{ at: 0.5, phase: Phase.CLOSED }],
      [
        { at: 5, phase: Phase.CLOSED },
        { at: 5, phase: Phase.HALT },
      ],
      [{ at: 5, phase: 8 as Phase }],
    ];
    for (const table of wrong) expect(() => requireTimetable(table)).toThrow(InvariantError);
  });
});
