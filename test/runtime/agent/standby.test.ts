import { describe, expect, test } from "vitest";
import type { DesiredJob } from "../../../runtime/agent/agent-message.ts";
import { AgentWorld } from "../../support/agent-world.ts";

const JOBS: readonly DesiredJob[] = [
  { job: "a/1", group: "a", node: "n1", standby: true },
  { job: "a/2", group: "a", node: "n1", standby: true },
  { job: "a/3", group: "a", node: "n1" },
  { job: "b/1", group: "b", node: "n1" },
];

function settled(): AgentWorld {
  const world = new AgentWorld(JOBS);
  world.ticks(5);
  return world;
}

const standbys = (world: AgentWorld): (readonly string[])[] =>
  world
    .alive()
    .map(({ warm }) => warm)
    .filter((warm) => warm.length > 0);

describe("an agent with jobs that are to have a standby", () => {
  test("keeps one host beside the spare that follows those of a group, and no others", () => {
    const world = settled();
    expect(standbys(world)).toEqual([["a/1", "a/2"]]);
    const { hosts } = world.machine.status();
    expect(hosts.map(({ standby }) => standby).sort()).toEqual(["", "", "", "a"]);
    expect(hosts.filter(({ spare }) => spare)).toHaveLength(1);
  });

  test("starts the group in it when the group's host dies, and makes another", () => {
    const world = settled();
    const standby = world.alive().find(({ warm }) => warm.length > 0);
    world.crash(world.hostOf("a/1"));
    for (const job of ["a/1", "a/2", "a/3"]) expect(world.hostOf(job)).toBe(standby);
    world.ticks(5);
    expect(standby?.warm).toEqual([]);
    expect(standbys(world)).toEqual([["a/1", "a/2"]]);
    expect(world.alive()).toHaveLength(4);
  });

  test("knows it again after its own restart, and starts none beside it", () => {
    const world = settled();
    const before = world.alive().map(({ pid, warm }) => ({ pid, warm }));
    world.restartAgent();
    world.ticks(10);
    expect(world.alive().map(({ pid, warm }) => ({ pid, warm }))).toEqual(before);
  });

  test("lets it follow those that are still wanted, and makes it a spare when none is", () => {
    const world = settled();
    world.desire(JOBS.filter(({ job }) => job !== "a/2"));
    world.ticks(5);
    expect(standbys(world)).toEqual([["a/1"]]);
    world.desire(JOBS.map(({ job, group, node }) => ({ job, group, node })));
    world.ticks(5);
    expect(standbys(world)).toEqual([]);
    expect(world.machine.status().hosts.every(({ standby }) => standby === "")).toBe(true);
  });

  test("tells a host again whom to follow, until it answers so", () => {
    const world = settled();
    const standby = world.alive().find(({ warm }) => warm.length > 0);
    if (standby === undefined) throw new Error("no standby");
    standby.warm = [];
    world.ticks(2);
    expect(standby.warm).toEqual(["a/1", "a/2"]);
  });
});
