import { describe, expect, onTestFinished, test } from "vitest";
import type { LogRequest, LogResponse } from "../../../proto/generated/evercross/v1/log.ts";
import type { JobContext, RunningJob } from "../../../runtime/job/definition.ts";
import type { JobName } from "../../../runtime/job/name.ts";
import { startStateful } from "../../../runtime/job/run-stateful.ts";
import { type WarmCopy, WarmState } from "../../../runtime/job/warm-state.ts";
import { BusReplicaPort } from "../../../runtime/log/bus-replica-port.ts";
import type { ReplicaPort } from "../../../runtime/log/replica-port.ts";
import { storageDefinition } from "../../../runtime/log/storage-service.ts";
import { MemoryBus } from "../../../runtime/messaging/memory-bus.ts";
import { jobSubject } from "../../../runtime/messaging/subject.ts";
import { COUNTER, counterContext, counterDefinition } from "../../support/counter-job.ts";
import { CLUSTER, storageContext } from "../../support/storage-client.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const DEADLINE = { timeout: 20_000 };

/** Counts what is read of the log. */
class CountedPort implements ReplicaPort {
  readonly #inner: ReplicaPort;
  rows = 0;
  entries = 0;

  constructor(inner: ReplicaPort) {
    this.#inner = inner;
  }

  async call(replica: JobName, request: LogRequest, timeoutMs: number): Promise<LogResponse> {
    const response = await this.#inner.call(replica, request, timeoutMs);
    if (request.body?.$case === "rows") this.rows += 1;
    this.entries += response.entries.length;
    return response;
  }
}

class Bench {
  readonly folder = temporaryFolder();
  readonly bus = new MemoryBus();
  readonly failures: string[] = [];
  readonly #inbox = this.bus.inbox();
  #answers = 0;

  static async start(): Promise<Bench> {
    const bench = new Bench();
    const definition = storageDefinition(new Map([[COUNTER.service, counterDefinition]]));
    const storage = await definition.start(storageContext(bench.bus, bench.folder));
    onTestFinished(() => storage.stop());
    bench.bus.subscribe(bench.#inbox, ({ data }) => {
      bench.#answers = Number(Buffer.from(data).toString());
    });
    return bench;
  }

  context(instance: string, port = new CountedPort(new BusReplicaPort(this.bus, CLUSTER))): JobContext {
    return counterContext(this.bus, this.folder, instance, this.failures, port);
  }

  async run(context: JobContext, copy?: WarmCopy): Promise<RunningJob> {
    const running = await startStateful(counterDefinition, context, "1", copy);
    onTestFinished(() => running.stop());
    return running;
  }

  /** Resolves with the sum. */
  async add(number: number): Promise<number> {
    const before = this.#answers;
    this.bus.publish(jobSubject(CLUSTER, COUNTER, "in"), Buffer.from(String(number)), this.#inbox);
    await expect.poll(() => this.#answers, DEADLINE).not.toBe(before);
    return this.#answers;
  }

  async warm(): Promise<WarmState> {
    const warm = new WarmState(counterDefinition, this.context("standby"));
    await warm.start();
    await expect.poll(() => warm.ready, DEADLINE).toBe(true);
    return warm;
  }
}

describe("a standby", () => {
  test("takes over with the state that it has and reads only what it lacks, no rows", async () => {
    const bench = await Bench.start();
    const first = await bench.run(bench.context("i1"));
    for (let sum = 1; sum <= 20; sum++) expect(await bench.add(1)).toBe(sum);
    const warm = await bench.warm();
    expect(await bench.add(1)).toBe(21);
    const copy = await expect
      .poll(() => warm.position, DEADLINE)
      .toBe(22)
      .then(() => warm.take());
    expect(await bench.add(1)).toBe(22);
    await first.stop();
    const port = new CountedPort(new BusReplicaPort(bench.bus, CLUSTER));
    await bench.run(bench.context("i2", port), copy);
    expect(port.rows).toBe(0);
    expect(port.entries).toBeLessThan(5);
    expect(await bench.add(1)).toBe(23);
    expect(bench.failures).toEqual([]);
  });

  test("of another log, or of one that went another way, is not believed: everything is recovered", async () => {
    const bench = await Bench.start();
    const first = await bench.run(bench.context("i1"));
    for (let sum = 1; sum <= 5; sum++) expect(await bench.add(1)).toBe(sum);
    const warm = await bench.warm();
    const copy = warm.take();
    if (copy === undefined) throw new Error("the standby has nothing");
    await first.stop();
    const chain = Buffer.from(copy.at.chain);
    chain.writeUInt8(chain.readUInt8(0) ^ 1, 0);
    copy.state.replay(Buffer.from("1000"));
    const port = new CountedPort(new BusReplicaPort(bench.bus, CLUSTER));
    await bench.run(bench.context("i2", port), { state: copy.state, at: { seq: copy.at.seq, chain } });
    expect(port.rows).toBeGreaterThan(0);
    expect(await bench.add(1)).toBe(6);
  });
});
