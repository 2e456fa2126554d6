import { DateTime } from "luxon";
import type { LocalDay } from "../../engine/index.ts";

const US_PER_MS = 1000;

/** The days on which a place trades, by its own clock. Days of the week as in ISO 8601: Monday is 1, Sunday 7. */
export class TradingDays {
  readonly #zone: string;
  readonly #weekdays: ReadonlySet<number>;
  readonly #holidays: ReadonlySet<string>;

  /** `zone`: an IANA name that the runtime knows; at least one day of the week; holidays as `YYYY-MM-DD`. */
  constructor(zone: string, weekdays: Iterable<number>, holidays: Iterable<string>) {
    this.#zone = zone;
    this.#weekdays = new Set(weekdays);
    this.#holidays = new Set(holidays);
  }

  /** The last trading day that began before `timeUs`, microseconds since the Unix epoch, and the two after it. */
  around(timeUs: number): LocalDay[] {
    const today = DateTime.fromMillis(Math.floor(timeUs / US_PER_MS), { zone: this.#zone }).startOf("day");
    const last = this.#seek(today, -1);
    const next = this.#seek(last.plus({ days: 1 }), 1);
    return [last, next, this.#seek(next.plus({ days: 1 }), 1)].map(localDay);
  }

  /** The first trading day from `day` on, in this direction. */
  #seek(day: DateTime, direction: 1 | -1): DateTime {
    // A week without a holiday is found behind the last of them at the latest.
    const daysMax = 7 * (this.#holidays.size + 2);
    for (let days = 0; days < daysMax; days++) {
      const found = day.plus({ days: days * direction });
      if (this.#weekdays.has(found.weekday) && !this.#holidays.has(found.toISODate() ?? "")) return found;
    }
    throw new Error(`no trading day within ${daysMax} days of ${day.toISODate() ?? "a day that is none"}`);
  }
}

function localDay(day: DateTime): LocalDay {
  const end = day.plus({ days: 1 }).startOf("day");
  return { start: day.startOf("day").toMillis() * US_PER_MS, end: end.toMillis() * US_PER_MS };
}
