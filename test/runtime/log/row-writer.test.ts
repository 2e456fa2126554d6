import { describe, expect, test } from "vitest";
import type { RowsInterval } from "../../../runtime/job/definition.ts";
import { ROWS_INTERVAL_ENTRIES, ROWS_INTERVAL_MS } from "../../../runtime/limits.ts";
import { JobLog } from "../../../runtime/log/job-log.ts";
import { RowWriter } from "../../../runtime/log/row-writer.ts";
import { chainOf } from "../../support/storage-client.ts";

const JOB = "counter/a";
const BYTES = 1_000_000;

/** A log of so many entries, committed since it has no members, of which none was made into rows. */
function behind(entries: number, rowsInterval?: RowsInterval): RowWriter {
  const log = new JobLog(JOB);
  const materialise = (payload: Uint8Array) => [{ key: Buffer.from("total"), value: payload }];
  const all = chainOf(
    JOB,
    1,
    Array.from({ length: entries }, (_, index) => Buffer.from(`${index}`)),
  );
  log.seq = entries;
  const kept = rowsInterval === undefined ? { materialise } : { materialise, rowsInterval };
  return new RowWriter(log, kept, (_, from, to) => all.slice(from - 1, to - 1));
}

describe("the writer of a log's rows", () => {
  test("stores them when the job's own interval is over, by time or by entries", () => {
    const slow = behind(3, { entries: 10, ms: 5000 });
    slow.work(100, BYTES);
    expect(slow.dueAt).toBe(5100);
    const quick = behind(3, { entries: 10, ms: 20 });
    quick.work(100, BYTES);
    expect(quick.dueAt).toBe(120);
    const short = behind(3, { entries: 2, ms: 5000 });
    short.work(100, BYTES);
    expect(short.full).toBe(true);
    expect(short.dueAt).toBe(100);
    // What is worked on waits for no more than the interval: the third entry is for the next one.
    expect(short.behind).toBe(true);
    expect(short.take()).toHaveLength(2);
    short.work(200, BYTES);
    expect(short.dueAt).toBe(5200);
  });

  test("stores them by the limits when the job has no interval of its own", () => {
    const few = behind(3);
    few.work(100, BYTES);
    expect(few.dueAt).toBe(100 + ROWS_INTERVAL_MS);
    const many = behind(ROWS_INTERVAL_ENTRIES + 1);
    many.work(100, BYTES);
    expect(many.dueAt).toBe(100);
    expect(many.behind).toBe(true);
  });
});
