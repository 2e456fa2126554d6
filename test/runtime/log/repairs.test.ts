import { describe, expect, onTestFinished, test } from "vitest";
import { EntryKind, LogEntry, LogStatus } from "../../../proto/generated/evercross/v1/log.ts";
import type { Materialise } from "../../../runtime/job/definition.ts";
import { sealEntry } from "../../../runtime/log/entry.ts";
import { entryKey, rowKey, rowsRecordKey } from "../../../runtime/log/store-key.ts";
import type { LogStore } from "../../../runtime/log/store.ts";
import { ReplicaSet, until, writerEntries, type SetReplica } from "../../support/replica-set.ts";
import { SetWriter } from "../../support/set-writer.ts";
import { tamper } from "../../support/storage-folder.ts";

const JOB = "counter/a";
const COUNT = 40;

/** The payload is a key; its row is the payload. */
const materialise: Materialise = (payload) => [{ key: Buffer.from(payload).subarray(0, 2), value: payload }];

interface Case {
  readonly set: ReplicaSet;
  readonly entries: LogEntry[];
  /** Damages the records of a replica while it is not running. */
  readonly damage: (replica: SetReplica, change: (store: LogStore) => void) => Promise<void>;
}

async function stored(replicas: number): Promise<Case> {
  const set = new ReplicaSet(replicas, new Map([["counter", { materialise }]]));
  onTestFinished(() => set.stop());
  await set.start();
  const payloads = Array.from({ length: COUNT - 1 }, (_, i) => Buffer.from(`${10 + (i % 7)}-${i}`));
  const entries = writerEntries(JOB, 1, await set.open(JOB, 1), payloads);
  await set.append(entries);
  const damage = async (replica: SetReplica, change: (store: LogStore) => void): Promise<void> => {
    await replica.stop();
    await tamper(replica.folder, change);
    await replica.start();
    await until(
      () => replica.ask(JOB, { $case: "commit", value: { epoch: 1, seq: COUNT } }),
      ({ status }) => status !== LogStatus.FULL,
    );
  };
  return { set, entries, damage };
}

function flip(store: LogStore, key: Buffer, at: number): void {
  const value = store.get(key) as Buffer;
  value[at] = (value[at] as number) ^ 4;
  store.write([{ key, value }], true);
}

const remove = (store: LogStore, seq: number): void =>
  store.write([{ key: entryKey(JOB, seq), value: undefined }], true);

async function allOf(replica: SetReplica, entries: readonly LogEntry[]): Promise<void> {
  const read = await until(
    () => replica.read(JOB),
    (found) => found?.length === entries.length,
  );
  expect(read).toEqual(entries);
}

describe("damaged entries of a replica among three", () => {
  const damages: [string, (store: LogStore) => void][] = [
    ["of which one has a flipped bit", (store) => flip(store, entryKey(JOB, 7), 30)],
    ["of which the first is missing", (store) => remove(store, 1)],
    ["of which a run is missing", (store) => [10, 11, 12, 13].forEach((seq) => remove(store, seq))],
    [
      "of which two have changed places",
      (store) => {
        const [a, b] = [20, 25].map((seq) => store.get(entryKey(JOB, seq)) as Buffer) as [Buffer, Buffer];
        store.write(
          [
            { key: entryKey(JOB, 20), value: b },
            { key: entryKey(JOB, 25), value: a },
          ],
          true,
        );
      },
    ],
    [
      "of which one was exchanged for another that is whole",
      (store) => {
        const [before, entry] = [6, 7].map((seq) =>
          LogEntry.decode(store.get(entryKey(JOB, seq)) as Buffer),
        ) as [LogEntry, LogEntry];
        const other = sealEntry(
          { ...entry, kind: EntryKind.DATA, payload: Buffer.from("other") },
          before.chain,
        );
        store.write([{ key: entryKey(JOB, 7), value: LogEntry.encode(other).finish() }], true);
      },
    ],
  ];

  test.each(damages)("%s are fetched from the others, and proved", async (_, change) => {
    const { set, entries, damage } = await stored(3);
    const replica = set.at(1);
    await damage(replica, change);
    await allOf(replica, entries);
    await expect
      .poll(() => replica.detail, { timeout: 20_000 })
      .toMatch(/^damage: \d+ found, \d+ repaired, 0 refused$/);
    await replica.stop();
    await replica.start();
    await until(
      () => replica.ask(JOB, { $case: "commit", value: { epoch: 1, seq: COUNT } }),
      ({ status }) => status !== LogStatus.FULL,
    );
    expect(await replica.read(JOB)).toEqual(entries);
  });

  test("are taken from the third when the second's are damaged too", async () => {
    const { set, entries, damage } = await stored(3);
    await damage(set.at(2), (store) => flip(store, entryKey(JOB, 9), 20));
    await damage(set.at(1), (store) => flip(store, entryKey(JOB, 9), 40));
    for (const replica of set.replicas) await allOf(replica, entries);
  });

  test("are refused by name when nobody has a good copy, and the rest is served", async () => {
    const { set, entries, damage } = await stored(3);
    for (const replica of set.replicas) await replica.stop();
    for (const replica of set.replicas)
      await tamper(replica.folder, (store) => flip(store, entryKey(JOB, 9), 20));
    await set.start();
    for (const replica of set.replicas) {
      const { length } = entries;
      await until(
        () => replica.ask(JOB, { $case: "commit", value: { epoch: 1, seq: length } }),
        ({ status }) => status !== LogStatus.FULL,
      );
    }
    const replica = set.at(0);
    await expect
      .poll(() => replica.detail, { timeout: 20_000 })
      .toBe("damage: 1 found, 0 repaired, 1 refused");
    expect(replica.lines.join("")).toMatch(/entry 9 is damaged.*nobody has a good copy: storage\/0.1: /);
    const read = await replica.ask(JOB, { $case: "read", value: { from: 9, to: 10, epoch: 0 } });
    expect(read).toMatchObject({ status: LogStatus.DAMAGED, detail: expect.stringContaining("entry 9") });
    const rest = await replica.ask(JOB, { $case: "read", value: { from: 10, to: 41, epoch: 0 } });
    expect(rest.entries).toEqual(entries.slice(9));
    await damage(replica, () => undefined);
  });

  test("stay refused by name where there is no other copy", async () => {
    const { set, damage } = await stored(1);
    const replica = set.at(0);
    await damage(replica, (store) => flip(store, entryKey(JOB, 9), 20));
    await expect
      .poll(() => replica.detail, { timeout: 20_000 })
      .toBe("damage: 1 found, 0 repaired, 1 refused");
    expect(replica.lines.join("")).toContain("there is no other copy; restore this replica from a good one");
  });
});

describe("damaged rows", () => {
  const damages: [string, (store: LogStore) => void][] = [
    ["of which one has a flipped bit", (store) => flip(store, rowKey(JOB, Buffer.from("11")), 5)],
    ["whose own record has a flipped bit", (store) => flip(store, rowsRecordKey(JOB), 3)],
    [
      "whose own record is missing",
      (store) => store.write([{ key: rowsRecordKey(JOB), value: undefined }], true),
    ],
  ];

  test.each(damages)("%s are made anew from the log", async (_, change) => {
    const { set, damage } = await stored(3);
    const replica = set.at(0);
    const good = await rowsOf(set.at(1));
    expect(good).toBeDefined();
    await damage(replica, change);
    const rows = await until(
      () => rowsOf(replica),
      (found) => found === good,
    );
    expect(rows).toEqual(good);
    expect(replica.failures).toEqual([]);
  });

  test("of a log that was trimmed are copied from the others, with the log, as another incarnation", async () => {
    const set = new ReplicaSet(3, new Map([["counter", { materialise }]]));
    onTestFinished(() => set.stop());
    await set.start();
    const writer = await SetWriter.open(set, JOB);
    onTestFinished(() => writer.close());
    await writer.append(Array.from({ length: COUNT - 1 }, (_, i) => Buffer.from(`${10 + (i % 7)}-${i}`)));
    const good = await rowsOf(set.at(1));
    expect(good).toBeDefined();
    for (const replica of set.replicas) {
      await rowsOf(replica);
      const value = { epoch: 1, seq: 20 };
      expect((await replica.ask(JOB, { $case: "trim", value })).tail?.first).toBe(20);
    }
    const replica = set.at(0);
    const before = (await replica.ask(JOB, { $case: "tail", value: {} })).tail?.incarnation;
    await replica.stop();
    await tamper(replica.folder, (store) => flip(store, rowKey(JOB, Buffer.from("11")), 5));
    await replica.start();
    const anew = await until(
      () => replica.ask(JOB, { $case: "tail", value: {} }),
      ({ tail }) => tail !== undefined && tail.incarnation !== "" && tail.incarnation !== before,
    );
    expect(anew.tail?.incarnation).not.toBe(before);
    await writer.append([Buffer.from("10-again")]);
    await writer.whole(set, JOB);
    const rows = await until(
      () => rowsOf(replica),
      (found) => found !== undefined,
    );
    expect(rows).toBe(await rowsOf(set.at(1)));
    expect(rows).not.toBe(good);
    expect(replica.failures).toEqual([]);
  });

  /** Once they are at the log's end; undefined before, and when they are refused. */
  async function rowsOf(replica: SetReplica): Promise<string | undefined> {
    const answer = await until(
      () => replica.ask(JOB, { $case: "rows", value: { cursor: 0 } }),
      ({ rows, tail }) => (rows?.seq ?? 0) >= COUNT && rows?.seq === tail?.seq,
    );
    return answer.rows?.packed.toString("hex");
  }
});
