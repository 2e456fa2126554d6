import {
  EntryKind,
  type LogEntry,
  type LogRequest,
  type LogResponse,
  LogStatus,
} from "../../../proto/generated/evercross/v1/log.ts";
import { JobLog } from "../../../runtime/log/job-log.ts";
import { appendEntry, openLog, respond } from "../../../runtime/log/replica.ts";
import { RowChanges } from "../../../runtime/log/row-changes.ts";
import { materialise } from "../../../services/crossing/materialise.ts";
import { FLOW_JOB } from "../crossing-flow.ts";

/** A replica in memory: the real rules, and rows that lie behind as far as one likes. */
export class SimLog {
  readonly log = new JobLog(FLOW_JOB);
  readonly entries: LogEntry[] = [];
  readonly #rows = new Map<string, Uint8Array>();
  readonly #waiting = new RowChanges();
  /** The rows are the state after this entry. */
  rowsSeq = 0;

  handle({ body }: LogRequest): LogResponse {
    switch (body?.$case) {
      case "open":
        return openLog(this.log, body.value).response;
      case "append": {
        const handled = appendEntry(this.log, body.value, (_, seq) => this.entries[seq - 1]);
        if (handled.entry !== undefined) this.entries.push(handled.entry);
        return handled.response;
      }
      default:
        return respond(this.log, LogStatus.OK, "");
    }
  }

  read(from: number, to: number): LogEntry[] {
    return this.entries.slice(from - 1, to - 1);
  }

  /** Stores the rows up to this entry, as one interval. */
  storeRows(seq: number): void {
    for (const { kind, payload } of this.read(this.rowsSeq + 1, seq + 1)) {
      if (kind === EntryKind.DATA) for (const change of materialise(payload)) this.#waiting.add(change);
    }
    this.rowsSeq = Math.max(this.rowsSeq, seq);
    for (const { key, value } of this.#waiting.take()) {
      const name = Buffer.from(key).toString("hex");
      if (value === undefined) this.#rows.delete(name);
      else this.#rows.set(name, value);
    }
  }

  /** All rows in ascending order of key. */
  rows(): [Uint8Array, Uint8Array][] {
    const sorted = [...this.#rows].sort(([a], [b]) => (a < b ? -1 : 1));
    return sorted.map(([key, value]) => [Buffer.from(key, "hex"), value]);
  }
}
