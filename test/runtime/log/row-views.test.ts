import { describe, expect, test } from "vitest";
import { LogStatus } from "../../../proto/generated/evercross/v1/log.ts";
import { ROW_VIEW_IDLE_MS, ROW_VIEWS_MAX } from "../../../runtime/limits.ts";
import { GENESIS_CHAIN } from "../../../runtime/log/entry.ts";
import { JobLog } from "../../../runtime/log/job-log.ts";
import { MemoryStore } from "../../../runtime/log/memory-store.ts";
import { RowViews } from "../../../runtime/log/row-views.ts";
import { RowSeal } from "../../../runtime/log/row-seal.ts";
import { unpackRows } from "../../../runtime/log/rows-page.ts";
import { rowsRecordKey } from "../../../runtime/log/store-key.ts";
import { encodeRowsRecord } from "../../../runtime/log/store-record.ts";

const JOB = "counter/a";

/** Three rows at entry 9, each so large that it fills a page. */
function stored(): { store: MemoryStore; log: JobLog } {
  const store = new MemoryStore();
  const record = rowsRecordKey(JOB);
  const rows = ["a", "b", "c"].map((name) => {
    return new RowSeal(JOB).change(Buffer.from(name), Buffer.alloc(600_000));
  });
  store.write(
    [{ key: record, value: encodeRowsRecord(record, { seq: 9, chain: GENESIS_CHAIN }) }, ...rows],
    true,
  );
  return { store, log: new JobLog(JOB) };
}

describe("views of rows", () => {
  test("are given in pages, each cursor once", () => {
    const { store, log } = stored();
    const views = new RowViews(store, 100);
    const names: string[] = [];
    let cursor = 0;
    do {
      const { status, rows } = views.answer(0, log, cursor);
      expect(status).toBe(LogStatus.OK);
      expect(rows?.seq).toBe(9);
      expect(rows && unpackRows(rows, (key) => names.push(key.toString()))).toBe(true);
      cursor = rows?.cursor ?? 0;
      if (names.length === 1) expect(cursor).toBe(101);
    } while (cursor !== 0);
    expect(names).toEqual(["a", "b", "c"]);
    expect(views.answer(0, log, 101).status).toBe(LogStatus.EXPIRED);
  });

  test("of a small book are one page, which needs no second question", () => {
    const store = new MemoryStore();
    const record = rowsRecordKey(JOB);
    const row = new RowSeal(JOB).change(Buffer.from("a"), Buffer.from("1"));
    store.write(
      [{ key: record, value: encodeRowsRecord(record, { seq: 9, chain: GENESIS_CHAIN }) }, row],
      true,
    );
    const views = new RowViews(store, 0);
    const { rows } = views.answer(0, new JobLog(JOB), 0);
    expect(rows).toMatchObject({ seq: 9, cursor: 0 });
    expect(
      rows && unpackRows(rows, (key, value) => expect(`${key.toString()}=${value.toString()}`).toBe("a=1")),
    ).toBe(true);
    expect(rows?.packed.length).toBeGreaterThan(0);
    expect(views.dueAt).toBe(Infinity);
  });

  test("expire when nobody continues them", () => {
    const { store, log } = stored();
    const views = new RowViews(store, 0);
    const cursor = views.answer(1000, log, 0).rows?.cursor ?? 0;
    expect(views.dueAt).toBe(1000 + ROW_VIEW_IDLE_MS);
    views.expire(views.dueAt - 1);
    expect(views.dueAt).toBe(1000 + ROW_VIEW_IDLE_MS);
    expect(views.answer(1000 + ROW_VIEW_IDLE_MS, log, cursor).status).toBe(LogStatus.EXPIRED);
    expect(views.dueAt).toBe(Infinity);
  });

  test("are limited in number; one more is refused as full until one has expired", () => {
    const { store, log } = stored();
    const views = new RowViews(store, 0);
    for (let i = 0; i < ROW_VIEWS_MAX; i++) expect(views.answer(i, log, 0).status).toBe(LogStatus.OK);
    expect(views.answer(ROW_VIEWS_MAX, log, 0).status).toBe(LogStatus.FULL);
    expect(views.answer(ROW_VIEW_IDLE_MS, log, 0).status).toBe(LogStatus.OK);
  });

  test("belong to one job: another's cursor is unknown", () => {
    const { store, log } = stored();
    const views = new RowViews(store, 0);
    const cursor = views.answer(0, log, 0).rows?.cursor ?? 0;
    expect(views.answer(0, new JobLog("counter/b"), cursor).status).toBe(LogStatus.EXPIRED);
    expect(views.answer(0, log, cursor).status).toBe(LogStatus.OK);
  });

  test("name a row that is damaged, and rows whose own record is", () => {
    const { store, log } = stored();
    const seal = new RowSeal(JOB);
    const damaged = (name: string, value: Buffer): string => {
      store.write([{ key: seal.change(Buffer.from(name), undefined).key, value }], true);
      const views = new RowViews(store, 0);
      let answer = views.answer(0, log, 0);
      for (let cursor = 0; answer.status === LogStatus.OK; answer = views.answer(0, log, cursor))
        cursor = answer.rows?.cursor ?? 0;
      expect(answer.status).toBe(LogStatus.DAMAGED);
      expect(answer.rows).toBeUndefined();
      return answer.detail;
    };
    const another = seal.change(Buffer.from("a"), Buffer.of(1)).value as Buffer;
    expect(damaged("c", another)).toBe("counter/a: row 61 is damaged (it stands behind 62)");
    expect(damaged("b", Buffer.alloc(10))).toBe("counter/a: the row behind 61 is damaged (checksum)");
    const foreign = new RowSeal("counter/b").change(Buffer.from("a"), Buffer.of(1)).value as Buffer;
    expect(damaged("a", foreign)).toBe("counter/a: the row behind their own record is damaged (checksum)");
    store.write([{ key: rowsRecordKey(JOB), value: undefined }], true);
    expect(new RowViews(store, 0).answer(0, log, 0).detail).toContain("the record of the rows' entry");
  });
});
