import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { LogoutReason } from "../../proto/generated/evercross/v1/gateway.ts";
import { LogStatus } from "../../proto/generated/evercross/v1/log.ts";
import { CancelReason, EventReason, RejectReason } from "../../proto/generated/evercross/v1/types.ts";
import { BackupCode } from "../../runtime/backup/backup-error.ts";
import { OrderCode } from "../../runtime/desired/order.ts";
import { packageRoot } from "../../runtime/process/package-root.ts";
import { FindingCode } from "../../services/audit/finding.ts";
import { PromotionCode } from "../../services/mirror/promotion-error.ts";

const TEXT = readFileSync(join(packageRoot(), "ERRORS.md"), "utf8");

/** The rows below a heading of ERRORS.md, without the table's head; cells without backticks. */
function rowsOf(heading: string): string[][] {
  const section = TEXT.split(/^## /m).find((part) => part.startsWith(`${heading}\n`));
  if (section === undefined) throw new Error(`ERRORS.md has no section '${heading}'`);
  const rows = section.split("\n").filter((line) => line.startsWith("|"));
  return rows.slice(2).map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim().replaceAll("`", "")),
  );
}

/** Names and numbers as a table shows them, in the order of the code; what is unspecified never reaches a user. */
const shown = (codes: Readonly<Record<string, number | string>>): string[][] =>
  Object.entries(codes)
    .filter(([name]) => name !== "UNSPECIFIED")
    .map(([name, code]) => [name, String(code)]);

const ENUMERATIONS = {
  RejectReason,
  CancelReason,
  EventReason,
  LogoutReason,
  LogStatus,
  FindingCode,
  OrderCode,
  BackupCode,
  PromotionCode,
};

describe("ERRORS.md", () => {
  test.each(Object.entries(ENUMERATIONS))("has exactly the codes of %s, in order", (heading, codes) => {
    expect(rowsOf(heading).map((cells) => cells.slice(0, 2))).toEqual(shown(codes));
  });

  test.each([...Object.keys(ENUMERATIONS), "Exit codes of `evercross`"])(
    "says for each row of %s what it means and what to do",
    (heading) => {
      const rows = rowsOf(heading);
      expect(rows.length).toBeGreaterThan(0);
      for (const cells of rows) {
        for (const cell of cells.slice(-2)) expect(cell, cells.join(" | ")).toMatch(/^[A-Z].{6,}\.$/);
      }
    },
  );
});
