import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { CancelReason, EventReason, OrderType, Phase, SelfTrade, TimeInForce } from "../../engine/codes.ts";
import { EventKind } from "../../engine/event-fields.ts";
import type { Instrument } from "../../engine/instrument.ts";
import { packageRoot } from "../../runtime/process/package-root.ts";
import type { EventObject } from "../engine/event-objects.ts";
import type { Command } from "../engine/flow.ts";
import { FastDriver } from "../engine/scenario-drivers.ts";
import { ACME } from "../engine/scenario-language.ts";
import { ScenarioRun } from "../engine/scenario-run.ts";

const TEXT = readFileSync(join(packageRoot(), "engine/RULES.md"), "utf8");
const SCENARIOS = join(packageRoot(), "test/engine/scenario");

/** The rows of the table below a heading that begins with this number, without its head. */
function rowsOf(section: string): string[][] {
  const text = TEXT.split(/^#{2,3} /m).find((part) => part.startsWith(`${section} `));
  if (text === undefined) throw new Error(`RULES.md has no section ${section}`);
  const rows = text.split("\n").filter((line) => line.startsWith("|"));
  return rows.slice(2).map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

/** The names in backticks of a cell. */
const namesIn = (cell: string | undefined): string[] =>
  [...(cell ?? "").matchAll(/`(\w+)`/g)].map((match) => match[1] as string);
const namesOf = (section: string): string[] => rowsOf(section).flatMap(([cell]) => namesIn(cell));
const named = (codes: Readonly<Record<string, number>>, code: number | undefined): string =>
  Object.entries(codes).find(([, value]) => value === code)?.[0] ?? `code ${code}`;

/** A book that remembers which kind of event gave which reason. */
class WatchedDriver extends FastDriver {
  static readonly seen = new Set<string>();

  override tell(command: Command | "proceed"): EventObject[] {
    const events = super.tell(command);
    for (const { kind, fields } of events) {
      if (kind === "REJECTED" || kind === "TERMS") continue;
      WatchedDriver.seen.add(`${named(EventReason, fields.REASON)} of ${kind}`);
    }
    return events;
  }
}

describe("RULES.md", () => {
  test.each([
    ["1.1", OrderType],
    ["1.2", TimeInForce],
    ["3.3", SelfTrade],
    ["4.1", Phase],
    ["6.1", EventKind],
    ["6.2", EventReason],
  ])("has a row for each code of the table of %s, in order, and no other", (section, codes) => {
    expect(namesOf(section)).toEqual(Object.keys(codes));
  });

  test("gives each reason its code", () => {
    const codes = rowsOf("6.2").map(([name, code]) => [namesIn(name)[0], Number(code)]);
    expect(Object.fromEntries(codes)).toEqual(EventReason);
  });

  test("says of each kind and each reason what it means", () => {
    for (const cells of [...rowsOf("6.1"), ...rowsOf("6.2")]) expect(cells.at(-1)).toMatch(/^.{10,}[^.]$/);
  });

  test("names for each reason just those events that the scenarios show with it", () => {
    for (const file of readdirSync(SCENARIOS)) {
      const create = (instrument: Instrument): FastDriver => new WatchedDriver(instrument);
      new ScenarioRun(create, ACME).run(readFileSync(join(SCENARIOS, file), "utf8"));
    }
    const told = rowsOf("6.2").flatMap(([reason, , kinds]) =>
      namesIn(kinds).map((kind) => `${namesIn(reason)[0]} of ${kind}`),
    );
    expect(told.toSorted()).toEqual([...WatchedDriver.seen].toSorted());
  });

  test("lets a cancellation have every cancel reason, and no other", () => {
    const reasons = rowsOf("6.2").filter(([, , kinds]) => namesIn(kinds).includes("CANCELLED"));
    expect(reasons.flatMap(([reason]) => namesIn(reason))).toEqual(Object.keys(CancelReason));
  });
});
