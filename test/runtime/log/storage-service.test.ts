import { statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import {
  LogRequest,
  LogResponse,
  LogStatus,
  type LogEntry,
  type Row,
} from "../../../proto/generated/evercross/v1/log.ts";
import type { KeptRows, Materialise, RunningJob } from "../../../runtime/job/definition.ts";
import { REPLICA_QUEUE_MAX, WITNESS_BYTES_MAX } from "../../../runtime/limits.ts";
import { sealEntry } from "../../../runtime/log/entry.ts";
import { unpackRows } from "../../../runtime/log/rows-page.ts";
import { storageFolder } from "../../../runtime/log/storage-folder.ts";
import { storageDefinition } from "../../../runtime/log/storage-service.ts";
import { entryKey, metaKey, rowsRecordKey } from "../../../runtime/log/store-key.ts";
import { readWitness, Witness } from "../../../runtime/log/witness.ts";
import { MemoryBus } from "../../../runtime/messaging/memory-bus.ts";
import { jobSubject } from "../../../runtime/messaging/subject.ts";
import { call, chainOf, CLUSTER, STORAGE, storageContext } from "../../support/storage-client.ts";
import { tamper } from "../../support/storage-folder.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const JOB = "counter/a";
const OTHER = "counter/b";

/** `key=value` puts, `key` deletes. */
const materialise: Materialise = (payload) =>
  Buffer.from(payload)
    .toString()
    .split(",")
    .map((text) => {
      const [key, value] = text.split("=");
      return { key: Buffer.from(key as string), value: value === undefined ? undefined : Buffer.from(value) };
    });

const definition = storageDefinition(
  new Map<string, KeptRows>([
    ["counter", { materialise }],
    [
      "broken",
      {
        materialise: () => {
          throw new Error("not a payload of this service");
        },
      },
    ],
  ]),
);

interface Storage {
  readonly bus: MemoryBus;
  readonly folder: string;
  readonly failures: string[];
  readonly restart: () => Promise<void>;
  readonly stop: () => Promise<void>;
  readonly start: () => Promise<void>;
}

async function storage(): Promise<Storage> {
  const folder = temporaryFolder();
  const bus = new MemoryBus();
  const failures: string[] = [];
  let running: RunningJob = await definition.start(storageContext(bus, folder, failures));
  onTestFinished(() => running.stop());
  const stop = (): Promise<void> => running.stop();
  const start = async (): Promise<void> => {
    running = await definition.start(storageContext(bus, folder, failures));
  };
  const restart = async (): Promise<void> => {
    await stop();
    await start();
  };
  return { bus, folder, failures, start, stop, restart };
}

function rowsIn({ rows }: LogResponse): Row[] {
  const found: Row[] = [];
  expect(rows && unpackRows(rows, (key, value) => void found.push({ key, value }))).toBe(true);
  return found;
}

async function rowsOf(bus: MemoryBus): Promise<{ seq: number; rows: string[] }> {
  const found: Row[] = [];
  for (let cursor = 0; ;) {
    const answer = await call(bus, JOB, { $case: "rows", value: { cursor } });
    expect(answer.status).toBe(LogStatus.OK);
    found.push(...rowsIn(answer));
    cursor = answer.rows?.cursor ?? 0;
    if (cursor === 0) {
      const text = found.map(({ key, value }) => `${key.toString()}=${value.toString()}`);
      return { seq: answer.rows?.seq ?? -1, rows: text };
    }
  }
}

describe("a storage job", () => {
  test("keeps what it acknowledged over a restart, and makes the rows current when the log is opened", async () => {
    const { bus, restart } = await storage();
    expect((await call(bus, JOB, { $case: "open", value: { epoch: 1 } })).status).toBe(LogStatus.OK);
    const payloads = ["a=1", "b=2", "a", "c=3,b=4"].map((text) => Buffer.from(text));
    const entries = chainOf(JOB, 1, payloads);
    const answers = await Promise.all(entries.map((value) => call(bus, JOB, { $case: "append", value })));
    expect(answers.map(({ status }) => status)).toEqual(entries.map(() => LogStatus.OK));
    await restart();
    const opened = await call(bus, JOB, { $case: "open", value: { epoch: 2 } });
    expect(opened).toMatchObject({ status: LogStatus.OK, tail: { promised: 2, epoch: 1, seq: 4, first: 1 } });
    expect(await rowsOf(bus)).toEqual({ seq: 4, rows: ["b=4", "c=3"] });
    const read = await call(bus, JOB, { $case: "read", value: { from: 1, to: 9, epoch: 0 } });
    expect(read.entries).toEqual(entries);
  });

  async function filled(): Promise<Storage & { entries: LogEntry[] }> {
    const made = await storage();
    await call(made.bus, JOB, { $case: "open", value: { epoch: 1 } });
    const entries = chainOf(
      JOB,
      1,
      Array.from({ length: 9 }, (_, i) => Buffer.from(`k${i % 3}=${i}`)),
    );
    for (const value of entries) await call(made.bus, JOB, { $case: "append", value });
    return { ...made, entries };
  }

  test("refuses a log that ends before what it acknowledged, by name, and serves the others", async () => {
    const { bus, folder, stop, start } = await filled();
    await call(bus, OTHER, { $case: "open", value: { epoch: 4 } });
    await stop();
    await tamper(storageFolder(folder, STORAGE.key), (store) =>
      // Without the rows' own record only the witness can tell.
      store.write(
        [entryKey(JOB, 9), rowsRecordKey(JOB)].map((key) => ({ key, value: undefined })),
        true,
      ),
    );
    await start();
    const refused = await call(bus, JOB, { $case: "open", value: { epoch: 2 } });
    expect(refused.status).toBe(LogStatus.TRUNCATED);
    expect(refused.detail).toContain("counter/a: the log ends at entry 8, 9 was acknowledged");
    expect((await call(bus, OTHER, { $case: "open", value: { epoch: 5 } })).status).toBe(LogStatus.OK);
  });

  test("refuses a log whose promise was lost, since two writers could then hold one epoch", async () => {
    const { bus, folder, stop, start } = await storage();
    await call(bus, JOB, { $case: "open", value: { epoch: 7 } });
    await stop();
    await tamper(storageFolder(folder, STORAGE.key), (store) =>
      store.write([{ key: metaKey(JOB), value: undefined }], true),
    );
    await start();
    const refused = await call(bus, JOB, { $case: "open", value: { epoch: 1 } });
    expect(refused).toMatchObject({ status: LogStatus.TRUNCATED });
    expect(refused.detail).toContain("epoch 0 is promised, 7 was acknowledged");
  });

  test("refuses a log whose last entry is damaged", async () => {
    const { bus, folder, stop, start } = await filled();
    await stop();
    await tamper(storageFolder(folder, STORAGE.key), (store) => {
      const value = store.get(entryKey(JOB, 9)) as Buffer;
      value[20] = (value[20] as number) ^ 1;
      store.write([{ key: entryKey(JOB, 9), value }], true);
    });
    await start();
    expect((await call(bus, JOB, { $case: "tail", value: {} })).status).toBe(LogStatus.DAMAGED);
  });

  test("stores rows behind the log by itself, without anyone who opens it", async () => {
    const { bus } = await filled();
    await expect.poll(async () => (await rowsOf(bus)).seq, { timeout: 20_000 }).toBe(9);
    expect((await rowsOf(bus)).rows).toEqual(["k0=6", "k1=7", "k2=8"]);
  });

  test("trims what lies behind the rows, and says where the log begins", async () => {
    const { bus, restart, entries } = await filled();
    await call(bus, JOB, { $case: "open", value: { epoch: 2 } });
    const trimmed = await call(bus, JOB, { $case: "trim", value: { epoch: 2, seq: 6 } });
    expect(trimmed).toMatchObject({ status: LogStatus.OK, tail: { first: 6, seq: 9 } });
    await restart();
    const read = await call(bus, JOB, { $case: "read", value: { from: 5, to: 10, epoch: 0 } });
    expect(read).toMatchObject({ status: LogStatus.TRIMMED, tail: { first: 6 } });
    const rest = await call(bus, JOB, { $case: "read", value: { from: 6, to: 10, epoch: 0 } });
    expect(rest.entries).toEqual(entries.slice(5));
  });

  test("pages one view of many rows, whatever is appended meanwhile", async () => {
    const { bus } = await storage();
    await call(bus, JOB, { $case: "open", value: { epoch: 1 } });
    const large = Array.from({ length: 12 }, (_, i) => Buffer.from(`row${i}=${"x".repeat(100_000)}`));
    const entries = chainOf(JOB, 1, [...large, Buffer.from("row0,row1=changed,row99=new")]);
    for (const value of entries.slice(0, 12)) await call(bus, JOB, { $case: "append", value });
    const atOpen = await call(bus, JOB, { $case: "open", value: { epoch: 2 } });
    expect(atOpen.tail?.seq).toBe(12);
    const first = await call(bus, JOB, { $case: "rows", value: { cursor: 0 } });
    expect(rowsIn(first).length).toBeLessThan(12);
    const last = chainOf(JOB, 1, large).at(-1) as LogEntry;
    const fields = { job: JOB, epoch: 2, seq: 13, prevEpoch: 1, kind: last.kind };
    const value = sealEntry({ ...fields, payload: Buffer.from("row0,row1=changed,row99=new") }, last.chain);
    expect((await call(bus, JOB, { $case: "append", value })).status).toBe(LogStatus.OK);
    await call(bus, JOB, { $case: "open", value: { epoch: 3 } });
    const found = rowsIn(first);
    for (let cursor = first.rows?.cursor ?? 0; cursor !== 0;) {
      const page = await call(bus, JOB, { $case: "rows", value: { cursor } });
      expect(page.rows?.seq).toBe(12);
      found.push(...rowsIn(page));
      cursor = page.rows?.cursor ?? 0;
    }
    const keys = Array.from({ length: 12 }, (_, i) => `row${i}`).sort();
    expect(found.map(({ key }) => key.toString())).toEqual(keys);
    expect(found.every((row) => row.value.length === 100_000)).toBe(true);
    const used = await call(bus, JOB, { $case: "rows", value: { cursor: first.rows?.cursor ?? 0 } });
    expect(used.status).toBe(LogStatus.EXPIRED);
  });

  test("answers what is too much for its queue at once, with FULL", async () => {
    const { bus } = await storage();
    const replies: LogStatus[] = [];
    const inbox = bus.inbox();
    bus.subscribe(inbox, ({ data }) => void replies.push(LogResponse.decode(data).status));
    const request = LogRequest.encode({
      job: JOB,
      body: { $case: "tail", value: {} },
      committed: 0,
    }).finish();
    const subject = jobSubject(CLUSTER, STORAGE, "in");
    for (let i = 0; i < REPLICA_QUEUE_MAX + 3; i++) bus.publish(subject, request, inbox);
    await expect.poll(() => replies.length, { timeout: 20_000 }).toBe(REPLICA_QUEUE_MAX + 3);
    expect(replies.filter((status) => status === LogStatus.FULL)).toHaveLength(3);
    expect(replies.filter((status) => status === LogStatus.OK)).toHaveLength(REPLICA_QUEUE_MAX);
  });

  test("answers garbage with INVALID and goes on", async () => {
    const { bus } = await storage();
    const subject = jobSubject(CLUSTER, STORAGE, "in");
    const answer = await bus.request(subject, Buffer.from("ffffffff", "hex"), 20_000);
    expect(LogResponse.decode(answer).status).toBe(LogStatus.INVALID);
    expect((await call(bus, JOB, { $case: "tail", value: {} })).status).toBe(LogStatus.OK);
  });

  test("goes on without the rows of a job whose entries its own service cannot read", async () => {
    const { bus } = await storage();
    await call(bus, "broken/a", { $case: "open", value: { epoch: 1 } });
    const [value] = chainOf("broken/a", 1, [Buffer.from("x")]);
    const append = await call(bus, "broken/a", { $case: "append", value: value as LogEntry });
    expect(append.status).toBe(LogStatus.OK);
    const opened = await call(bus, "broken/a", { $case: "open", value: { epoch: 2 } });
    expect(opened).toMatchObject({ status: LogStatus.OK, tail: { seq: 1 } });
    const rows = await call(bus, "broken/a", { $case: "rows", value: { cursor: 0 } });
    expect(rows).toMatchObject({ status: LogStatus.OK, rows: { seq: 0, cursor: 0, rows: [] } });
  });

  test("waits for the job before it to let go of the folder", async () => {
    const { bus, folder, stop } = await filled();
    const second = definition.start(storageContext(bus, folder));
    await stop();
    const running = await second;
    expect((await call(bus, JOB, { $case: "tail", value: {} })).tail?.seq).toBe(9);
    await running.stop();
  });
});

describe("the witness", () => {
  const chain = Buffer.alloc(32, 7);

  test("remembers the last of each job, over a restart and over a torn end", () => {
    const path = join(temporaryFolder(), "witness");
    const witness = Witness.open(path);
    for (let seq = 1; seq <= 5; seq++) witness.note([{ job: JOB, promised: 1, seq, chain }]);
    witness.note([{ job: OTHER, promised: 9, seq: 0, chain }]);
    witness.close();
    truncateSync(path, statSync(path).size - 1);
    const again = Witness.open(path);
    expect(again.acknowledged(JOB)).toEqual({ job: JOB, promised: 1, seq: 5, chain });
    expect(again.acknowledged(OTHER)).toBeUndefined();
    again.close();
    expect(readWitness(path).get(JOB)?.seq).toBe(5);
  });

  test("is written anew before it grows beyond its bound", () => {
    const path = join(temporaryFolder(), "witness");
    const witness = Witness.open(path);
    const many = Array.from({ length: 5000 }, (_, i) => ({
      job: `counter/${i}`,
      promised: 1,
      seq: 1,
      chain,
    }));
    for (let seq = 1; seq <= 60; seq++) witness.note(many.map((each) => ({ ...each, seq })));
    witness.close();
    expect(statSync(path).size).toBeLessThanOrEqual(WITNESS_BYTES_MAX);
    const read = readWitness(path);
    expect(read.size).toBe(5000);
    expect([...read.values()].every(({ seq }) => seq === 60)).toBe(true);
  });
});
