import { describe, expect, test } from "vitest";
import { BusRequestError } from "../../../runtime/messaging/bus.ts";
import { MemoryBus } from "../../../runtime/messaging/memory-bus.ts";

function heard(bus: MemoryBus, pattern: string): string[] {
  const got: string[] = [];
  bus.subscribe(pattern, ({ subject, data }) => void got.push(`${subject} ${Buffer.from(data).toString()}`));
  return got;
}

describe("the bus of one process", () => {
  test.each([
    ["a.b.c", "a.b.c", true],
    ["a.*.c", "a.b.c", true],
    ["a.>", "a.b.c", true],
    ["a.>", "a", false],
    ["a.*", "a.b.c", false],
    ["a.b", "a.b.c", false],
    ["a.b.c.d", "a.b.c", false],
    ["a.B.c", "a.b.c", false],
  ])("a subscription to %s and a message to %s", async (pattern, subject, meet) => {
    const bus = new MemoryBus();
    const got = heard(bus, pattern);
    bus.publish(subject, Buffer.from("x"));
    expect(got).toEqual([]);
    await bus.flush();
    expect(got).toEqual(meet ? [`${subject} x`] : []);
  });

  test("keeps the order of publication, and its own copy of the bytes", async () => {
    const bus = new MemoryBus();
    const got = heard(bus, ">");
    const data = Buffer.from("1");
    bus.publish("a", data);
    data.write("2");
    bus.publish("b", data);
    await bus.flush();
    expect(got).toEqual(["a 1", "b 2"]);
  });

  test("a request is answered once, has a time-out, and says when nobody is there", async () => {
    const bus = new MemoryBus();
    bus.subscribe("echo", ({ data, reply }) => {
      for (const _ of [1, 2]) bus.publish(reply ?? "", data);
    });
    bus.subscribe("mute", () => undefined);
    expect(Buffer.from(await bus.request("echo", Buffer.from("hi"), 60_000)).toString()).toBe("hi");
    const failures = await Promise.all(
      ["mute", "nobody"].map((subject) =>
        bus.request(subject, Buffer.alloc(0), 1).catch((error: unknown) => error),
      ),
    );
    expect(failures.map((error) => error instanceof BusRequestError && error.failure)).toEqual([
      "timeout",
      "no_responder",
    ]);
    await bus.close();
    await expect(bus.request("echo", Buffer.alloc(0), 1)).rejects.toMatchObject({ failure: "closed" });
  });

  test("loses what is published while it is down, and tells of that and when it is back", async () => {
    const bus = new MemoryBus();
    const got = heard(bus, "a");
    let back = 0;
    let lost = 0;
    const listening = bus.onReconnect(() => (back += 1));
    bus.onDisconnect(() => (lost += 1));
    bus.down();
    bus.publish("a", Buffer.from("lost"));
    bus.up();
    bus.publish("a", Buffer.from("kept"));
    await bus.flush();
    expect([got, lost, back]).toEqual([["a kept"], 1, 1]);
    listening.unsubscribe();
    bus.up();
    expect(back).toBe(1);
  });

  test("an ended subscription hears nothing more", async () => {
    const bus = new MemoryBus();
    let count = 0;
    const subscription = bus.subscribe("a", () => (count += 1));
    bus.publish("a", Buffer.alloc(0));
    await bus.flush();
    subscription.unsubscribe();
    bus.publish("a", Buffer.alloc(0));
    await bus.flush();
    expect(count).toBe(1);
  });
});
