import { pino } from "pino";
import { describe, expect, onTestFinished, test } from "vitest";
import {
  Announcement,
  HistoryKind,
  MonitorAnswer,
  MonitorPoll,
  MonitorStatus,
  MonitorStatusRequest,
  NodeRecord,
  RoleRecord,
} from "../../../proto/generated/evercross/v1/hierarchy.ts";
import { Coordinator } from "../../../runtime/coordinator/coordinator.ts";
import { KvDesiredStore } from "../../../runtime/desired/kv-desired-store.ts";
import { StoreFollower } from "../../../runtime/desired/store-follower.ts";
import type { Launcher, LaunchTarget } from "../../../runtime/launcher/launcher.ts";
import { BusLink } from "../../../runtime/messaging/bus-link.ts";
import type { NatsBus } from "../../../runtime/messaging/nats-bus.ts";
import { monitorSubject } from "../../../runtime/messaging/subject.ts";
import type { InstanceId } from "../../../runtime/monitor/instance.ts";
import type { MonitorEvent } from "../../../runtime/monitor/monitor-message.ts";
import { waitFor } from "../../../runtime/process/wait.ts";
import { maker } from "../../support/blank-messages.ts";
import { testBroker, testBus } from "../../support/test-broker.ts";

const CLUSTER = "test";
const ROLE = "local/a";
const DEADLINE_MS = 20_000;
const logger = pino({ level: "silent" });
const roleOf = maker(RoleRecord);
const nodeOf = maker(NodeRecord);

const until = async (condition: () => boolean): Promise<void> => {
  expect(await waitFor(condition, DEADLINE_MS, 5)).toBe(true);
};

/** The store of two nodes, each with an agent, below one local coordinator. */
async function arrange(bus: NatsBus): Promise<KvDesiredStore> {
  const store = await KvDesiredStore.open(bus, { cluster: CLUSTER, logger });
  const put = async (change: Parameters<typeof store.change>[0]): Promise<void> => {
    expect(await store.change(change)).toMatchObject({ kind: "ok" });
  };
  const on = ["n1", "n2"];
  await put({ kind: "role", name: ROLE, expected: 0, value: roleOf({ role: ROLE, on, unit: "local-a" }) });
  for (const node of on) {
    await put({ kind: "node", name: node, expected: 0, value: nodeOf({ node, local: ROLE }) });
    const role = `agent/${node}`;
    const value = roleOf({ role, parent: ROLE, on: [node], nodes: [node], unit: `agent-${node}` });
    await put({ kind: "role", name: role, expected: 0, value });
  }
  return store;
}

/** A coordinator of the role, and what it did. */
async function coordinator(bus: NatsBus, self: InstanceId) {
  const launches: LaunchTarget[] = [];
  const events: MonitorEvent[] = [];
  const ends: string[] = [];
  const launcher: Launcher = {
    launch: (target) => {
      launches.push(target);
      return Promise.resolve("started");
    },
    kill: () => Promise.resolve(),
  };
  const store = await KvDesiredStore.open(bus, { cluster: CLUSTER, logger });
  const follower = await new Promise<StoreFollower>((resolve) => {
    const opened: StoreFollower = new StoreFollower(store, () => resolve(opened));
  });
  let one: Coordinator | undefined;
  const link = new BusLink(bus, (up) => one?.setLink(up));
  one = new Coordinator({
    cluster: CLUSTER,
    role: ROLE,
    self,
    bus,
    linkUp: link.up,
    store,
    follower,
    launcher,
    logger,
    onEvent: (event) => events.push(event),
    onSuicide: (reason) => ends.push(reason),
  });
  onTestFinished(() => {
    one.stop();
    link.close();
    follower.stop();
  });
  return { follower, launches, events, ends };
}

/** An agent in the eyes of its coordinator: answers as `answer` says, with the best instance that asked it. */
function agent(
  bus: NatsBus,
  node: string,
  answer: (right: MonitorAnswer) => Uint8Array | undefined,
): InstanceId[] {
  const role = `agent/${node}`;
  const askers: InstanceId[] = [];
  bus.subscribe(monitorSubject(CLUSTER, role, "poll"), ({ data, reply }) => {
    const { from, beat } = MonitorPoll.decode(data);
    if (from === undefined || reply === undefined) return;
    askers.push(from);
    const best = askers.reduce((one, other) => (other.node > one.node ? other : one));
    const own = { node, pid: 7, startTicks: 7 };
    const said = answer({ role, from: own, beat, best, escalations: [], nodes: [{ node, serves: true }] });
    if (said !== undefined) bus.publish(reply, said);
  });
  return askers;
}

const truly = (right: MonitorAnswer): Uint8Array => MonitorAnswer.encode(right).finish();

async function statusOf(bus: NatsBus): Promise<MonitorStatus> {
  const question = MonitorStatusRequest.encode({}).finish();
  return MonitorStatus.decode(await bus.request(monitorSubject(CLUSTER, ROLE, "ask"), question, DEADLINE_MS));
}

describe("a coordinator on a broker", () => {
  test("hears its agents, writes how their nodes do, and tells how it is", async () => {
    const broker = await testBroker();
    const bus = await testBus(broker, "test");
    await arrange(bus);
    for (const node of ["n1", "n2"]) agent(bus, node, truly);
    const one = await coordinator(await testBus(broker, "one"), { node: "n1", pid: 1, startTicks: 1 });
    await until(() => ["n1", "n2"].every((node) => one.follower.view.states.get(node)?.value.up === true));
    expect(await statusOf(bus)).toMatchObject({
      role: ROLE,
      from: { node: "n1", pid: 1, startTicks: 1 },
      active: true,
      parent: "",
      children: [
        { role: "agent/n1", state: "up", from: { node: "n1", pid: 7 } },
        { role: "agent/n2", state: "up", from: { node: "n2", pid: 7 } },
      ],
    });
    expect(one.launches).toEqual([]);
  });

  test("starts a child again that is silent or speaks nonsense, with its unit, and announces it", async () => {
    const broker = await testBroker();
    const bus = await testBus(broker, "test");
    await arrange(bus);
    let broken = false;
    agent(bus, "n1", (right) => (broken ? Uint8Array.of(0xff) : truly(right)));
    agent(bus, "n2", () => undefined);
    const announced: Announcement[] = [];
    for (const node of ["n1", "n2"]) {
      bus.subscribe(monitorSubject(CLUSTER, `agent/${node}`, "announce"), ({ data }) => {
        announced.push(Announcement.decode(data));
      });
    }
    const one = await coordinator(await testBus(broker, "one"), { node: "n1", pid: 1, startTicks: 1 });
    const target = (node: string): object => ({
      kind: "agent",
      name: `agent-${node}`,
      node,
      roles: [`agent/${node}`],
    });
    await until(() => one.launches.length === 1);
    expect(one.launches).toEqual([target("n2")]);
    broken = true;
    await until(() => one.launches.length === 2);
    expect(one.launches[1]).toEqual(target("n1"));
    await until(() => announced.length === 2);
    expect(announced.map(({ role, node, byRole }) => [role, node, byRole])).toEqual([
      ["agent/n2", "n2", ROLE],
      ["agent/n1", "n1", ROLE],
    ]);
    const failed = one.events.filter(({ kind }) => kind === HistoryKind.FAILED);
    expect(failed.map(({ element }) => element)).toEqual(["agent/n2", "agent/n1"]);
    expect(failed[1]?.cause).toContain("nonsense");
  });

  test("gives way to a better instance of its role that its children have heard, and only that one", async () => {
    const broker = await testBroker();
    const bus = await testBus(broker, "test");
    await arrange(bus);
    const askers = agent(bus, "n1", truly);
    agent(bus, "n2", truly);
    const worse = await coordinator(await testBus(broker, "worse"), { node: "n1", pid: 1, startTicks: 1 });
    await until(() => askers.length > 2);
    const better = await coordinator(await testBus(broker, "better"), { node: "n2", pid: 9, startTicks: 9 });
    await until(() => worse.ends.length > 0);
    expect(worse.ends).toHaveLength(1);
    const { from } = await statusOf(bus);
    expect(from?.node).toBe("n2");
    const asked = askers.length;
    await until(() => askers.length > asked + 5);
    expect(askers.slice(asked + 1).map(({ node }) => node)).not.toContain("n1");
    expect(better.ends).toEqual([]);
    expect([...worse.launches, ...better.launches]).toEqual([]);
  });

  test("fails nobody while the broker is gone, and goes on when it is back", async () => {
    const broker = await testBroker();
    const bus = await testBus(broker, "test");
    await arrange(bus);
    const askers = agent(bus, "n1", truly);
    agent(bus, "n2", truly);
    const one = await coordinator(await testBus(broker, "one"), { node: "n1", pid: 1, startTicks: 1 });
    await until(() => one.follower.view.states.size === 2);
    for (let time = 0; time < 2; time++) {
      const [before, asked] = [broker.pid(), askers.length];
      process.kill(before, "SIGKILL");
      await until(() => broker.pid() !== before && askers.length > asked + 3);
    }
    await until(() => one.events.filter(({ kind }) => kind === HistoryKind.ACTIVE).length >= 2);
    expect(one.launches).toEqual([]);
    expect(one.events.filter(({ kind }) => kind === HistoryKind.FAILED)).toEqual([]);
    expect([...one.follower.view.states.values()].map(({ value }) => value.up)).toEqual([true, true]);
  });
});
