import { describe, expect, test } from "vitest";
import {
  AgentStatus,
  HostStatus,
  JobState,
  WatchedJob,
} from "../../../proto/generated/evercross/v1/control.ts";
import { NodeRecord, NodeStateRecord, RoleRecord } from "../../../proto/generated/evercross/v1/hierarchy.ts";
import { DesiredView } from "../../../runtime/desired/desired-view.ts";
import { Topology } from "../../../runtime/topology/topology.ts";
import { treeRows } from "../../../services/cli/tree-rows.ts";
import {
  type AgentInstance,
  hierarchyTree,
  type RoleInstance,
  treeFaults,
} from "../../../services/market/hierarchy-tree.ts";

/** A message with these fields; the others are empty. */
function blank<T>(type: { decode(data: Uint8Array): T }, fields: Partial<T>): T {
  return { ...type.decode(new Uint8Array()), ...fields };
}

const ROLES = [
  blank(RoleRecord, { role: "group/g" }),
  blank(RoleRecord, { role: "local/a", parent: "group/g" }),
  blank(RoleRecord, { role: "agent/n1", parent: "local/a", nodes: ["n1"] }),
  blank(RoleRecord, { role: "agent/n2", parent: "local/a", nodes: ["n2"] }),
];
const NODES = ["n1", "n2"].map((node) => blank(NodeRecord, { node, drained: node === "n2" }));

const coordinator = (role: string, pid: number, active = true): RoleInstance => ({
  role,
  node: "n1",
  pid,
  active,
  escalations: [],
});

function agent(node: string, jobs: readonly (readonly [string, JobState])[]): AgentInstance {
  const status = blank(AgentStatus, {
    hosts: [blank(HostStatus, { host: "h1", node }), blank(HostStatus, { host: "h2", node, spare: true })],
    jobs: jobs.map(([job, state]) =>
      blank(WatchedJob, {
        status: { job, state, epoch: 1, detail: "as told", instance: "" },
        node,
        host: "h1",
        pid: 9,
        restarts: 2,
      }),
    ),
  });
  return { role: `agent/${node}`, node, pid: 7, active: true, escalations: [], status };
}

function shown(instances: readonly (RoleInstance | AgentInstance)[], jobs = false) {
  const view = new DesiredView();
  NODES.forEach((value, index) => {
    view.apply({ kind: "node", name: value.node, revision: index + 1, value });
    const state = blank(NodeStateRecord, { node: value.node, up: value.node === "n1", cause: "silent" });
    view.apply({ kind: "state", name: value.node, revision: index + 10, value: state });
  });
  const tree = hierarchyTree(new Topology(ROLES, NODES), view, instances);
  return { rows: treeRows(tree, jobs).map((row) => row.join(" | ")), faults: treeFaults(tree) };
}

describe("evercross tree", () => {
  test("shows each role below its parent, and below an agent its nodes", () => {
    const { rows, faults } = shown([
      coordinator("group/g", 4),
      coordinator("local/a", 5),
      agent("n1", [
        ["web/1", JobState.RUNNING],
        ["web/2", JobState.STARTING],
        ["db/1", JobState.RUNNING],
      ]),
      agent("n2", []),
    ]);
    expect(rows).toEqual([
      "group/g | n1:4 | active | ",
      "  local/a | n1:5 | active | ",
      "    agent/n1 | n1:7 | active | ",
      "      node n1 | 2 hosts, 1 spare | up | 1 db, 2 web, 1 not running",
      "    agent/n2 | n2:7 | active | ",
      "      node n2 | 2 hosts, 1 spare | down, drained | silent",
    ]);
    expect(faults).toEqual([]);
  });

  test("shows each job when asked to", () => {
    const { rows } = shown([agent("n1", [["web/1", JobState.RUNNING]])], true);
    expect(rows).toContain("        web/1 | h1:9 | running | 2 restarts, as told");
  });

  test("names roles that nobody plays and roles that are played twice", () => {
    const { rows, faults } = shown([
      coordinator("local/a", 5),
      coordinator("local/a", 6, false),
      agent("n1", []),
    ]);
    expect(rows).toContain("group/g | - | MISSING | ");
    expect(rows).toContain("  local/a | n1:5 | DUPLICATE, active | ");
    expect(rows).toContain("  local/a | n1:6 | DUPLICATE, passive | ");
    expect(faults).toEqual(["group/g is missing", "local/a is played 2 times", "agent/n2 is missing"]);
  });

  test("shows what a coordinator cannot repair by itself", () => {
    const escalations = [{ element: "web/1", reason: "no node has the label gpu" }];
    const { rows } = shown([{ ...coordinator("local/a", 5), escalations }]);
    expect(rows).toContain("  local/a | n1:5 | active | web/1: no node has the label gpu");
  });
});
