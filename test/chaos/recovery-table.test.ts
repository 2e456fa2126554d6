import { expect, test } from "vitest";
import { RecoveryTable, spread } from "./recovery-table.ts";
import { SilenceWatch } from "./silence-watch.ts";

test("the middle of an even number of values is between the two in the middle, and of none there is none", () => {
  expect(spread([4, 1, 3, 2])).toEqual({ count: 4, median_ms: 2.5, worst_ms: 4 });
  expect(spread([3, 1, 2])).toEqual({ count: 3, median_ms: 2, worst_ms: 3 });
  expect(spread([])).toBeUndefined();
});

test("a kind of fault is told by its own measure, and by the time until all was whole where that has no value", () => {
  const table = new RecoveryTable();
  table.add("kill_local", "replaced", { silenceMs: 4, replacedMs: 900, wholeMs: 1200 });
  table.add("kill_local", "replaced", { silenceMs: 6, replacedMs: 1100, wholeMs: 1600 });
  table.add("kill_crossing", "silence", { silenceMs: 44.44, replacedMs: 30, wholeMs: 210 });
  table.add("slow_node", "replaced", { silenceMs: undefined, replacedMs: undefined, wholeMs: 500 });
  const kinds = table.kinds();
  expect([...kinds.keys()]).toEqual(["kill_crossing", "kill_local", "slow_node"]);
  expect(kinds.get("kill_local")).toMatchObject({ count: 2, median_ms: 1000, worst_ms: 1100 });
  expect(kinds.get("kill_local")?.silence).toEqual({ count: 2, median_ms: 5, worst_ms: 6 });
  expect(kinds.get("kill_crossing")).toMatchObject({ count: 1, median_ms: 44.4, worst_ms: 44.4 });
  expect(kinds.get("slow_node")).toMatchObject({ count: 1, median_ms: 500, replaced: undefined });
});

test("a silence that began before a window counts for it, one that ended before does not", () => {
  const watch = new SilenceWatch();
  watch.heard("AAA", 90_000);
  const window = watch.open();
  expect(window.unheard(["AAA", "BBB"])).toEqual(["AAA", "BBB"]);
  watch.heard("AAA", 50_000);
  watch.heard("AAA", 1000);
  expect(window.unheard(["AAA", "BBB"])).toEqual(["BBB"]);
  expect(window.longestMs(["AAA", "BBB"])).toBe(50);
  watch.close(window);
  watch.heard("AAA", 70_000);
  expect(window.longestMs(["AAA"])).toBe(50);
});
