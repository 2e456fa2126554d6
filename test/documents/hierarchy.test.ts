import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { HistoryEvent, HistoryKind } from "../../proto/generated/evercross/v1/hierarchy.ts";
import { historyLine } from "../../runtime/history/history-line.ts";
import { packageRoot } from "../../runtime/process/package-root.ts";
import { maker } from "../support/blank-messages.ts";

const TEXT = readFileSync(join(packageRoot(), "runtime/HIERARCHY.md"), "utf8");

/** The part below the heading of this number, without it. */
function section(number: string): string {
  const text = TEXT.split(/^## /m).find((part) => part.startsWith(`${number}. `));
  if (text === undefined) throw new Error(`HIERARCHY.md has no section ${number}`);
  return text;
}

/** The rows of a section's table, without its head. */
function rowsOf(number: string): string[][] {
  const rows = section(number)
    .split("\n")
    .filter((line) => line.startsWith("|"));
  return rows.slice(2).map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

describe("HIERARCHY.md", () => {
  test("has a row for each kind of event of the history, in order, and no other", () => {
    const kinds = Object.keys(HistoryKind).filter((kind) => kind !== "UNSPECIFIED");
    expect(rowsOf("8").map(([kind]) => kind)).toEqual(kinds.map((kind) => `\`${kind}\``));
  });

  test("says of each kind who tells it, and when", () => {
    for (const [kind, teller, when] of rowsOf("8")) {
      expect(teller, kind).toMatch(/^[a-z].{7,}[^.]$/);
      expect(when, kind).toMatch(/^[A-Z].{15,}\.$/);
    }
  });

  test("cites only rules that there are", () => {
    const rules = new Set([...TEXT.matchAll(/^(\d\.\d+) /gm)].map((match) => match[1]));
    expect(rules.size).toBeGreaterThan(20);
    for (const [, cited] of section("8").matchAll(/(?<=[(, ])(\d\.\d+)(?=[),])/g)) {
      expect(rules).toContain(cited);
    }
  });

  test("shows a line of the history as it is printed", () => {
    const event = maker(HistoryEvent)({
      timeUs: Date.UTC(2026, 0, 1, 12, 3, 4, 123) * 1000,
      role: "local/a",
      kind: HistoryKind.FAILED,
      element: "agent/n2",
      cause: "did not answer for 1000 ms",
      node: "n2",
      oldInstance: "n2:4711:88012",
      tookMs: 1000,
    });
    expect(section("8")).toContain(`\n${historyLine(event, "utc")}\n`);
  });
});
