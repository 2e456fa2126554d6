import { EventBatch } from "../../proto/generated/evercross/v1/event.ts";
import type { ReadableLog } from "../../runtime/log/readable-log.ts";
import { EVENT_EXPORT_CHUNK_BYTES } from "../limits.ts";
import { type BatchAt, batches, cutBatch, eventCount } from "./batches.ts";
import { EVENT_COLUMNS, type EventFields, eventFields } from "./event-fields.ts";

/**
 * `protobuf`: `EventBatch` messages, each behind its length as a varint. `csv`: one line an event, behind one of names.
 * `json`: one object a line.
 */
export const EXPORT_FORMATS = ["protobuf", "csv", "json"] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

export interface EventRange {
  /** First and last event, both included. */
  readonly from: number;
  readonly to: number;
}

/** What was exported so far. */
export interface ExportCounts {
  events: number;
  /** First and last event; 0 for none. */
  first: number;
  last: number;
}

/**
 * A symbol's events as a file's content, in pieces. What was exported is counted in `counts`. Throws `LogRefusedError` on
 * entries that cannot be proved.
 */
export async function* exportEvents(
  log: ReadableLog,
  format: ExportFormat,
  { from, to }: EventRange,
  counts: ExportCounts,
): AsyncGenerator<Uint8Array, void, undefined> {
  let waiting: Uint8Array[] = format === "csv" ? [Buffer.from(`${EVENT_COLUMNS.join(",")}\n`)] : [];
  let bytes = 0;
  const { first, last } = await log.bounds();
  for await (const { entry, batch } of batches(log, first, last)) {
    if (batch.firstEvent > to) break;
    const part = cutBatch(batch, from, to);
    if (part === undefined || eventCount(part) === 0) continue;
    const piece =
      format === "protobuf" ? delimited(part) : Buffer.from(lines({ entry, batch: part }, format));
    waiting.push(piece);
    bytes += piece.length;
    counts.events += eventCount(part);
    if (counts.first === 0) counts.first = part.firstEvent;
    counts.last = part.firstEvent + eventCount(part) - 1;
    if (bytes < EVENT_EXPORT_CHUNK_BYTES) continue;
    yield Buffer.concat(waiting);
    waiting = [];
    bytes = 0;
  }
  yield Buffer.concat(waiting);
}

function delimited(batch: EventBatch): Uint8Array {
  const body = EventBatch.encode(batch).finish();
  const head: number[] = [];
  let length = body.length;
  for (; length > 0x7f; length >>>= 7) head.push((length & 0x7f) | 0x80);
  return Buffer.concat([Buffer.from([...head, length]), body]);
}

function lines({ entry, batch }: BatchAt, format: "csv" | "json"): string {
  let text = "";
  let event = batch.firstEvent;
  for (const step of batch.steps) {
    for (const each of step.events) {
      const fields = eventFields(batch, step, each, { event, entry });
      text += `${format === "json" ? JSON.stringify(fields) : row(fields)}\n`;
      event += 1;
    }
  }
  return text;
}

/** As RFC 4180 has it. */
function row(fields: EventFields): string {
  return EVENT_COLUMNS.map((name) => {
    const text = String(fields[name] ?? "");
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  }).join(",");
}
