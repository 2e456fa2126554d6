import { describe, expect, onTestFinished, test } from "vitest";
import type { RunningJob, StatefulDefinition, StatefulJob } from "../../../runtime/job/definition.ts";
import { startStateful } from "../../../runtime/job/run-stateful.ts";
import { APPENDS_IN_FLIGHT_MAX } from "../../../runtime/limits.ts";
import { BusReplicaPort } from "../../../runtime/log/bus-replica-port.ts";
import { storageDefinition } from "../../../runtime/log/storage-service.ts";
import { MemoryBus } from "../../../runtime/messaging/memory-bus.ts";
import { jobSubject } from "../../../runtime/messaging/subject.ts";
import { COUNTER, counterContext } from "../../support/counter-job.ts";
import { CLUSTER, storageContext } from "../../support/storage-client.ts";
import { TappedPort } from "../../support/tapped-port.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const DEADLINE = { timeout: 20_000 };

/**
 * Counts down by itself: a request says from where, and how many microseconds apart. Its steps at their due times,
 * and when they were called and due, are kept.
 */
class Countdown implements StatefulJob {
  left = 0;
  readonly steps: { readonly nowUs: number; readonly dueUs: number }[] = [];
  #apartUs = 0;
  #dueUs = Infinity;

  restore(): void {}
  restored(): void {}

  replay(payload: Uint8Array): void {
    this.left = Number(Buffer.from(payload).toString());
    this.#dueUs = this.left > 0 ? 0 : Infinity;
  }

  step(nowUs: number, requests: Parameters<StatefulJob["step"]>[1]): ReturnType<StatefulJob["step"]> {
    const dueUs = this.#dueUs;
    if (dueUs <= nowUs) {
      this.steps.push({ nowUs, dueUs });
      this.left -= 1;
    }
    for (const { data } of requests)
      [this.left = 0, this.#apartUs = 0] = Buffer.from(data).toString().split(" ").map(Number);
    this.#dueUs = this.left > 0 ? nowUs + this.#apartUs : Infinity;
    return { payload: Buffer.from(String(this.left)), replies: [], taken: requests.length };
  }

  nextDue(): number {
    return this.#dueUs;
  }
}

/** What is due, and says that it did nothing about it. */
class Idler extends Countdown {
  override step(): ReturnType<StatefulJob["step"]> {
    return { payload: undefined, replies: [], taken: 0 };
  }

  override nextDue(): number {
    return 0;
  }
}

class Bench {
  readonly bus = new MemoryBus();
  readonly failures: string[] = [];
  readonly port = new TappedPort(new BusReplicaPort(this.bus, CLUSTER));
  readonly folder = temporaryFolder();

  static async start(): Promise<Bench> {
    const bench = new Bench();
    const storage = await storageDefinition(new Map()).start(storageContext(bench.bus, bench.folder));
    onTestFinished(() => storage.stop());
    return bench;
  }

  async run(create: () => StatefulJob): Promise<RunningJob> {
    const { service } = COUNTER;
    const materialise = (): [] => [];
    const definition: StatefulDefinition = {
      kind: "stateful",
      service,
      create,
      materialise,
      busy: () => undefined,
    };
    const context = counterContext(this.bus, this.folder, "i1", this.failures, this.port);
    const running = await startStateful(definition, context, "1");
    onTestFinished(() => running.stop());
    return running;
  }

  async countdown(): Promise<Countdown> {
    let job = new Countdown();
    await this.run(() => (job = new Countdown()));
    return job;
  }

  send(from: number, apartUs: number): void {
    this.bus.publish(jobSubject(CLUSTER, COUNTER, "in"), Buffer.from(`${from} ${apartUs}`));
  }
}

describe("a stateful job with something to do of itself", () => {
  test("is stepped without a request, until it is due no more", async () => {
    const bench = await Bench.start();
    const job = await bench.countdown();
    bench.send(3, 0);
    await expect.poll(() => bench.port.answered, DEADLINE).toBe(5);
    expect(job.left).toBe(0);
    expect(bench.port.stored).toEqual([1, 2, 3, 4, 5]);
    expect(bench.failures).toEqual([]);
  });

  test("is stepped at its time, never before", async () => {
    const bench = await Bench.start();
    const job = await bench.countdown();
    bench.send(20, 1500);
    await expect.poll(() => job.steps.length, DEADLINE).toBe(20);
    expect(job.left).toBe(0);
    for (const { nowUs, dueUs } of job.steps) expect(nowUs).toBeGreaterThanOrEqual(dueUs);
  });

  test("goes on after a restart with what was due", async () => {
    const bench = await Bench.start();
    const running = await bench.run(() => new Countdown());
    bench.send(5, 3_600_000_000);
    await expect.poll(() => bench.port.answered, DEADLINE).toBe(2);
    await running.stop();
    const job = await bench.countdown();
    await expect.poll(() => job.steps.length, DEADLINE).toBe(5);
    expect(job.left).toBe(0);
  });

  test("has no more entries under way than any job, and takes requests meanwhile", async () => {
    const bench = await Bench.start();
    const job = await bench.countdown();
    bench.port.hold();
    bench.send(50, 0);
    await expect.poll(() => bench.port.stored.length, DEADLINE).toBe(1 + APPENDS_IN_FLIGHT_MAX);
    expect(job.left).toBe(50 - APPENDS_IN_FLIGHT_MAX + 1);
    bench.send(7, 0);
    bench.port.release();
    await expect.poll(() => job.steps.length, DEADLINE).toBe(APPENDS_IN_FLIGHT_MAX + 7);
    expect(job.left).toBe(0);
  });

  test("stops although it is due", async () => {
    const bench = await Bench.start();
    const running = await bench.run(() => new Countdown());
    bench.send(1e9, 0);
    await expect.poll(() => bench.port.answered, DEADLINE).toBeGreaterThan(10);
    await running.stop();
    const { length } = bench.port.stored;
    await bench.bus.flush();
    expect(bench.port.stored).toHaveLength(length);
  });

  test("ends when it stays due and does nothing", async () => {
    const bench = await Bench.start();
    await bench.run(() => new Idler());
    await expect.poll(() => bench.failures, DEADLINE).toHaveLength(1);
    expect(bench.failures[0]).toContain("step took 0 of 0 requests, due at 0");
  });
});
