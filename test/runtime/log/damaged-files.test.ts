import { cpSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { type LogEntry, LogStatus } from "../../../proto/generated/evercross/v1/log.ts";
import type { Materialise } from "../../../runtime/job/definition.ts";
import { unpackRows } from "../../../runtime/log/rows-page.ts";
import { ReplicaSet, until, writerEntries, type SetReplica } from "../../support/replica-set.ts";
import { SetWriter } from "../../support/set-writer.ts";

const JOB = "counter/a";
const COUNT = 40;
const materialise: Materialise = (payload) => [{ key: Buffer.from(payload).subarray(0, 2), value: payload }];
const kept = new Map([["counter", { materialise }]]);
const payloads = Array.from({ length: COUNT - 1 }, (_, i) =>
  Buffer.from(`${10 + (i % 7)}-${i}-${"x".repeat(200)}`),
);

const KINDS = ["flip", "cut", "zero", "remove"] as const;
type Kind = (typeof KINDS)[number];

/** Everything in the folder that has content. */
function files(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => statSync(file).size > 0)
    .sort();
}

function harm(path: string, kind: Kind, at: number): void {
  const bytes = readFileSync(path);
  const place = Math.floor(at * bytes.length);
  if (kind === "remove") rmSync(path);
  else if (kind === "cut") truncateSync(path, place);
  else {
    if (kind === "flip") bytes[place] = (bytes[place] as number) ^ 0x20;
    else bytes.fill(0, place, Math.min(place + 64, bytes.length));
    writeFileSync(path, bytes);
  }
}

/** Rows after each entry, by their keys. */
function rowsAfter(entries: readonly LogEntry[], seq: number): Map<string, string> {
  const rows = new Map<string, string>();
  for (const { payload } of entries.slice(1, seq))
    rows.set(payload.toString("utf8", 0, 2), payload.toString());
  return rows;
}

/** All that the replica answers is true, or refused by name. */
async function truthful(replica: SetReplica, entries: readonly LogEntry[]): Promise<void> {
  const { status, tail, detail } = await replica.ask(JOB, { $case: "tail", value: {} });
  if (status === LogStatus.OK) {
    expect(tail?.seq).toBe(COUNT);
    expect(tail?.promised).toBe(1);
    expect(tail?.chain.equals(entries.at(-1)?.chain as Buffer)).toBe(true);
  } else expect(detail).toContain(JOB);
  for (let from = 1; from <= COUNT; from++) {
    const value = { from, to: from + 7, epoch: 0 };
    const answer = await replica.ask(JOB, { $case: "read", value });
    if (answer.status === LogStatus.OK)
      expect(answer.entries).toEqual(entries.slice(from - 1, from - 1 + answer.entries.length));
    else expect(answer.detail).toContain(JOB);
  }
  const { rows, status: given } = await replica.ask(JOB, { $case: "rows", value: { cursor: 0 } });
  if (given !== LogStatus.OK || rows === undefined) return;
  const found = new Map<string, string>();
  expect(unpackRows(rows, (key, value) => void found.set(key.toString(), value.toString()))).toBe(true);
  expect(found).toEqual(rowsAfter(entries, rows.seq));
}

describe("a storage folder of which any file is damaged anywhere", () => {
  test("never makes its only replica answer what is not so", async () => {
    const set = new ReplicaSet(1, kept);
    onTestFinished(() => set.stop());
    const replica = set.at(0);
    await set.start();
    const entries = writerEntries(JOB, 1, await set.open(JOB, 1), payloads);
    // The first half is in a file of records, the second in the journal.
    await set.append(entries.slice(0, COUNT / 2));
    await replica.stop();
    await replica.start();
    await set.append(entries.slice(COUNT / 2));
    await replica.stop();
    const whole = `${replica.folder}-whole`;
    cpSync(replica.folder, whole, { recursive: true });
    for (const file of files(whole).map((name) => relative(whole, name))) {
      for (const kind of KINDS) {
        for (const at of kind === "remove" ? [0] : [0.1, 0.5, 0.97]) {
          rmSync(replica.folder, { recursive: true });
          cpSync(whole, replica.folder, { recursive: true });
          harm(join(replica.folder, file), kind, at);
          try {
            await replica.start();
          } catch (error) {
            expect((error as Error).message).toContain(replica.folder);
            continue;
          }
          await truthful(replica, entries);
          await replica.stop();
        }
      }
    }
  }, 120_000);

  test.each(KINDS)(
    "is made whole again from the two others: %s",
    async (kind) => {
      for (let index = 0; ; index++) {
        const set = new ReplicaSet(3, kept);
        onTestFinished(() => set.stop());
        await set.start();
        const writer = await SetWriter.open(set, JOB);
        onTestFinished(() => writer.close());
        await writer.append(payloads.slice(0, 20));
        const replica = set.at(1);
        await replica.stop();
        await replica.start();
        await writer.append(payloads.slice(20));
        await writer.whole(set, JOB);
        await replica.stop();
        const file = files(replica.folder)[index];
        if (file === undefined) return;
        harm(file, kind, 0.5);
        await replica.start();
        await writer.append([Buffer.from("10-last")]);
        await recovered(replica, writer);
        await writer.whole(set, JOB);
        expect(writer.ended).toBeUndefined();
        writer.close();
        await set.stop();
      }
    },
    120_000,
  );

  async function recovered(replica: SetReplica, writer: SetWriter): Promise<void> {
    // What its next reading of a file finds may end it once: then it is rebuilt.
    for (let lives = 0; lives < 2; lives++) {
      const read = await until(
        () => replica.read(JOB).catch(() => undefined),
        (found) => found?.length === writer.committed.length || replica.failures.length > lives,
      );
      if (replica.failures.length <= lives) {
        expect(read?.at(-1)?.chain.toString("hex")).toBe(writer.committed.at(-1)?.chain.toString("hex"));
        return;
      }
      await replica.stop();
      await replica.start();
    }
    expect(replica.failures).toHaveLength(1);
  }
});
