import type { Instrument } from "../../engine/index.ts";
import type { EventBatch } from "../../proto/generated/evercross/v1/event.ts";
import type { ReadableLog } from "../../runtime/log/readable-log.ts";
import { OperatorError } from "../../runtime/operator/operator-error.ts";
import { type Body, MarketView } from "../gateway/market-view.ts";
import { OrderView } from "../gateway/order-view.ts";
import { RowDecoder } from "../crossing/rows.ts";
import { INDICATION_ENTRIES_READ } from "../limits.ts";
import { batches, cutBatch, eventCount } from "./batches.ts";

export interface PastBook {
  /** Entry that holds the event. */
  readonly entry: number;
  readonly timeUs: number;
  /** The last event of the same request: above the one asked for, the book is one in the middle of a request. */
  readonly requestEnd: number;
  /** What a follower who begins at this event would be told. */
  readonly bodies: readonly Body[];
}

/**
 * The book as everybody could see it after one event: rebuilt from the symbol's first event on, or, where the log was
 * trimmed, from its rows, when they are of before. Throws `OperatorError` for an event that is not there.
 */
export async function pastBook(
  log: ReadableLog,
  instrument: Instrument,
  at: number,
  orders: boolean,
): Promise<PastBook> {
  const { symbol } = instrument;
  const { first, last } = await log.bounds();
  const market = new MarketView(instrument);
  const order = orders ? new OrderView(instrument) : undefined;
  const begin = first > 1 ? await restore(log, symbol, { first, at }, [market, order]) : first;
  let event = 0;
  for await (const { entry, batch } of batches(log, begin, last)) {
    event = batch.firstEvent + eventCount(batch) - 1;
    const part = cutBatch(batch, batch.firstEvent, at);
    if (part !== undefined) {
      market.apply(entry, part);
      order?.apply(entry, part);
    }
    if (event < at) continue;
    const bodies = [
      ...market.snapshot("auction", entry),
      ...(order === undefined ? market.snapshot("book", entry) : order.snapshot(entry)),
    ];
    return { entry, timeUs: batch.timeUs, requestEnd: requestEnd(batch, at), bodies };
  }
  const there = event === 0 ? "there is none yet" : `the last one is event ${event}`;
  throw new OperatorError(`${symbol} has no event ${at}: ${there}`);
}

function requestEnd({ firstEvent, steps }: EventBatch, at: number): number {
  let next = firstEvent;
  for (const { events } of steps) {
    next += events.length;
    if (next > at) return next - 1;
  }
  return at;
}

/** Gives the rows to the views, and the entry from which on they go on. */
async function restore(
  log: ReadableLog,
  symbol: string,
  { first, at }: { readonly first: number; readonly at: number },
  [market, orders]: readonly [MarketView, OrderView | undefined],
): Promise<number> {
  let nextEvent = 1;
  const decoder = new RowDecoder({ book: (next) => void (nextEvent = next) });
  const rows: [Uint8Array, Uint8Array][] = [];
  const seq = await log.rows({
    begin: () => void (rows.length = 0),
    row: (key, value) => void rows.push([Uint8Array.from(key), Uint8Array.from(value)]),
  });
  for (const [key, value] of rows) {
    decoder.row(key, value);
    market.row(key, value);
    orders?.row(key, value);
  }
  market.rowsEnd();
  orders?.rowsEnd();
  if (nextEvent > at) {
    const why = `its log begins at entry ${first}, with the book after event ${nextEvent - 1}`;
    throw new OperatorError(
      `${symbol}: the book after event ${at} cannot be rebuilt: ${why}; a backup may have it`,
    );
  }
  const before: EventBatch[] = [];
  for await (const { batch } of batches(log, Math.max(first, seq - INDICATION_ENTRIES_READ), seq)) {
    before.push(batch);
  }
  if (market.isAuction) before.toReversed().some((batch) => market.recall(batch));
  return seq + 1;
}
