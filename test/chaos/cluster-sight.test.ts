import { beforeEach, describe, expect, test } from "vitest";
import { AgentStatus, JobState } from "../../proto/generated/evercross/v1/control.ts";
import { DesiredView } from "../../runtime/desired/desired-view.ts";
import type { ProcessEntry } from "../../runtime/process/registry.ts";
import { Topology } from "../../runtime/topology/topology.ts";
import { maker } from "../support/blank-messages.ts";
import { jobRecordOf, roleRecordOf, stateRecordOf } from "../support/hierarchy-records.ts";
import { ClusterSight } from "./cluster-sight.ts";
import { isExplained, NOTHING_TOUCHED, type Restart } from "./touched.ts";

const statusOf = maker(AgentStatus);

const ROLES = [
  roleRecordOf({ role: "local/a", unit: "local-a", on: ["n1", "n2"] }),
  roleRecordOf({
    role: "agent/n1",
    parent: "local/a",
    unit: "agent-n1",
    on: ["n1"],
    nodes: ["n1"],
  }),
];
const JOB = jobRecordOf({ job: "crossing/AAA", wanted: true, node: "n1", group: "g" });

const AGENT: ProcessEntry = { kind: "agent", name: "n1.agent-n1", pid: 10, startTicks: 1 };
const LOCAL: ProcessEntry = { kind: "coordinator", name: "n2.local-a", pid: 20, startTicks: 1 };
const HOST: ProcessEntry = { kind: "host", name: "n1.h1", pid: 30, startTicks: 1, role: "crossing" };
const SPARE: ProcessEntry = { kind: "host", name: "n1.h2", pid: 31, startTicks: 1 };
const BROKER: ProcessEntry = { kind: "broker", name: "nats", pid: 40, startTicks: 1 };
const ALL = [AGENT, LOCAL, HOST, SPARE, BROKER];

let view: DesiredView;
let restarts: Restart[];
let sight: ClusterSight;

beforeEach(() => {
  view = new DesiredView();
  view.apply({ kind: "job", name: JOB.job, revision: 1, value: JOB });
  restarts = [];
  sight = new ClusterSight(
    () => ({ topology: new Topology(ROLES, []), view }),
    (restart) => restarts.push(restart),
  );
});

function agentAnswers(nowMs: number, instance = "i1", pid = HOST.pid, by = AGENT.pid): void {
  const job = {
    status: { job: JOB.job, state: JobState.RUNNING, epoch: 1, detail: "", instance },
    host: "h1",
    restarts: 0,
    sinceMs: 0,
    pid,
    node: "n1",
  };
  const status = statusOf({
    node: "n1",
    pid: by,
    role: "agent/n1",
    active: true,
    jobs: [job],
  });
  sight.answered("agent/n1", { node: "n1", pid: by, active: true, status }, nowMs);
}

function localAnswers(nowMs: number, active = true): void {
  sight.answered("local/a", { node: "n2", pid: LOCAL.pid, active, status: undefined }, nowMs);
}

describe("a cluster seen from outside", () => {
  test("is whole when each role is played by one process that is active, and each job runs where its record says", () => {
    expect(sight.defects(0)).toEqual([
      "local/a has 0 processes",
      "agent/n1 has 0 processes",
      "crossing/AAA runs 0 times",
    ]);
    sight.looked(ALL, 0);
    localAnswers(0, false);
    agentAnswers(0);
    expect(sight.defects(0)).toEqual(["local/a is passive"]);
    localAnswers(100);
    expect(sight.defects(100)).toEqual([]);
    // What was said long ago says nothing of now.
    expect(sight.defects(5000)).toEqual([
      "local/a: 0 answer",
      "agent/n1: 0 answer",
      "crossing/AAA runs 0 times",
    ]);
  });

  test("is not whole with a second instance of a role, a job elsewhere, or a node that is down", () => {
    sight.looked([...ALL, { ...LOCAL, name: "n1.local-a", pid: 21 }], 0);
    localAnswers(0);
    agentAnswers(0);
    expect(sight.defects(0)).toEqual(["local/a has 2 processes"]);
    sight.looked(ALL, 1);
    view.apply({ kind: "job", name: JOB.job, revision: 2, value: { ...JOB, node: "n2" } });
    expect(sight.defects(1)).toEqual(["crossing/AAA runs on n1, not on n2"]);
    view.apply({ kind: "job", name: JOB.job, revision: 3, value: JOB });
    const down = stateRecordOf({ node: "n1", up: false });
    view.apply({ kind: "state", name: "n1", revision: 4, value: down });
    expect(sight.defects(1)).toEqual(["n1 is down"]);
  });

  test("knows who plays a role, who runs a job, and what is on a node", () => {
    sight.looked(ALL, 0);
    agentAnswers(0);
    expect(sight.entriesOf("local/a")).toEqual([LOCAL]);
    expect(sight.entriesOf("crossing/AAA")).toEqual([HOST]);
    expect(sight.entriesOf("broker")).toEqual([BROKER]);
    expect(sight.entriesOn("n1")).toEqual([AGENT, HOST, SPARE]);
    expect(sight.rolesOf(LOCAL)).toEqual(["local/a"]);
    expect(sight.jobsOf(HOST.pid)).toEqual(["crossing/AAA"]);
  });

  test("is not whole from the moment of a kill on, although nobody has looked since", () => {
    sight.looked(ALL, 0);
    localAnswers(0);
    agentAnswers(0);
    sight.killed([LOCAL.pid, HOST.pid]);
    expect(sight.defects(0)).toEqual(["local/a has 0 processes", "crossing/AAA runs 0 times"]);
  });

  test("tells of each process that ended, but not of spare hosts", () => {
    sight.looked(ALL, 0);
    agentAnswers(0);
    sight.looked([AGENT, BROKER], 20);
    expect(restarts.map(({ element, roles, jobs }) => ({ element, roles, jobs }))).toEqual([
      { element: "coordinator n2.local-a (pid 20)", roles: ["local/a"], jobs: [] },
      { element: "host n1.h1 (pid 30)", roles: [], jobs: ["crossing/AAA"] },
    ]);
  });

  test("tells of a job that another instance runs, once", () => {
    agentAnswers(0);
    agentAnswers(10, "i2", 32);
    agentAnswers(20, "i2", 32);
    expect(restarts.map(({ element, detail }) => `${element} ${detail}`)).toEqual([
      "crossing/AAA from n1 (pid 30) to n1 (pid 32)",
    ]);
  });

  test("tells of a successor of a role only when it is active", () => {
    localAnswers(100, false);
    expect(sight.activeSince("local/a", 50)).toEqual([]);
    localAnswers(200);
    expect(sight.activeSince("local/a", 50)).toEqual([20]);
    expect(sight.activeSince("local/a", 250)).toEqual([]);
  });
});

describe("a restart", () => {
  const restart: Restart = {
    atMs: 100,
    element: "agent n1.agent-n1 (pid 10)",
    pid: 10,
    nodes: ["n1"],
    roles: ["agent/n1"],
    jobs: [],
    detail: "",
  };
  const span = (touched: Partial<typeof NOTHING_TOUCHED>, fromMs = 50, untilMs = 150) => [
    { fromMs, untilMs, touched: { ...NOTHING_TOUCHED, ...touched } },
  ];

  test("is explained by a fault to its process, its role, its node or all its jobs, while that fault lasts", () => {
    expect(isExplained(restart, span({ pids: [10] }))).toBe(true);
    expect(isExplained(restart, span({ roles: ["agent/n1"] }))).toBe(true);
    expect(isExplained(restart, span({ nodes: ["n1"] }))).toBe(true);
    expect(isExplained(restart, span({ roles: ["agent/n2"], nodes: ["n2"], pids: [11] }))).toBe(false);
    expect(isExplained(restart, span({ pids: [10] }, 101))).toBe(false);
    expect(isExplained(restart, span({ pids: [10] }, 50, 99))).toBe(false);
  });

  test("of a host is not explained by a fault to some of its jobs, and that of an agent not by one to no job", () => {
    const host = { ...restart, pid: 30, roles: [], jobs: ["crossing/AAA", "crossing/BBB"] };
    expect(isExplained(host, span({ jobs: ["crossing/AAA"] }))).toBe(false);
    expect(isExplained(host, span({ jobs: ["crossing/BBB", "crossing/AAA"] }))).toBe(true);
    expect(isExplained(restart, span({ jobs: ["crossing/AAA"] }))).toBe(false);
  });
});
