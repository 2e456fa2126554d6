import { describe, expect, onTestFinished, test } from "vitest";
import { LogStatus, type Row } from "../../../proto/generated/evercross/v1/log.ts";
import type { Materialise, RunningJob } from "../../../runtime/job/definition.ts";
import { storageDefinition } from "../../../runtime/log/storage-service.ts";
import { MemoryBus } from "../../../runtime/messaging/memory-bus.ts";
import { call, chainOf, storageContext } from "../../support/storage-client.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const JOB = "counter/a";

/** `key=value` puts, `key` deletes. */
const materialise: Materialise = (payload) =>
  Buffer.from(payload)
    .toString()
    .split(",")
    .map((text) => {
      const [key, value] = text.split("=");
      return { key: Buffer.from(key as string), value: value === undefined ? undefined : Buffer.from(value) };
    });

const definition = storageDefinition(new Map([["counter", materialise]]));

interface Storage {
  readonly bus: MemoryBus;
  readonly folder: string;
  readonly failures: string[];
  readonly restart: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

async function storage(): Promise<Storage> {
  const folder = temporaryFolder();
  const bus = new MemoryBus();
  const failures: string[] = [];
  let running: RunningJob = await definition.start(storageContext(bus, folder, failures));
  onTestFinished(() => running.stop());
  return {
    bus,
    folder,
    failures,
    restart: async () => {
      await running.stop();
      running = await definition.start(storageContext(bus, folder, failures));
    },
    stop: () => running.stop(),
  };
}

async function rowsOf(bus: MemoryBus): Promise<{ seq: number; rows: string[] }> {
  const found: Row[] = [];
  for (let cursor = 0; ;) {
    const answer = await call(bus, JOB, { $case: "rows", value: { cursor } });
    expect(answer.status).toBe(LogStatus.OK);
    found.push(...(answer.rows?.rows ?? []));
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
    const read = await call(bus, JOB, { $case: "read", value: { from: 1, to: 9 } });
    expect(read.entries).toEqual(entries);
  });
});
