import { describe, expect, test } from "vitest";
import type { AgentMessage, HostMessage } from "../../../proto/generated/evercross/v1/control.ts";
import { RemoteHosts } from "../../../runtime/agent/remote-hosts.ts";
import { BusAgentLink } from "../../../runtime/host/bus-agent-link.ts";
import { MemoryBus } from "../../../runtime/messaging/memory-bus.ts";
import { remoteHostsSubject } from "../../../runtime/messaging/subject.ts";

const CLUSTER = "test";
const POLL = { $case: "poll", value: { beat: 1, from: undefined, role: "agent/a" } } as const;

/** The agent's end, and what it heard: `1 hello`. */
function agentOn(bus: MemoryBus, node: string) {
  const heard: string[] = [];
  let links = 0;
  const hosts = new RemoteHosts(
    { cluster: CLUSTER, agent: "a", node, bus },
    {
      nextLink: () => ++links,
      onMessage: (link, from, { body }: HostMessage) => heard.push(`${link} ${from} ${body?.$case}`),
      onClosed: (link) => heard.push(`${link} closed`),
    },
  );
  return { hosts, heard };
}

/** A host's end, and what it heard: `poll`. */
function hostOn(bus: MemoryBus, node: string, pid: number) {
  const heard: string[] = [];
  const link: BusAgentLink = new BusAgentLink({
    bus,
    cluster: CLUSTER,
    node,
    host: "a-h1",
    pid,
    agent: "a",
    hello: () => ({ $case: "hello", value: { host: "a-h1", pid, startTicks: 1, jobs: [] } }),
    onMessage: ({ body }: AgentMessage, from) => {
      heard.push(body?.$case ?? "nothing");
      if (body?.$case === "poll")
        link.send(
          { $case: "answer", value: { beat: 1, jobs: [], best: undefined, linkDownMs: 0, warm: [] } },
          from,
        );
    },
  });
  return { link, heard };
}

describe("job hosts of another node", () => {
  test("are a link from their first hello until it is dropped, and a new one when they say hello again", async () => {
    const bus = new MemoryBus();
    const { hosts, heard } = agentOn(bus, "n1");
    const host = hostOn(bus, "n2", 7);
    host.link.send({
      $case: "answer",
      value: { beat: 1, jobs: [], best: undefined, linkDownMs: 0, warm: [] },
    });
    host.link.hello();
    host.link.hello();
    await bus.flush();
    expect(heard).toEqual(["1 n2 hello", "1 n2 hello"]);
    hosts.drop(1);
    hosts.send(1, POLL);
    host.link.hello();
    await bus.flush();
    expect(heard.slice(2)).toEqual(["2 n2 hello"]);
    expect(host.heard).toEqual([]);
  });

  test("answer a poll to the instance that asked, and tell the rest to each", async () => {
    const bus = new MemoryBus();
    const [one, other] = [agentOn(bus, "n1"), agentOn(bus, "n3")];
    const host = hostOn(bus, "n2", 7);
    one.hosts.call();
    await bus.flush();
    one.hosts.send(1, POLL);
    await bus.flush();
    await bus.flush();
    expect(one.heard).toEqual(["1 n2 hello", "1 n2 answer"]);
    expect(other.heard).toEqual(["1 n2 hello"]);
    expect(host.heard).toEqual(["poll"]);
  });

  test("are not heard by an agent of their own node, where they speak by the socket", async () => {
    const bus = new MemoryBus();
    const { heard } = agentOn(bus, "n2");
    hostOn(bus, "n2", 7).link.hello();
    await bus.flush();
    expect(heard).toEqual([]);
  });

  test("hear nothing that is said to another process of their name", async () => {
    const bus = new MemoryBus();
    const { hosts } = agentOn(bus, "n1");
    const [woken, present] = [hostOn(bus, "n2", 7), hostOn(bus, "n2", 8)];
    present.link.hello();
    await bus.flush();
    hosts.send(1, { $case: "startJob", value: { job: "x/1" } });
    await bus.flush();
    expect([woken.heard, present.heard]).toEqual([[], ["startJob"]]);
  });

  test("and whoever speaks nonsense to their agent is not heard", async () => {
    const bus = new MemoryBus();
    const { heard } = agentOn(bus, "n1");
    bus.publish(remoteHostsSubject(CLUSTER, "a"), Uint8Array.of(0x0a, 0xff));
    bus.publish(remoteHostsSubject(CLUSTER, "a"), new Uint8Array());
    await bus.flush();
    expect(heard).toEqual([]);
  });

  test("leave nothing behind when either end is closed", async () => {
    const bus = new MemoryBus();
    const { hosts, heard } = agentOn(bus, "n1");
    const host = hostOn(bus, "n2", 7);
    host.link.hello();
    await bus.flush();
    host.link.close();
    hosts.send(1, POLL);
    hosts.call();
    await bus.flush();
    expect(host.heard).toEqual([]);
    await hosts.close();
    hostOn(bus, "n2", 8).link.hello();
    await bus.flush();
    expect(heard).toEqual(["1 n2 hello"]);
  });
});
