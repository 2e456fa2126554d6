import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { waitFor } from "../../runtime/process/wait.ts";
import { testBroker } from "../support/test-broker.ts";
import { NatsBus } from "../../runtime/messaging/nats-bus.ts";
import { LinkProxy } from "./link-proxy.ts";
import { OPEN } from "./link-state.ts";

const PATIENCE_MS = 10_000;
const until = async (condition: () => boolean): Promise<void> => {
  expect(await waitFor(condition, PATIENCE_MS, 2)).toBe(true);
};

/** What one end of a connection has received, and whether the other end is known to have ended. */
class End {
  text = "";
  state: "open" | "ended" | "broken" = "open";
  readonly socket: Socket;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (bytes) => (this.text += bytes.toString()));
    socket.on("end", () => (this.state = "ended"));
    socket.on("error", () => (this.state = "broken"));
    socket.on("close", () => (this.state = "broken"));
  }
}

interface Pair {
  readonly proxy: LinkProxy;
  readonly client: End;
  readonly server: End;
}

/** A client and a server with the proxy between them. */
async function pair(): Promise<Pair> {
  const accepted: End[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => accepted.push(new End(socket)));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const proxy = await LinkProxy.start(`nats://127.0.0.1:${address.port}`);
  const { port } = new URL(proxy.url);
  const client = new End(connect({ host: "127.0.0.1", port: Number(port), allowHalfOpen: true }));
  onTestFinished(async () => {
    client.socket.destroy();
    await proxy.close();
    for (const end of accepted) end.socket.destroy();
    await new Promise((done) => server.close(done));
  });
  await until(() => accepted.length === 1);
  return { proxy, client, server: accepted[0] as End };
}

test("an open link passes both ways what it is given, the end of each way included", async () => {
  const { client, server } = await pair();
  client.socket.write("question");
  await until(() => server.text === "question");
  client.socket.end();
  await until(() => server.state === "ended");
  server.socket.end("answer");
  await until(() => client.text === "answer");
  await until(() => client.state !== "open");
});

test("a link that is stalled one way passes the other way, and what was held arrives when it opens", async () => {
  const { proxy, client, server } = await pair();
  proxy.setAll({ kind: "stalled", way: "up" });
  client.socket.write("late");
  server.socket.write("in time");
  await until(() => client.text === "in time");
  expect(server.text).toBe("");
  client.socket.end();
  proxy.setAll({ kind: "stalled", way: "down" });
  await until(() => server.text === "late" && server.state === "ended");
  server.socket.end("held");
  proxy.setAll({ kind: "stalled", way: "both" });
  expect(client.text).toBe("in time");
  proxy.setAll(OPEN);
  await until(() => client.text === "in timeheld" && client.state !== "open");
});

test("a cut breaks both ends at once, and connections that are made meanwhile", async () => {
  const { proxy, client, server } = await pair();
  proxy.setAll({ kind: "cut" });
  await until(() => client.state === "broken" && server.state === "broken");
  const { port } = new URL(proxy.url);
  const next = new End(connect({ host: "127.0.0.1", port: Number(port) }));
  await until(() => next.state === "broken");
  expect(proxy.clients()).toEqual([]);
});

test("a slow link keeps the order, also when it becomes faster", async () => {
  const { proxy, client, server } = await pair();
  proxy.setAll({ kind: "slow", delayMs: 60 });
  client.socket.write("first ");
  const began = performance.now();
  await until(() => server.text === "first ");
  expect(performance.now() - began).toBeGreaterThanOrEqual(50);
  client.socket.write("second ");
  proxy.setAll({ kind: "slow", delayMs: 1 });
  client.socket.write("third");
  await until(() => server.text === "first second third");
});

test("much more than the buffers hold passes unharmed, also after a stall", async () => {
  const { proxy, client, server } = await pair();
  const sent = "0123456789abcdef".repeat(1 << 19);
  client.socket.write(sent);
  await until(() => server.text.length > 100_000);
  proxy.setAll({ kind: "stalled", way: "up" });
  proxy.setAll(OPEN);
  await until(() => server.text.length === sent.length);
  expect(server.text === sent).toBe(true);
});

test("one client of a broker is cut off by its name while another one goes on", async () => {
  const broker = await testBroker();
  const proxy = await LinkProxy.start(broker.url);
  onTestFinished(() => proxy.close());
  const join = async (name: string): Promise<NatsBus> => {
    const bus = await NatsBus.connect({ url: proxy.url, token: broker.token, name });
    onTestFinished(() => bus.close());
    return bus;
  };
  const [host, agent] = [await join("host n1.h1"), await join("agent n1.agent-n1")];
  expect(proxy.clients()).toEqual(["agent n1.agent-n1", "host n1.h1"]);
  let heard = 0;
  host.subscribe("question", ({ reply }) => {
    heard++;
    if (reply !== undefined) host.publish(reply, new Uint8Array([1]));
  });
  await host.flush();
  const ask = async (): Promise<boolean> => {
    try {
      return (await agent.request("question", new Uint8Array(), 200)).length === 1;
    } catch {
      return false;
    }
  };
  expect(await ask()).toBe(true);
  proxy.setClient("host n1.h1", { kind: "cut" });
  await until(() => !proxy.clients().includes("host n1.h1"));
  expect(await ask()).toBe(false);
  expect(proxy.clients()).toContain("agent n1.agent-n1");
  proxy.setClient("host n1.h1", undefined);
  expect(await waitFor(ask, PATIENCE_MS, 10)).toBe(true);
  const before = heard;
  proxy.setClient("host n1.h1", { kind: "stalled", way: "down" });
  expect(await ask()).toBe(false);
  expect(heard).toBe(before);
  proxy.setClient("host n1.h1", undefined);
  // What was held arrives late, as a wire would give it.
  await until(() => heard > before);
});
