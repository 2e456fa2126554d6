import { OrderType, Side, TimeInForce } from "../../../proto/generated/evercross/v1/types.ts";
import type { FlowAction } from "../action.ts";
import type { TextLine } from "../text-file.ts";
import { CommaRow } from "../text-row.ts";
import { reduceOrder, type KnownOrder } from "./known-order.ts";

/** Prices are dollars times 10,000. */
export const LOBSTER_TERMS = { tick: 1, lot: 1, decimals: 4 } as const;

const NAMES = ["time", "type", "order_id", "size", "price", "direction"];
const FIELD = { TIME: 0, TYPE: 1, ORDER_ID: 2, SIZE: 3, PRICE: 4, DIRECTION: 5 } as const;
const TYPES = {
  1: "submission",
  2: "partial_cancel",
  3: "delete",
  4: "execution",
  5: "hidden_execution",
  6: "cross_trade",
  7: "halt",
} as const;
const SIDES = { 1: Side.BUY, "-1": Side.SELL } as const;

/** Ids of the orders that stand for the takers, which the files do not name: above every id of a file. */
const TAKER_ID_FIRST = 2 ** 52;

function timeUs(row: CommaRow): number {
  const text = row.text(FIELD.TIME);
  const match = /^([0-9]{1,6})(?:\.([0-9]{1,18}))?$/.exec(text);
  if (match === null) return row.fail(FIELD.TIME, `'${text.slice(0, 40)}' is not seconds since midnight`);
  return Number(match[1]) * 1_000_000 + Number((match[2] ?? "").padEnd(6, "0").slice(0, 6));
}

/**
 * Rows of a LOBSTER message file of one symbol. A visible execution becomes an immediate-or-cancel order of the other
 * side at its price. Skipped and counted: hidden executions, cross trades, halts, and messages of orders that entered
 * before the file begins.
 */
class LobsterParser {
  readonly #orders = new Map<number, KnownOrder>();
  #startUs = -1;
  #timeUs = 0;

  constructor(
    readonly file: string,
    readonly symbol: string,
    readonly skip: (reason: string) => void,
  ) {}

  parse(line: TextLine, index: number): FlowAction | undefined {
    const row = new CommaRow(this.file, line.number, line.text, NAMES);
    const at = timeUs(row);
    if (this.#startUs === -1) this.#startUs = at;
    this.#timeUs = Math.max(this.#timeUs, at - this.#startUs);
    const type = row.choice(FIELD.TYPE, TYPES);
    if (type === "hidden_execution" || type === "cross_trade" || type === "halt") return this.#skipped(type);
    const orderId = row.integer(FIELD.ORDER_ID, 1);
    if (orderId >= TAKER_ID_FIRST) row.fail(FIELD.ORDER_ID, `'${orderId}' is not below 2^52`);
    const size = row.integer(FIELD.SIZE, 1);
    const price = row.integer(FIELD.PRICE, 1);
    const side = row.choice(FIELD.DIRECTION, SIDES);
    const base = { row: index, timeUs: this.#timeUs };
    const order = this.#orders.get(orderId);
    if (type === "submission") {
      if (order !== undefined) row.fail(FIELD.ORDER_ID, `'${orderId}' is live already`);
      const { symbol } = this;
      this.#orders.set(orderId, { orderId, symbol, side, price, quantity: size, leaves: size });
      const terms = { side, type: OrderType.LIMIT, timeInForce: TimeInForce.DAY, price, quantity: size };
      return { kind: "new", ...base, symbol, orderId, ...terms };
    }
    if (order === undefined) return this.#skipped("order_before_file");
    const action =
      type === "execution"
        ? this.#take(row, order, size, base)
        : reduceOrder(order, type === "delete" ? order.leaves : size, base);
    if (order.leaves === 0) this.#orders.delete(orderId);
    return action;
  }

  #take(row: CommaRow, order: KnownOrder, size: number, base: { row: number; timeUs: number }): FlowAction {
    if (size > order.leaves) {
      row.fail(FIELD.SIZE, `${size} executed of an order with ${order.leaves} open`);
    }
    order.leaves -= size;
    return {
      kind: "new",
      ...base,
      symbol: this.symbol,
      orderId: TAKER_ID_FIRST + base.row,
      side: order.side === Side.BUY ? Side.SELL : Side.BUY,
      type: OrderType.LIMIT,
      timeInForce: TimeInForce.IMMEDIATE_OR_CANCEL,
      price: order.price,
      quantity: size,
    };
  }

  #skipped(reason: string): undefined {
    this.skip(reason);
    return undefined;
  }
}

export function lobsterParser(
  file: string,
  symbol: string,
  skip: (reason: string) => void,
): (line: TextLine, row: number) => FlowAction | undefined {
  const parser = new LobsterParser(file, symbol, skip);
  return (line, row) => parser.parse(line, row);
}
