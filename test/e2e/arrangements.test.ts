import { describe, expect, test } from "vitest";
import { HistoryKind } from "../../proto/generated/evercross/v1/hierarchy.ts";
import { parseRole } from "../../runtime/monitor/role.ts";
import { HierarchyMarket, instancesOf, pidsOf } from "../support/hierarchy-market.ts";

const INSTRUMENTS = [{ symbol: "AAA" }, { symbol: "BBB" }];
/** A node for monitors: no job of the market may be there. */
const apart = (name: string) => ({ name, customer: "monitors" });

/** Who watches whom, as a market's configuration says it, and how many roles there are then. */
const ARRANGEMENTS: Readonly<Record<string, { readonly config: object; readonly roles: number }>> = {
  "two levels: an agent on each node, one local coordinator": {
    config: { nodes: ["n1", "n2"] },
    roles: 3,
  },
  "four levels, each in a process of its own": {
    config: {
      nodes: ["n1", "n2", "n3"],
      hierarchy: {
        locals: [
          { name: "a", nodes: ["n1", "n2"] },
          { name: "b", nodes: ["n3"] },
        ],
        groups: [{ name: "g", locals: ["a", "b"] }],
        universals: [{ name: "u", groups: ["g"] }],
      },
    },
    roles: 7,
  },
  "an agent that also watches another node": {
    config: { nodes: ["n1", "n2"], hierarchy: { agents: [{ name: "both", nodes: ["n1", "n2"] }] } },
    roles: 2,
  },
  "two agents on one node over disjoint services": {
    config: {
      nodes: ["n1", "n2"],
      hierarchy: {
        agents: [
          { name: "keeper", nodes: ["n1"], services: ["storage"] },
          { name: "trader", nodes: ["n1"] },
        ],
      },
    },
    roles: 4,
  },
  "levels on dedicated nodes": {
    config: {
      nodes: ["n1", "n2", apart("m1"), apart("m2")],
      hierarchy: {
        locals: [{ name: "a", nodes: ["n1", "n2", "m1", "m2"], on: ["m1", "m2"] }],
        groups: [{ name: "g", locals: ["a"], on: ["m2", "m1"] }],
      },
    },
    roles: 6,
  },
  "vertical: all levels of a node in one process": {
    config: {
      nodes: ["n1"],
      hierarchy: {
        locals: [{ name: "a", nodes: ["n1"] }],
        groups: [{ name: "g", locals: ["a"] }],
        universals: [{ name: "u", groups: ["g"] }],
        units: [["universal/u", "group/g", "local/a", "agent/n1"]],
      },
    },
    roles: 4,
  },
  "mixed: one cluster vertical, the other with a process for each level": {
    config: {
      nodes: ["n1", "n2"],
      hierarchy: {
        locals: [
          { name: "a", nodes: ["n1"] },
          { name: "b", nodes: ["n2"] },
        ],
        groups: [{ name: "g", locals: ["a", "b"] }],
        units: [["local/a", "agent/n1"]],
      },
    },
    roles: 5,
  },
  "two universal coordinators over disjoint groups": {
    config: {
      nodes: ["n1", "n2"],
      hierarchy: {
        locals: [
          { name: "a", nodes: ["n1"] },
          { name: "b", nodes: ["n2"] },
        ],
        groups: [
          { name: "g", locals: ["a"] },
          { name: "h", locals: ["b"] },
        ],
        universals: [
          { name: "u", groups: ["g"] },
          { name: "v", groups: ["h"] },
        ],
      },
    },
    roles: 8,
  },
};

describe("an arrangement of the hierarchy", () => {
  test.each(Object.entries(ARRANGEMENTS))(
    "%s: what is killed comes back, and nothing else is touched",
    { timeout: 120_000 },
    async (_, { config, roles }) => {
      const it = await HierarchyMarket.start({ ...config, instruments: INSTRUMENTS });
      let before = await it.untilWhole();
      expect(pidsOf(before.tree).size).toBe(roles);
      const whole = Date.now();
      const hurt = new Set<string>();

      // One process of each kind of monitor, from the top down.
      const levels = new Map([...pidsOf(before.tree)].map(([role, pid]) => [parseRole(role).level, pid]));
      for (const victim of new Set(levels.values())) {
        const pids = pidsOf(before.tree);
        for (const [role, pid] of pids) if (pid === victim) hurt.add(role);
        it.signal(victim, "SIGKILL");
        const after = await it.untilWhole(({ tree }) => ![...pidsOf(tree).values()].includes(victim));
        const others = [...pids].filter(([, pid]) => pid !== victim);
        expect([...pidsOf(after.tree)]).toEqual(expect.arrayContaining(others));
        expect(instancesOf(after.jobs)).toEqual(instancesOf(before.jobs));
        before = after;
      }

      const killed = before.jobs.find(({ status }) => status?.job === "crossing/AAA")?.pid ?? 0;
      for (const { status, pid } of before.jobs) if (pid === killed) hurt.add(status?.job ?? "");
      it.signal(killed, "SIGKILL");
      const after = await it.untilWhole(({ jobs }) => jobs.every(({ pid }) => pid !== killed));
      expect([...pidsOf(after.tree)]).toEqual([...pidsOf(before.tree)]);
      const untouched = before.jobs.filter(({ pid }) => pid !== killed);
      expect(instancesOf(after.jobs)).toEqual(expect.arrayContaining(instancesOf(untouched)));

      // The same, as the monitors tell it themselves.
      const history = await it.history(whole);
      const restarted = history.filter(({ kind }) => kind === HistoryKind.RESTARTED);
      const started = restarted.map(({ element }) => element).filter((one) => !one.startsWith("host/"));
      expect([...hurt]).toEqual(expect.arrayContaining(started));
      expect(history.filter(({ kind }) => kind === HistoryKind.MOVED)).toEqual([]);
    },
  );
});
