import { pino } from "pino";
import { describe, expect, onTestFinished, test } from "vitest";
import {
  AgentRequest,
  AgentResponse,
  AgentStatus,
  JobState,
  WatchedJob,
} from "../../../proto/generated/evercross/v1/control.ts";
import { JobRecord, NodeRecord, RoleRecord } from "../../../proto/generated/evercross/v1/hierarchy.ts";
import { MemoryDesiredStore } from "../../../runtime/desired/memory-desired-store.ts";
import { MemoryBus } from "../../../runtime/messaging/memory-bus.ts";
import { agentSubject } from "../../../runtime/messaging/subject.ts";
import { OrderCode, refused } from "../../../runtime/desired/order.ts";
import { ClusterOperator } from "../../../runtime/operator/cluster-operator.ts";

/** A message with these fields; the others are empty. */
function blank<T>(type: { decode(data: Uint8Array): T }, fields: Partial<T>): T {
  return { ...type.decode(new Uint8Array()), ...fields };
}

/** Two nodes with an agent each, whose words the test gives, and jobs as records. */
async function cluster(jobs: readonly (Partial<JobRecord> & { readonly job: string })[]) {
  const store = new MemoryDesiredStore();
  for (const node of ["n1", "n2"]) {
    const role = `agent/${node}`;
    store.apply({ kind: "node", name: node, expected: 0, value: blank(NodeRecord, { node }) });
    const value = blank(RoleRecord, { role, on: [node], nodes: [node] });
    store.apply({ kind: "role", name: role, expected: 0, value });
  }
  for (const job of jobs) {
    const value = blank(JobRecord, { wanted: true, ...job });
    store.apply({ kind: "job", name: job.job, expected: 0, value });
  }
  const bus = new MemoryBus();
  const kills: string[] = [];
  const answerAs = (node: string, watched: readonly WatchedJob[]): void => {
    bus.subscribe(agentSubject("test", node), ({ data, reply }) => {
      const { body } = AgentRequest.decode(data);
      if (body?.$case === "killJob") kills.push(`${node} ${body.value.job}`);
      const status = blank(AgentStatus, { node, role: `agent/${node}`, pid: 7, jobs: [...watched] });
      if (reply !== undefined) bus.publish(reply, AgentResponse.encode({ error: "", status }).finish());
    });
  };
  const logger = pino({ level: "silent" });
  const operator = await ClusterOperator.open({ cluster: "test", bus, store: store.client(), logger });
  onTestFinished(() => operator.close());
  return { store, bus, operator, kills, answerAs };
}

const running = (job: string, node: string): WatchedJob =>
  blank(WatchedJob, {
    status: { job, state: JobState.RUNNING, epoch: 3, detail: "", instance: "" },
    host: "h1",
    pid: 99,
    node,
  });

describe("ClusterOperator", () => {
  test("tells of each job what its agent says, and of the others what the records say", async () => {
    const it = await cluster([
      { job: "web/1", node: "n1" },
      { job: "web/2", node: "n1" },
      { job: "web/3", node: "n2" },
      { job: "web/4", reason: "no node has the label gpu" },
      { job: "web/5", node: "n1", wanted: false },
      { job: "web/6", node: "n9" },
      { job: "web/7", node: "n2" },
    ]);
    // A job that was moved away may still run where it was.
    it.answerAs("n1", [running("web/1", "n1"), running("web/7", "n1")]);
    const jobs = await it.operator.jobs();
    expect(jobs.map(({ status, agent, pid }) => [status?.job, status?.state, agent, pid])).toEqual([
      ["web/1", JobState.RUNNING, "agent/n1", 99],
      ["web/2", JobState.WANTRUN, "agent/n1", 0],
      ["web/3", JobState.UNSPECIFIED, "agent/n2", 0],
      ["web/4", JobState.WANTRUN, "", 0],
      ["web/5", JobState.IDLE, "agent/n1", 0],
      ["web/6", JobState.WANTRUN, "", 0],
      ["web/7", JobState.RUNNING, "agent/n1", 99],
    ]);
    expect(jobs.map(({ status }) => status?.detail)).toEqual([
      "",
      "agent/n1 has not taken it yet",
      "agent/n2 does not answer",
      "no node has the label gpu",
      "",
      "no agent keeps jobs of its service on n9",
      "",
    ]);
  });

  test("kills by the agent that keeps the job, and names what it cannot kill", async () => {
    const it = await cluster([{ job: "web/1", node: "n2" }, { job: "web/2" }]);
    it.answerAs("n1", []);
    it.answerAs("n2", [running("web/1", "n2")]);
    expect(await it.operator.killJob("web/1")).toBe(99);
    expect(it.kills).toEqual(["n2 web/1"]);
    await expect(it.operator.killJob("web/2")).rejects.toThrow("web/2 runs in no process");
    await expect(it.operator.killJob("web/9")).rejects.toThrow("there is no job web/9");
  });

  test("hears every process that plays a role, also where two do", async () => {
    const it = await cluster([]);
    it.answerAs("n1", []);
    it.answerAs("n1", []);
    const roles = ["agent/n1", "agent/n2"];
    const subjectOf = (role: string): string => agentSubject("test", role.slice("agent/".length));
    const question = AgentRequest.encode({ body: { $case: "status", value: {} } }).finish();
    const answers = await it.operator.everyone(roles, subjectOf, question);
    expect(answers.map(({ role }) => role)).toEqual(["agent/n1", "agent/n1"]);
  });

  test("an order that loses against another change is decided anew from what is there then", async () => {
    const it = await cluster([{ job: "web/1", node: "n1" }]);
    let decisions = 0;
    await it.operator.order((view) => {
      const held = view.jobs.get("web/1");
      if (held === undefined) throw new Error("no record");
      if (decisions++ === 0) {
        const value = { ...held.value, reason: "another was faster" };
        it.store.apply({ kind: "job", name: "web/1", expected: held.revision, value });
      }
      const value = { ...held.value, wanted: false };
      return { kind: "ok", changes: [{ kind: "job", name: "web/1", expected: held.revision, value }] };
    });
    expect(decisions).toBe(2);
    expect(it.operator.view.jobs.get("web/1")?.value).toMatchObject({
      wanted: false,
      reason: "another was faster",
    });
  });

  test("a refused order is an error with its code", async () => {
    const it = await cluster([]);
    const order = it.operator.order(() => refused(OrderCode.NO_SUCH_JOB, "there is none"));
    await expect(order).rejects.toMatchObject({ code: "no_such_job", message: "there is none" });
  });
});
