import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";

interface Summary {
  readonly seeds: number;
  readonly passed: number;
  readonly failed: number;
  readonly failing_seeds: readonly number[];
}

/** `npm run sim`, on every core. It exits with 1 when a seed fails, and then says so in its JSON too. */
async function simulate(...args: string[]): Promise<Summary> {
  const command = ["run", "--silent", "sim", "--", "--json", ...args];
  const { stdout } = await promisify(execFile)("npm", command).catch((error: { stdout?: string }) => {
    if (error.stdout?.startsWith("{") !== true) throw error;
    return { stdout: error.stdout };
  });
  return JSON.parse(stdout) as Summary;
}

describe("simulated clusters", () => {
  test("come through two thousand histories of faults", { timeout: 600_000 }, async () => {
    const { failing_seeds, ...counts } = await simulate(
      "--seeds",
      "2000",
      "--seed",
      "1",
      "--max-nodes",
      "12",
    );
    expect(failing_seeds, "npm run sim -- --seed N --max-nodes 12 --trace shows each step").toEqual([]);
    expect(counts).toMatchObject({ seeds: 2000, passed: 2000, failed: 0 });
  });
});
