import { pino } from "pino";
import { describe, expect, onTestFinished, test } from "vitest";
import { HistoryEvent, HistoryKind } from "../../../proto/generated/evercross/v1/hierarchy.ts";
import { BrokerStoreError } from "../../../runtime/broker/stored.ts";
import { HistoryLog } from "../../../runtime/history/history-log.ts";
import { HistoryPublisher } from "../../../runtime/history/history-publisher.ts";
import { HISTORY_BACKLOG_MAX, HISTORY_READ_MS } from "../../../runtime/limits.ts";
import { MemoryBus } from "../../../runtime/messaging/memory-bus.ts";
import type { Bus } from "../../../runtime/messaging/bus.ts";
import { historySubject } from "../../../runtime/messaging/subject.ts";
import type { MonitorEvent } from "../../../runtime/monitor/monitor-message.ts";
import { identify, signalProcess } from "../../../runtime/process/process-identity.ts";
import { testBroker, testBus } from "../../support/test-broker.ts";

const DEADLINE = { timeout: 60_000 };
const logger = pino({ level: "silent" });
const BY = { node: "n1", pid: 4711, startTicks: 88_012 };

const failed = (element: string): MonitorEvent => ({
  kind: HistoryKind.FAILED,
  element,
  cause: "did not answer 5 beats",
  node: "n2",
  oldInstance: "n2:4712:88013",
  newInstance: "",
  tookMs: 0,
});

function publisher(bus: Bus): HistoryPublisher {
  const history = new HistoryPublisher({ bus, cluster: "c", by: BY, logger });
  onTestFinished(() => history.close(0));
  return history;
}

/** Plays the broker on a bus in memory: what it took, and which requests it leaves without an answer. */
class Recorder {
  readonly events: HistoryEvent[] = [];
  answers: () => string | undefined = () => `{"stream":"history","seq":1}`;

  constructor(bus: Bus) {
    bus.subscribe(historySubject("c"), ({ data, reply }) => {
      const answer = this.answers();
      if (answer?.includes("error") !== true) this.events.push(HistoryEvent.decode(data));
      if (answer !== undefined) bus.publish(reply ?? "", Buffer.from(answer));
    });
  }
}

const elements = (events: readonly HistoryEvent[]): string[] => events.map((event) => event.element);

describe("HistoryPublisher", () => {
  test("tells who saw what, and when", async () => {
    const bus = new MemoryBus();
    const recorder = new Recorder(bus);
    const history = publisher(bus);
    history.tell("local/a", failed("agent/n2"), 1_000_001);
    history.tell("group/east", failed("local/b"), 1_000_002);
    await history.close(DEADLINE.timeout);
    const common = { ...failed(""), by: BY, lost: 0 };
    expect(recorder.events).toEqual([
      { ...common, element: "agent/n2", role: "local/a", timeUs: 1_000_001, number: 1 },
      { ...common, element: "local/b", role: "group/east", timeUs: 1_000_002, number: 2 },
    ]);
    history.tell("local/a", failed("agent/n3"), 1_000_003);
    await expect(history.close(0)).resolves.toBeUndefined();
    expect(recorder.events.length).toBe(2);
  });

  test("an event that the broker refuses, or does not answer, is told again", DEADLINE, async () => {
    const bus = new MemoryBus();
    const recorder = new Recorder(bus);
    const answers = [`{"error":{"description":"no leader"}}`, undefined];
    recorder.answers = () => (answers.length > 0 ? answers.shift() : `{"seq":1}`);
    const history = publisher(bus);
    history.tell("local/a", failed("agent/n2"), 1);
    await history.close(DEADLINE.timeout);
    expect(recorder.events.map((event) => [event.element, event.number])).toEqual([
      ["agent/n2", 1],
      ["agent/n2", 1],
    ]);
  });

  test("while nobody takes them the oldest go first, and their number is told", DEADLINE, async () => {
    const bus = new MemoryBus();
    const history = publisher(bus);
    const extra = 30;
    for (let i = 0; i < HISTORY_BACKLOG_MAX + extra; i++) history.tell("local/a", failed(`agent/n${i}`), i);
    const recorder = new Recorder(bus);
    bus.up();
    await history.close(DEADLINE.timeout);
    const expected = Array.from({ length: HISTORY_BACKLOG_MAX }, (_, i) => `agent/n${i + extra}`);
    expect(elements(recorder.events)).toEqual(expected);
    expect(recorder.events.map((event) => event.lost)).toEqual([
      extra,
      ...Array(HISTORY_BACKLOG_MAX - 1).fill(0),
    ]);
    expect(recorder.events.map((event) => event.number)).toEqual(expected.map((_, i) => i + extra + 1));
  });

  test("ends in time when nobody takes them", async () => {
    const history = publisher(new MemoryBus());
    history.tell("local/a", failed("agent/n2"), 1);
    await expect(history.close(1)).resolves.toBeUndefined();
  });
});

describe("HistoryLog", () => {
  test(
    "gives what was told: all, the last, or since a time; in the order of the tellers' clocks",
    DEADLINE,
    async () => {
      const bus = await testBus(await testBroker(), "history");
      const log = await HistoryLog.open(bus, { cluster: "c", logger });
      expect(await log.read()).toEqual([]);
      const history = publisher(bus);
      const beginMs = Date.now();
      // The third was seen first.
      const timesMs = [2, 3, 1, 4, 5].map((ms) => beginMs + 1000 * ms);
      for (const [i, ms] of timesMs.entries()) history.tell("local/a", failed(`agent/n${i + 1}`), 1000 * ms);
      await history.close(DEADLINE.timeout);
      expect(elements(await log.read())).toEqual([
        "agent/n3",
        "agent/n1",
        "agent/n2",
        "agent/n4",
        "agent/n5",
      ]);
      expect(elements(await log.read({ last: 2 }))).toEqual(["agent/n4", "agent/n5"]);
      expect(elements(await log.read({ last: 0 }))).toEqual([]);
      expect(elements(await log.read({ sinceMs: beginMs + 3000 }))).toEqual([
        "agent/n2",
        "agent/n4",
        "agent/n5",
      ]);
      expect(elements(await log.read({ sinceMs: beginMs + 3000, last: 1 }))).toEqual(["agent/n5"]);
      expect(elements(await log.read({ sinceMs: beginMs + 3_600_000 }))).toEqual([]);
      const other = await HistoryLog.open(bus, { cluster: "d", logger });
      expect(await other.read()).toEqual([]);
    },
  );

  test("nothing is lost or told twice when the broker is killed again and again", DEADLINE, async () => {
    const broker = await testBroker();
    const [tellers, readers] = [await testBus(broker, "teller"), await testBus(broker, "reader")];
    const log = await HistoryLog.open(readers, { cluster: "c", logger });
    const followed: HistoryEvent[] = [];
    const watch = log.follow({ kind: "first" }, (event) => followed.push(event));
    onTestFinished(() => watch.stop());
    const history = publisher(tellers);
    const expected: string[] = [];
    const tell = (): void => {
      expected.push(`agent/n${expected.length}`);
      history.tell("local/a", failed(expected.at(-1) ?? ""), expected.length);
    };
    for (let kills = 1; kills <= 3; kills++) {
      for (let i = 0; i < 100; i++) tell();
      await expect.poll(() => followed.length, DEADLINE).toBeGreaterThan(expected.length - 100);
      const identity = identify(broker.pid());
      if (identity === undefined) throw new Error("the broker does not run");
      signalProcess(identity, "SIGKILL");
      for (let i = 0; i < 100; i++) tell();
      await expect.poll(() => followed.length, DEADLINE).toBe(expected.length);
    }
    const inOrder = followed.toSorted((a, b) => a.number - b.number);
    expect(elements(inOrder)).toEqual(expected);
    expect(elements(await log.read())).toEqual(expected);
  });

  test("is given up when there is nobody to give it", { timeout: 2 * HISTORY_READ_MS }, async () => {
    const broker = await testBroker();
    const log = await HistoryLog.open(await testBus(broker, "history"), { cluster: "c", logger });
    await broker.stop();
    await expect(log.read()).rejects.toThrow(BrokerStoreError);
  });
});
