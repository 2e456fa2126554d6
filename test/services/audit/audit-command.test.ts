import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { entryKey } from "../../../runtime/log/store-key.ts";
import type { Verdict } from "../../../services/audit/verdict.ts";
import { materialise } from "../../../services/crossing/materialise.ts";
import { FLOW_JOB, FLOW_SYMBOL, flowLog, flowPayloads } from "../../support/crossing-flow.ts";
import { storedLog, tamper } from "../../support/storage-folder.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const PROGRAM = fileURLToPath(new URL("../../../dist/services/cli/main.js", import.meta.url));

function audit(...options: string[]): { status: number | null; stdout: string; stderr: string } {
  const command = [PROGRAM, "audit", FLOW_SYMBOL, ...options];
  return spawnSync(process.execPath, command, { encoding: "utf8", timeout: 60_000 });
}

describe("the command 'evercross audit'", () => {
  test("has the build that it runs from", () => {
    expect(existsSync(PROGRAM), "run 'npm run build' first").toBe(true);
  });

  test("exits with 0 for a whole storage folder, with 1 for a damaged one, and says why", async () => {
    const folder = await storedLog("crossing", materialise, flowLog(flowPayloads(12, 10)));
    const whole = audit("--storage", folder);
    expect(whole.stderr).toBe("");
    expect(whole.stdout).toContain("proved: gap-free");
    expect(whole.status).toBe(0);
    await tamper(folder, (store) => store.write([{ key: entryKey(FLOW_JOB, 5), value: undefined }], true));
    const damaged = audit("--storage", folder);
    expect(damaged.stdout).toContain("FOUND entry_missing at entry 5: crossing/TEST: entry 5 is missing");
    expect(damaged.status).toBe(1);
    const verdict = JSON.parse(audit("--storage", folder, "--json").stdout) as Verdict;
    expect(verdict).toMatchObject({ ok: false, job: FLOW_JOB, lastEntry: 13, findingsTotal: 1 });
  });

  test("names a folder that is none of a storage job", () => {
    const folder = temporaryFolder();
    const { status, stderr } = audit("--storage", folder);
    expect(stderr).toContain(`error: ${folder} is no storage folder`);
    expect(status).toBe(1);
  });
});
