import { describe, expect, test } from "vitest";
import type { LocatedJob } from "../../../runtime/operator/located-job.ts";
import { Application } from "./application.ts";

const NODES = ["n1", "n2", "n3"];
const RESPONDERS = ["responder/0", "responder/1", "responder/2", "responder/3", "responder/4", "responder/5"];

const nodesOf = (jobs: readonly LocatedJob[]): string[] => [...new Set(jobs.map(({ node }) => node))].sort();
const named = (jobs: readonly LocatedJob[], name: string): LocatedJob => {
  const found = jobs.find(({ status }) => status?.job === name);
  if (found === undefined) throw new Error(`no job ${name}`);
  return found;
};
const instances = (jobs: readonly LocatedJob[]): string[] =>
  jobs.map(({ status, pid }) => `${status?.job} ${status?.instance} in ${pid}`);

describe("an application that is no market", () => {
  test("its instances are kept at their number, and requests find them wherever they are", async () => {
    const it = await Application.start(NODES);
    for (const job of RESPONDERS) await it.add(job);
    const before = await it.until((jobs) => jobs.length === RESPONDERS.length);
    // As many on each node, chosen by nobody but the coordinator.
    expect(nodesOf(before)).toEqual(NODES);
    expect([...new Set((await it.untilSpread(6)).values())].sort()).toEqual(NODES);

    const killed = named(before, "responder/0").pid;
    it.kill(killed);
    const replaced = await it.until((jobs) => named(jobs, "responder/0").pid !== killed);
    const others = before.filter(({ pid }) => pid !== killed);
    expect(instances(replaced)).toEqual(expect.arrayContaining(instances(others)));
    await it.untilSpread(6);

    it.switchOff("n3");
    const elsewhere = await it.until((jobs) => !nodesOf(jobs).includes("n3"));
    expect(elsewhere.length).toBe(RESPONDERS.length);
    const stayed = replaced.filter(({ node }) => node !== "n3");
    expect(instances(elsewhere)).toEqual(expect.arrayContaining(instances(stayed)));
    expect([...new Set((await it.untilSpread(6)).values())].sort()).toEqual(["n1", "n2"]);

    // What is back takes what comes new; nothing moves to it without a reason.
    it.switchOn("n3");
    await it.untilUp("n3");
    await it.add("responder/6");
    const back = await it.until((jobs) => jobs.length === 7 && nodesOf(jobs).includes("n3"));
    expect(instances(back)).toEqual(expect.arrayContaining(instances(elsewhere)));
    await it.untilSpread(7);
  });

  test("a foreign program is kept running, on one node at a time, and none is left behind", async () => {
    const it = await Application.start(["n1", "n2"]);
    await it.add("sleeper/1");
    const first = named(await it.until((jobs) => jobs.length === 1), "sleeper/1");
    expect(it.programRuns(first.node, "sleeper-1")).toBe(true);

    it.kill(first.pid);
    const again = named(await it.until(([job]) => job?.pid !== first.pid), "sleeper/1");
    expect(it.programRuns(again.node, "sleeper-1")).toBe(true);

    it.switchOff(again.node);
    const moved = named(await it.until(([job]) => job?.node !== again.node), "sleeper/1");
    expect(it.programRuns(moved.node, "sleeper-1")).toBe(true);
    expect(it.programRuns(again.node, "sleeper-1")).toBe(false);
  });
});
