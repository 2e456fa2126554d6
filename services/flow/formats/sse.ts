import { OrderType, Side, TimeInForce } from "../../../proto/generated/evercross/v1/types.ts";
import type { FlowAction } from "../action.ts";
import type { TextLine } from "../text-file.ts";
import { CommaRow } from "../text-row.ts";

export const SSE_HEADER = "phase,op,order_id,side,price_milli,qty,tif,time_cs,biz";
/** Prices are in 1/1000 yuan, the exchange's step is 1/100. */
export const SSE_TERMS = { tick: 10, lot: 1, decimals: 3 } as const;

const NAMES = SSE_HEADER.split(",");
const FIELD = { PHASE: 0, OP: 1, ORDER_ID: 2, SIDE: 3, PRICE: 4, QUANTITY: 5, TIF: 6, TIME: 7 } as const;
const PHASES = { S: "opening", C: "continuous" } as const;
const OPS = { N: "new", C: "cancel" } as const;
const SIDES = { B: Side.BUY, S: Side.SELL } as const;
const TIFS = { DAY: TimeInForce.DAY, IOC: TimeInForce.IMMEDIATE_OR_CANCEL } as const;

/** HHMMSScc as microseconds since midnight. */
function timeOfDayUs(row: CommaRow): number {
  const value = row.integer(FIELD.TIME, 0);
  const hours = Math.floor(value / 1_000_000);
  const minutes = Math.floor(value / 10_000) % 100;
  const seconds = Math.floor(value / 100) % 100;
  if (hours > 23 || minutes > 59 || seconds > 59) row.fail(FIELD.TIME, `'${value}' is no time HHMMSScc`);
  return ((hours * 60 + minutes) * 60 + seconds) * 1_000_000 + (value % 100) * 10_000;
}

/** Rows of a Shanghai day of one symbol. */
export function sseParser(file: string, symbol: string): (line: TextLine, row: number) => FlowAction {
  let startUs = -1;
  let timeUs = 0;
  return (line, rowIndex) => {
    const row = new CommaRow(file, line.number, line.text, NAMES);
    row.choice(FIELD.PHASE, PHASES);
    const at = timeOfDayUs(row);
    if (startUs === -1) startUs = at;
    // The exchange's channels are merged by sequence, not by time: a step back is no time to wait for.
    timeUs = Math.max(timeUs, at - startUs);
    const base = { row: rowIndex, timeUs, symbol, orderId: row.integer(FIELD.ORDER_ID, 1) };
    if (row.choice(FIELD.OP, OPS) === "cancel") return { kind: "cancel", ...base };
    return {
      kind: "new",
      ...base,
      side: row.choice(FIELD.SIDE, SIDES),
      type: OrderType.LIMIT,
      timeInForce: row.choice(FIELD.TIF, TIFS),
      price: row.integer(FIELD.PRICE, 1),
      quantity: row.integer(FIELD.QUANTITY, 1),
    };
  };
}
