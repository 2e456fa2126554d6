import type { FillDigest } from "../fill-digest.ts";
import { type Flow, Operation } from "../flow.ts";
import { type BenchBook, benchInstrument } from "./bench-book.ts";
import { digestFills } from "./event-fills.ts";
import { StrippedBook } from "./stripped-book.ts";

const { NEW } = Operation;

/** The yardstick of what the features cost a flow that does not use them. */
export class StrippedBench implements BenchBook {
  private readonly book: StrippedBook;

  constructor(flow: Flow) {
    this.book = new StrippedBook(benchInstrument(flow));
  }

  execute(flow: Flow, from: number, to: number, digest?: FillDigest): void {
    const { book } = this;
    const { kind, clientOrderId, account, side, timeInForce, price, quantity } = flow;
    for (let at = from; at < to; at++) {
      if (kind[at] === NEW) {
        book.newOrder(
          account[at]!,
          clientOrderId[at]!,
          side[at]!,
          timeInForce[at]!,
          price[at]!,
          quantity[at]!,
        );
      } else {
        book.cancel(account[at]!, clientOrderId[at]!);
      }
    }
    if (digest !== undefined) digestFills(book.out, digest);
    book.out.clear();
  }
}
