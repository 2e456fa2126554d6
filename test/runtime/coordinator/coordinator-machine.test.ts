import { describe, expect, test } from "vitest";
import { HistoryKind, type JobRecord } from "../../../proto/generated/evercross/v1/hierarchy.ts";
import { JOB_GOOD_MS, MONITOR_SILENCE_MS, MONITOR_START_MS } from "../../../runtime/limits.ts";
import {
  agentOf,
  CoordinatorWorld,
  coordinatorOf,
  nodeOf,
  wantedJob,
} from "../../support/coordinator-world.ts";

const { MOVED, PLACED, QUARANTINED, NODE_DOWN, NODE_UP, ESCALATED, RESTARTED } = HistoryKind;

/** One local coordinator on a node of its own over `n1` to `n<count>`. */
function localWorld(count: number, jobs: readonly JobRecord[]): CoordinatorWorld {
  const nodes = Array.from({ length: count }, (_, index) => `n${index + 1}`);
  return new CoordinatorWorld({
    nodes: [nodeOf("c1"), nodeOf("c2"), ...nodes.map((node) => nodeOf(node))],
    roles: [coordinatorOf("local/a", "", ["c1", "c2"]), ...nodes.map((node) => agentOf(node, "local/a"))],
    jobs,
  });
}

/** Two locals of two nodes each, two groups, one universal coordinator. */
function fourLevels(jobs: readonly JobRecord[]): CoordinatorWorld {
  return new CoordinatorWorld({
    nodes: ["a1", "a2", "b1", "b2", "ca", "cb", "cu"].map((node) => nodeOf(node)),
    roles: [
      coordinatorOf("universal/u", "", ["cu"]),
      coordinatorOf("group/ga", "universal/u", ["ca"]),
      coordinatorOf("group/gb", "universal/u", ["cb"]),
      coordinatorOf("local/a", "group/ga", ["ca"]),
      coordinatorOf("local/b", "group/gb", ["cb"]),
      ...["a1", "a2"].map((node) => agentOf(node, "local/a")),
      ...["b1", "b2"].map((node) => agentOf(node, "local/b")),
    ],
    jobs,
  });
}

const jobsOf = (count: number, home: string, fields: Partial<JobRecord> = {}): JobRecord[] =>
  Array.from({ length: count }, (_, index) => wantedJob(`x/${index}`, home, fields));

const allPlaced = (world: CoordinatorWorld) => (): boolean => world.jobs().every(({ node }) => node !== "");

describe("a coordinator and its nodes", () => {
  test("writes each node up when its agent answers, and places the waiting jobs evenly", () => {
    const world = localWorld(3, jobsOf(9, "local/a"));
    world.until(allPlaced(world));
    const places = Object.values(world.places());
    for (const node of ["n1", "n2", "n3"]) expect(places.filter((place) => place === node)).toHaveLength(3);
    expect(world.elements(NODE_UP)).toEqual(["n1", "n2", "n3"]);
    expect(world.elements(PLACED)).toHaveLength(9);
  });

  test("moves every job of a lost node in one step, evenly, and none of another", () => {
    const world = localWorld(4, jobsOf(100, "local/a"));
    world.until(allPlaced(world));
    const before = world.places();
    world.changesAt.clear();
    world.powerOff("n2");
    const lostAt = world.now;
    world.until(() => !Object.values(world.places()).includes("n2"));
    expect(world.now - lostAt).toBeLessThanOrEqual(MONITOR_SILENCE_MS + 300);
    expect([...world.changesAt.values()]).toEqual([25]);
    const after = world.places();
    for (const [job, node] of Object.entries(before)) if (node !== "n2") expect(after[job]).toBe(node);
    for (const node of ["n1", "n3", "n4"]) {
      const count = Object.values(after).filter((place) => place === node).length;
      expect(Math.abs(count - 100 / 3)).toBeLessThan(1);
    }
    expect(world.elements(NODE_DOWN)).toEqual(["n2"]);
    expect(world.elements(MOVED)).toHaveLength(25);
  });

  test("starts an agent again whose node answers probes, and moves nothing", () => {
    const world = localWorld(3, jobsOf(9, "local/a"));
    world.until(allPlaced(world));
    const before = world.places();
    const agent = world.agents.get("agent/n2");
    if (agent === undefined) throw new Error("no agent");
    const killed = agent.self.pid;
    agent.alive = false;
    world.until(() => world.agents.get("agent/n2")?.alive === true);
    world.run(3000);
    expect(world.agents.get("agent/n2")?.self.pid).not.toBe(killed);
    expect(world.places()).toEqual(before);
    expect(world.elements(RESTARTED)).toEqual(["agent/n2"]);
    expect(world.elements(NODE_DOWN)).toEqual([]);
    expect(world.elements(MOVED)).toEqual([]);
  });

  test("takes a node down a second after its last answer to a probe, when its agent is failed already", () => {
    const world = localWorld(2, jobsOf(4, "local/a"));
    world.until(allPlaced(world));
    world.refusing.add("n2");
    const agent = world.agents.get("agent/n2");
    if (agent === undefined) throw new Error("no agent");
    const answering = agent.self;
    agent.alive = false;
    world.run(MONITOR_SILENCE_MS * 3);
    expect(world.elements(NODE_DOWN)).toEqual([]);
    const lostAt = world.now;
    world.powerOff("n2");
    world.until(() => !Object.values(world.places()).includes("n2"));
    expect(world.now - lostAt).toBeLessThanOrEqual(MONITOR_SILENCE_MS + 300);
    expect(answering.node).toBe("n2");
  });

  test("takes an announcement for a sign of life of the node that it comes from", () => {
    const world = localWorld(2, jobsOf(4, "local/a"));
    world.until(allPlaced(world));
    const [coordinator] = world.alive("local/a");
    if (coordinator === undefined) throw new Error("no coordinator");
    world.powerOff("n2");
    for (let beat = 0; beat < 40; beat++) {
      const by = { node: "n2", pid: 7, startTicks: 1 };
      const role = { role: "agent/n2", node: "n2", byRole: "host/n2.h1" };
      world.give(coordinator, { kind: "announced", ...role, by, cause: "its socket is closed" });
      world.run(100);
    }
    expect(world.elements(NODE_DOWN)).toEqual([]);
    world.until(() => !Object.values(world.places()).includes("n2"));
  });

  test("takes a node that comes back up when its agent answers, and leaves the moved jobs where they are", () => {
    const world = localWorld(2, jobsOf(4, "local/a"));
    world.until(allPlaced(world));
    world.powerOff("n2");
    world.until(() => !Object.values(world.places()).includes("n2"));
    const places = world.places();
    world.powerOn("n2");
    world.until(() => world.view.states.get("n2")?.value.up === true);
    world.run(5000);
    expect(world.places()).toEqual(places);
    expect(world.elements(NODE_UP)).toEqual(["n1", "n2", "n2"]);
  });

  test("has patience with a node that never was up, as at a cold start", () => {
    const world = localWorld(2, jobsOf(2, "local/a", { node: "n2", placedMs: 1 }));
    world.powerOff("n2");
    world.run(MONITOR_START_MS);
    expect(Object.values(world.places())).toEqual(["n2", "n2"]);
    world.until(() => Object.values(world.places()).every((node) => node === "n1"));
  });

  test("stops nothing when every node seems lost: the jobs keep their places", () => {
    const world = localWorld(3, jobsOf(6, "local/a"));
    world.until(allPlaced(world));
    const before = world.places();
    const [coordinator] = world.alive("local/a");
    if (coordinator === undefined) throw new Error("no coordinator");
    for (const node of ["n1", "n2", "n3"]) world.powerOff(node);
    world.run(10_000);
    expect(world.places()).toEqual(before);
    expect(world.elements(ESCALATED).filter((element) => element.startsWith("x/"))).toHaveLength(6);
    world.powerOn("n3");
    world.until(() => Object.values(world.places()).every((node) => node === "n3"));
  });

  test("judges the nodes of an agent that watches several each by itself", () => {
    const world = new CoordinatorWorld({
      nodes: ["c1", "n1", "n2", "n3"].map((node) => nodeOf(node)),
      roles: [
        coordinatorOf("local/a", "", ["c1"]),
        agentOf("n1", "local/a", { nodes: ["n1", "n2"] }),
        agentOf("n3", "local/a"),
      ],
      jobs: jobsOf(6, "local/a"),
    });
    world.until(allPlaced(world));
    const before = world.places();
    world.powerOff("n1");
    world.until(() => !Object.values(world.places()).includes("n1"));
    world.run(3000);
    for (const [job, node] of Object.entries(before))
      if (node !== "n1") expect(world.places()[job]).toBe(node);
    expect(world.elements(NODE_DOWN)).toEqual(["n1"]);
  });
});

describe("a home and its jobs", () => {
  test("moves what is on a drained node, and puts nothing there until it is undrained", () => {
    const world = localWorld(2, jobsOf(4, "local/a"));
    world.until(allPlaced(world));
    world.put("node", "n1", nodeOf("n1", { drained: true }));
    world.until(() => Object.values(world.places()).every((node) => node === "n2"));
    world.put("job", "x/9", wantedJob("x/9", "local/a"));
    world.until(allPlaced(world));
    expect(world.job("x/9").node).toBe("n2");
    world.put("node", "n1", nodeOf("n1"));
    world.put("job", "x/10", wantedJob("x/10", "local/a"));
    world.until(allPlaced(world));
    expect(world.job("x/10").node).toBe("n1");
    expect(world.elements(MOVED)).toHaveLength(2);
  });

  test("leaves jobs on a drained node while there is no other", () => {
    const world = localWorld(2, jobsOf(1, "local/a", { nodes: ["n1"] }));
    world.until(allPlaced(world));
    world.put("node", "n1", nodeOf("n1", { drained: true }));
    world.run(5000);
    expect(world.job("x/0").node).toBe("n1");
  });

  test("moves a job that one node gives up, and quarantines one that every node gives up, for longer each time", () => {
    const world = localWorld(3, jobsOf(3, "local/a"));
    world.until(allPlaced(world));
    const others = (): string[] => [world.job("x/1").node, world.job("x/2").node];
    const before = others();
    world.poison.add("x/0");
    world.until(() => world.job("x/0").failed.length === 1);
    world.until(() => world.elements(QUARANTINED).length === 1);
    expect(world.elements(MOVED)).toEqual(["x/0", "x/0"]);
    expect(world.job("x/0").node).toBe("");
    expect(
      world
        .job("x/0")
        .failed.map(({ node }) => node)
        .sort(),
    ).toEqual(["n1", "n2", "n3"]);
    const first = world.job("x/0").quarantinedUntilMs - world.wall;
    world.until(() => world.elements(QUARANTINED).length === 2);
    expect(world.job("x/0").quarantinedUntilMs - world.wall).toBeGreaterThan(first);
    expect(world.job("x/0").quarantines).toBe(2);
    world.poison.clear();
    world.until(() => world.job("x/0").node !== "" && world.job("x/0").failed.length === 0);
    world.until(() => world.job("x/0").quarantines === 0, 2 * JOB_GOOD_MS);
    expect(others()).toEqual(before);
  });

  test("gives a job up after five nodes, however many there are", () => {
    const world = localWorld(9, jobsOf(1, "local/a"));
    world.poison.add("x/0");
    world.until(() => world.elements(QUARANTINED).length === 1);
    expect(world.job("x/0").failed).toHaveLength(5);
  });

  test("forgets a failure once the job has run well where it was put then", () => {
    const world = localWorld(3, jobsOf(1, "local/a"));
    world.until(allPlaced(world));
    world.poison.add("x/0");
    world.until(() => world.job("x/0").failed.length === 1);
    world.poison.clear();
    world.run(JOB_GOOD_MS / 2);
    expect(world.job("x/0").failed).toHaveLength(1);
    world.until(() => world.job("x/0").failed.length === 0, 2 * JOB_GOOD_MS);
    expect(world.elements(MOVED)).toEqual(["x/0"]);
  });

  test("keeps customers apart, and replicas, and says why a job has no place", () => {
    const world = localWorld(3, [
      ...["x/0", "x/1", "x/2", "x/3"].map((job) => wantedJob(job, "local/a", { apart: "replica" })),
      wantedJob("y/0", "local/a", { customer: "alpha" }),
      wantedJob("y/1", "local/a", { customer: "alpha" }),
      wantedJob("y/2", "local/a", { customer: "beta" }),
    ]);
    world.run(5000);
    const replicas = [0, 1, 2, 3].map((index) => world.job(`x/${index}`).node);
    expect(replicas.toSorted()).toEqual(["", "n1", "n2", "n3"]);
    const alone = world.jobs().find(({ node }) => node === "");
    expect(alone?.reason).toBe("of 3 nodes 3 with another job of replica");
    expect([world.job("y/0").node, world.job("y/1").node]).not.toContain(world.job("y/2").node);
  });

  test("moves the later of two jobs that must not be together", () => {
    const world = localWorld(2, [
      wantedJob("x/0", "local/a", { node: "n1", placedMs: 5, customer: "alpha" }),
      wantedJob("x/1", "local/a", { node: "n1", placedMs: 9, customer: "beta" }),
    ]);
    world.until(() => world.job("x/1").node === "n2");
    world.run(3000);
    expect(world.job("x/0").node).toBe("n1");
    expect(world.elements(MOVED)).toEqual(["x/1"]);
  });

  test("places what waited for room as soon as a job that stood against it is stopped", () => {
    const world = localWorld(1, [
      wantedJob("x/0", "local/a", { apart: "replica" }),
      wantedJob("x/1", "local/a", { apart: "replica" }),
    ]);
    world.until(() => world.job("x/0").node === "n1");
    world.run(2000);
    expect(world.job("x/1").node).toBe("");
    world.put("job", "x/0", { ...world.job("x/0"), wanted: false });
    world.until(() => world.job("x/1").node === "n1");
  });

  test("moves a job that is not allowed any more where it is", () => {
    const world = localWorld(2, jobsOf(1, "local/a"));
    world.until(allPlaced(world));
    expect(world.job("x/0").node).toBe("n1");
    world.put("job", "x/0", { ...world.job("x/0"), labels: ["gpu"] });
    world.until(() => world.job("x/0").node === "");
    world.put("node", "n2", nodeOf("n2", { labels: ["gpu"] }));
    world.until(() => world.job("x/0").node === "n2");
  });

  test("touches nothing that is not wanted", () => {
    const world = localWorld(2, [
      wantedJob("x/0", "local/a", { wanted: false, node: "n2" }),
      wantedJob("x/1", "local/a", { wanted: false }),
    ]);
    world.run(2000);
    world.powerOff("n2");
    world.run(5000);
    expect(world.places()).toEqual({ "x/0": "n2", "x/1": "" });
  });
});

describe("homes of several levels", () => {
  test("a job without room in its cluster goes to another cluster through the levels, and stays there", () => {
    const world = fourLevels(jobsOf(4, "local/a"));
    world.until(allPlaced(world));
    expect(new Set(Object.values(world.places()))).toEqual(new Set(["a1", "a2"]));
    world.powerOff("a1");
    world.until(() => !Object.values(world.places()).includes("a1"));
    world.powerOff("a2");
    world.until(() => Object.values(world.places()).every((node) => node.startsWith("b")));
    expect(world.jobs().map(({ home }) => home)).toEqual(Array(4).fill("local/b"));
    const places = world.places();
    world.powerOn("a1");
    world.run(5000);
    expect(world.places()).toEqual(places);
  });

  test("a job that only one lost node may have waits at the top, and its home is its cluster's again when the node is back", () => {
    const world = fourLevels(jobsOf(1, "local/a", { nodes: ["a1"] }));
    world.until(allPlaced(world));
    world.powerOff("a1");
    world.until(() => world.job("x/0").home === "universal/u");
    expect(world.job("x/0").node).toBe("a1");
    expect(world.job("x/0").reason).toMatch(/a1 is down.* not among the nodes it names/);
    world.powerOn("a1");
    world.until(() => world.job("x/0").home === "local/a");
    expect(world.elements(MOVED)).toEqual([]);
  });

  test("a new job at the top is placed where the whole cluster has the fewest jobs", () => {
    const world = fourLevels(jobsOf(4, "local/a"));
    world.until(allPlaced(world));
    world.run(1000);
    for (const job of ["y/0", "y/1"]) world.put("job", job, wantedJob(job, "universal/u"));
    world.until(allPlaced(world));
    expect([world.job("y/0").home, world.job("y/1").home]).toEqual(["local/b", "local/b"]);
  });

  test("a child coordinator that starts on none of its nodes is taken over: silent nodes lose their jobs, the others keep them", () => {
    const world = fourLevels(jobsOf(4, "local/a"));
    world.until(allPlaced(world));
    world.powerOff("ca");
    world.powerOff("a1");
    world.until(() => !Object.values(world.places()).includes("a1"), 60_000);
    const places = Object.values(world.places()).toSorted();
    expect(places).toEqual(["a2", "a2", "b1", "b2"]);
    expect(world.view.states.get("a1")?.value.up).toBe(false);
    expect(world.view.states.get("a2")?.value.up).toBe(true);
    world.put("job", "x/9", wantedJob("x/9", "local/a"));
    world.until(allPlaced(world));
    expect(world.job("x/9").home).toBe("local/b");
    world.powerOn("ca");
    world.powerOn("a1");
    world.until(
      () => world.alive("local/a").length === 1 && world.view.states.get("a1")?.value.up === true,
      120_000,
    );
    world.run(5000);
    expect(Object.values(world.places()).toSorted()).toEqual(["a2", "a2", "b1", "b1", "b2"]);
  });

  test("of two tops each touches its own jobs only, and the first adopts those of a role that there is not", () => {
    const world = new CoordinatorWorld({
      nodes: ["a1", "b1", "ca", "cb"].map((node) => nodeOf(node)),
      roles: [
        coordinatorOf("universal/a", "", ["ca"]),
        coordinatorOf("universal/b", "", ["cb"]),
        agentOf("a1", "universal/a"),
        agentOf("b1", "universal/b"),
      ],
      jobs: [
        wantedJob("x/0", "universal/a"),
        wantedJob("x/1", "universal/b"),
        wantedJob("x/2", "local/gone"),
        wantedJob("x/3", "local/gone", { node: "b1" }),
      ],
    });
    world.until(allPlaced(world));
    world.run(2000);
    expect(world.places()).toEqual({ "x/0": "a1", "x/1": "b1", "x/2": "a1", "x/3": "b1" });
    expect(world.job("x/3").home).toBe("universal/b");
    world.powerOff("a1");
    world.run(10_000);
    expect(world.job("x/0").node).toBe("a1");
  });
});

describe("what a coordinator must not do", () => {
  test("it changes nothing before its view of the store is complete", () => {
    const world = localWorld(2, jobsOf(4, "local/a"));
    world.until(allPlaced(world));
    const [old] = world.alive("local/a");
    if (old === undefined) throw new Error("no coordinator");
    world.kill(old);
    world.powerOff("n2");
    const young = world.startCoordinator("local/a", "c1", false);
    world.run(10_000);
    expect(Object.values(world.places()).toSorted()).toEqual(["n1", "n1", "n2", "n2"]);
    expect(young.machine.status(world.now)).toMatchObject({ active: false, children: [] });
    young.client.up();
    world.until(() => !Object.values(world.places()).includes("n2"));
  });

  test("it moves nothing in its passive round, and at once after it", () => {
    const world = localWorld(2, jobsOf(4, "local/a"));
    world.until(allPlaced(world));
    world.changesAt.clear();
    const [old] = world.alive("local/a");
    if (old === undefined) throw new Error("no coordinator");
    world.kill(old);
    world.powerOff("n2");
    const young = world.startCoordinator("local/a", "c1");
    const startedAt = world.now;
    world.until(() => !Object.values(world.places()).includes("n2"));
    expect([...world.changesAt.keys()].every((at) => at >= startedAt + MONITOR_SILENCE_MS)).toBe(true);
    expect(young.machine.active).toBe(true);
  });

  test("while its link is down it changes nothing and takes nobody for lost", () => {
    const world = localWorld(2, jobsOf(4, "local/a"));
    world.until(allPlaced(world));
    const [coordinator] = world.alive("local/a");
    if (coordinator === undefined) throw new Error("no coordinator");
    world.give(coordinator, { kind: "link", up: false });
    world.put("job", "x/9", wantedJob("x/9", "local/a"));
    world.run(5000);
    expect(world.job("x/9").node).toBe("");
    world.give(coordinator, { kind: "link", up: true });
    world.until(allPlaced(world));
    expect(world.elements(NODE_DOWN)).toEqual([]);
  });

  test("two of one role never put a job in two places, and one of them ends itself", () => {
    const world = localWorld(3, jobsOf(60, "local/a"));
    world.startCoordinator("local/a", "c2");
    world.until(allPlaced(world));
    world.run(3000);
    expect(world.alive("local/a").map(({ self }) => self.node)).toEqual(["c2"]);
    expect(world.elements(PLACED)).toHaveLength(60);
    world.powerOff("n1");
    world.startCoordinator("local/a", "c1");
    world.until(() => !Object.values(world.places()).includes("n1"));
    world.run(3000);
    expect(world.elements(MOVED).length).toBe(new Set(world.elements(MOVED)).size);
  });

  test("a change whose answer is lost, or that is lost itself, is decided anew from what is there then", () => {
    const world = localWorld(3, []);
    world.run(2000);
    const fates = ["lost", "unanswered", "reached"] as const;
    let changes = 0;
    world.fate = () => fates[changes++ % fates.length] ?? "reached";
    for (const job of jobsOf(12, "local/a")) world.put("job", job.job, job);
    world.until(allPlaced(world));
    expect(world.elements(PLACED).toSorted()).toEqual(Object.keys(world.places()).toSorted());
  });

  test("does not hand a job to and fro with another home over a change of which only one of them knows", () => {
    const world = fourLevels([]);
    world.run(2000);
    const home = "local/a";
    let changes = 0;
    // The first placing is lost: for a second only its home believes in it, and it stands against the other customer's job.
    world.fate = () => (changes++ === 0 ? "lost" : "reached");
    world.put("job", "x/0", wantedJob("x/0", home, { customer: "alpha", nodes: ["a1"] }));
    world.put("job", "x/1", wantedJob("x/1", home, { customer: "beta", nodes: ["a1"] }));
    world.run(900);
    expect(changes).toBeLessThan(15);
    world.run(5000);
    expect(world.jobs().filter(({ node }) => node === "a1")).toHaveLength(1);
  });

  test("what wakes it after a pause is its end, before anything else", () => {
    const world = localWorld(2, jobsOf(2, "local/a"));
    world.until(allPlaced(world));
    const [coordinator] = world.alive("local/a");
    const record = world.store.since(0).at(-1);
    if (coordinator === undefined || record === undefined) throw new Error("nothing there");
    const outputs = coordinator.machine.step(world.now + 60_000, world.wall, { kind: "record", record });
    expect(outputs.map(({ kind }) => kind)).toEqual(["event", "suicide"]);
    expect(coordinator.machine.step(world.now + 60_001, world.wall, { kind: "complete" })).toEqual([]);
  });

  test("its status tells of its children, its jobs and what it cannot repair", () => {
    const world = fourLevels(jobsOf(2, "local/a"));
    world.until(allPlaced(world));
    world.run(2000);
    const [group] = world.alive("group/ga");
    const [local] = world.alive("local/a");
    expect(group?.machine.status(world.now)).toMatchObject({
      role: "group/ga",
      parent: "universal/u",
      active: true,
      children: [{ role: "local/a", state: "up", restarts: 0 }],
      jobs: 0,
    });
    expect(local?.machine.status(world.now)).toMatchObject({
      parent: "group/ga",
      jobs: 2,
      jobsWithoutPlace: 0,
    });
    expect(local?.machine.status(world.now).parentPollAgeMs).toBeLessThanOrEqual(200);
    world.powerOff("a1");
    world.run(10_000);
    expect(local?.machine.status(world.now).children.map(({ role, state }) => [role, state])).toEqual([
      ["agent/a1", "lost"],
      ["agent/a2", "up"],
    ]);
    expect(local?.machine.status(world.now).escalations.map(({ element }) => element)).toEqual(["agent/a1"]);
  });
});
