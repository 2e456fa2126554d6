import { describe, expect, test } from "vitest";
import { EventBatch } from "../../../proto/generated/evercross/v1/event.ts";
import type { LogEntry } from "../../../proto/generated/evercross/v1/log.ts";
import { SourceLog } from "../../../runtime/log/readable-log.ts";
import { sealEntry } from "../../../runtime/log/entry.ts";
import { batches, cutBatch, eventCount } from "../../../services/events/batches.ts";
import { EVENT_COLUMNS, eventFields } from "../../../services/events/event-fields.ts";
import {
  exportEvents,
  type ExportCounts,
  type ExportFormat,
  type EventRange,
} from "../../../services/events/event-export.ts";
import { SETUPS } from "../../engine/setups.ts";
import { ArrayLog } from "../../support/array-log.ts";
import { FLOW_JOB, flowLog, flowPayloads } from "../../support/crossing-flow.ts";
import { mixedJob, MixedFlow, payloads } from "../../support/mixed-flow.ts";

const LOG = flowLog(flowPayloads(20, 15));
const ALL: EventRange = { from: 1, to: Number.MAX_SAFE_INTEGER };

async function exported(
  format: ExportFormat,
  range: EventRange = ALL,
  log: readonly LogEntry[] = LOG,
): Promise<{ readonly bytes: Buffer; readonly counts: ExportCounts }> {
  const counts: ExportCounts = { events: 0, first: 0, last: 0 };
  const pieces: Uint8Array[] = [];
  for await (const piece of exportEvents(new SourceLog(FLOW_JOB, new ArrayLog(log)), format, range, counts)) {
    pieces.push(piece);
  }
  return { bytes: Buffer.concat(pieces), counts };
}

/** Length-delimited messages. */
function batchesIn(bytes: Buffer): EventBatch[] {
  const found: EventBatch[] = [];
  for (let at = 0; at < bytes.length;) {
    let length = 0;
    for (let shift = 0, more = true; more; shift += 7) {
      const byte = bytes[at++] as number;
      length += (byte & 0x7f) * 2 ** shift;
      more = byte > 0x7f;
    }
    found.push(EventBatch.decode(bytes.subarray(at, at + length)));
    at += length;
  }
  return found;
}

describe("an export of events", () => {
  test("gives every batch of the log as it is, as protobuf", async () => {
    const { bytes, counts } = await exported("protobuf");
    const stored = LOG.slice(1).map(({ payload }) => EventBatch.decode(payload));
    expect(batchesIn(bytes)).toEqual(stored);
    const events = stored.reduce((count, batch) => count + eventCount(batch), 0);
    expect(counts).toEqual({ events, first: 1, last: events });
  });

  test("gives one line for each event, gap-free, as JSON and as CSV", async () => {
    const json = await exported("json");
    const objects = json.bytes
      .toString()
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(objects.map(({ event }) => event)).toEqual(objects.map((_, index) => index + 1));
    expect(objects.length).toBe(json.counts.events);
    const [first] = objects;
    expect(first).toMatchObject({ event: 1, entry: 2, kind: "accepted", request: 1, order_id: 1 });
    expect(["s0", "s1", "s2"]).toContain(first?.["requested_by"]);
    expect(["buy", "sell"]).toContain(first?.["side"]);
    const trade = objects.find(({ kind }) => kind === "trade");
    expect(["s0", "s1", "s2"]).toContain(trade?.["maker_session"]);

    const csv = await exported("csv");
    const [head, ...rows] = csv.bytes.toString().trimEnd().split("\n");
    expect(head?.split(",")).toEqual(EVENT_COLUMNS);
    expect(rows.length).toBe(objects.length);
    rows.forEach((row, index) => {
      const cells = row.split(",");
      expect(cells.length).toBe(EVENT_COLUMNS.length);
      const told = Object.fromEntries(
        EVENT_COLUMNS.map((name, at) => [name, cells[at]] as const).filter(([, cell]) => cell !== ""),
      );
      const object = Object.entries(objects[index] ?? {}).filter(([, value]) => value !== "");
      expect(told).toEqual(Object.fromEntries(object.map(([name, value]) => [name, String(value)])));
    });
  });

  test("cuts batches where the range begins and ends, in the middle of a request too", async () => {
    const { counts: all } = await exported("protobuf");
    for (const [from, to] of [
      [1, 1],
      [2, 3],
      [17, 90],
      [all.last, all.last + 10],
    ] as const) {
      const { bytes, counts } = await exported("protobuf", { from, to });
      const last = Math.min(to, all.last);
      expect(counts).toEqual({ events: last - from + 1, first: from, last });
      const found = batchesIn(bytes);
      expect(found[0]?.firstEvent).toBe(from);
      expect(found.reduce((count, batch) => count + eventCount(batch), 0)).toBe(last - from + 1);
      const json = (await exported("json", { from, to })).bytes.toString().trimEnd().split("\n");
      expect(json.map((line) => (JSON.parse(line) as { event: number }).event)).toEqual(
        Array.from({ length: last - from + 1 }, (_, index) => from + index),
      );
    }
    expect((await exported("json", { from: all.last + 1, to: all.last + 9 })).counts.events).toBe(0);
  });

  test("has a column for everything that any event tells", () => {
    const kinds = new Set<string>();
    for (const [index, setup] of Object.values(SETUPS).entries()) {
      const flow = new MixedFlow(setup, index + 1);
      const messages = flow.next(400);
      for (const payload of payloads(mixedJob(setup), flow.nowUs, messages)) {
        const batch = EventBatch.decode(payload);
        for (const step of batch.steps) {
          for (const event of step.events) {
            const fields = eventFields(batch, step, event, { event: 1, entry: 1 });
            expect(EVENT_COLUMNS).toEqual(expect.arrayContaining(Object.keys(fields)));
            kinds.add(String(fields["kind"]));
          }
        }
      }
    }
    expect([...kinds]).toEqual(
      expect.arrayContaining(["accepted", "trade", "phase", "uncross", "entered", "position"]),
    );
  });

  test("quotes a name that would break a line", async () => {
    const batch = EventBatch.decode(LOG[1]?.payload ?? new Uint8Array());
    const payload = Buffer.from(
      EventBatch.encode({ ...batch, sessions: ['a "b", c', "d\ne", "f"] }).finish(),
    );
    const [started, first] = LOG as [LogEntry, LogEntry];
    const { bytes } = await exported("csv", ALL, [started, sealEntry({ ...first, payload }, started.chain)]);
    expect(bytes.toString()).toMatch(/"a ""b"", c"|"d\ne"/);
  });

  test("refuses a log that does not hold together", async () => {
    const broken = LOG.map((entry) => ({ ...entry }));
    (broken[5] as { payload: Buffer }).payload = Buffer.from("other");
    await expect(exported("json", ALL, broken)).rejects.toThrow(
      "crossing/TEST: entry 6 is damaged (checksum)",
    );
  });
});

test("a batch is cut without losing or repeating an event", async () => {
  for await (const { batch } of batches(new SourceLog(FLOW_JOB, new ArrayLog(LOG)), 1, LOG.length)) {
    const last = batch.firstEvent + eventCount(batch) - 1;
    for (let at = batch.firstEvent; at < last; at++) {
      const [head, tail] = [cutBatch(batch, 0, at), cutBatch(batch, at + 1, Infinity)];
      const events = [head, tail].flatMap((part) => part?.steps ?? []).flatMap(({ events: each }) => each);
      expect(events).toEqual(batch.steps.flatMap(({ events: each }) => each));
      expect([head?.firstEvent, tail?.firstEvent]).toEqual([batch.firstEvent, at + 1]);
    }
  }
});
