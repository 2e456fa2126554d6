import { Side } from "../../proto/generated/evercross/v1/types.ts";
import type { FlowTrade } from "./expected.ts";

function shown(trade: FlowTrade): string {
  const taker = trade.taker === Side.BUY ? "B" : "S";
  return `row ${trade.row}: buy ${trade.buyId}, sell ${trade.sellId}, ${trade.quantity} at ${trade.price}, aggressor ${taker}`;
}

function same(one: FlowTrade, other: FlowTrade): boolean {
  return (
    one.row === other.row &&
    one.buyId === other.buyId &&
    one.sellId === other.sellId &&
    one.price === other.price &&
    one.quantity === other.quantity &&
    one.taker === other.taker
  );
}

/** Compares trades with those expected, one by one in order. After the first difference it compares nothing more. */
export class TradeCheck {
  readonly #expected: FlowTrade[] = [];
  #next = 0;
  /** Trades that were equal. */
  checked = 0;
  /** The first difference; undefined when there is none. */
  difference: string | undefined;

  expect(trade: FlowTrade): void {
    this.#expected.push(trade);
  }

  actual(trade: FlowTrade): void {
    if (this.difference !== undefined) return;
    const expected = this.#expected[this.#next];
    if (expected === undefined) {
      this.difference = `trade ${this.checked}: none expected, got ${shown(trade)}`;
    } else if (same(expected, trade)) {
      this.checked++;
      this.#next++;
      this.#shrink();
    } else {
      this.difference = `trade ${this.checked}: expected ${shown(expected)}; got ${shown(trade)}`;
    }
  }

  /** No trade will come any more. */
  finish(): void {
    const missing = this.#expected[this.#next];
    if (this.difference !== undefined || missing === undefined) return;
    this.difference = `trade ${this.checked}: expected ${shown(missing)}; got none`;
  }

  #shrink(): void {
    if (this.#next < 4096) return;
    this.#expected.splice(0, this.#next);
    this.#next = 0;
  }
}
