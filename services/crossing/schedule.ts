import { type Phase, type Timetable, timetableAt } from "../../engine/index.ts";
import type { TradingDays } from "../market/trading-days.ts";

/** A change of the phase that the timetable asks for. Times are microseconds since the Unix epoch. */
export interface DueChange {
  readonly atUs: number;
  readonly phase: Phase;
  /** When the next one is due. */
  readonly untilUs: number;
}

/** What a symbol's timetable asks for, one change after the other. */
export class Schedule {
  readonly #timetable: Timetable;
  readonly #days: TradingDays;

  /** A timetable has at least one change. */
  constructor(timetable: Timetable, days: TradingDays) {
    this.#timetable = timetable;
    this.#days = days;
  }

  /** The last change that was due at this time. */
  at(timeUs: number): DueChange {
    // The last trading day may have begun and not yet had its first change: then the one before it counts.
    const days = this.#days.around(timeUs);
    const [first] = days;
    if (first !== undefined) days.unshift(...this.#days.around(first.start - 1).slice(0, 1));
    const { phase, since, next } = timetableAt(this.#timetable, days, timeUs);
    if (phase === 0) throw new Error(`the timetable has no change before ${timeUs}`);
    return { atUs: since, phase, untilUs: next };
  }

  /** When the next change after this time is due. */
  nextAfter(timeUs: number): number {
    return timetableAt(this.#timetable, this.#days.around(timeUs), timeUs).next;
  }
}
