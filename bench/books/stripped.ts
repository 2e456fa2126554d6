import { Side, TimeInForce } from "../../engine/index.ts";
import type { FillDigest } from "../fill-digest.ts";
import { type Flow, Operation } from "../flow.ts";
import type { BenchBook } from "./bench-book.ts";
import { ACCEPTED, CANCELLED, EVENT_FIELDS, StrippedBook, TRADE } from "./stripped-book.ts";

const { NEW } = Operation;
const { BUY } = Side;
const { DAY } = TimeInForce;

/** The yardstick of what the features cost a flow that does not use them. */
export class StrippedBench implements BenchBook {
  private readonly book: StrippedBook;

  constructor(flow: Flow) {
    this.book = new StrippedBook(flow.tick);
  }

  execute(flow: Flow, from: number, to: number, digest?: FillDigest): void {
    const { book } = this;
    const { kind, id, side, timeInForce, price, quantity } = flow;
    for (let at = from; at < to; at++) {
      if (kind[at] === NEW) {
        book.newOrder(id[at]!, side[at] === BUY, timeInForce[at] === DAY, price[at]!, quantity[at]!);
      } else {
        book.cancel(id[at]!);
      }
    }
    if (digest !== undefined) this.digestFills(digest);
    book.clear();
  }

  private digestFills(digest: FillDigest): void {
    const { values, length } = this.book;
    for (let base = 0; base < length; base += EVENT_FIELDS) {
      if (values[base] === ACCEPTED || values[base] === CANCELLED) continue;
      if (values[base] !== TRADE) throw new Error(`stripped book: event of kind ${values[base]}`);
      digest.add(values[base + 1]!, values[base + 2]!, values[base + 3]!, values[base + 4]!);
    }
  }
}
