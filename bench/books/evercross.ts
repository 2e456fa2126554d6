import { EventBuffer, OrderBook, OrderType } from "../../engine/index.ts";
import type { FillDigest } from "../fill-digest.ts";
import { type Flow, Operation } from "../flow.ts";
import { type BenchBook, benchInstrument } from "./bench-book.ts";
import { digestFills } from "./event-fills.ts";

const { NEW } = Operation;
const { LIMIT } = OrderType;

/** The engine as it is published. */
export class EvercrossBook implements BenchBook {
  private readonly out = new EventBuffer();
  private readonly book: OrderBook;

  constructor(flow: Flow) {
    this.book = new OrderBook(benchInstrument(flow), this.out);
  }

  execute(flow: Flow, from: number, to: number, digest?: FillDigest): void {
    const { book, out } = this;
    const { kind, clientOrderId, account, side, timeInForce, price, quantity } = flow;
    for (let at = from; at < to; at++) {
      if (kind[at] === NEW) {
        book.newOrder(
          account[at]!,
          clientOrderId[at]!,
          side[at]!,
          LIMIT,
          timeInForce[at]!,
          price[at]!,
          quantity[at]!,
        );
      } else {
        book.cancel(account[at]!, clientOrderId[at]!);
      }
    }
    if (digest !== undefined) digestFills(out, digest);
    out.clear();
  }
}
