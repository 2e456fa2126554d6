import type { BookSnapshot, BookUpdate } from "../../proto/generated/evercross/v1/gateway.ts";
import { Side } from "../../proto/generated/evercross/v1/types.ts";
import { EXPECTED_BOOK_LEVELS, type ExpectedBook } from "./expected.ts";
import { levelsDiffer, PriceLevels } from "./price-levels.ts";

interface Due {
  readonly book: ExpectedBook;
  /** Last event that the row's request is known to have caused; 0 before its first report. */
  event: number;
}

/**
 * Follows a symbol's book and compares it with books expected after given rows.
 *
 * 1. A row's book is due after the last event that its request caused. The reports of a log entry come before the
 *    entry's book update, and all events of a request lie in one entry: when an update comes, the last events of all
 *    rows that it covers are known.
 * 2. Between two changes the book stands still, so a book due after event e is compared before the first change
 *    behind e is applied.
 */
export class BookCheck {
  readonly levels = new PriceLevels();
  /** By ascending row, which is also the order of their events. */
  readonly #due: Due[] = [];
  readonly #byRow = new Map<number, Due[]>();
  #event = 0;
  #pages = false;
  /** Books that were compared and equal. */
  checked = 0;
  /** Books that could not be compared. */
  unchecked = 0;
  /** Of these, the ones that were due while the link was lost. */
  hidden = 0;
  /** The first difference; undefined when there is none. */
  difference: string | undefined;
  /** Event of the last complete snapshot; undefined before the first. */
  snapshotEvent: number | undefined;

  expect(book: ExpectedBook): void {
    const due = { book, event: 0 };
    this.#due.push(due);
    const same = this.#byRow.get(book.row);
    if (same === undefined) this.#byRow.set(book.row, [due]);
    else same.push(due);
  }

  /** The request of `row` caused `event`. */
  caused(row: number, event: number): void {
    for (const due of this.#byRow.get(row) ?? []) due.event = event;
  }

  /** `unbroken`: every update between the book as known and the snapshot has been applied. */
  snapshot(snapshot: BookSnapshot, unbroken: boolean): void {
    if (!this.#pages) {
      if (unbroken) this.#compareUpTo(snapshot.event);
      else this.#dropBefore(snapshot.event);
      this.levels.clear();
      this.#pages = true;
    }
    for (const level of snapshot.levels) this.levels.set(level.side, level.price, level.quantity);
    if (!snapshot.last) return;
    this.#pages = false;
    this.#event = snapshot.event;
    this.snapshotEvent = snapshot.event;
    this.#compareUpTo(snapshot.event);
  }

  update(update: BookUpdate): void {
    for (const change of update.changes) {
      this.#compareUpTo(change.event - 1);
      this.levels.set(change.side, change.price, change.quantity);
    }
    this.#event = update.event;
    this.#compareUpTo(update.event);
  }

  /** No request and no update will come any more: what is still due can no longer be compared. */
  finish(): void {
    this.unchecked += this.#due.length;
    this.#due.length = 0;
    this.#byRow.clear();
  }

  #take(): Due {
    const due = this.#due.shift() as Due;
    this.#byRow.delete(due.book.row);
    return due;
  }

  #compareUpTo(event: number): void {
    for (
      let due = this.#due[0];
      due !== undefined && due.event > 0 && due.event <= event;
      due = this.#due[0]
    ) {
      this.#compare(this.#take().book);
    }
  }

  #dropBefore(event: number): void {
    // What is due at an event that was applied stands; only what lies in the gap is lost.
    this.#compareUpTo(this.#event);
    for (
      let due = this.#due[0];
      due !== undefined && due.event > 0 && due.event < event;
      due = this.#due[0]
    ) {
      this.#take();
      this.unchecked++;
      this.hidden++;
    }
  }

  #compare(book: ExpectedBook): void {
    if (this.difference !== undefined) return;
    const difference =
      levelsDiffer(Side.BUY, book.bids, this.levels.best(Side.BUY, EXPECTED_BOOK_LEVELS)) ??
      levelsDiffer(Side.SELL, book.asks, this.levels.best(Side.SELL, EXPECTED_BOOK_LEVELS));
    if (difference === undefined) this.checked++;
    else this.difference = `book ${this.checked}, after row ${book.row}: ${difference}`;
  }
}
