import { describe, expect, test } from "vitest";
import { TradingDays } from "../../../services/market/trading-days.ts";

const WEEK = [1, 2, 3, 4, 5];
const at = (text: string): number => Date.parse(text) * 1000;
const told = (days: TradingDays, time: string): [string, string][] =>
  days
    .around(at(time))
    .map(({ start, end }) => [new Date(start / 1000).toISOString(), new Date(end / 1000).toISOString()]);

describe("trading days", () => {
  test("are the local ones: the last that began, and the two after it", () => {
    const shanghai = new TradingDays("Asia/Shanghai", WEEK, []);
    // Thursday, 01:30 in Shanghai.
    expect(told(shanghai, "2026-03-04T17:30:00Z")).toEqual([
      ["2026-03-04T16:00:00.000Z", "2026-03-05T16:00:00.000Z"],
      ["2026-03-05T16:00:00.000Z", "2026-03-06T16:00:00.000Z"],
      // Monday.
      ["2026-03-08T16:00:00.000Z", "2026-03-09T16:00:00.000Z"],
    ]);
  });

  test("have 23 and 25 hours where clocks change", () => {
    const berlin = new TradingDays("Europe/Berlin", [7], []);
    const hours = (time: string): number[] =>
      berlin.around(at(time)).map(({ start, end }) => (end - start) / 3_600_000_000);
    expect(hours("2026-03-29T12:00:00Z")).toEqual([23, 24, 24]);
    expect(hours("2026-10-25T12:00:00Z")).toEqual([25, 24, 24]);
  });

  test("begin at the first moment of a day that has no midnight", () => {
    const saoPaulo = new TradingDays("America/Sao_Paulo", [7], []);
    // On 4 November 2018 clocks went from 00:00 to 01:00.
    expect(told(saoPaulo, "2018-11-04T12:00:00Z")[0]).toEqual([
      "2018-11-04T03:00:00.000Z",
      "2018-11-05T02:00:00.000Z",
    ]);
  });

  test("leave weekends and holidays out, also a long row of them", () => {
    const holidays = Array.from(
      { length: 31 },
      (_, index) => `2026-12-${String(index + 1).padStart(2, "0")}`,
    );
    const days = new TradingDays("UTC", WEEK, holidays);
    const starts = days.around(at("2026-12-24T10:00:00Z")).map(({ start }) => new Date(start / 1000));
    expect(starts.map((start) => start.toISOString().slice(0, 10))).toEqual([
      "2026-11-30",
      "2027-01-01",
      "2027-01-04",
    ]);
  });
});
