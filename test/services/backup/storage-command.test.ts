import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { backupFiles, prepareFolder } from "../../../runtime/backup/backup-folder.ts";
import { takeBackup } from "../../../runtime/backup/take-backup.ts";
import { parseJob } from "../../../runtime/job/name.ts";
import { writeRecord } from "../../../services/backup/backup-record.ts";
import { checkConfig } from "../../../services/market/config.ts";
import { ArrayLog } from "../../support/array-log.ts";
import { evercross } from "../../support/command.ts";
import { FLOW_JOB, FLOW_SYMBOL, flowLog, flowPayloads } from "../../support/crossing-flow.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

async function backupFolder(): Promise<string> {
  const folder = join(temporaryFolder(), "backup");
  prepareFolder(folder);
  const config = checkConfig({ instruments: [{ symbol: FLOW_SYMBOL }] }, "test");
  const source = new ArrayLog(flowLog(flowPayloads(12, 10)));
  const task = { folder, cluster: config.cluster, job: parseJob(FLOW_JOB), source, timeUs: 1 };
  const { tail } = await takeBackup({ ...task, files: backupFiles(folder).get(FLOW_JOB) ?? [] });
  writeRecord(folder, { config, portChosen: true, tails: new Map(tail && [[FLOW_JOB, tail]]) });
  return folder;
}

describe("the command 'evercross storage'", () => {
  test("proves a backup, and exits with 1 for one in which a bit was flipped", async () => {
    const folder = await backupFolder();
    const whole = await evercross("storage", "verify", folder);
    expect(whole.stderr).toBe("");
    expect(whole.stdout).toMatch(/proved: gap-free.*\nproved: 1 logs\n$/s);
    expect(whole.code).toBe(0);
    const path = join(folder, readdirSync(folder).find((name) => name.endsWith(".backup")) ?? "");
    const bytes = readFileSync(path);
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] as number) ^ 4;
    writeFileSync(path, bytes);
    const damaged = await evercross("storage", "verify", folder);
    expect(damaged.stdout).toMatch(/FOUND entry_unreadable at entry \d+: .*a record is damaged\n/);
    expect(damaged.stdout).toContain("NOT PROVED: 1 of 1 logs");
    expect(damaged.code).toBe(1);
    const [verdict] = (await evercross("storage", "verify", folder, "--json")).stdout.split("\n");
    expect(JSON.parse(verdict ?? "")).toMatchObject({ job: FLOW_JOB, ok: false, findingsTotal: 1 });
    const data = join(temporaryFolder(), "market");
    const refused = await evercross("storage", "restore", folder, "--data", data);
    expect(refused).toMatchObject({ code: 1, stdout: "" });
    expect(refused.stderr).toMatch(/^error: backup_damaged: .*nothing was restored\n$/);
  });

  test("reads the past from a backup, and refuses what makes no sense", async () => {
    const folder = await backupFolder();
    const book = await evercross("book", FLOW_SYMBOL, "--at", "30", "--backup", folder, "--json");
    expect(JSON.parse(book.stdout)).toMatchObject({ symbol: FLOW_SYMBOL, event: 30, phase: "continuous" });
    const events = await evercross(
      "storage",
      "export",
      FLOW_SYMBOL,
      "--from",
      "3",
      "--to",
      "5",
      "--backup",
      folder,
    );
    expect(events.stdout.trimEnd().split("\n").length).toBe(3);
    expect(events.stderr).toBe(`${FLOW_SYMBOL}: 3 events, 3 to 5\n`);
    const refused: [string[], number, string][] = [
      [["book", FLOW_SYMBOL, "--at", "999999", "--backup", folder], 1, `${FLOW_SYMBOL} has no event 999999`],
      [["book", FLOW_SYMBOL, "--at", "0", "--backup", folder], 2, "'0' is not a whole number from 1"],
      [["book", FLOW_SYMBOL, "--at", "3", "--watch"], 2, "--watch: what is past does not change"],
      [["book", FLOW_SYMBOL, "--backup", folder], 2, "--backup: can be given with --at only"],
      [["storage", "export", "ELSE", "--backup", folder], 1, "backup_missing: "],
      [["storage", "export", FLOW_SYMBOL, "--format", "xml"], 2, "Allowed choices are protobuf, csv, json"],
      [["storage", "verify", join(folder, "none")], 1, "backup_missing: there is no folder"],
      [["storage", "backup", folder, "--job", "nonsense"], 2, "not a job name of the form service/key"],
    ];
    for (const [args, code, why] of refused) {
      const result = await evercross(...args);
      expect(result.stderr, args.join(" ")).toContain(why);
      expect(result.code, args.join(" ")).toBe(code);
    }
  });
});
