import { describe, expect, test } from "vitest";
import { JobState } from "../../../proto/generated/evercross/v1/control.ts";
import type {
  JobRecord,
  NodeStateRecord,
  PlaceRecord,
} from "../../../proto/generated/evercross/v1/hierarchy.ts";
import { jobStateName, mayFollow } from "../../../runtime/agent/job-state.ts";
import type { RecordChange } from "../../../runtime/desired/desired-store.ts";
import { DesiredView } from "../../../runtime/desired/desired-view.ts";
import { type JobOrder, ORDERED, orderJob } from "../../../runtime/desired/job-orders.ts";
import { knownState } from "../../../runtime/desired/known-state.ts";
import { type NodeOrder, orderNode } from "../../../runtime/desired/node-orders.ts";
import type { OrderOutcome } from "../../../runtime/desired/order.ts";
import { Topology, topologyFaults } from "../../../runtime/topology/topology.ts";
import { agentOf, coordinatorOf, nodeOf, wantedJob } from "../../support/coordinator-world.ts";
import { placeRecordOf, stateRecordOf } from "../../support/hierarchy-records.ts";

const { IDLE, WANTRUN, STARTING, RUNNING, WANTSTOP, STOPPED } = JobState;
const WALL_MS = 1_700_000_000_000;

/** Two nodes that are up, with an agent each, below `local/a`. */
class Records {
  readonly view = new DesiredView();
  #revision = 0;

  constructor() {
    for (const node of ["c1", "n1", "n2"])
      this.put({ kind: "node", name: node, expected: 0, value: nodeOf(node) });
    for (const role of [
      coordinatorOf("local/a", "", ["c1"]),
      agentOf("n1", "local/a"),
      agentOf("n2", "local/a"),
    ])
      this.put({ kind: "role", name: role.role, expected: 0, value: role });
    for (const node of ["n1", "n2"]) this.state(node, { up: true });
  }

  get topology(): Topology {
    const { roles, nodes } = this.view;
    return new Topology(
      [...roles.values()].map(({ value }) => value),
      [...nodes.values()].map(({ value }) => value),
    );
  }

  put({ kind, name, value }: RecordChange): void {
    this.#revision += 1;
    this.view.apply({ kind, name, revision: this.#revision, value } as never);
  }

  job(job: string, fields: Partial<JobRecord> = {}): this {
    this.put({ kind: "job", name: job, expected: 0, value: wantedJob(job, "local/a", fields) });
    return this;
  }

  state(node: string, fields: Partial<NodeStateRecord>): this {
    this.put({ kind: "state", name: node, expected: 0, value: stateRecordOf({ node, ...fields }) });
    return this;
  }

  place(job: string, fields: Partial<PlaceRecord>): this {
    this.put({ kind: "place", name: job, expected: 0, value: placeRecordOf({ job, ...fields }) });
    return this;
  }

  orderJob(order: JobOrder): OrderOutcome {
    return orderJob(this.view, this.topology, WALL_MS, order);
  }

  orderNode(order: NodeOrder): OrderOutcome {
    return orderNode(this.view, this.topology, order);
  }

  /** Makes the changes. Throws when the order is refused, or names another revision than the record has. */
  make(outcome: OrderOutcome): RecordChange[] {
    if (outcome.kind === "refused") throw new Error(`${outcome.code}: ${outcome.detail}`);
    const { jobs: job, nodes: node, states: state, roles: role, places: place } = this.view;
    for (const change of outcome.changes) {
      const held = { job, node, state, role, place }[change.kind].get(change.name);
      expect(change.expected, `${change.kind} ${change.name}`).toBe(held?.revision ?? 0);
      this.put(change);
    }
    return [...outcome.changes];
  }
}

/** A job in each state that the records can show. */
const STATES: readonly [JobState, (records: Records) => Records][] = [
  [IDLE, (records) => records.job("x/1", { wanted: false, node: "n1" })],
  [WANTRUN, (records) => records.job("x/1")],
  [STARTING, (records) => records.job("x/1", { node: "n1" }).place("x/1", { node: "n1", state: STARTING })],
  [RUNNING, (records) => records.job("x/1", { node: "n1" }).place("x/1", { node: "n1", state: RUNNING })],
  [
    WANTSTOP,
    (records) =>
      records.job("x/1", { node: "n1", wanted: false }).place("x/1", { node: "n1", state: RUNNING }),
  ],
  [STOPPED, (records) => records.job("x/1", { quarantinedUntilMs: WALL_MS + 1 })],
];

describe("the state of a job by the records", () => {
  test.each(STATES)("%i is known", (state, make) => {
    const records = make(new Records());
    expect(knownState(records.view, records.view.jobs.get("x/1")?.value as JobRecord)).toBe(state);
  });

  test("what a node that is down was said to run counts for nothing, nor does another node's word", () => {
    const records = new Records().job("x/1", { node: "n1" }).place("x/1", { node: "n1", state: RUNNING });
    const known = (): JobState => knownState(records.view, records.view.jobs.get("x/1")?.value as JobRecord);
    records.state("n1", { up: false });
    expect(known()).toBe(WANTRUN);
    records.state("n1", { up: true }).job("x/1", { node: "n2" });
    expect(known()).toBe(WANTRUN);
    records.job("x/1", { wanted: false }).place("x/1", { node: "n1", state: STOPPED });
    expect(known()).toBe(IDLE);
  });
});

describe("orders of jobs", () => {
  test("lead only from one state to another that may follow it", () => {
    for (const [name, states] of Object.entries(ORDERED)) {
      for (const [from, to] of states) {
        const isSame = from === to;
        expect(isSame || mayFollow(from, to), `${name}: ${jobStateName(from)} → ${jobStateName(to)}`).toBe(
          true,
        );
      }
    }
  });

  test.each(
    STATES.flatMap(([state, make]) =>
      (["start", "stop", "remove", "move"] as const).map((kind) => [kind, state, make] as const),
    ),
  )("%s of a job in state %i is done or refused with both states named", (kind, state, make) => {
    const records = make(new Records());
    const outcome = records.orderJob({ kind, job: "x/1" });
    if (!ORDERED[kind].has(state)) {
      expect(outcome).toMatchObject({ kind: "refused", code: "wrong_state" });
      if (outcome.kind === "refused")
        expect(outcome.detail).toMatch(
          new RegExp(`^x/1 is ${jobStateName(state)} and cannot go to (idle|wantrun|wantstop): `),
        );
      return;
    }
    records.make(outcome);
    const job = records.view.jobs.get("x/1")?.value;
    if (kind === "remove") return expect(job).toBeUndefined();
    expect(job?.wanted).toBe(kind === "start" || (kind === "move" && state !== IDLE));
    expect([job?.quarantinedUntilMs, job?.failed]).toEqual([0, []]);
    if (kind === "move")
      expect(job).toMatchObject({
        node: state === IDLE || state === STARTING || state === RUNNING ? "n2" : "n1",
        placedMs: WALL_MS,
      });
  });

  test("add makes a job that the first top places, or the home that is named", () => {
    const records = new Records();
    records.make(records.orderJob({ kind: "add", job: "x/1" }));
    expect(records.view.jobs.get("x/1")?.value).toMatchObject({
      wanted: true,
      home: "local/a",
      node: "",
      group: "x/1",
    });
    records.make(
      records.orderJob({
        kind: "add",
        job: "x/2",
        home: "local/a",
        wanted: false,
        nodes: ["n1"],
        labels: ["l"],
      }),
    );
    expect(records.view.jobs.get("x/2")?.value).toMatchObject({
      wanted: false,
      nodes: ["n1"],
      labels: ["l"],
    });
  });

  test.each([
    [{ kind: "add", job: "x/1" }, "job_exists", "there is a job x/1 already"],
    [{ kind: "add", job: "nonsense" }, "bad_name", "'nonsense' is not a job name of the form service/key"],
    [{ kind: "add", job: "x/2", nodes: ["n1", "n9"] }, "no_such_node", "there is no node n9"],
    [{ kind: "add", job: "x/2", home: "local/z" }, "no_such_role", "there is no coordinator local/z"],
    [{ kind: "add", job: "x/2", home: "agent/n1" }, "no_such_role", "there is no coordinator agent/n1"],
    [{ kind: "start", job: "x/9" }, "no_such_job", "there is no job x/9"],
    [{ kind: "move", job: "x/1", node: "n9" }, "no_such_node", "there is no node n9"],
    [
      { kind: "move", job: "x/1", node: "c1" },
      "not_allowed",
      "x/1 cannot run on c1: of 1 node 1 without an agent for it",
    ],
    [
      { kind: "move", job: "x/3", node: "n2" },
      "not_allowed",
      "x/3 cannot run on n2: of 1 node 1 not among the nodes it names",
    ],
    [
      { kind: "move", job: "x/3" },
      "no_place",
      "x/3 cannot run anywhere else: of 2 nodes 2 not among the nodes it names",
    ],
  ] as const)("%j is refused: %s", (order, code, detail) => {
    const records = new Records().job("x/1", { node: "n1" }).job("x/3", { node: "n1", nodes: ["n1"] });
    expect(records.orderJob(order as JobOrder)).toEqual({ kind: "refused", code, detail });
  });

  test("a move to where the job is changes nothing", () => {
    const records = new Records().job("x/1", { node: "n1" });
    expect(records.orderJob({ kind: "move", job: "x/1", node: "n1" })).toEqual({ kind: "ok", changes: [] });
  });

  test("an operator may move a job back to a node that gave it up", () => {
    const records = new Records().job("x/1", { node: "n1", failed: [{ node: "n2", atMs: 1, reason: "" }] });
    records.make(records.orderJob({ kind: "move", job: "x/1", node: "n2" }));
    expect(records.view.jobs.get("x/1")?.value).toMatchObject({ node: "n2", failed: [] });
  });

  test("a removal takes what the directory still says of it along", () => {
    const records = new Records()
      .job("x/1", { wanted: false, node: "n1" })
      .place("x/1", { node: "n1", state: RUNNING })
      .state("n1", { up: false });
    const changes = records.make(records.orderJob({ kind: "remove", job: "x/1" }));
    expect(changes.map(({ kind, value }) => [kind, value])).toEqual([
      ["job", undefined],
      ["place", undefined],
    ]);
  });
});

describe("orders of nodes", () => {
  test("add brings the node and its agent, and leaves an arrangement without faults", () => {
    const records = new Records();
    records.make(
      records.orderNode({ kind: "add", node: "n3", local: "local/a", labels: ["gpu"], address: "h3" }),
    );
    expect(records.view.nodes.get("n3")?.value).toMatchObject({
      labels: ["gpu"],
      address: "h3",
      local: "local/a",
    });
    expect(records.topology.agentOf("n3", "x")?.role).toBe("agent/n3");
    expect(records.topology.homeOf("n3")).toBe("local/a");
    expect(topologyFaults(records.topology)).toEqual([]);
  });

  test("remove takes all that was said of the node along, and leaves an arrangement without faults", () => {
    const records = new Records();
    records.put({
      kind: "role",
      name: "local/a",
      expected: 0,
      value: coordinatorOf("local/a", "", ["c1", "n2"]),
    });
    records.make(records.orderNode({ kind: "remove", node: "n2" }));
    expect([
      ...records.view.nodes.keys(),
      ...records.view.roles.keys(),
      ...records.view.states.keys(),
    ]).toEqual(["c1", "n1", "local/a", "agent/n1", "n1"]);
    expect(records.topology.role("local/a")?.on).toEqual(["c1"]);
    expect(topologyFaults(records.topology)).toEqual([]);
  });

  test("drain and undrain are one change each, and none when it is so already", () => {
    const records = new Records();
    expect(records.make(records.orderNode({ kind: "drain", node: "n1" }))).toHaveLength(1);
    expect(records.make(records.orderNode({ kind: "drain", node: "n1" }))).toEqual([]);
    expect(records.view.nodes.get("n1")?.value.drained).toBe(true);
    expect(records.make(records.orderNode({ kind: "undrain", node: "n1" }))).toHaveLength(1);
  });

  test.each([
    [{ kind: "add", node: "n1", local: "local/a" }, "node_exists", "there is a node n1 already"],
    [{ kind: "add", node: "a b", local: "local/a" }, "bad_name", "'a b' cannot be the name of a node"],
    [{ kind: "add", node: "n3", local: "local/z" }, "no_such_role", "there is no coordinator local/z"],
    [{ kind: "add", node: "n3", local: "agent/n1" }, "no_such_role", "there is no coordinator agent/n1"],
    [{ kind: "remove", node: "n9" }, "no_such_node", "there is no node n9"],
    [{ kind: "drain", node: "n9" }, "no_such_node", "there is no node n9"],
    [{ kind: "remove", node: "c1" }, "node_in_use", "local/a can run nowhere but on c1"],
    [{ kind: "remove", node: "n1" }, "node_in_use", "2 jobs are on n1 (x/1, x/2): drain it first"],
  ] as const)("%j is refused: %s", (order, code, detail) => {
    const records = new Records().job("x/1", { node: "n1" }).place("x/2", { node: "n1", state: RUNNING });
    expect(records.orderNode(order as NodeOrder)).toEqual({ kind: "refused", code, detail });
  });
});
