import { describe, expect, test } from "vitest";
import { Side } from "../../../proto/generated/evercross/v1/types.ts";
import { EventBatch } from "../../../proto/generated/evercross/v1/event.ts";
import { RowChanges } from "../../../runtime/log/row-changes.ts";
import { SourceLog } from "../../../runtime/log/readable-log.ts";
import { materialise } from "../../../services/crossing/materialise.ts";
import { eventCount } from "../../../services/events/batches.ts";
import { pastBook, type PastBook } from "../../../services/events/past-book.ts";
import { ArrayLog } from "../../support/array-log.ts";
import { emptyCrossing, FLOW_JOB, FLOW_SYMBOL, flowLog, flowPayloads } from "../../support/crossing-flow.ts";

const PAYLOADS = flowPayloads(25, 12);
const LOG = flowLog(PAYLOADS);
const INSTRUMENT = { symbol: FLOW_SYMBOL, tick: 1, lot: 1, priceMax: 1e9, quantityMax: 1e9 };

/** What both sides show together, and how many orders. */
function sums({ bodies }: PastBook): { bid: number; ask: number; orders: number } {
  const total = { bid: 0, ask: 0, orders: 0 };
  for (const body of bodies) {
    const shown =
      body.$case === "bookSnapshot"
        ? body.value.levels
        : body.$case === "ordersSnapshot"
          ? body.value.orders
          : [];
    for (const { side, quantity } of shown) {
      if (side === Side.BUY) total.bid += quantity;
      else total.ask += quantity;
      total.orders += 1;
    }
  }
  return total;
}

/** Rows as a replica has them after so many entries. */
function rowsAfter(entries: number): [Uint8Array, Uint8Array][] {
  const changes = new RowChanges();
  for (const payload of PAYLOADS.slice(0, entries - 1))
    for (const change of materialise(payload)) changes.add(change);
  return changes
    .take()
    .flatMap(({ key, value }) => (value === undefined ? [] : [[key, value] as [Uint8Array, Uint8Array]]))
    .sort(([a], [b]) => Buffer.compare(a, b));
}

const lastEvents = PAYLOADS.map((payload) => {
  const batch = EventBatch.decode(payload);
  return batch.firstEvent + eventCount(batch) - 1;
});

describe("the book of the past", () => {
  test("is after each entry the one that crossing had, as levels and as orders", async () => {
    const job = emptyCrossing();
    job.restored();
    const log = new SourceLog(FLOW_JOB, new ArrayLog(LOG, 100));
    for (const [index, payload] of PAYLOADS.entries()) {
      job.replay(payload);
      const { bidQuantity, askQuantity, liveOrders } = job.state();
      const at = lastEvents[index] as number;
      const levels = await pastBook(log, INSTRUMENT, at, false);
      expect(levels).toMatchObject({ entry: index + 2, requestEnd: at });
      expect(sums(levels)).toMatchObject({ bid: bidQuantity, ask: askQuantity });
      const orders = await pastBook(log, INSTRUMENT, at, true);
      expect(sums(orders)).toEqual({ bid: bidQuantity, ask: askQuantity, orders: liveOrders });
    }
  });

  test("says when an event is in the middle of a request", async () => {
    const batch = EventBatch.decode(PAYLOADS[3] as Uint8Array);
    let next = batch.firstEvent;
    for (const { events } of batch.steps) {
      for (let at = next; at < next + events.length; at++) {
        const { requestEnd, bodies } = await pastBook(
          new SourceLog(FLOW_JOB, new ArrayLog(LOG)),
          INSTRUMENT,
          at,
          false,
        );
        expect(requestEnd).toBe(next + events.length - 1);
        expect(bodies.at(-1)).toMatchObject({ $case: "bookSnapshot", value: { event: at } });
      }
      next += events.length;
    }
  });

  test("is rebuilt from rows where the log was trimmed, and refused where they are of later", async () => {
    const trimmed = new ArrayLog(LOG);
    trimmed.first = 12;
    trimmed.rowsSeq = 14;
    trimmed.stored = rowsAfter(14);
    const log = new SourceLog(FLOW_JOB, trimmed);
    const rowsEvent = lastEvents[12] as number;
    for (const at of lastEvents.slice(12)) {
      const whole = await pastBook(new SourceLog(FLOW_JOB, new ArrayLog(LOG)), INSTRUMENT, at, true);
      expect(await pastBook(log, INSTRUMENT, at, true)).toEqual(whole);
    }
    await expect(pastBook(log, INSTRUMENT, rowsEvent - 1, false)).rejects.toThrow(
      `TEST: the book after event ${rowsEvent - 1} cannot be rebuilt: its log begins at entry 12, with the book after event ${rowsEvent}`,
    );
  });

  test("of an event that is still to come is refused with the last one that there is", async () => {
    const last = lastEvents.at(-1) as number;
    const log = new SourceLog(FLOW_JOB, new ArrayLog(LOG));
    await expect(pastBook(log, INSTRUMENT, last + 1, false)).rejects.toThrow(
      `TEST has no event ${last + 1}: the last one is event ${last}`,
    );
    await expect(
      pastBook(new SourceLog(FLOW_JOB, new ArrayLog(LOG.slice(0, 1))), INSTRUMENT, 1, false),
    ).rejects.toThrow("TEST has no event 1: there is none yet");
  });
});
