import { type Flow, Operation } from "../flow.ts";
import type { BenchBook } from "./bench-book.ts";

/** No book: reads the operations and adds them up. What it takes is the bench's own share of every figure. */
export class LoopOnly implements BenchBook {
  sum = 0;

  execute(flow: Flow, from: number, to: number): void {
    const { kind, clientOrderId, account, side, timeInForce, price, quantity } = flow;
    let { sum } = this;
    for (let at = from; at < to; at++) {
      if (kind[at] === Operation.NEW) {
        sum += account[at]! + clientOrderId[at]! + side[at]! + timeInForce[at]! + price[at]! + quantity[at]!;
      } else {
        sum -= account[at]! + clientOrderId[at]!;
      }
    }
    this.sum = sum;
  }
}
