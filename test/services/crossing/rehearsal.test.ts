import { describe, expect, test } from "vitest";
import { rehearseCrossing } from "../../../services/crossing/rehearsal.ts";

describe("rehearseCrossing", () => {
  test("crosses, replays, materialises and restores to its end, in many slices", () => {
    expect([...rehearseCrossing()].length).toBeGreaterThan(20);
  });
});
