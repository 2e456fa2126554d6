import type { BookCheck } from "./book-check.ts";
import { UpToRow, type ExpectedBook, type FlowTrade } from "./expected.ts";
import { TradeCheck } from "./trade-check.ts";

/** What a flow of one symbol must lead to, read just ahead of what is sent. */
export class Expectations {
  readonly trades: TradeCheck | undefined;
  readonly #trades: UpToRow<FlowTrade> | undefined;
  readonly #books: UpToRow<ExpectedBook> | undefined;
  #book: BookCheck | undefined;
  /** Books that are due in rows of before the symbol's book is followed. */
  readonly #early: ExpectedBook[] = [];

  constructor(trades: AsyncIterable<FlowTrade> | undefined, books: AsyncIterable<ExpectedBook> | undefined) {
    this.trades = trades === undefined ? undefined : new TradeCheck();
    this.#trades = trades === undefined ? undefined : new UpToRow(trades);
    this.#books = books === undefined ? undefined : new UpToRow(books);
  }

  get any(): boolean {
    return this.#trades !== undefined || this.#books !== undefined;
  }

  get books(): boolean {
    return this.#books !== undefined;
  }

  /** The followed book that is compared. */
  get book(): BookCheck | undefined {
    return this.#book;
  }

  attach(book: BookCheck): void {
    this.#book = book;
    for (const expected of this.#early.splice(0)) book.expect(expected);
  }

  /** Makes known all that is due up to and with `row`: to be called before the row's action is sent. */
  async advance(row: number): Promise<void> {
    await this.#trades?.advance(row, (trade) => this.trades?.expect(trade));
    await this.#books?.advance(row, (expected) => {
      if (this.#book === undefined) this.#early.push(expected);
      else this.#book.expect(expected);
    });
  }

  /** What differs by now, in words. */
  get difference(): string | undefined {
    return this.trades?.difference ?? this.#book?.difference;
  }

  async close(): Promise<void> {
    await this.#trades?.close();
    await this.#books?.close();
  }
}
