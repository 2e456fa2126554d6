import { describe, expect, test } from "vitest";
import { LogEntry } from "../../../proto/generated/evercross/v1/log.ts";
import { parseJob } from "../../../runtime/job/name.ts";
import { sealEntry } from "../../../runtime/log/entry.ts";
import { keyOfRow, RowSeal, valueOfRow } from "../../../runtime/log/row-seal.ts";
import { entryKey, rowsRange } from "../../../runtime/log/store-key.ts";
import type { LogStore } from "../../../runtime/log/store.ts";
import { auditStorageFolder } from "../../../services/audit/run-audit.ts";
import type { Verdict } from "../../../services/audit/verdict.ts";
import { materialise } from "../../../services/crossing/materialise.ts";
import { namedKey, RowTag } from "../../../services/crossing/row-key.ts";
import { OrderRow, MarkRow } from "../../../proto/generated/evercross/v1/event.ts";
import { FLOW_JOB, flowLog, flowPayloads } from "../../support/crossing-flow.ts";
import { flipBit, storedLog, storeFiles, tamper } from "../../support/storage-folder.ts";

const SEAL = new RowSeal(FLOW_JOB);

const JOB = parseJob(FLOW_JOB);
const ENTRIES = 61;

function codes(verdict: Verdict): string[] {
  return verdict.findings.map(({ code, entry }) => `${code} at ${entry}`);
}

function entryAt(store: LogStore, seq: number): LogEntry {
  return LogEntry.decode(store.get(entryKey(FLOW_JOB, seq)) as Buffer);
}

function putEntry(store: LogStore, entry: LogEntry): void {
  store.write([{ key: entryKey(FLOW_JOB, entry.seq), value: LogEntry.encode(entry).finish() }], true);
}

describe("an audit of a storage folder", () => {
  const folder = (): Promise<string> =>
    storedLog(JOB.service, materialise, flowLog(flowPayloads(ENTRIES - 1, 20)));

  test("proves a whole one", async () => {
    const verdict = await auditStorageFolder(JOB, await folder());
    expect(verdict.findings).toEqual([]);
    expect(verdict).toMatchObject({ ok: true, firstEntry: 1, lastEntry: ENTRIES, rowsEntry: ENTRIES });
    expect(verdict.counts.requests).toBe((ENTRIES - 1) * 20);
    expect(verdict.counts.trades).toBeGreaterThan(100);
    expect(verdict.book?.liveOrders).toBeGreaterThan(0);
    expect(verdict.quantity?.bought).toBe(verdict.quantity?.sold);
  });

  test("names an entry of which one byte was flipped", async () => {
    const copy = await folder();
    await tamper(copy, (store) => {
      const entry = entryAt(store, 20);
      entry.payload[10] = (entry.payload[10] as number) ^ 1;
      putEntry(store, entry);
    });
    const verdict = await auditStorageFolder(JOB, copy);
    expect(codes(verdict)).toEqual(["entry_checksum at 20"]);
    expect(verdict).toMatchObject({ ok: false, lastEntry: ENTRIES });
  });

  test("names an entry that was replaced by another whole one", async () => {
    const copy = await folder();
    await tamper(copy, (store) => {
      const other = { ...entryAt(store, 20), payload: entryAt(store, 21).payload };
      putEntry(store, sealEntry(other, entryAt(store, 19).chain));
    });
    // It follows the one before it, but what follows does not follow it.
    expect(codes(await auditStorageFolder(JOB, copy))).toContain("entry_chain at 21");
  });

  test("names an entry that is missing", async () => {
    const copy = await folder();
    await tamper(copy, (store) => store.write([{ key: entryKey(FLOW_JOB, 33), value: undefined }], true));
    const verdict = await auditStorageFolder(JOB, copy);
    expect(codes(verdict)).toEqual(["entry_missing at 33"]);
    expect(verdict.counts.entries).toBe(ENTRIES - 1);
  });

  test("names where a truncated log ends, although what is left is whole", async () => {
    const copy = await folder();
    await tamper(copy, (store) => {
      const keys = [ENTRIES - 2, ENTRIES - 1, ENTRIES].map((seq) => entryKey(FLOW_JOB, seq));
      store.write(
        keys.map((key) => ({ key, value: undefined })),
        true,
      );
    });
    const verdict = await auditStorageFolder(JOB, copy);
    expect(codes(verdict)).toEqual([`log_truncated at ${ENTRIES - 2}`]);
    expect(verdict.findings[0]?.detail).toContain(
      `the log ends at entry ${ENTRIES - 3}, entry ${ENTRIES} was`,
    );
  });

  test("finds a journal that the store itself cut short without a word", async () => {
    const copy = await folder();
    flipBit(storeFiles(copy, "log")[0] as string, 0.5);
    const verdict = await auditStorageFolder(JOB, copy);
    expect(verdict.findings.map(({ code }) => code)).toContain("log_truncated");
    expect(verdict.lastEntry).toBeLessThan(ENTRIES);
    expect(verdict.lastEntry).toBeGreaterThan(1);
  });

  test("finds a table file of which a bit was flipped, and goes on behind it", async () => {
    const copy = await folder();
    // Opened once, the store moves its journal into a table.
    await tamper(copy, () => {});
    flipBit(storeFiles(copy, "sst")[0] as string, 0.3);
    const verdict = await auditStorageFolder(JOB, copy);
    expect(verdict.findings.map(({ code }) => code)).toContain("store_unreadable");
    expect(verdict.lastEntry).toBe(ENTRIES);
    expect(verdict.counts.entries).toBeGreaterThan(1);
    expect(verdict.counts.entries).toBeLessThan(ENTRIES);
  });

  test("finds a row that was flipped, removed, changed or added", async () => {
    const anyOrder = (store: LogStore): { key: Buffer; value: Buffer } => {
      const records = store.scan(rowsRange(FLOW_JOB), { max: 1000, bytes: 1e9 });
      const tag = "o".charCodeAt(0);
      const order = records.find(({ key }) => key.length === 3 + FLOW_JOB.length + 9 && key.at(-9) === tag);
      return order as { key: Buffer; value: Buffer };
    };
    const damage: Record<string, (store: LogStore) => void> = {
      rows_unreadable: (store) => {
        const { key, value } = anyOrder(store);
        value[4] = (value[4] as number) ^ 1;
        store.write([{ key, value }], true);
      },
      rows_differ: (store) => {
        const { value } = anyOrder(store);
        const row = OrderRow.decode(valueOfRow(value));
        const other = { ...row, clientOrderId: row.clientOrderId + 1000 };
        store.write([SEAL.change(keyOfRow(value), OrderRow.encode(other).finish())], true);
      },
    };
    for (const [code, change] of Object.entries(damage)) {
      const copy = await folder();
      await tamper(copy, change);
      expect(codes(await auditStorageFolder(JOB, copy))).toEqual([`${code} at ${ENTRIES}`]);
    }
    const removed = await folder();
    await tamper(removed, (store) => {
      const { key } = store.scan(rowsRange(FLOW_JOB), { max: 1000, bytes: 1e9 }).at(-2) as { key: Buffer };
      store.write([{ key, value: undefined }], true);
    });
    expect((await auditStorageFolder(JOB, removed)).ok).toBe(false);
    const added = await folder();
    await tamper(added, (store) => {
      const mark = MarkRow.encode({ seq: 4, messages: 0, messageTimeUs: 0 }).finish();
      store.write([SEAL.change(namedKey(RowTag.MARK, "s9"), mark)], true);
    });
    expect(codes(await auditStorageFolder(JOB, added))).toEqual([`rows_differ at ${ENTRIES}`]);
  });
});
