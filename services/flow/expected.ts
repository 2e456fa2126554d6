import { Side } from "../../proto/generated/evercross/v1/types.ts";
import { readRows } from "./text-file.ts";
import { CommaRow } from "./text-row.ts";

/** A trade of which both sides are known. */
export interface FlowTrade {
  /** Row of the action that took. */
  readonly row: number;
  readonly buyId: number;
  readonly sellId: number;
  readonly price: number;
  readonly quantity: number;
  readonly taker: Side;
}

export interface BookLevel {
  readonly price: number;
  readonly quantity: number;
}

/** The best levels of both sides, best first, due right after the last event of the action of `row`. */
export interface ExpectedBook {
  readonly row: number;
  readonly bids: readonly BookLevel[];
  readonly asks: readonly BookLevel[];
}

export const EXPECTED_BOOK_LEVELS = 10;

const TRADES_HEADER = "event_idx,buy_id,sell_id,price_milli,qty,aggressor";
const TRADE_FIELDS = TRADES_HEADER.split(",");
const BOOK_FIELDS = ["after_event_idx", "snap_time", "num_trades", "volume"];
for (const side of ["b", "a"]) {
  for (let level = 0; level < EXPECTED_BOOK_LEVELS; level++) {
    BOOK_FIELDS.push(`${side}p${level}`, `${side}q${level}`);
  }
}
const BIDS_AT = 4;
const ASKS_AT = BIDS_AT + 2 * EXPECTED_BOOK_LEVELS;
const SIDES = { B: Side.BUY, S: Side.SELL } as const;

/** Trades in the order in which they must come. Throws `FlowFormatError`. */
export async function* readExpectedTrades(file: string): AsyncGenerator<FlowTrade> {
  for await (const lines of readRows(file, TRADES_HEADER)) {
    for (const line of lines) {
      const row = new CommaRow(file, line.number, line.text, TRADE_FIELDS);
      yield {
        row: row.integer(0, 0),
        buyId: row.integer(1, 1),
        sellId: row.integer(2, 1),
        price: row.integer(3, 1),
        quantity: row.integer(4, 1),
        taker: row.choice(5, SIDES),
      };
    }
  }
}

/** A side's levels: pairs of price and quantity; an empty or zero price ends them. */
function readLevels(row: CommaRow, from: number): BookLevel[] {
  const levels: BookLevel[] = [];
  for (let level = 0; level < EXPECTED_BOOK_LEVELS; level++) {
    const at = from + 2 * level;
    if (row.text(at) === "" || row.text(at) === "0") break;
    levels.push({ price: row.integer(at, 1), quantity: row.integer(at + 1, 1) });
  }
  return levels;
}

/** Books in ascending order of the row after which they are due. Throws `FlowFormatError`. */
export async function* readExpectedBooks(file: string): AsyncGenerator<ExpectedBook> {
  let last = -1;
  for await (const lines of readRows(file, BOOK_FIELDS.join(","))) {
    for (const line of lines) {
      const row = new CommaRow(file, line.number, line.text, BOOK_FIELDS);
      const after = row.integer(0, 0);
      if (after < last) row.fail(0, `${after} is before the row above (${last})`);
      last = after;
      yield { row: after, bids: readLevels(row, BIDS_AT), asks: readLevels(row, ASKS_AT) };
    }
  }
}

/** Hands out the head of an ascending source up to a row: what lies behind stays unread. */
export class UpToRow<T extends { readonly row: number }> {
  readonly #source: AsyncIterator<T>;
  #head: T | undefined;
  #ended = false;

  constructor(source: AsyncIterable<T>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** Gives `take` all that is due up to and with `row`, in order. */
  async advance(row: number, take: (entry: T) => void): Promise<void> {
    while (!this.#ended) {
      if (this.#head === undefined) {
        const next = await this.#source.next();
        if (next.done === true) {
          this.#ended = true;
          return;
        }
        this.#head = next.value;
      }
      if (this.#head.row > row) return;
      take(this.#head);
      this.#head = undefined;
    }
  }

  async close(): Promise<void> {
    this.#ended = true;
    await this.#source.return?.();
  }
}
