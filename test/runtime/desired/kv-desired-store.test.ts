import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { jetstreamManager, type ConsumerInfo, type JetStreamManager } from "@nats-io/jetstream";
import { headers } from "@nats-io/transport-node";
import { pino } from "pino";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { NodeRecord } from "../../../proto/generated/evercross/v1/hierarchy.ts";
import { findBroker } from "../../../runtime/broker/find-broker.ts";
import { freePort } from "../../../runtime/broker/free-port.ts";
import { BrokerStoreError } from "../../../runtime/broker/stored.ts";
import type { DesiredStore, RecordChange } from "../../../runtime/desired/desired-store.ts";
import { KvDesiredStore } from "../../../runtime/desired/kv-desired-store.ts";
import { REMOVAL_KEPT_MS } from "../../../runtime/limits.ts";
import { NatsBus } from "../../../runtime/messaging/nats-bus.ts";
import { maker } from "../../support/blank-messages.ts";
import { testBroker, testBus } from "../../support/test-broker.ts";

const DEADLINE = { timeout: 60_000 };
const SOON = { timeout: 20_000 };
const silent = pino({ level: "silent" });
const STREAM = "KV_evercross-c";
const nodeOf = maker(NodeRecord);

const putNode = (node: string, expected = 0): RecordChange => ({
  kind: "node",
  name: node,
  expected,
  value: nodeOf({ node }),
});

/** What a watch tells from when it is complete, as lines. */
async function watched(store: DesiredStore): Promise<string[]> {
  const told: string[] = [];
  const watch = store.watch(
    ({ kind, name, value }) => told.push(`${value === undefined ? "no " : ""}${kind} ${name}`),
    () => told.push("complete"),
  );
  onTestFinished(() => watch.stop());
  await expect.poll(() => told.includes("complete"), SOON).toBe(true);
  return told;
}

async function managerOf(bus: NatsBus): Promise<JetStreamManager> {
  return jetstreamManager(bus.connection, { checkAPI: false });
}

/** The broker's readers of the store, when there are so many. */
async function readers(manager: JetStreamManager, count: number): Promise<ConsumerInfo[]> {
  const list = (): Promise<ConsumerInfo[]> => manager.consumers.list(STREAM).next();
  await expect.poll(async () => (await list()).length, SOON).toBe(count);
  return list();
}

describe("the bucket of the desired state", () => {
  test("what is no record, or cannot be read, is reported and left out", DEADLINE, async () => {
    const bus = await testBus(await testBroker(), "client");
    const reports: string[] = [];
    const logger = pino({ level: "warn" }, { write: (line: string) => void reports.push(line) });
    const store = await KvDesiredStore.open(bus, { cluster: "c", logger });
    const told = await watched(store);
    const write = (key: string, data: Uint8Array): Promise<unknown> =>
      bus.request(`$KV.evercross-c.${key}`, data, DEADLINE.timeout);
    await store.change(putNode("n1"));
    await expect.poll(() => told.length, SOON).toBe(2);
    await write("node.n2", Buffer.from([0xff, 0xff, 0xff]));
    await write("node.n3", NodeRecord.encode(nodeOf({ node: "n4" })).finish());
    await write("planet.earth", Buffer.from("?"));
    await write("node.=zz", Buffer.from("?"));
    // What was readable and is no more is not there either.
    await write("node.n1", Buffer.from([0xff]));
    await store.change(putNode("n5"));
    const expected = ["complete", "node n1", "no node n1", "node n5"];
    await expect.poll(() => told, SOON).toEqual(expected);
    expect(reports.length).toBe(5);
    expect(reports[0]).toContain('"name":"n2"');
    expect(reports[1]).toContain("says that it is of 'n4'");
    expect((await watched(store)).toSorted()).toEqual(["complete", "node n5"]);
  });

  test("a store that is lost and made again takes with it what was in it", DEADLINE, async () => {
    const broker = await testBroker();
    const [bus, other] = [await testBus(broker, "client"), await testBus(broker, "other")];
    const store = await KvDesiredStore.open(bus, { cluster: "c", logger: silent });
    const told = await watched(store);
    for (const node of ["n1", "n2", "n3"]) await store.change(putNode(node));
    await expect.poll(() => told.length, SOON).toBe(4);
    await (await managerOf(other)).streams.delete(STREAM);
    await expect.poll(() => told.slice(4), SOON).toEqual(["no node n1", "no node n2", "no node n3"]);
    expect((await store.change(putNode("n2"))).kind).toBe("ok");
    await expect.poll(() => told.slice(7), SOON).toEqual(["node n2"]);
  });

  test(
    "a reader that the broker forgot, or that lost a message, is made anew: nothing twice, nothing missed",
    DEADLINE,
    async () => {
      const broker = await testBroker();
      const [bus, other] = [await testBus(broker, "client"), await testBus(broker, "other")];
      const store = await KvDesiredStore.open(bus, { cluster: "c", logger: silent });
      const manager = await managerOf(other);
      const told = await watched(store);
      await store.change(putNode("n1"));
      const [first] = await readers(manager, 1);
      if (first === undefined) throw new Error("nobody reads");
      await manager.consumers.delete(STREAM, first.name);
      await store.change(putNode("n2"));
      await expect.poll(() => told, SOON).toEqual(["complete", "node n1", "node n2"]);

      const [second] = await readers(manager, 1);
      // As the broker says it after messages that were lost on their way.
      const heartbeat = headers(100, "Idle Heartbeat");
      heartbeat.set("Nats-Last-Consumer", "800");
      other.connection.publish(second?.config.deliver_subject ?? "", undefined, { headers: heartbeat });
      await expect.poll(async () => (await readers(manager, 1))[0]?.name, SOON).not.toBe(second?.name);
      await store.change(putNode("n3"));
      await expect.poll(() => told.slice(3), SOON).toEqual(["node n3"]);
      expect(told.length).toBe(4);
    },
  );

  test("a watch that is stopped leaves no reader with the broker", DEADLINE, async () => {
    const broker = await testBroker();
    const [bus, other] = [await testBus(broker, "client"), await testBus(broker, "other")];
    const store = await KvDesiredStore.open(bus, { cluster: "c", logger: silent });
    const watches = [1, 2].map(() =>
      store.watch(
        () => undefined,
        () => undefined,
      ),
    );
    const manager = await managerOf(other);
    await readers(manager, 2);
    for (const watch of watches) watch.stop();
    await readers(manager, 0);
  });

  test("that a record was removed is forgotten after a day, by the next who watches", DEADLINE, async () => {
    const bus = await testBus(await testBroker(), "client");
    const store = await KvDesiredStore.open(bus, { cluster: "c", logger: silent });
    const { streams } = await managerOf(bus);
    const messages = async (): Promise<number> => (await streams.info(STREAM)).state.messages;
    const change = async (made: RecordChange): Promise<number> => {
      const outcome = await store.change(made);
      return outcome.kind === "ok" ? outcome.revision : expect.unreachable(outcome.kind);
    };
    for (const node of ["n1", "n2", "n3"]) {
      await change({ kind: "node", name: node, expected: await change(putNode(node)), value: undefined });
    }
    await change(putNode("n3"));
    expect(await watched(store)).toEqual(["node n3", "complete"]);
    expect(await messages()).toBe(3);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + REMOVAL_KEPT_MS + 60_000 });
    onTestFinished(() => void vi.useRealTimers());
    expect(await watched(store)).toEqual(["node n3", "complete"]);
    await expect.poll(messages, SOON).toBe(1);
    await change(putNode("n1"));
    expect((await watched(store)).toSorted()).toEqual(["complete", "node n1", "node n3"]);
  });

  test(
    "who was away for so long that removals may be forgotten learns of them all the same",
    DEADLINE,
    async () => {
      const broker = await testBroker();
      const [bus, other] = [await testBus(broker, "client"), await testBus(broker, "other")];
      const store = await KvDesiredStore.open(bus, { cluster: "c", logger: silent });
      for (const node of ["n1", "n2"]) await store.change(putNode(node));
      const told = await watched(store);
      await (await managerOf(other)).streams.purge(STREAM, { filter: "$KV.evercross-c.node.n1" });
      await bus.connection.reconnect();
      await store.change(putNode("n3"));
      await expect.poll(() => told, SOON).toEqual(["node n1", "node n2", "complete", "node n3"]);
      const now = performance.now.bind(performance);
      const clock = vi.spyOn(performance, "now").mockImplementation(() => now() + REMOVAL_KEPT_MS);
      onTestFinished(() => clock.mockRestore());
      await bus.connection.reconnect();
      await expect.poll(() => told.slice(4), SOON).toEqual(["node n2", "node n3", "no node n1"]);
    },
  );

  test("is one for each cluster, whatever its name", DEADLINE, async () => {
    const bus = await testBus(await testBroker(), "client");
    const clusters = ["a b", "a_20b", "a.b", "ä"];
    for (const cluster of clusters) {
      const store = await KvDesiredStore.open(bus, { cluster, logger: silent });
      expect(await store.change(putNode("n1"))).toEqual({ kind: "ok", revision: 1 });
    }
  });

  test("is waited for while the broker is away", DEADLINE, async () => {
    const broker = await testBroker();
    const bus = await testBus(broker, "client");
    process.kill(broker.pid(), "SIGSTOP");
    const opened = KvDesiredStore.open(bus, { cluster: "c", logger: silent });
    await expect.poll(() => bus.connection.isClosed(), SOON).toBe(false);
    process.kill(broker.pid(), "SIGKILL");
    expect((await (await opened).change(putNode("n1"))).kind).toBe("ok");
  });

  test("is refused by name by a broker that is too old", DEADLINE, async () => {
    const server = createServer((socket) => {
      socket.write(
        `INFO ${JSON.stringify({ server_id: "x", version: "2.9.25", max_payload: 1_048_576, headers: true })}\r\n`,
      );
      socket.on("data", (data) => {
        if (data.toString().includes("PING")) socket.write("PONG\r\n");
      });
      socket.on("error", () => socket.destroy());
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => void server.close());
    const url = `nats://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const bus = await NatsBus.connect({ url, name: "client" });
    onTestFinished(() => bus.close());
    const opened = KvDesiredStore.open(bus, { cluster: "c", logger: silent });
    await expect(opened).rejects.toThrow("the broker is 2.9.25; the desired state needs 2.10.0 or newer");
    await expect(opened).rejects.toBeInstanceOf(BrokerStoreError);
  });

  test("is refused by name by a broker that keeps nothing, or not as many copies", DEADLINE, async () => {
    const port = await freePort();
    const { path } = await findBroker();
    const server = spawn(path, ["-a", "127.0.0.1", "-p", String(port)], { stdio: "ignore" });
    onTestFinished(() => void server.kill("SIGKILL"));
    const bus = await NatsBus.connect({ url: `nats://127.0.0.1:${port}`, name: "client" });
    onTestFinished(() => bus.close());
    await expect(KvDesiredStore.open(bus, { cluster: "c", logger: silent })).rejects.toThrow(
      "the broker has no JetStream, where the desired state would be kept",
    );
    const alone = await testBus(await testBroker(), "client");
    await expect(KvDesiredStore.open(alone, { cluster: "c", replicas: 3, logger: silent })).rejects.toThrow(
      "the broker does not keep the desired state: replicas > 1 not supported in non-clustered mode",
    );
  });
});
