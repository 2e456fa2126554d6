import { describe, expect, test } from "vitest";
import { runHistory } from "./run-history.ts";

const SEEDS = 3000;

describe("the checkpoint log", () => {
  test(`comes through ${SEEDS} histories of faults`, { timeout: 600_000 }, () => {
    let told = 0;
    for (let seed = 1; seed <= SEEDS; seed++) {
      const result = runHistory(seed);
      expect(result.violations, `npm run sim:log -- --seed ${seed} --trace shows each step`).toEqual([]);
      told += result.told;
    }
    expect(told).toBeGreaterThan(SEEDS * 10);
  });
});
