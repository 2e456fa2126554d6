import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import {
  type LogEntry,
  type LogRequest,
  type LogResponse,
  LogStatus,
} from "../../../proto/generated/evercross/v1/log.ts";
import {
  MirrorLagRequest,
  MirrorLagResponse,
  type MirroredLog,
} from "../../../proto/generated/evercross/v1/mirror.ts";
import type { Materialise, RunningJob } from "../../../runtime/job/definition.ts";
import { type JobName, jobName, parseJob } from "../../../runtime/job/name.ts";
import { BusReplicaPort } from "../../../runtime/log/bus-replica-port.ts";
import type { ReplicaPort } from "../../../runtime/log/replica-port.ts";
import { RocksStore } from "../../../runtime/log/rocks-store.ts";
import { STORE_NAME } from "../../../runtime/log/storage-folder.ts";
import { storageDefinition } from "../../../runtime/log/storage-service.ts";
import { StoreLogReader } from "../../../runtime/log/store-log-reader.ts";
import { BusRequestError } from "../../../runtime/messaging/bus.ts";
import { MemoryBus } from "../../../runtime/messaging/memory-bus.ts";
import { jobSubject } from "../../../runtime/messaging/subject.ts";
import { mirrorDefinition, mirrorFolder } from "../../../runtime/mirror/mirror-service.ts";
import { waitFor } from "../../../runtime/process/wait.ts";
import { call, chainOf, CLUSTER, storageContext, storedLogs } from "../../support/storage-client.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const JOBS = ["counter/a", "counter/b", "counter/c"];
const MIRROR = jobName("mirror", "0");
const DEADLINE_MS = 20_000;

/** `key=value`. */
const materialise: Materialise = (payload) => {
  const [key = "", value = ""] = Buffer.from(payload).toString().split("=");
  return [{ key: Buffer.from(key), value: Buffer.from(value) }];
};
const kept = new Map([["counter", { materialise }]]);

const payloads = (count: number, value = "1"): Buffer[] =>
  Array.from({ length: count }, (_, index) => Buffer.from(`k${index}=${value}`));

/** The way from one site to the other. */
class SiteLink implements ReplicaPort {
  /** What is lost on it. */
  loses: (request: LogRequest) => boolean = () => false;
  lost = 0;
  readonly #inner: ReplicaPort;

  constructor(inner: ReplicaPort) {
    this.#inner = inner;
  }

  call(replica: JobName, request: LogRequest, timeoutMs: number): Promise<LogResponse> {
    if (!this.loses(request)) return this.#inner.call(replica, request, timeoutMs);
    this.lost += 1;
    return Promise.reject(new BusRequestError("timeout", "the other site"));
  }
}

/** A storage job and a mirror of it, each over a folder of its own that outlives it. */
class Sites {
  readonly bus = new MemoryBus();
  readonly link = new SiteLink(new BusReplicaPort(this.bus, CLUSTER));
  readonly there = temporaryFolder();
  /** Of another market under the same name. */
  readonly elsewhere = temporaryFolder();
  readonly here = temporaryFolder();
  readonly failures: string[] = [];
  readonly details: string[] = [];
  #storage: RunningJob | undefined;
  #mirror: RunningJob | undefined;

  constructor() {
    onTestFinished(async () => {
      await this.stopMirror();
      await this.stopStorage();
    });
  }

  async startStorage(dataDir = this.there): Promise<void> {
    const definition = storageDefinition(kept);
    this.#storage = await definition.start(storageContext(this.bus, dataDir, this.failures));
  }

  async stopStorage(): Promise<void> {
    await this.#storage?.stop();
    this.#storage = undefined;
  }

  async startMirror(): Promise<void> {
    const definition = mirrorDefinition({ jobsOf: () => JOBS.map(parseJob), kept });
    this.#mirror = await definition.start({
      ...storageContext(this.bus, this.here, this.failures),
      job: MIRROR,
      logs: storedLogs(this.link),
      describe: (detail) => void this.details.push(detail),
    });
  }

  async stopMirror(): Promise<void> {
    await this.#mirror?.stop();
    this.#mirror = undefined;
  }

  /** Writes entries as their writers would. */
  async write(entries: readonly LogEntry[]): Promise<void> {
    for (const [index, value] of entries.entries()) {
      if (index === 0 || value.epoch !== entries[index - 1]?.epoch) {
        await call(this.bus, value.job, { $case: "open", value: { epoch: value.epoch } });
      }
      const answer = await call(this.bus, value.job, { $case: "append", value });
      expect(answer).toMatchObject({ status: LogStatus.OK, detail: "" });
    }
  }

  async lags(): Promise<MirroredLog[]> {
    const question = MirrorLagRequest.encode({ after: "" }).finish();
    const answer = await this.bus.request(jobSubject(CLUSTER, MIRROR, "in"), question, 5000);
    return MirrorLagResponse.decode(answer).logs;
  }

  async until(job: string, condition: (log: MirroredLog) => boolean): Promise<MirroredLog> {
    let last: MirroredLog | undefined;
    const found = await waitFor(
      async () => {
        last = (await this.lags()).find((log) => log.job === job);
        return last !== undefined && condition(last) ? last : undefined;
      },
      DEADLINE_MS,
      10,
    );
    if (found === undefined) throw new Error(`not met: ${JSON.stringify({ last, failures: this.failures })}`);
    return found;
  }

  /** Entries and rows of the stopped mirror, proved. */
  async kept(job: string): Promise<{ entries: LogEntry[]; rows: string[]; rowsSeq: number }> {
    const store = await RocksStore.open(join(mirrorFolder(this.here, "0"), STORE_NAME), false);
    try {
      const reader = new StoreLogReader(store, job, undefined);
      const entries: LogEntry[] = [];
      for await (const item of reader.entries()) {
        if (item.kind === "problem") throw new Error(item.detail);
        entries.push(item.entry);
      }
      const rows: string[] = [];
      const { seq, problem } = await reader.rows((key, value) => {
        rows.push(`${Buffer.from(key).toString()}=${Buffer.from(value).toString()}`);
      });
      if (problem !== undefined) throw new Error(problem.detail);
      return { entries, rows, rowsSeq: seq };
    } finally {
      await store.close();
    }
  }
}

describe("a mirror", () => {
  test("has every entry and the rows, over restarts of the source and of itself", async () => {
    const sites = new Sites();
    const first = chainOf("counter/a", 3, payloads(40));
    await sites.startStorage();
    await sites.write(first.slice(0, 10));
    await sites.startMirror();
    await sites.until("counter/a", ({ seq }) => seq === 10);
    await sites.stopStorage();
    await sites.startStorage();
    // Only the writer that opened it last may go on: this one asks for the same epoch and has it already.
    for (const value of first.slice(10, 25)) await call(sites.bus, "counter/a", { $case: "append", value });
    await sites.until("counter/a", ({ seq }) => seq === 25);
    await sites.stopMirror();
    for (const value of first.slice(25)) await call(sites.bus, "counter/a", { $case: "append", value });
    await sites.write(chainOf("counter/b", 7, payloads(3)));
    await sites.startMirror();
    const a = await sites.until("counter/a", ({ seq }) => seq === 40);
    expect(a).toMatchObject({ epoch: 3, committed: 40, lagEntries: 0, lagMs: 0, refusal: "" });
    expect(a.chain.equals(first.at(-1)?.chain ?? Buffer.alloc(0))).toBe(true);
    await sites.until("counter/b", ({ seq }) => seq === 3);
    expect(await sites.until("counter/c", ({ heardMs }) => heardMs > 0)).toMatchObject({
      seq: 0,
      committed: 0,
    });
    await sites.stopMirror();
    const kept = await sites.kept("counter/a");
    expect(kept.entries.map(({ chain }) => chain.toString("hex"))).toEqual(
      first.map(({ chain }) => chain.toString("hex")),
    );
    expect(kept.rows).toHaveLength(40);
    expect(sites.failures).toEqual([]);
  });

  test("says since when it has not heard of its source, goes on when the link is back, and remembers over its own restart", async () => {
    const sites = new Sites();
    const entries = chainOf("counter/a", 1, payloads(20));
    await sites.startStorage();
    await sites.write(entries.slice(0, 5));
    await sites.startMirror();
    const before = await sites.until("counter/a", ({ seq }) => seq === 5);
    sites.link.loses = () => true;
    for (const value of entries.slice(5)) await call(sites.bus, "counter/a", { $case: "append", value });
    await waitFor(() => sites.link.lost > 5, DEADLINE_MS, 10);
    const cut = await sites.until("counter/a", () => true);
    expect(cut).toMatchObject({ seq: 5, committed: 5, lagEntries: 0 });
    await sites.stopMirror();
    await sites.startMirror();
    const after = await sites.until("counter/a", () => true);
    expect(after).toMatchObject({ seq: 5, committed: 5 });
    expect(after.heardMs).toBeGreaterThanOrEqual(before.heardMs);
    expect(after.heardMs).toBe(cut.heardMs);
    sites.link.loses = () => false;
    await sites.until("counter/a", ({ seq }) => seq === 20);
    expect(sites.failures).toEqual([]);
  });

  test("refuses by name a log that does not continue what it has, and goes on with the others", async () => {
    const sites = new Sites();
    await sites.startStorage();
    await sites.write(chainOf("counter/a", 5, payloads(6)));
    await sites.startMirror();
    await sites.until("counter/a", ({ seq }) => seq === 6);
    await sites.stopMirror();
    await sites.stopStorage();
    // Another market under the same name, as after a promotion elsewhere: it differs from entry 4 on.
    await sites.startStorage(sites.elsewhere);
    const fork = [...payloads(3), ...payloads(9, "2")];
    await sites.write(chainOf("counter/a", 5, fork));
    await sites.write(chainOf("counter/b", 1, payloads(2)));
    await sites.startMirror();
    const { refusal, seq } = await sites.until("counter/a", (log) => log.refusal !== "");
    expect(seq).toBe(6);
    expect(refusal).toMatch(
      /^counter\/a: the market's log does not continue the mirror's, up to entry 6 of epoch 5, chain /,
    );
    await sites.until("counter/b", (log) => log.seq === 2);
    const refused = (): boolean => sites.details.some((line) => line.includes("1 refused: counter/a"));
    expect(await waitFor(refused, DEADLINE_MS, 10)).toBe(true);
    await sites.stopMirror();
    expect((await sites.kept("counter/a")).entries.map(({ payload }) => payload.toString())).toEqual(
      payloads(6).map(String),
    );
    expect(sites.failures).toEqual([]);
  });

  test("refuses entries of an older epoch than those it has, and a log that differs where both end", async () => {
    const sites = new Sites();
    await sites.startStorage();
    await sites.write(chainOf("counter/a", 5, payloads(6)));
    await sites.write(chainOf("counter/b", 5, payloads(6)));
    await sites.startMirror();
    for (const job of ["counter/a", "counter/b"]) await sites.until(job, ({ seq }) => seq === 6);
    await sites.stopMirror();
    await sites.stopStorage();
    await sites.startStorage(sites.elsewhere);
    await sites.write(chainOf("counter/a", 4, payloads(8, "2")));
    await sites.write(chainOf("counter/b", 5, payloads(4, "2")));
    await sites.startMirror();
    const a = await sites.until("counter/a", ({ refusal }) => refusal !== "");
    expect(a).toMatchObject({ seq: 6, epoch: 5 });
    const b = await sites.until("counter/b", ({ refusal }) => refusal !== "");
    expect(b.refusal).toContain("another entry stands at 4");
  });

  test("begins with the rows where the source trimmed the first entries, also when it was broken off", async () => {
    const sites = new Sites();
    const entries = chainOf("counter/a", 2, payloads(30));
    await sites.startStorage();
    await sites.write(entries.slice(0, 20));
    // Rows are stored when the job stops in good order.
    await sites.stopStorage();
    await sites.startStorage();
    const trimmed = await call(sites.bus, "counter/a", { $case: "trim", value: { epoch: 2, seq: 15 } });
    expect(trimmed.tail).toMatchObject({ first: 15 });
    for (const value of entries.slice(20)) await call(sites.bus, "counter/a", { $case: "append", value });
    // The rows come, and the entry that they are the state after does not.
    sites.link.loses = ({ body }) => body?.$case === "read" && body.value.from > 1;
    await sites.startMirror();
    expect(await waitFor(() => sites.link.lost > 0, DEADLINE_MS, 10)).toBe(true);
    await sites.stopMirror();
    await expect(sites.kept("counter/a")).resolves.toMatchObject({ entries: [] });
    sites.link.loses = () => false;
    await sites.startMirror();
    await sites.until("counter/a", ({ seq }) => seq === 30);
    await sites.stopMirror();
    const kept = await sites.kept("counter/a");
    expect(kept.entries.at(-1)?.chain.equals(entries.at(-1)?.chain ?? Buffer.alloc(0))).toBe(true);
    expect(kept.entries[0]?.seq).toBe(20);
    expect(kept.rows.sort()).toEqual(payloads(30).map(String).sort());
    expect(kept.rowsSeq).toBe(30);
    expect(sites.failures).toEqual([]);
  });

  test("keeps what it has of a log that was trimmed behind its back, and says so", async () => {
    const sites = new Sites();
    const entries = chainOf("counter/a", 2, payloads(30));
    await sites.startStorage();
    await sites.write(entries.slice(0, 5));
    await sites.startMirror();
    await sites.until("counter/a", ({ seq }) => seq === 5);
    await sites.stopMirror();
    for (const value of entries.slice(5)) await call(sites.bus, "counter/a", { $case: "append", value });
    await sites.stopStorage();
    await sites.startStorage();
    await call(sites.bus, "counter/a", { $case: "trim", value: { epoch: 2, seq: 15 } });
    await sites.startMirror();
    const { refusal, lagEntries } = await sites.until("counter/a", (log) => log.refusal !== "");
    expect(refusal).toBe(
      "counter/a: the market trimmed entry 6 before it was mirrored: mirror into an empty folder",
    );
    expect(lagEntries).toBe(25);
  });
});
