import { describe, expect, test } from "vitest";
import { topologyFaults } from "../../../runtime/topology/topology.ts";
import { nodeRecords, roleRecords, topologyOf } from "../../../services/market/arrangement.ts";
import { checkConfig, ConfigError } from "../../../services/market/config.ts";
import { jobRecords, planJobs } from "../../../services/market/layout.ts";

const config = (hierarchy: object, more: object = {}) =>
  checkConfig(
    { nodes: ["n1", "n2", "n3", "n4"], instruments: [{ symbol: "A" }], hierarchy, ...more },
    "market.yaml",
  );

/** `agent/n1 < local/a on n1 [n1]`. */
const lines = (value: Parameters<typeof roleRecords>[0]): string[] =>
  roleRecords(value).map(
    ({ role, parent, on, unit, nodes }) =>
      `${role} < ${parent || "-"} on ${on.join(",")} in ${unit}${nodes.length === 0 ? "" : ` [${nodes.join(",")}]`}`,
  );

const FOUR_LEVELS = {
  locals: [
    { name: "a", nodes: ["n1", "n2"] },
    { name: "b", nodes: ["n3", "n4"], on: ["n4", "n3"] },
  ],
  groups: [
    { name: "east", locals: ["a"] },
    { name: "west", locals: ["b"], wide: true },
  ],
  universals: [{ name: "u", groups: ["east", "west"], on: ["n2"] }],
};

describe("the hierarchy of a market", () => {
  test("is, without a word of it, an agent on each node and one local coordinator over all", () => {
    const value = checkConfig({ nodes: ["n1", "n2"], instruments: [{ symbol: "A" }] }, "market.yaml");
    expect(lines(value)).toEqual([
      "local/main < - on n1,n2 in local-main",
      "agent/n1 < local/main on n1 in agent-n1 [n1]",
      "agent/n2 < local/main on n2 in agent-n2 [n2]",
    ]);
    expect(nodeRecords(value)).toMatchObject([
      { node: "n1", local: "local/main", labels: [], customer: "", drained: false },
      { node: "n2", local: "local/main" },
    ]);
  });

  test("has four levels where four are named, each where it may run", () => {
    const value = config(FOUR_LEVELS);
    expect(lines(value)).toEqual([
      "universal/u < - on n2 in universal-u",
      "group/east < universal/u on n1,n2 in group-east",
      "group/west < universal/u on n3,n4 in group-west",
      "local/a < group/east on n1,n2 in local-a",
      "local/b < group/west on n4,n3 in local-b",
      "agent/n1 < local/a on n1 in agent-n1 [n1]",
      "agent/n2 < local/a on n2 in agent-n2 [n2]",
      "agent/n3 < local/b on n3 in agent-n3 [n3]",
      "agent/n4 < local/b on n4 in agent-n4 [n4]",
    ]);
    expect(roleRecords(value).filter(({ wide }) => wide)).toMatchObject([{ role: "group/west" }]);
    expect(topologyFaults(topologyOf(value))).toEqual([]);
    expect(topologyOf(value).nodesBelow("group/west")).toEqual(["n3", "n4"]);
  });

  test("may leave levels out: universal coordinators over locals, agents alone", () => {
    const { locals } = FOUR_LEVELS;
    const two = [
      { name: "u", locals: ["a"] },
      { name: "v", locals: ["b"] },
    ];
    expect(lines(config({ locals, universals: two })).slice(0, 4)).toEqual([
      "universal/u < - on n1,n2 in universal-u",
      "universal/v < - on n3,n4 in universal-v",
      "local/a < universal/u on n1,n2 in local-a",
      "local/b < universal/v on n4,n3 in local-b",
    ]);
    const alone = config({ locals: [] });
    expect(lines(alone)[0]).toBe("agent/n1 < - on n1 in agent-n1 [n1]");
    expect(jobRecords(alone, planJobs(alone), 5)[0]).toMatchObject({ home: "", node: "n1" });
  });

  test("takes agents that watch other nodes, and several on one node for services of their own", () => {
    const agents = [
      { name: "far", nodes: ["n1", "n2"] },
      { name: "store", nodes: ["n3"], services: ["storage"], on: ["n4"] },
      { name: "rest", nodes: ["n3"] },
    ];
    const value = config({ agents });
    expect(lines(value).slice(1)).toEqual([
      "agent/far < local/main on n1,n2 in agent-far [n1,n2]",
      "agent/store < local/main on n4 in agent-store [n3]",
      "agent/rest < local/main on n3 in agent-rest [n3]",
      "agent/n4 < local/main on n4 in agent-n4 [n4]",
    ]);
    expect(topologyOf(value).agentOf("n3", "storage")?.role).toBe("agent/store");
    expect(topologyOf(value).agentOf("n3", "crossing")?.role).toBe("agent/rest");
  });

  test("puts roles of one unit into one process", () => {
    const value = config({
      units: [["local/main", "agent/n1"]],
      agents: [{ name: "n1", nodes: ["n1"], on: ["n1", "n2", "n3", "n4"] }],
    });
    expect(roleRecords(value).map(({ role, unit }) => `${role} ${unit}`)).toContain("agent/n1 local-main");
  });

  test("is the same when it is read again as it was understood", () => {
    const launcher = {
      start: "ssh {address} systemctl start evercross-monitor@{unit}",
      kill: "ssh {address} kill -9 {pid}",
    };
    const once = config(
      {
        ...FOUR_LEVELS,
        units: [["group/east", "local/a"]],
        agents: [{ name: "x", nodes: ["n1", "n2"] }],
        launcher,
      },
      {
        nodes: ["n1", { name: "n2", labels: ["gpu"], customer: "acme", address: "10.0.0.2" }, "n3", "n4"],
      },
    );
    expect(checkConfig(JSON.parse(JSON.stringify(once)), "run file")).toEqual(once);
  });

  test.each<[object, string]>([
    [{ locals: [{ name: "a", nodes: ["n9"] }] }, "hierarchy.locals.0.nodes.0: there is no node 'n9'"],
    [{ locals: [{ name: "a", nodes: ["n1", "n1"] }] }, "hierarchy.locals.0.nodes.1: 'n1' stands twice"],
    [{ locals: [{ name: "a", nodes: ["n1", "n2"] }] }, "hierarchy.locals: node 'n3' is below none of them"],
    [
      {
        locals: [
          { name: "a", nodes: ["n1", "n2", "n3", "n4"] },
          { name: "b", nodes: ["n4"] },
        ],
      },
      "hierarchy.locals: node 'n4' is below a and b",
    ],
    [{ groups: [{ name: "g", locals: ["a"] }] }, "hierarchy.groups.0.locals.0: there is no local 'a'"],
    [
      {
        groups: [
          { name: "g", locals: ["main"] },
          { name: "h", locals: ["main"] },
        ],
      },
      "hierarchy.groups.1.locals: local/main is below group/g already",
    ],
    [{ universals: [{ name: "u" }] }, "hierarchy.universals.0: it is above no group and no local"],
    [
      { agents: [{ name: "x", nodes: ["n1"], on: ["n7"] }] },
      "hierarchy.agents.0.on.0: there is no node 'n7'",
    ],
    [
      { ...FOUR_LEVELS, agents: [{ name: "x", nodes: ["n1", "n3"] }] },
      "hierarchy.agents.0.nodes: its nodes are below several locals: a, b",
    ],
    [
      {
        agents: [
          { name: "x", nodes: ["n1"] },
          { name: "y", nodes: ["n1"] },
        ],
      },
      "hierarchy.agents.1: agent 'x' keeps all other services on n1 already",
    ],
    [
      { agents: [{ name: "n2", nodes: ["n1"] }] },
      "hierarchy.agents: agent/n2 is the agent of the node of that name",
    ],
    [
      { units: [["local/main", "agent/n1"]] },
      "hierarchy.units.0.1: agent/n1 may run on n1, and local/main on n1, n2, n3, n4",
    ],
    [{ units: [["local/zzz"]] }, "hierarchy.units.0.0: there is no role 'local/zzz'"],
    [{ units: [["agent/n1"], ["agent/n1"]] }, "hierarchy.units.1.0: 'agent/n1' stands twice"],
    [
      { launcher: { start: "ssh {host}", kill: "true" } },
      "hierarchy.launcher.start: a command template knows no {host}",
    ],
    [
      { agents: ["n1", "n2", "n3", "n4"].map((name) => ({ name, nodes: [name], services: ["crossing"] })) },
      "nodes: no node without a customer has an agent that keeps jobs of storage",
    ],
  ])("is refused with its key and the reason: %j", (hierarchy, message) => {
    expect(() => config(hierarchy)).toThrow(ConfigError);
    expect(() => config(hierarchy)).toThrow(message);
  });

  test("puts no job of the market on a customer's node, and binds storage to where its data is", () => {
    const nodes = ["n1", { name: "n2", customer: "acme" }, "n3"];
    const value = config({}, { nodes, instruments: ["A", "B", "C"].map((symbol) => ({ symbol })) });
    const records = jobRecords(value, planJobs(value), 7);
    expect(records.map(({ job, node, nodes: bound, home }) => [job, node, bound, home])).toEqual([
      ["storage/0", "n1", ["n1"], "local/main"],
      ["crossing/A", "n3", [], "local/main"],
      ["crossing/B", "n1", [], "local/main"],
      ["crossing/C", "n3", [], "local/main"],
      ["gateway/0", "n1", [], "local/main"],
    ]);
  });
});
