import { type LogResponse, LogStatus, type Row } from "../../proto/generated/evercross/v1/log.ts";
import { READ_ANSWER_BYTES_MAX, ROW_VIEW_IDLE_MS, ROW_VIEWS_MAX } from "../limits.ts";
import type { JobLog } from "./job-log.ts";
import { respond } from "./replica.ts";
import { rowKeyOf, rowsRange, rowsRecordKey } from "./store-key.ts";
import { decodeRowsRecord, openRecord } from "./store-record.ts";
import { StoreError, type LogStore, type StoreView } from "./store.ts";

const PAGE_ROWS_MAX = 16_384;

interface RowView {
  readonly job: string;
  readonly view: StoreView;
  readonly seq: number;
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
    try {
      if (cursor === 0) return this.#begin(now, log);
      const view = this.#views.get(cursor);
      if (view?.job !== log.job) {
        return respond(log, LogStatus.EXPIRED, `${log.job}: cursor ${cursor} is unknown or has expired`);
      }
      this.#views.delete(cursor);
      return this.#page(now, log, view, []);
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
    const view = this.#store.view(rowsRange(log.job), READ_ANSWER_BYTES_MAX);
    const head = view.next(1)[0];
    if (head === undefined) {
      view.close();
      return { ...respond(log, LogStatus.OK, ""), rows: { seq: 0, cursor: 0, rows: [] } };
    }
    const record = head.key.equals(rowsRecordKey(log.job))
      ? decodeRowsRecord(head.key, head.value)
      : undefined;
    if (record === undefined) {
      view.close();
      return respond(
        log,
        LogStatus.DAMAGED,
        `${log.job}: the record of the rows' entry is missing or damaged`,
      );
    }
    return this.#page(now, log, { job: log.job, view, seq: record.seq, expiresAt: now }, []);
  }

  #page(now: number, log: JobLog, view: RowView, rows: Row[]): LogResponse {
    const records = view.view.next(PAGE_ROWS_MAX);
    for (const { key, value } of records) {
      const body = openRecord(key, value);
      if (body === undefined) {
        view.view.close();
        const name = rowKeyOf(log.job, key).toString("hex");
        return respond(log, LogStatus.DAMAGED, `${log.job}: row ${name} is damaged (checksum)`);
      }
      rows.push({ key: rowKeyOf(log.job, key), value: body });
    }
    let cursor = 0;
    if (records.length === 0) view.view.close();
    else {
      cursor = this.#cursor += 1;
      this.#views.set(cursor, { ...view, expiresAt: now + ROW_VIEW_IDLE_MS });
    }
    return { ...respond(log, LogStatus.OK, ""), rows: { seq: view.seq, cursor, rows } };
  }
}
