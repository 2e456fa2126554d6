import { describe, expect, onTestFinished, test } from "vitest";
import type { Announcement } from "../../../proto/generated/evercross/v1/hierarchy.ts";
import { AnnouncementEar } from "../../../runtime/messaging/announcement-ear.ts";
import { BusLink } from "../../../runtime/messaging/bus-link.ts";
import { MemoryBus } from "../../../runtime/messaging/memory-bus.ts";
import { monitorSubject } from "../../../runtime/messaging/subject.ts";
import { waitFor } from "../../../runtime/process/wait.ts";
import { testBroker, testBus } from "../../support/test-broker.ts";

const until = async (condition: () => boolean): Promise<void> => {
  expect(await waitFor(condition, 20_000, 5)).toBe(true);
};

describe("the link of a process to a broker", () => {
  test("is down while the broker hangs, though nobody has closed the connection, and while it is dead", async () => {
    const broker = await testBroker();
    const told: boolean[] = [];
    const link = new BusLink(await testBus(broker, "test"), (up) => told.push(up));
    onTestFinished(() => link.close());
    await until(() => link.up);
    process.kill(broker.pid(), "SIGSTOP");
    await until(() => !link.up);
    process.kill(broker.pid(), "SIGCONT");
    await until(() => link.up);
    const before = broker.pid();
    process.kill(before, "SIGKILL");
    await until(() => !link.up);
    await until(() => link.up);
    expect(broker.pid()).not.toBe(before);
    expect(told).toEqual([true, false, true, false, true]);
  });

  test("is not told of any more once it is closed", async () => {
    const bus = new MemoryBus();
    const told: boolean[] = [];
    const link = new BusLink(bus, (up) => told.push(up));
    await until(() => link.up);
    link.close();
    bus.down();
    bus.up();
    await bus.flush();
    expect(told).toEqual([true]);
  });
});

describe("the ear for announcements", () => {
  const by = { node: "n1", pid: 1, startTicks: 1 };
  const announcement = (role: string) => ({ role, node: "n2", byRole: "agent/n1", by, cause: "silent" });

  test("hears of the roles that it listens for at this time, and nothing that is no announcement", async () => {
    const bus = new MemoryBus();
    const heard: Announcement[] = [];
    const ear = new AnnouncementEar("c", bus, (one) => heard.push(one));
    const mouth = new AnnouncementEar("c", bus, () => expect.unreachable("it listens for nothing"));
    ear.listen(["local/a", "local/b"]);
    mouth.announce(announcement("local/a"));
    mouth.announce(announcement("local/c"));
    bus.publish(monitorSubject("c", "local/b", "announce"), Uint8Array.of(0xff));
    await bus.flush();
    ear.listen(["local/b"]);
    mouth.announce(announcement("local/a"));
    mouth.announce(announcement("local/b"));
    await bus.flush();
    expect(heard).toEqual([announcement("local/a"), announcement("local/b")]);
    ear.close();
    mouth.announce(announcement("local/b"));
    await bus.flush();
    expect(heard).toHaveLength(2);
  });
});
