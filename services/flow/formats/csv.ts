import { OrderType, Side, TimeInForce } from "../../../proto/generated/evercross/v1/types.ts";
import type { FlowAction } from "../action.ts";
import type { TextLine } from "../text-file.ts";
import { CommaRow } from "../text-row.ts";

/**
 * The project's own format: a header, then one request a row, LF or CR LF, no quoting.
 *
 * | field | meaning |
 * | --- | --- |
 * | `op` | `N` new, `C` cancel, `R` replace |
 * | `symbol` | 1 to 32 printable ASCII characters without space and comma |
 * | `order_id` | client order id, 1 to 2^53 - 1 |
 * | `side` | `B` or `S`; N only |
 * | `type` | `LIMIT` or `MARKET`; N only |
 * | `tif` | `DAY`, `IOC` or `FOK`; N only |
 * | `price` | in price units, from 0; N and R |
 * | `quantity` | in quantity units, from 0; R: the new total; N and R |
 * | `time_us` | microseconds since the flow's start, never falling; the column may be missing: all at once |
 *
 * Fields that an op does not use are empty. Whether terms are sensible is the market's to judge, not the parser's.
 */
export const CSV_HEADER = "op,symbol,order_id,side,type,tif,price,quantity,time_us";
export const CSV_HEADER_UNTIMED = CSV_HEADER.slice(0, CSV_HEADER.lastIndexOf(","));
export const CSV_TERMS = { tick: 1, lot: 1, decimals: 0 } as const;

const FIELD = {
  OP: 0,
  SYMBOL: 1,
  ORDER_ID: 2,
  SIDE: 3,
  TYPE: 4,
  TIF: 5,
  PRICE: 6,
  QUANTITY: 7,
  TIME: 8,
} as const;
const OPS = { N: "new", C: "cancel", R: "replace" } as const;
const SIDES = { B: Side.BUY, S: Side.SELL } as const;
const TYPES = { LIMIT: OrderType.LIMIT, MARKET: OrderType.MARKET } as const;
const TIFS = {
  DAY: TimeInForce.DAY,
  IOC: TimeInForce.IMMEDIATE_OR_CANCEL,
  FOK: TimeInForce.FILL_OR_KILL,
} as const;

function empty(row: CommaRow, op: string, ...fields: readonly number[]): void {
  for (const field of fields) {
    if (row.text(field) !== "") row.fail(field, `must be empty for op ${op}`);
  }
}

export function csvParser(file: string, timed: boolean): (line: TextLine, row: number) => FlowAction {
  const names = (timed ? CSV_HEADER : CSV_HEADER_UNTIMED).split(",");
  let last = 0;
  return (line, index) => {
    const row = new CommaRow(file, line.number, line.text, names);
    const kind = row.choice(FIELD.OP, OPS);
    const symbol = row.text(FIELD.SYMBOL);
    if (!/^[\x21-\x7e]{1,32}$/.test(symbol)) {
      row.fail(FIELD.SYMBOL, "must be 1 to 32 printable ASCII characters without spaces");
    }
    const timeUs = timed ? row.integer(FIELD.TIME, 0) : 0;
    if (timeUs < last) row.fail(FIELD.TIME, `${timeUs} is before the row above (${last})`);
    last = timeUs;
    const base = { row: index, timeUs, symbol, orderId: row.integer(FIELD.ORDER_ID, 1) };
    if (kind === "cancel") {
      empty(row, "C", FIELD.SIDE, FIELD.TYPE, FIELD.TIF, FIELD.PRICE, FIELD.QUANTITY);
      return { kind, ...base };
    }
    const terms = { price: row.integer(FIELD.PRICE, 0), quantity: row.integer(FIELD.QUANTITY, 0) };
    if (kind === "replace") {
      empty(row, "R", FIELD.SIDE, FIELD.TYPE, FIELD.TIF);
      return { kind, ...base, ...terms };
    }
    return {
      kind,
      ...base,
      side: row.choice(FIELD.SIDE, SIDES),
      type: row.choice(FIELD.TYPE, TYPES),
      timeInForce: row.choice(FIELD.TIF, TIFS),
      ...terms,
    };
  };
}
