import { expect, test } from "vitest";
import { checkConfig } from "../../services/market/config.ts";
import { arrangementOf, nodeNamed } from "./arrangement.ts";

test.each([
  [2, 3],
  [4, 4],
  [4, 6],
  [4, 7],
] as const)("%i levels over %i nodes is an arrangement that a market takes", (levels, count) => {
  const nodes = Array.from({ length: count }, (_, index) => nodeNamed(index));
  const hierarchy = arrangementOf(nodes, levels);
  const config = checkConfig({ nodes, instruments: [{ symbol: "AAA" }], hierarchy }, "test");
  expect(config.hierarchy.locals?.flatMap((local) => local.nodes)).toEqual(nodes);
  expect(config.hierarchy.locals).toHaveLength(levels === 2 ? 1 : 4);
});

test("four clusters need four nodes", () => {
  expect(() => arrangementOf(["n1", "n2", "n3"], 4)).toThrow(RangeError);
});
