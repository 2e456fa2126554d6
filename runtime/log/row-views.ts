import { type LogResponse, LogStatus } from "../../proto/generated/evercross/v1/log.ts";
import { READ_ANSWER_BYTES_MAX, ROW_VIEW_IDLE_MS, ROW_VIEWS_MAX } from "../limits.ts";
import type { JobLog } from "./job-log.ts";
import { respond } from "./replica.ts";
import { RowSeal } from "./row-seal.ts";
import { packRows } from "./rows-page.ts";
import { rowsRange, rowsRecordKey } from "./store-key.ts";
import { decodeRowsRecord } from "./store-record.ts";
import { StoreError, type LogStore, type StoreValues } from "./store.ts";

const PAGE_ROWS_MAX = 16_384;

interface RowView {
  readonly job: string;
  readonly view: StoreValues;
  readonly seal: RowSeal;
  readonly seq: number;
  /** The last row that was given. */
  last: Buffer | undefined;
  expiresAt: number;
}

/**
 * Rows in pages of one consistent view. A cursor serves once: a page that was lost on its way cannot be asked for
 * again, the reader begins anew. Views that nobody continues are closed; `now` is in milliseconds.
 */
export class RowViews {
  readonly #store: LogStore;
  readonly #views = new Map<number, RowView>();
  #cursor: number;

  /** Cursors begin above `cursorBase`, which must be above every cursor of an earlier start. */
  constructor(store: LogStore, cursorBase: number) {
    this.#store = store;
    this.#cursor = cursorBase;
  }

  /** Answers a `RowsRequest`. Throws `StoreError` only when it is not about damage. */
  answer(now: number, log: JobLog, cursor: number): LogResponse {
    this.expire(now);
    // What it would give is half made.
    if (log.blank)
      return respond(log, LogStatus.BEHIND, `${log.job}: the log is being copied from another replica`);
    try {
      if (cursor === 0) return this.#begin(now, log);
      const view = this.#views.get(cursor);
      if (view?.job !== log.job) {
        return respond(log, LogStatus.EXPIRED, `${log.job}: cursor ${cursor} is unknown or has expired`);
      }
      this.#views.delete(cursor);
      return this.#page(now, log, view);
    } catch (error) {
      if (!(error instanceof StoreError) || error.failure !== "damaged") throw error;
      return respond(log, LogStatus.DAMAGED, `${log.job}: rows cannot be read: ${error.message}`);
    }
  }

  expire(now: number): void {
    for (const [cursor, { view, expiresAt }] of this.#views) {
      if (expiresAt > now) break;
      view.close();
      this.#views.delete(cursor);
    }
  }

  /** When `expire` has something to do; infinite without views. */
  get dueAt(): number {
    for (const { expiresAt } of this.#views.values()) return expiresAt;
    return Infinity;
  }

  close(): void {
    this.expire(Infinity);
  }

  #begin(now: number, log: JobLog): LogResponse {
    if (this.#views.size >= ROW_VIEWS_MAX) {
      return respond(log, LogStatus.FULL, `${log.job}: ${ROW_VIEWS_MAX} views of rows are being read`);
    }
    const view = this.#store.values(rowsRange(log.job), READ_ANSWER_BYTES_MAX);
    const head = view.next(1)[0];
    if (head === undefined) {
      view.close();
      const none = { seq: 0, cursor: 0, rows: [], packed: Buffer.alloc(0), checksum: 0 };
      return { ...respond(log, LogStatus.OK, ""), rows: none };
    }
    // Its checksum is over its key too: a row in its place is not taken for it.
    const record = decodeRowsRecord(rowsRecordKey(log.job), head);
    if (record === undefined) {
      view.close();
      return respond(
        log,
        LogStatus.DAMAGED,
        `${log.job}: the record of the rows' entry is missing or damaged`,
      );
    }
    const seal = new RowSeal(log.job);
    return this.#page(now, log, {
      job: log.job,
      view,
      seal,
      seq: record.seq,
      last: undefined,
      expiresAt: now,
    });
  }

  #page(now: number, log: JobLog, view: RowView): LogResponse {
    const records = view.view.next(PAGE_ROWS_MAX);
    const page = packRows(view.seal, records, view.last);
    if ("damaged" in page) {
      view.view.close();
      return respond(log, LogStatus.DAMAGED, `${log.job}: ${page.damaged}`);
    }
    let cursor = 0;
    // A small book is one page, and one question.
    if (view.view.done || records.length === 0) view.view.close();
    else {
      cursor = this.#cursor += 1;
      this.#views.set(cursor, { ...view, last: records.at(-1), expiresAt: now + ROW_VIEW_IDLE_MS });
    }
    return { ...respond(log, LogStatus.OK, ""), rows: { seq: view.seq, cursor, rows: [], ...page } };
  }
}
