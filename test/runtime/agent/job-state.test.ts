import { describe, expect, test } from "vitest";
import { JobState } from "../../../proto/generated/evercross/v1/control.ts";
import { jobStateName, mayFollow } from "../../../runtime/agent/job-state.ts";
import { WatchedJobState } from "../../../runtime/agent/watched-job.ts";

const { IDLE, WANTRUN, STARTING, RUNNING, WANTSTOP, STOPPED } = JobState;
const STATES = [IDLE, WANTRUN, STARTING, RUNNING, WANTSTOP, STOPPED];

describe("job states", () => {
  test.each([
    [IDLE, [WANTRUN]],
    [WANTRUN, [IDLE, STARTING, RUNNING, STOPPED]],
    [STARTING, [WANTRUN, RUNNING, WANTSTOP, STOPPED]],
    [RUNNING, [WANTRUN, WANTSTOP, STOPPED]],
    [WANTSTOP, [STOPPED]],
    [STOPPED, [IDLE, WANTRUN]],
  ])("what may follow state %i is %j", (from, allowed) => {
    expect(STATES.filter((to) => mayFollow(from, to))).toEqual(allowed);
  });

  test("a transition that is not in the table stops the agent by name", () => {
    const job = new WatchedJobState("x/1", { node: "n1", group: "g" }, 0);
    expect(() => job.become(JobState.RUNNING, 1)).toThrow("job x/1 cannot go from idle to running");
    expect(jobStateName(WANTSTOP)).toBe("wantstop");
  });
});
