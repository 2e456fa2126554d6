import { Phase } from "./codes.ts";
import { broken } from "./invariant.ts";

const HOUR = 3_600_000_000;
const DAY = 24 * HOUR;
/** Clocks are put forward and back before this time of the day. */
const CLOCK_CHANGE_END = 6 * HOUR;

/** From `at` on, microseconds of the local day `[0, 24 h)`, the phase is this. */
export interface PhaseChange {
  readonly at: number;
  readonly phase: Phase;
}

/** The changes of one day, each later than the one before. The last phase lasts until the next day's first change. */
export type Timetable = readonly PhaseChange[];

/** A local day on which the timetable holds: its midnight and the next one, microseconds since the epoch. */
export interface LocalDay {
  readonly start: number;
  readonly end: number;
}

/** Where a timetable stands at a time. All times are microseconds since the epoch. */
export interface TimetablePosition {
  /** What the phase should be; 0 before the first change of the days given. */
  readonly phase: 0 | Phase;
  /** When that change was due: a book whose time is before has yet to make it. -Infinity when there was none. */
  readonly since: number;
  /** When the next change is due; Infinity when the days given have none. */
  readonly next: number;
}

/**
 * Where the timetable stands at `now`. `days` are ascending; days without trading are left out. They should reach from
 * a day before `now` to one after it, so that there is a change on both sides. Times of a day are those that a
 * local clock shows, on days of 23 and 25 hours too.
 */
export function timetableAt(timetable: Timetable, days: readonly LocalDay[], now: number): TimetablePosition {
  let phase: 0 | Phase = 0;
  let since = -Infinity;
  for (const day of days) {
    for (const change of timetable) {
      const due = instant(day, change.at);
      if (due > now) return { phase, since, next: due };
      ({ phase } = change);
      since = due;
    }
  }
  return { phase, since, next: Infinity };
}

/** Throws `InvariantError` when times are out of range or not ascending, or a phase is none: the caller did not check. */
export function requireTimetable(timetable: Timetable): void {
  const phases: readonly number[] = Object.values(Phase);
  let last = -1;
  for (const { at, phase } of timetable) {
    if (!Number.isSafeInteger(at) || at <= last || at >= DAY) {
      broken(`timetable: ${at} is not a whole number of microseconds above ${last} and below ${DAY}`);
    }
    if (!phases.includes(phase)) broken(`timetable: there is no phase ${String(phase)}, at ${at}`);
    last = at;
  }
}

/** A time of the day, counted from the midnight that no change of the clock lies between. */
function instant(day: LocalDay, at: number): number {
  return at < CLOCK_CHANGE_END ? day.start + at : day.end - (DAY - at);
}
