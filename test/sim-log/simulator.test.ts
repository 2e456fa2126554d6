import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";

const SEEDS = 2000;

interface Summary {
  readonly seeds: number;
  readonly passed: number;
  readonly failed: number;
  readonly failing_seeds: readonly number[];
  readonly entries_told: number;
}

/** `npm run sim:log`, on every core. It exits with 1 when a seed fails, and then says so in its JSON too. */
async function simulate(...args: string[]): Promise<Summary> {
  const command = ["run", "--silent", "sim:log", "--", "--json", ...args];
  const { stdout } = await promisify(execFile)("npm", command).catch((error: { stdout?: string }) => {
    if (error.stdout?.startsWith("{") !== true) throw error;
    return { stdout: error.stdout };
  });
  return JSON.parse(stdout) as Summary;
}

describe("simulated checkpoint logs", () => {
  test("come through two thousand histories of faults", { timeout: 600_000 }, async () => {
    const summary = await simulate("--seeds", String(SEEDS), "--seed", "1");
    const { failing_seeds, entries_told, ...counts } = summary;
    expect(failing_seeds, "npm run sim:log -- --seed N --trace shows each step").toEqual([]);
    expect(counts).toMatchObject({ seeds: SEEDS, passed: SEEDS, failed: 0 });
    expect(entries_told).toBeGreaterThan(SEEDS * 10);
  });
});
