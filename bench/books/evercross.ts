import { EventBuffer, OrderBook, OrderEntry, OrderType, Side, TimeInForce } from "../../engine/index.ts";
import type { FillDigest } from "../fill-digest.ts";
import { type Flow, Operation } from "../flow.ts";
import { type BenchBook, benchInstrument } from "./bench-book.ts";
import { digestFills } from "./event-fills.ts";

const { NEW } = Operation;
const { LIMIT } = OrderType;
const SPECIAL_ORDERS = 3000;
const SPECIAL_FROM = 2_000_000;
const SPECIAL_ACCOUNT = 1000;

/** The engine as it is published. */
export class EvercrossBook implements BenchBook {
  private readonly out = new EventBuffer();
  private readonly book: OrderBook;

  constructor(flow: Flow) {
    this.book = new OrderBook(benchInstrument(flow), this.out);
    if (flow.variant === "special-orders") this.enterSpecialOrders();
  }

  /** Far from every price of the flow, which so gives the same fills. */
  private enterSpecialOrders(): void {
    const entry = new OrderEntry();
    for (let n = 1; n <= SPECIAL_ORDERS; n++) {
      const isBuy = n % 2 === 0;
      const price = isBuy ? n : SPECIAL_FROM + n;
      entry.plain(n, isBuy ? Side.BUY : Side.SELL, LIMIT, TimeInForce.GOOD_TILL_CANCEL, price, 100);
      if (n % 3 === 0) entry.displayQuantity = 10;
      else if (n % 3 === 1) entry.hidden = true;
      else {
        entry.type = OrderType.STOP_LIMIT;
        entry.triggerPrice = isBuy ? SPECIAL_FROM + n : n;
      }
      this.book.enter(SPECIAL_ACCOUNT, entry);
    }
    this.out.clear();
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
