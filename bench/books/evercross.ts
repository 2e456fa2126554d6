import { EVENT_WIDTH, EventBuffer, EventField, EventKind, OrderBook, OrderType } from "../../engine/index.ts";
import type { FillDigest } from "../fill-digest.ts";
import { ACCOUNT_IDS, type Flow, Operation } from "../flow.ts";
import type { BenchBook } from "./bench-book.ts";

const { NEW } = Operation;
const { LIMIT } = OrderType;

/** The engine as it is published. */
export class EvercrossBook implements BenchBook {
  private readonly out = new EventBuffer();
  private readonly book: OrderBook;

  constructor(flow: Flow) {
    const instrument = { symbol: "BENCH", tick: flow.tick, lot: 1, priceMax: 2 ** 50, quantityMax: 2 ** 40 };
    this.book = new OrderBook(instrument, this.out);
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
    if (digest !== undefined) this.digestFills(digest);
    out.clear();
  }

  private digestFills(digest: FillDigest): void {
    const { values, length } = this.out;
    for (let base = 0; base < length * EVENT_WIDTH; base += EVENT_WIDTH) {
      if (values[base] !== EventKind.TRADE) continue;
      digest.add(
        values[base + EventField.ACCOUNT]! * ACCOUNT_IDS + values[base + EventField.CLIENT_ORDER_ID]!,
        values[base + EventField.MAKER_ACCOUNT]! * ACCOUNT_IDS +
          values[base + EventField.MAKER_CLIENT_ORDER_ID]!,
        values[base + EventField.PRICE]!,
        values[base + EventField.QUANTITY]!,
      );
    }
  }
}
