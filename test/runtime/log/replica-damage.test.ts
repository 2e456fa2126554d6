import { cpSync, readFileSync, renameSync, rmSync, statSync, truncateSync, unlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import type { Materialise } from "../../../runtime/job/definition.ts";
import { storageFolder, STORE_NAME, WITNESS_NAME } from "../../../runtime/log/storage-folder.ts";
import { entryKey, metaKey } from "../../../runtime/log/store-key.ts";
import { ReplicaSet, until, type SetReplica } from "../../support/replica-set.ts";
import { SetWriter, tailOf } from "../../support/set-writer.ts";
import { flipBit, storeFiles, tamper } from "../../support/storage-folder.ts";

const JOB = "counter/a";
const materialise: Materialise = (payload) => [{ key: Buffer.from(payload).subarray(0, 2), value: payload }];

const payloads = (from: number, count: number): Buffer[] =>
  Array.from({ length: count }, (_, i) =>
    Buffer.from(`${10 + ((from + i) % 7)}-${from + i}-${"x".repeat(300)}`),
  );

interface Running {
  readonly set: ReplicaSet;
  readonly writer: SetWriter;
}

/** Three replicas with thirty entries and a writer that goes on. */
async function running(): Promise<Running> {
  const set = new ReplicaSet(3, new Map([["counter", { materialise }]]));
  onTestFinished(() => set.stop());
  await set.start();
  const writer = await SetWriter.open(set, JOB);
  onTestFinished(() => writer.close());
  await writer.append(payloads(0, 30));
  await writer.whole(set, JOB);
  return { set, writer };
}

/** All replicas have all that was committed, each is a member as it is now, and the writer still writes. */
async function healed({ set, writer }: Running): Promise<void> {
  await writer.append(payloads(1000, 5));
  const members = await writer.whole(set, JOB);
  const tails = await Promise.all(set.replicas.map((replica) => tailOf(replica, JOB)));
  expect(new Set(members.map(({ incarnation }) => incarnation))).toEqual(
    new Set(tails.map(({ tail }) => tail?.incarnation)),
  );
  for (const replica of set.replicas) {
    const entries = await until(
      () => replica.read(JOB),
      (found) => found?.length === writer.committed.length,
    );
    expect(entries).toEqual(writer.committed);
  }
  expect(writer.ended).toBeUndefined();
}

const incarnationOf = async (replica: SetReplica): Promise<string> =>
  (await tailOf(replica, JOB)).tail?.incarnation ?? "";

/** Damages a replica while it is not running and the writer goes on. */
async function damaged(change: (replica: SetReplica, set: ReplicaSet) => Promise<void> | void): Promise<{
  readonly replica: SetReplica;
  readonly before: string;
  readonly after: string;
}> {
  const made = await running();
  const replica = made.set.at(1);
  const before = await incarnationOf(replica);
  await replica.stop();
  await change(replica, made.set);
  await made.writer.append(payloads(30, 20));
  await replica.start();
  await healed(made);
  return { replica, before, after: await incarnationOf(replica) };
}

const withStore = (replica: SetReplica, change: Parameters<typeof tamper>[1]): Promise<void> =>
  tamper(replica.folder, change);

describe("a replica among three, whose writer goes on", () => {
  test("that was only away has what it lacked sent to it, and stays who it is", async () => {
    const { before, after } = await damaged(() => undefined);
    expect(after).toBe(before);
  });

  test("that lost its folder is rebuilt as another incarnation", async () => {
    const { before, after } = await damaged((replica) => rmSync(replica.folder, { recursive: true }));
    expect(after).not.toBe(before);
  });

  const logDamages: [string, (replica: SetReplica) => Promise<void> | void][] = [
    ["the end of its journal is cut off", ({ folder }) => cutJournal(folder)],
    ["its journal has a flipped bit", ({ folder }) => flipBit(storeFiles(folder, "log")[0] as string, 0.5)],
    [
      "its last entry has a flipped bit",
      (replica) =>
        withStore(replica, (store) => {
          const key = entryKey(JOB, 31);
          const value = store.get(key) as Buffer;
          value[30] = (value[30] as number) ^ 1;
          store.write([{ key, value }], true);
        }),
    ],
    [
      "its last entries are gone",
      (replica) =>
        withStore(replica, (store) =>
          store.write(
            [28, 29, 30, 31].map((seq) => ({ key: entryKey(JOB, seq), value: undefined })),
            true,
          ),
        ),
    ],
    [
      "the record of its promise is gone",
      (replica) =>
        withStore(replica, (store) => store.write([{ key: metaKey(JOB), value: undefined }], true)),
    ],
  ];

  const cutJournal = (folder: string): void => {
    const journal = storeFiles(folder, "log")[0] as string;
    truncateSync(journal, Math.floor(statSync(journal).size / 2));
  };

  test.each(logDamages)("of which %s begins that log anew, as another incarnation", async (_, change) => {
    const { replica, before, after } = await damaged(change);
    expect(after).not.toBe(before);
    expect(replica.lines.join("")).toContain("log is to be copied from the others");
  });

  test.each<[string, (store: string) => void]>([
    ["a file of records is missing", (store) => unlinkSync(storeFiles(dirname(store), "sst")[0] as string)],
    [
      "a file of records is cut",
      (store) => truncateSync(storeFiles(dirname(store), "sst")[0] as string, 100),
    ],
    ["the store is that of another time", (store) => rmSync(join(store, "CURRENT"))],
  ])("of which %s is set aside whole, and rebuilt", async (_, change) => {
    const { replica, before, after } = await damaged(async (each) => {
      // A store that is opened again writes what was in its journal to a file of records.
      await withStore(each, () => undefined);
      change(join(each.folder, STORE_NAME));
    });
    expect(after).not.toBe(before);
    expect(replica.lines.join("")).toContain("set aside as");
  });

  test("that was put back from an old copy is told so by the others, and begins its logs anew", async () => {
    const made = await running();
    const { set, writer } = made;
    const replica = set.at(1);
    const old = `${replica.folder}-old`;
    await replica.stop();
    cpSync(replica.folder, old, { recursive: true });
    await replica.start();
    await writer.append(payloads(30, 30));
    const before = (await writer.whole(set, JOB)).find(({ name }) => name === "storage/0.1");
    const told = { incarnation: before?.incarnation ?? "", logs: [], recall: true };
    const remembered = await until(
      () => set.at(0).ask("storage/0.1", { $case: "witness", value: told }),
      ({ witnessed }) => (witnessed[0]?.seq ?? 0) >= 61,
    );
    expect(remembered.witnessed[0]).toMatchObject({ job: JOB, seq: 61 });
    await replica.stop();
    rmSync(replica.folder, { recursive: true });
    renameSync(old, replica.folder);
    await replica.start();
    await healed(made);
    expect(replica.lines.join("")).toContain("the log ends at entry 31, 61 was acknowledged");
    expect(await incarnationOf(replica)).not.toBe(before?.incarnation);
  });

  test("that finds a file of its store damaged is given up while all others are whole, and rebuilt", async () => {
    const made = await running();
    const { set } = made;
    const replica = set.at(1);
    const before = await incarnationOf(replica);
    await replica.stop();
    await withStore(replica, () => undefined);
    const files = storeFiles(replica.folder, "sst");
    const file = files.find((name) => readFileSync(name).includes(`-15-`)) as string;
    flipBit(file, readFileSync(file).indexOf("-15-") / statSync(file).size);
    await replica.start();
    await expect.poll(() => replica.failures, { timeout: 20_000 }).toHaveLength(1);
    expect(replica.failures[0]).toContain("storage is to be rebuilt from the others");
    await replica.stop();
    await replica.start();
    await healed(made);
    expect(await incarnationOf(replica)).not.toBe(before);
  });

  test("whose folder is another's is refused by name until each is in its place", async () => {
    const made = await running();
    const [one, other] = [made.set.at(1), made.set.at(2)];
    await one.stop();
    await other.stop();
    const swap = (): void => {
      const between = `${one.folder}-between`;
      renameSync(one.folder, between);
      renameSync(other.folder, one.folder);
      renameSync(between, other.folder);
    };
    swap();
    await expect(one.start()).rejects.toThrow("is that of storage/0.2, not of storage/0.1");
    await expect(other.start()).rejects.toThrow("is that of storage/0.1, not of storage/0.2");
    swap();
    await one.start();
    await other.start();
    await healed(made);
  });

  test("whose witness is missing too finds what it lost by the others' word", async () => {
    const { before, after } = await damaged(async (replica) => {
      await withStore(replica, (store) => store.write([{ key: entryKey(JOB, 31), value: undefined }], true));
      rmSync(join(replica.folder, WITNESS_NAME));
    });
    expect(after).not.toBe(before);
  });
});

describe("a replica that lost many logs", () => {
  test("has them all copied, a few at a time, while their writers go on", async () => {
    const set = new ReplicaSet(3, new Map([["counter", { materialise }]]));
    onTestFinished(() => set.stop());
    await set.start();
    const jobs = Array.from({ length: 60 }, (_, i) => `counter/j${i}`);
    const writers = await Promise.all(jobs.map((job) => SetWriter.open(set, job)));
    onTestFinished(() => writers.forEach((writer) => writer.close()));
    await Promise.all(writers.map((writer, i) => writer.append(payloads(0, 5 + i))));
    const replica = set.at(2);
    await replica.stop();
    rmSync(storageFolder(replica.dataDir, replica.name.key), { recursive: true });
    // More than a writer remembers by itself for who is behind.
    const large = Array.from({ length: 6 }, () => Buffer.alloc(100_000, "99"));
    await Promise.all(writers.map((writer) => writer.append(large)));
    await replica.start();
    await Promise.all(writers.map((writer) => writer.append(payloads(100, 3))));
    for (const [index, job] of jobs.entries()) {
      const writer = writers[index] as SetWriter;
      await writer.whole(set, job);
      const entries = await until(
        () => replica.read(job),
        (found) => found?.length === writer.committed.length,
      );
      expect(entries?.at(-1)?.chain.toString("hex")).toBe(writer.committed.at(-1)?.chain.toString("hex"));
    }
    expect(replica.lines.filter((line) => line.includes("log copied")).length).toBeGreaterThanOrEqual(
      jobs.length,
    );
    expect(replica.failures).toEqual([]);
  });
});
