import { OrderType, Side, TimeInForce } from "../../../proto/generated/evercross/v1/types.ts";
import type { FlowAction } from "../action.ts";
import type { TextLine } from "../text-file.ts";
import { FixedRow } from "../text-row.ts";
import { reduceOrder, type KnownOrder } from "./known-order.ts";

export const PITCH_TERMS = { tick: 1, lot: 1, decimals: 4 } as const;

const TYPES = { A: "add", X: "cancel", E: "execute", P: "hidden" } as const;
const SIDES = { B: Side.BUY, S: Side.SELL } as const;
const DISPLAY = { Y: true, N: false } as const;

/** Where the fields stand: `S`, 8 digits of milliseconds, the message type, then by type. */
const AT = {
  TIME: 1,
  TYPE: 9,
  ORDER_ID: 10,
  SIDE: 22,
  SHARES: 23,
  SYMBOL: 29,
  PRICE: 35,
  DISPLAY: 45,
} as const;
const SHARES_AFTER_ID = 22;

/**
 * Rows of BATS TCP PITCH. Order ids of 12 base-36 characters do not fit an integer: orders are numbered 1, 2, 3… in
 * order of appearance. An execution becomes an immediate-or-cancel order of the other side at the executed order's
 * price; a hidden trade touches no visible order and is skipped.
 */
class PitchParser {
  readonly #orders = new Map<string, KnownOrder>();
  #nextId = 1;
  #startMs = -1;
  #timeUs = 0;

  constructor(
    readonly file: string,
    readonly skip: (reason: string) => void,
  ) {}

  parse(line: TextLine, index: number): FlowAction | undefined {
    const row = new FixedRow(this.file, line.number, line.text);
    if (row.slice(0, 1, "sequence unit") !== "S") row.fail(0, "the row does not begin with 'S'");
    const timeMs = row.integer(AT.TIME, 8, "time", 0);
    if (this.#startMs === -1) this.#startMs = timeMs;
    this.#timeUs = Math.max(this.#timeUs, (timeMs - this.#startMs) * 1000);
    const base = { row: index, timeUs: this.#timeUs };
    switch (row.choice(AT.TYPE, "message type", TYPES)) {
      case "add":
        return this.#add(row, base);
      case "cancel":
        return this.#cancel(row, base);
      case "execute":
        return this.#execute(row, base);
      case "hidden":
        this.skip("hidden_trade");
        return undefined;
    }
  }

  #add(row: FixedRow, base: { row: number; timeUs: number }): FlowAction {
    const key = row.slice(AT.ORDER_ID, 12, "order id");
    if (this.#orders.has(key)) row.fail(AT.ORDER_ID, `order id: '${key}' is live already`);
    const side = row.choice(AT.SIDE, "side", SIDES);
    const quantity = row.integer(AT.SHARES, 6, "shares", 1);
    const symbol = row.slice(AT.SYMBOL, 6, "symbol").trimEnd();
    if (!/^[\x21-\x7e]+$/.test(symbol)) row.fail(AT.SYMBOL, "symbol: it is empty or has a space in it");
    const price = row.integer(AT.PRICE, 10, "price", 1);
    row.choice(AT.DISPLAY, "display", DISPLAY);
    row.end(AT.DISPLAY + 1);
    const orderId = this.#nextId++;
    this.#orders.set(key, { orderId, symbol, side, price, quantity, leaves: quantity });
    const terms = { side, type: OrderType.LIMIT, timeInForce: TimeInForce.DAY, price, quantity };
    return { kind: "new", ...base, symbol, orderId, ...terms };
  }

  #known(row: FixedRow): { key: string; order: KnownOrder } {
    const key = row.slice(AT.ORDER_ID, 12, "order id");
    const order = this.#orders.get(key) ?? row.fail(AT.ORDER_ID, `order id: no live order has '${key}'`);
    return { key, order };
  }

  #cancel(row: FixedRow, base: { row: number; timeUs: number }): FlowAction {
    const { key, order } = this.#known(row);
    const shares = row.integer(SHARES_AFTER_ID, 6, "shares", 1);
    row.end(SHARES_AFTER_ID + 6);
    const action = reduceOrder(order, shares, base);
    if (order.leaves === 0) this.#orders.delete(key);
    return action;
  }

  #execute(row: FixedRow, base: { row: number; timeUs: number }): FlowAction {
    const { key, order } = this.#known(row);
    const quantity = row.integer(SHARES_AFTER_ID, 6, "shares", 1);
    row.slice(SHARES_AFTER_ID + 6, 12, "execution id");
    row.end(SHARES_AFTER_ID + 18);
    if (quantity > order.leaves) {
      row.fail(SHARES_AFTER_ID, `shares: ${quantity} executed of an order with ${order.leaves} open`);
    }
    order.leaves -= quantity;
    if (order.leaves === 0) this.#orders.delete(key);
    return {
      kind: "new",
      ...base,
      symbol: order.symbol,
      orderId: this.#nextId++,
      side: order.side === Side.BUY ? Side.SELL : Side.BUY,
      type: OrderType.LIMIT,
      timeInForce: TimeInForce.IMMEDIATE_OR_CANCEL,
      price: order.price,
      quantity,
    };
  }
}

export function pitchParser(
  file: string,
  skip: (reason: string) => void,
): (line: TextLine, row: number) => FlowAction | undefined {
  const parser = new PitchParser(file, skip);
  return (line, row) => parser.parse(line, row);
}
