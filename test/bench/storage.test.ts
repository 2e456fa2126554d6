import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import type { StorageResult } from "../../bench/storage/result.ts";
import type { Spread } from "../../bench/storage/spread.ts";
import { packageRoot } from "../../runtime/process/package-root.ts";
import { processesNaming } from "../support/processes.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const run = promisify(execFile);
const BATCHES = [16];
const ORDERS = [500, 9000];
const BENCH_MS = 240_000;

async function bench(folder: string, ...args: string[]): Promise<string> {
  const main = join(packageRoot(), "dist-bench", "bench", "storage", "main.js");
  const { stdout } = await run(process.execPath, [main, "--folder", folder, ...args], { timeout: BENCH_MS });
  return stdout;
}

function expectSpread({ median, lowest, highest }: Spread, least: number): void {
  expect(lowest).toBeGreaterThanOrEqual(least);
  expect(median).toBeGreaterThanOrEqual(lowest);
  expect(highest).toBeGreaterThanOrEqual(median);
}

describe("the bench of the checkpoint log", () => {
  beforeAll(async () => {
    const tsc = join(packageRoot(), "node_modules", ".bin", "tsc");
    await run(tsc, ["-p", join(packageRoot(), "bench", "tsconfig.json")]);
  });

  test(
    "appends with every driver, restores what was appended, and leaves nothing behind",
    async () => {
      // Beside the programs: the system's folder for temporary files may be in memory, which the bench refuses.
      const folder = mkdtempSync(join(packageRoot(), "dist-bench", "test-"));
      onTestFinished(() => {
        expect(processesNaming(folder)).toEqual([]);
        rmSync(folder, { recursive: true, force: true });
      });
      const lists = ["--batches", BATCHES.join(), "--orders", ORDERS.join(), "--rows", "64/20,65536/2000"];
      const text = await bench(folder, "--json", "--runs", "1", "--seconds", "0.1", ...lists);
      const result = JSON.parse(text.trimEnd().split("\n").at(-1) ?? "") as StorageResult;

      expect(result.floors.map(({ requests }) => requests)).toEqual(BATCHES);
      for (const { floors, entryBytes } of result.floors) {
        expect(entryBytes).toBeGreaterThan(0);
        for (const { p50, p99, p999 } of Object.values(floors)) {
          expectSpread(p50, 0);
          expectSpread(p99, p50.median);
          expectSpread(p999, p99.median);
        }
      }
      expect(
        result.appends.map(({ plan, requests }) => `${plan.driver} ${plan.replicas} ${requests}`),
      ).toEqual(["rocksdb 1 16", "rocksdb 3 16", "jetstream 1 16", "jetstream 3 16"]);
      for (const { requests, entries, totalRequests, ...row } of result.appends) {
        // Seven entries of one request begin each log.
        expect(entries).toBeGreaterThan(7);
        expect(totalRequests).toBe(7 + (entries - 7) * requests);
        expectSpread(row.entriesPerSecond, 0);
        expect(row.requestsPerSecond.median).toBeCloseTo(row.entriesPerSecond.median * requests, 3);
        expect(row.ratioToFloor === undefined).toBe(
          row.plan.driver === "jetstream" || row.plan.replicas === 3,
        );
      }
      const restored = result.restores.map(({ plan, orders }) => `${plan.driver} ${orders}`);
      expect(restored).toEqual([
        ...ORDERS.map((orders) => `rocksdb ${orders}`),
        ...ORDERS.map((orders) => `jetstream ${orders}`),
      ]);
      for (const { ms } of result.restores) expectSpread(ms, 0);
      expect(result.rows.map(({ rows }) => `${rows.entries}/${rows.ms}`)).toEqual(["64/20", "65536/2000"]);
      for (const { restore, requestsPerSecond } of result.rows) {
        expect(restore.orders).toBeGreaterThan(0);
        expectSpread(requestsPerSecond, 0);
      }
      expect(readdirSync(folder)).toEqual([]);
    },
    BENCH_MS,
  );

  test("says what is wrong with an option", async () => {
    const wrong: [string, string, string][] = [
      ["--batches", "1,x", "whole number of 1 or more"],
      ["--orders", "9", "must be 10 or more"],
      ["--rows", "64", "must be ENTRIES/MILLISECONDS"],
      ["--seconds", "0", "number of seconds"],
    ];
    for (const [option, value, message] of wrong)
      await expect(bench(temporaryFolder(), option, value)).rejects.toThrow(message);
  });
});
