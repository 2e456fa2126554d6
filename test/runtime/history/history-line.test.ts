import { describe, expect, test } from "vitest";
import { HistoryEvent, HistoryKind } from "../../../proto/generated/evercross/v1/hierarchy.ts";
import { historyLine, HistoryTimeline } from "../../../runtime/history/history-line.ts";
import { maker } from "../../support/blank-messages.ts";

const eventOf = maker(HistoryEvent);
const AT_US = Date.UTC(2026, 2, 7, 12, 3, 4, 123) * 1000;

const line = (fields: Partial<HistoryEvent>): string =>
  historyLine(eventOf({ timeUs: AT_US, role: "local/a", element: "agent/n2", ...fields }), "utc");

describe("a line of the history", () => {
  test("says when, who, what, whom and why", () => {
    const cause = "did not answer 5 beats";
    const oldInstance = "n2:4711:88012";
    expect(line({ kind: HistoryKind.FAILED, cause, oldInstance, node: "n2" })).toBe(
      "12:03:04.123 local/a        FAILED       agent/n2  did not answer 5 beats (n2:4711)",
    );
  });

  test("names instances before and after, the node and the time that it took, where there are any", () => {
    const both = { oldInstance: "n2:4711:88012", newInstance: "n2:5120:99001" };
    expect(line({ kind: HistoryKind.RECOVERED, ...both, node: "n2", tookMs: 812 })).toBe(
      "12:03:04.123 local/a        RECOVERED    agent/n2  (n2:4711 → n2:5120, after 812 ms)",
    );
    expect(line({ kind: HistoryKind.RESTARTED, oldInstance: both.oldInstance, node: "n3" })).toBe(
      "12:03:04.123 local/a        RESTARTED    agent/n2  (n2:4711, on n3)",
    );
    expect(line({ kind: HistoryKind.MOVED, element: "crossing/IBM", cause: "n2 is down", node: "n3" })).toBe(
      "12:03:04.123 local/a        MOVED        crossing/IBM  n2 is down (on n3)",
    );
    const newInstance = "c9cad66d-f88c-4a28-b734-c6e9f78f4e0c";
    expect(line({ kind: HistoryKind.JOB_STARTED, element: "crossing/IBM", newInstance, node: "n3" })).toBe(
      "12:03:04.123 local/a        JOB_STARTED  crossing/IBM  (c9cad66d, on n3)",
    );
    expect(line({ kind: HistoryKind.BEGAN, lost: 3 })).toBe(
      "12:03:04.123 local/a        BEGAN        agent/n2  (3 before it lost)",
    );
  });

  test("shows long names and kinds of later versions all the same", () => {
    const role = "universal/all-of-them";
    const kind = 99 as HistoryKind;
    expect(line({ role, kind })).toBe(`12:03:04.123 ${role} 99           agent/n2`);
  });

  test("is in the zone of who reads it, below a line for each day", () => {
    const timeline = new HistoryTimeline("Asia/Tokyo");
    const event = (hours: number): HistoryEvent =>
      eventOf({
        timeUs: AT_US + hours * 3_600_000_000,
        role: "local/a",
        kind: HistoryKind.NODE_UP,
        element: "n2",
      });
    const [first, second, third] = [event(0), event(2), event(3)].map((one) => timeline.lines(one));
    expect(first).toEqual(["2026-03-07", "21:03:04.123 local/a        NODE_UP      n2"]);
    expect(second).toEqual(["23:03:04.123 local/a        NODE_UP      n2"]);
    expect(third).toEqual(["2026-03-08", "00:03:04.123 local/a        NODE_UP      n2"]);
  });
});
