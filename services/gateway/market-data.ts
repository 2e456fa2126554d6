import { LevelBook } from "../../engine/index.ts";
import type { EventBatch, OrderRow } from "../../proto/generated/evercross/v1/event.ts";
import type { Level, LevelChange, TradeReport } from "../../proto/generated/evercross/v1/gateway.ts";
import { Side } from "../../proto/generated/evercross/v1/types.ts";
import { RowDecoder } from "../crossing/rows.ts";
import { SNAPSHOT_LEVELS_MAX } from "../limits.ts";
import type { Session } from "./session.ts";

type MarketSide = typeof Side.BUY | typeof Side.SELL;

/** Depth by price of one symbol, built from the stored rows and the entries behind them. */
export class DepthBook {
  readonly #book: LevelBook;
  readonly #rows: RowDecoder;
  /** The book is the state after this event. */
  event = 0;

  constructor(tick: number) {
    this.#book = new LevelBook(tick);
    this.#rows = new RowDecoder({
      order: (row: OrderRow) => void this.#book.accepted(row.side as MarketSide, row.price, row.leaves),
      mark: () => {},
      nextOrderId: () => {},
      book: (nextEvent) => {
        this.event = nextEvent - 1;
      },
    });
  }

  row(key: Uint8Array, value: Uint8Array): void {
    this.#rows.row(key, value);
  }

  rowsEnd(): void {
    this.#rows.end();
  }

  /** Applies a batch and returns the level changes that it made, in event order. */
  apply(batch: EventBatch): LevelChange[] {
    const changes: LevelChange[] = [];
    let event = batch.firstEvent;
    const changed = (side: Side, price: number, quantity: number): void => {
      changes.push({ event, side, price, quantity });
    };
    const book = this.#book;
    for (const step of batch.steps) {
      for (const { kind } of step.events) {
        if (kind?.$case === "accepted" && kind.value.resting > 0) {
          const { side, price, resting } = kind.value;
          changed(side, price, book.accepted(side as MarketSide, price, resting));
        } else if (kind?.$case === "trade") {
          const { takerSide, price, quantity } = kind.value;
          changed(opposite(takerSide), price, book.trade(takerSide as MarketSide, price, quantity));
        } else if (kind?.$case === "cancelled" && kind.value.rested > 0) {
          const { side, price, rested } = kind.value;
          changed(side, price, book.cancelled(side as MarketSide, price, rested));
        } else if (kind?.$case === "replaced") {
          const { oldPrice, oldLeaves, price, resting } = kind.value;
          const side = kind.value.side as MarketSide;
          changed(side, oldPrice, book.replacedOld(side, oldPrice, oldLeaves));
          if (resting > 0) changed(side, price, book.replacedNew(side, price, resting));
        }
        this.event = event;
        event += 1;
      }
    }
    return changes;
  }

  /** The whole book in pages, best first, bids before asks; at least one page. */
  pages(): Level[][] {
    const levels: Level[] = [];
    for (const side of [Side.BUY, Side.SELL] as const) {
      for (const { price, quantity } of this.#book.levels(side, Infinity))
        levels.push({ side, price, quantity });
    }
    const pages: Level[][] = [];
    for (let from = 0; from < levels.length; from += SNAPSHOT_LEVELS_MAX) {
      pages.push(levels.slice(from, from + SNAPSHOT_LEVELS_MAX));
    }
    return pages.length === 0 ? [[]] : pages;
  }
}

function opposite(side: Side): Side {
  return side === Side.BUY ? Side.SELL : Side.BUY;
}

/** The trades of a batch as everybody may see them. */
export function tradesOf(symbol: string, entry: number, batch: EventBatch): TradeReport[] {
  const trades: TradeReport[] = [];
  let event = batch.firstEvent;
  for (const step of batch.steps) {
    for (const { kind } of step.events) {
      if (kind?.$case === "trade") {
        const { price, quantity, takerSide } = kind.value;
        trades.push({ symbol, entry, event, price, quantity, takerSide, timeUs: batch.timeUs });
      }
      event += 1;
    }
  }
  return trades;
}

/** Sends a whole book to one session. */
export function sendSnapshot(session: Session, symbol: string, entry: number, book: DepthBook): void {
  const pages = book.pages();
  pages.forEach((levels, index) => {
    const value = { symbol, entry, event: book.event, levels, last: index === pages.length - 1 };
    session.send({ $case: "bookSnapshot", value });
  });
}
