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
  const views: Views = {
    market: new MarketView(instrument),
    orders: orders ? new OrderView(instrument) : undefined,
  };
  const rows = first > 1 ? await restore(log, symbol, { first, at }, views) : undefined;
  if (rows?.event === at) {
    const { entry, timeUs } = rows;
    return { entry, timeUs, requestEnd: at, bodies: bodiesOf(views, entry) };
  }
  let event = rows?.event ?? 0;
  for await (const { entry, batch } of batches(log, (rows?.entry ?? 0) + 1, last)) {
    event = batch.firstEvent + eventCount(batch) - 1;
    const part = cutBatch(batch, batch.firstEvent, at);
    if (part === undefined) break;
    views.market.apply(entry, part);
    views.orders?.apply(entry, part);
    if (event < at) continue;
    const { timeUs } = batch;
    return { entry, timeUs, requestEnd: requestEnd(batch, at), bodies: bodiesOf(views, entry) };
  }
  const there = event === 0 ? "there is none yet" : `the last one is event ${event}`;
  throw new OperatorError(`${symbol} has no event ${at}: ${there}`);
}

interface Views {
  readonly market: MarketView;
  readonly orders: OrderView | undefined;
}

function bodiesOf({ market, orders }: Views, entry: number): Body[] {
  return [
    ...market.snapshot("auction", entry),
    ...(orders?.snapshot(entry) ?? market.snapshot("book", entry)),
  ];
}

function requestEnd({ firstEvent, steps }: EventBatch, at: number): number {
  let next = firstEvent;
  for (const { events } of steps) {
    next += events.length;
    if (next > at) return next - 1;
  }
  return at;
}

/** What the rows gave to the views. */
interface FromRows {
  /** Entry and event that they are the state after, and its time. */
  readonly entry: number;
  readonly event: number;
  readonly timeUs: number;
}

async function restore(
  log: ReadableLog,
  symbol: string,
  { first, at }: { readonly first: number; readonly at: number },
  { market, orders }: Views,
): Promise<FromRows> {
  let event = 0;
  let timeUs = 0;
  const decoder = new RowDecoder({
    book: (nextEvent, time) => {
      event = nextEvent - 1;
      timeUs = time;
    },
  });
  const rows: [Uint8Array, Uint8Array][] = [];
  const entry = await log.rows({
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
  if (event > at) {
    const why = `its log begins at entry ${first}, with the book after event ${event}`;
    throw new OperatorError(
      `${symbol}: the book after event ${at} cannot be rebuilt: ${why}; a backup may have it`,
    );
  }
  if (market.isAuction) {
    const before: EventBatch[] = [];
    const from = Math.max(first, entry - INDICATION_ENTRIES_READ);
    for await (const { batch } of batches(log, from, entry)) before.push(batch);
    before.toReversed().some((batch) => market.recall(batch));
  }
  return { entry, event, timeUs };
}
