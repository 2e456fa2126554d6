import { describe, expect, test, vi } from "vitest";
import { jobName } from "../../../runtime/job/name.ts";
import { MESSAGE_BYTES_MAX } from "../../../runtime/limits.ts";
import { BusRequestError } from "../../../runtime/messaging/bus.ts";
import { jobSubject } from "../../../runtime/messaging/subject.ts";
import { identify, signalProcess } from "../../../runtime/process/process-identity.ts";
import { testBroker, testBus } from "../../support/test-broker.ts";

const DEADLINE = { timeout: 30_000 };
const KEYS = [
  "IBM",
  "BRK.B",
  "BRK=2EB",
  "a b",
  "*",
  ">",
  "x.*",
  "x.>",
  ".",
  "..",
  "$SYS",
  "é",
  "日本",
  "\t",
  "ibm",
];

function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => "answered",
    (error: unknown) => (error instanceof BusRequestError ? error.failure : error),
  );
}

describe("the bus over a real broker", () => {
  test("a message reaches exactly the job that it names, whatever the name", async () => {
    const broker = await testBroker();
    const [jobs, sender] = [await testBus(broker, "jobs"), await testBus(broker, "sender")];
    const heard: string[] = [];
    for (const key of KEYS) {
      jobs.subscribe(jobSubject("c", jobName("crossing", key), "in"), ({ data, reply }) => {
        heard.push(`${key} heard ${Buffer.from(data).toString()}`);
        jobs.publish(reply ?? "", Buffer.from(`from ${key}`));
      });
    }
    await jobs.flush();
    for (const key of KEYS) {
      const subject = jobSubject("c", jobName("crossing", key), "in");
      const answer = await sender.request(subject, Buffer.from(key), DEADLINE.timeout);
      expect(Buffer.from(answer).toString()).toBe(`from ${key}`);
    }
    expect(heard).toEqual(KEYS.map((key) => `${key} heard ${key}`));
  });

  test("says why a request has no answer, and refuses what is too large to send", async () => {
    const broker = await testBroker();
    const bus = await testBus(broker, "asker");
    bus.subscribe("mute", () => undefined);
    await bus.flush();
    expect(await failure(bus.request("mute", Buffer.alloc(1), 50))).toBe("timeout");
    expect(await failure(bus.request("nobody", Buffer.alloc(1), DEADLINE.timeout))).toBe("no_responder");
    const tooMuch = Buffer.alloc(MESSAGE_BYTES_MAX + 1);
    expect(() => bus.publish("mute", tooMuch)).toThrow(`exceeds ${MESSAGE_BYTES_MAX}`);
    await bus.close();
    expect(await failure(bus.request("mute", Buffer.alloc(1), 50))).toBe("closed");
  });

  test("after the broker's SIGKILL all are back by themselves, with what they subscribed to", async () => {
    const broker = await testBroker();
    const [a, b] = [await testBus(broker, "a"), await testBus(broker, "b")];
    const heard: string[] = [];
    b.subscribe("news", ({ data }) => void heard.push(Buffer.from(data).toString()));
    await b.flush();
    let [lost, back] = [0, 0];
    for (const bus of [a, b]) {
      bus.onDisconnect(() => (lost += 1));
      bus.onReconnect(() => (back += 1));
    }
    for (let kills = 1; kills <= 2; kills++) {
      const before = identify(broker.pid());
      if (before === undefined) throw new Error("the broker does not run");
      signalProcess(before, "SIGKILL");
      await expect.poll(() => back, DEADLINE).toBe(2 * kills);
      expect(lost).toBe(2 * kills);
      await b.flush();
      a.publish("news", Buffer.from(`after ${kills}`));
      await expect.poll(() => heard.at(-1), DEADLINE).toBe(`after ${kills}`);
    }
    expect(heard).toEqual(["after 1", "after 2"]);
  });

  test("is back although the wall clock was set back meanwhile, by longer than anybody would wait", async () => {
    const broker = await testBroker();
    const bus = await testBus(broker, "a");
    let back = 0;
    bus.onReconnect(() => (back += 1));
    const before = identify(broker.pid());
    if (before === undefined) throw new Error("the broker does not run");
    const now = Date.now;
    vi.spyOn(Date, "now").mockImplementation(() => now() - 36_000_000);
    signalProcess(before, "SIGKILL");
    await expect.poll(() => back, DEADLINE).toBe(1);
    vi.restoreAllMocks();
  });

  test("a broker that is not there is waited for by what was connected, and asked in vain meanwhile", async () => {
    const broker = await testBroker();
    const bus = await testBus(broker, "a");
    bus.subscribe("echo", ({ data, reply }) => bus.publish(reply ?? "", data));
    await bus.flush();
    await broker.stop();
    await expect.poll(() => failure(bus.request("echo", Buffer.alloc(1), 50)), DEADLINE).toBe("timeout");
    expect(() => bus.publish("echo", Buffer.from("lost"))).not.toThrow();
  });
});
