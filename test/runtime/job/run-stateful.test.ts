import { describe, expect, onTestFinished, test } from "vitest";
import { EntryKind, LogPublication } from "../../../proto/generated/evercross/v1/log.ts";
import type { RunningJob } from "../../../runtime/job/definition.ts";
import { startStateful } from "../../../runtime/job/run-stateful.ts";
import { APPEND_TIMEOUT_MS, APPENDS_IN_FLIGHT_MAX, JOB_QUEUE_MESSAGES_MAX } from "../../../runtime/limits.ts";
import { BusReplicaPort } from "../../../runtime/log/bus-replica-port.ts";
import { storageDefinition } from "../../../runtime/log/storage-service.ts";
import { MemoryBus } from "../../../runtime/messaging/memory-bus.ts";
import { jobSubject } from "../../../runtime/messaging/subject.ts";
import { COUNTER, counterContext, counterDefinition } from "../../support/counter-job.ts";
import { CLUSTER, storageContext } from "../../support/storage-client.ts";
import { TappedPort } from "../../support/tapped-port.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const DEADLINE = { timeout: 20_000 };
const IN = jobSubject(CLUSTER, COUNTER, "in");

/** A bus with a storage job, and everything that leaves the counter in the order in which it does. */
class Bench {
  readonly folder = temporaryFolder();
  readonly bus = new MemoryBus();
  /** `stored n` and `answered n` of the first instance's port, `event n`, `reply sum`. */
  readonly said: string[] = [];
  readonly replies: string[] = [];
  readonly events: number[] = [];
  readonly inbox = this.bus.inbox();
  readonly port = new TappedPort(new BusReplicaPort(this.bus, CLUSTER), this.said);
  readonly failures: string[] = [];
  /** What an instance says of itself, each time that it changes. */
  readonly details: string[] = [];

  static async start(): Promise<Bench> {
    const bench = new Bench();
    const definition = storageDefinition(new Map([[COUNTER.service, counterDefinition]]));
    const storage = await definition.start(storageContext(bench.bus, bench.folder));
    onTestFinished(() => storage.stop());
    bench.bus.subscribe(bench.inbox, ({ data }) => {
      bench.replies.push(Buffer.from(data).toString());
      bench.said.push(`reply ${bench.replies.at(-1)}`);
    });
    bench.bus.subscribe(jobSubject(CLUSTER, COUNTER, "event"), ({ data }) => bench.#event(data));
    return bench;
  }

  /** Another bus stands for a link on which the instance does not hear of others. */
  async counter(instance = "i1", port = this.port, bus = this.bus): Promise<RunningJob> {
    const context = {
      ...counterContext(bus, this.folder, instance, this.failures, port),
      describe: (detail: string) => void this.details.push(detail),
    };
    const running = await startStateful(counterDefinition, context, "1");
    onTestFinished(() => running.stop());
    return running;
  }

  add(number: number, bus = this.bus): void {
    bus.publish(IN, Buffer.from(String(number)), this.inbox);
  }

  #event(data: Uint8Array): void {
    const { body } = LogPublication.decode(data);
    if (body?.$case !== "entry" || body.value.kind !== EntryKind.DATA) return;
    this.events.push(body.value.seq);
    this.said.push(`event ${body.value.seq}`);
  }
}

describe("a stateful job that has nothing to do with markets", () => {
  test("says nothing of a change before the replica has acknowledged it", async () => {
    const bench = await Bench.start();
    await bench.counter();
    bench.port.hold();
    bench.add(5);
    await expect.poll(() => bench.port.stored, DEADLINE).toEqual([1, 2]);
    bench.add(6);
    await expect.poll(() => bench.port.stored, DEADLINE).toEqual([1, 2, 3]);
    expect([bench.events, bench.replies]).toEqual([[], []]);
    bench.port.release();
    await expect.poll(() => bench.replies, DEADLINE).toEqual(["5", "11"]);
    const about = (entry: number, sum: string): string[] =>
      bench.said.filter((line) => line.endsWith(` ${entry}`) || line === `reply ${sum}`);
    expect(about(2, "5")).toEqual(["stored 2", "answered 2", "event 2", "reply 5"]);
    expect(about(3, "11")).toEqual(["stored 3", "answered 3", "event 3", "reply 11"]);
  });

  test("what arrives together becomes one entry", async () => {
    const bench = await Bench.start();
    await bench.counter();
    for (let i = 0; i < 100; i++) bench.add(1);
    await expect.poll(() => bench.replies.length, DEADLINE).toBe(100);
    expect(bench.replies.at(-1)).toBe("100");
    expect(bench.port.stored).toEqual([1, 2]);
  });

  test("answers busy when its queue is full, and takes all that it had room for", async () => {
    const bench = await Bench.start();
    await bench.counter();
    bench.port.hold();
    const entries = Array.from({ length: APPENDS_IN_FLIGHT_MAX }, (_, index) => index + 2);
    for (const entry of entries) {
      bench.add(1);
      await expect.poll(() => bench.port.stored.at(-1), DEADLINE).toBe(entry);
    }
    for (let i = 0; i < JOB_QUEUE_MESSAGES_MAX + 3; i++) bench.add(1);
    await bench.bus.flush();
    await expect.poll(() => bench.replies, DEADLINE).toEqual(["busy", "busy", "busy"]);
    bench.port.release();
    const total = APPENDS_IN_FLIGHT_MAX + JOB_QUEUE_MESSAGES_MAX;
    await expect.poll(() => bench.replies.length, DEADLINE).toBe(total + 3);
    expect(bench.replies.at(-1)).toBe(String(total));
  });

  test("goes on where it was after a restart, from rows and log", async () => {
    const bench = await Bench.start();
    for (let start = 1; start <= 4; start++) {
      const running = await bench.counter(`i${start}`);
      expect(running.epoch).toBe(start);
      bench.add(10);
      await expect.poll(() => bench.replies.at(-1), DEADLINE).toBe(String(start * 10));
      await running.stop();
    }
    expect(bench.failures).toEqual([]);
    expect(bench.port.stored).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });

  test("waits for a storage that is silent for a while, and loses and doubles nothing", async () => {
    const bench = await Bench.start();
    await bench.counter();
    bench.port.silent = true;
    bench.add(1);
    await expect.poll(() => bench.port.refusedCalls, DEADLINE).toBeGreaterThan(3);
    bench.add(2);
    expect([bench.events, bench.replies]).toEqual([[], []]);
    bench.port.silent = false;
    await expect.poll(() => bench.replies, DEADLINE).toEqual(["1", "3"]);
    expect(bench.events).toEqual([2, 3]);
    expect(bench.failures).toEqual([]);
  });

  test("says whom it waits for without storage, answers busy when its queue is full, and says when it goes on", async () => {
    const bench = await Bench.start();
    await bench.counter();
    bench.port.silent = true;
    for (let entry = 1; entry <= APPENDS_IN_FLIGHT_MAX; entry++) {
      const { refusedCalls } = bench.port;
      bench.add(1);
      await expect.poll(() => bench.port.refusedCalls, DEADLINE).toBeGreaterThan(refusedCalls);
    }
    await expect.poll(() => bench.details, DEADLINE).toHaveLength(1);
    expect(bench.details[0]).toMatch(/^counter\/a\.b c: entry 2 is not committed: waits for storage\/0 \(/);
    for (let i = 0; i < JOB_QUEUE_MESSAGES_MAX + 3; i++) bench.add(1);
    await expect.poll(() => bench.replies.slice(-1), DEADLINE).toEqual(["busy"]);
    expect([bench.events, new Set(bench.replies)]).toEqual([[], new Set(["busy"])]);
    bench.port.silent = false;
    await expect.poll(() => bench.details, DEADLINE).toEqual([bench.details[0], ""]);
    await expect.poll(() => bench.events.length, DEADLINE).toBeGreaterThan(APPENDS_IN_FLIGHT_MAX);
    expect(bench.failures).toEqual([]);
  });
});

describe("two instances of one job", () => {
  test("the older one ends itself when it hears of the newer", async () => {
    const bench = await Bench.start();
    await bench.counter("i1");
    await bench.counter("i2");
    await expect.poll(() => bench.failures, DEADLINE).toEqual(["fenced: epoch 1 was replaced by epoch 2"]);
    bench.add(3);
    await expect.poll(() => bench.replies, DEADLINE).toEqual(["3"]);
  });

  test("the older one ends itself at its next write when it heard nothing, and says nothing of it", async () => {
    const bench = await Bench.start();
    const deaf = new MemoryBus();
    const said: string[] = [];
    deaf.subscribe(bench.inbox, ({ data }) => void said.push(Buffer.from(data).toString()));
    await bench.counter("i1", bench.port, deaf);
    await bench.counter("i2", new TappedPort(new BusReplicaPort(bench.bus, CLUSTER)));
    bench.add(100, deaf);
    await expect.poll(() => bench.failures, DEADLINE).toHaveLength(1);
    expect(bench.failures[0]).toContain("fenced: counter/a.b c: epoch 1 was replaced by epoch 2");
    bench.add(3);
    await expect.poll(() => bench.replies, DEADLINE).toEqual(["3"]);
    expect(said).toEqual([]);
  });

  test("one that is replaced while it starts does not start", async () => {
    const bench = await Bench.start();
    bench.port.hold();
    const starting = bench.counter("i1");
    const refused = expect(starting).rejects.toThrow("fenced: epoch 1 was replaced by epoch 2");
    await expect.poll(() => bench.port.stored, DEADLINE).toEqual([1]);
    await bench.counter("i2", new TappedPort(new BusReplicaPort(bench.bus, CLUSTER)));
    await refused;
    bench.port.release();
    expect(bench.failures).toEqual([]);
  });

  test("one that was paused does not act on an acknowledgement of before its pause", async () => {
    const bench = await Bench.start();
    const deaf = new MemoryBus();
    const said: string[] = [];
    for (const subject of [bench.inbox, jobSubject(CLUSTER, COUNTER, "event")])
      deaf.subscribe(subject, () => void said.push(subject));
    await bench.counter("i1", bench.port, deaf);
    await deaf.flush();
    said.length = 0;
    bench.port.hold();
    bench.add(5, deaf);
    // Stored and acknowledged in time, but the acknowledgement is heard only when another has taken over.
    await expect.poll(() => bench.port.stored, DEADLINE).toEqual([1, 2]);
    const paused = performance.now();
    await bench.counter("i2", new TappedPort(new BusReplicaPort(bench.bus, CLUSTER)));
    await expect.poll(() => performance.now() - paused, DEADLINE).toBeGreaterThan(APPEND_TIMEOUT_MS);
    const before = said.length;
    bench.port.release();
    await expect.poll(() => bench.failures, DEADLINE).toHaveLength(1);
    expect(bench.failures[0]).toContain("fenced");
    await deaf.flush();
    expect(said.slice(before)).toEqual([]);
    expect(said).not.toContain(bench.inbox);
    // The newer one knows of it: what was stored under the older one counts.
    bench.add(1);
    await expect.poll(() => bench.replies, DEADLINE).toEqual(["6"]);
  });
});
