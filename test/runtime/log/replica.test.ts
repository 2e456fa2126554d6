import { describe, expect, test } from "vitest";
import { EntryKind, LogStatus, type LogEntry } from "../../../proto/generated/evercross/v1/log.ts";
import { ENTRY_PAYLOAD_BYTES_MAX } from "../../../runtime/limits.ts";
import { GENESIS_CHAIN, sealEntry } from "../../../runtime/log/entry.ts";
import { JobLog } from "../../../runtime/log/job-log.ts";
import { appendEntry, openLog, trimLog, type Handled } from "../../../runtime/log/replica.ts";

const JOB = "counter/a";
const NONE = (): undefined => undefined;

function statusOf({ response }: Handled): string {
  return Object.entries(LogStatus).find(([, value]) => value === response.status)?.[0] ?? "?";
}

interface Given {
  readonly job?: string;
  readonly epoch?: number;
  readonly seq?: number;
  readonly prevEpoch?: number;
  readonly kind?: EntryKind;
  readonly payload?: Uint8Array;
  readonly chain?: Uint8Array;
}

/** The entry that would follow the log in epoch 5, but for what is given. */
function next(log: JobLog, given: Given = {}): LogEntry {
  const { chain = log.chain, ...rest } = given;
  const fields = { job: JOB, epoch: 5, seq: log.seq + 1, prevEpoch: log.epoch, kind: EntryKind.DATA };
  return sealEntry({ ...fields, payload: Buffer.from("p"), ...rest }, chain);
}

/** Opened in epoch 5, with entries 1 to 3. */
function log(): { log: JobLog; entries: LogEntry[] } {
  const made = new JobLog(JOB);
  expect(statusOf(openLog(made, { epoch: 5 }))).toBe("OK");
  const entries = [1, 2, 3].map(() => {
    const entry = next(made);
    expect(statusOf(appendEntry(made, entry, NONE))).toBe("OK");
    return entry;
  });
  return { log: made, entries };
}

describe("a replica that promised epoch 5 and holds entries 1 to 3", () => {
  test.each([
    ["the next entry", {}, "OK"],
    ["the first entry of another writer", { kind: EntryKind.STARTED, payload: Buffer.alloc(0) }, "OK"],
    ["a first entry that does not tell its members", { kind: EntryKind.STARTED }, "INVALID"],
    ["an entry of a lower epoch", { epoch: 4 }, "FENCED"],
    ["an entry of an epoch that was never opened", { epoch: 6 }, "FENCED"],
    ["an entry behind a gap", { seq: 5 }, "GAP"],
    ["another entry at a place that is taken", { seq: 3, chain: GENESIS_CHAIN }, "CONFLICT"],
    ["an entry that follows another epoch", { prevEpoch: 4 }, "CONFLICT"],
    ["an entry that follows another chain", { chain: GENESIS_CHAIN }, "CONFLICT"],
    ["an entry of another job", { job: "counter/b" }, "INVALID"],
    ["an entry without a sequence", { seq: 0 }, "INVALID"],
    ["an entry without a kind", { kind: EntryKind.UNSPECIFIED }, "INVALID"],
    ["an entry that is too large", { payload: Buffer.alloc(ENTRY_PAYLOAD_BYTES_MAX + 1) }, "INVALID"],
  ])("answers %s", (_, given: Given, status) => {
    const { log: made } = log();
    const before = made.tail();
    const handled = appendEntry(made, next(made, given), NONE);
    expect(statusOf(handled)).toBe(status);
    expect(handled.changes).toHaveLength(status === "OK" ? 1 : 0);
    expect(handled.response.tail?.seq).toBe(status === "OK" ? 4 : 3);
    if (status !== "OK") {
      expect(made.tail()).toEqual(before);
      expect(handled.response.detail).toMatch(/^counter\/a: /);
    }
  });

  test("refuses a next entry that was damaged on its way", () => {
    const { log: made } = log();
    const entry = { ...next(made), payload: Buffer.from("q") };
    expect(statusOf(appendEntry(made, entry, NONE))).toBe("DAMAGED");
  });

  test("acknowledges the same entry again, and writes nothing", () => {
    const { log: made, entries } = log();
    for (const entry of entries) {
      const handled = appendEntry(made, entry, NONE);
      expect(statusOf(handled)).toBe("OK");
      expect(handled.changes).toEqual([]);
    }
  });

  test("looks up an old entry that is sent again", () => {
    const { log: made, entries } = log();
    for (let i = 0; i < 20; i++) expect(statusOf(appendEntry(made, next(made), NONE))).toBe("OK");
    const first = entries[0] as LogEntry;
    expect(statusOf(appendEntry(made, first, () => first))).toBe("OK");
    expect(statusOf(appendEntry(made, first, () => entries[1]))).toBe("CONFLICT");
    expect(statusOf(appendEntry(made, first, NONE))).toBe("DAMAGED");
  });

  test.each([
    [0, "INVALID"],
    [4, "FENCED"],
    [5, "FENCED"],
    [6, "OK"],
    [Number.MAX_SAFE_INTEGER, "OK"],
  ])("answers the opening of epoch %s with %s", (epoch, status) => {
    const { log: made } = log();
    const handled = openLog(made, { epoch });
    expect(statusOf(handled)).toBe(status);
    expect(made.promised).toBe(status === "OK" ? epoch : 5);
    expect(handled.changes).toHaveLength(status === "OK" ? 1 : 0);
    expect(handled.response.tail).toMatchObject({ epoch: 5, seq: 3, first: 1 });
  });

  test("never promises an epoch twice, so that two openers cannot both have it", () => {
    const { log: made } = log();
    expect(statusOf(openLog(made, { epoch: 6 }))).toBe("OK");
    expect(statusOf(openLog(made, { epoch: 6 }))).toBe("FENCED");
  });

  test("takes nothing more from the earlier writer once a higher epoch is open", () => {
    const { log: made, entries } = log();
    openLog(made, { epoch: 6 });
    expect(statusOf(appendEntry(made, next(made), NONE))).toBe("FENCED");
    expect(statusOf(appendEntry(made, entries[2] as LogEntry, NONE))).toBe("FENCED");
    expect(statusOf(appendEntry(made, next(made, { epoch: 6 }), NONE))).toBe("OK");
  });

  test("trims up to the entry that its rows are at, and only for the writer", () => {
    const { log: made, entries } = log();
    const stored = (_: string, seq: number): LogEntry | undefined => entries[seq - 1];
    expect(statusOf(trimLog(made, { epoch: 4, seq: 3 }, stored))).toBe("FENCED");
    expect(trimLog(made, { epoch: 5, seq: 3 }, stored).response.tail?.first).toBe(1);
    made.rowsSeq = 2;
    expect(trimLog(made, { epoch: 5, seq: 3 }, stored).response.tail?.first).toBe(2);
    expect(made.chainBefore).toEqual(entries[0]?.chain);
    made.rowsSeq = 3;
    expect(trimLog(made, { epoch: 5, seq: 99 }, stored).response.tail?.first).toBe(3);
    expect(statusOf(appendEntry(made, entries[1] as LogEntry, stored))).toBe("TRIMMED");
  });
});
