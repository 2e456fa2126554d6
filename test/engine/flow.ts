import * as fc from "fast-check";
import { OrderType, Side, type TimeInForce } from "../../engine/codes.ts";
import type { Instrument } from "../../engine/instrument.ts";
import type { OrderBook } from "../../engine/order-book.ts";
import type { NaiveBook } from "./naive-book.ts";

const MAX = Number.MAX_SAFE_INTEGER;

/** An instrument that leaves prices and quantities all the room there is. */
export const WIDE: Instrument = { symbol: "WIDE", tick: 1, lot: 1, priceMax: MAX, quantityMax: MAX };
/** One with a tick and a lot. */
export const COARSE: Instrument = {
  symbol: "COARSE",
  tick: 5,
  lot: 10,
  priceMax: 2 ** 51,
  quantityMax: 2 ** 40,
};

export type Command =
  | {
      readonly do: "new";
      readonly account: number;
      readonly id: number;
      readonly side: Side;
      readonly type: OrderType;
      readonly timeInForce: TimeInForce;
      readonly price: number;
      readonly quantity: number;
    }
  | { readonly do: "cancel"; readonly account: number; readonly id: number }
  | {
      readonly do: "replace";
      readonly account: number;
      readonly id: number;
      readonly price: number;
      readonly quantity: number;
    }
  | { readonly do: "massCancel"; readonly account: number };

export function execute(book: OrderBook | NaiveBook, command: Command): void {
  const { account } = command;
  switch (command.do) {
    case "new": {
      const { id, side, type, timeInForce, price, quantity } = command;
      return book.newOrder(account, id, side, type, timeInForce, price, quantity);
    }
    case "cancel":
      return book.cancel(account, command.id);
    case "replace":
      return book.replace(account, command.id, command.price, command.quantity);
    case "massCancel":
      return book.massCancel(account);
  }
}

export const nameOf = (account: number): string => `session-${account}`;

const extreme = fc.constantFrom(
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  -1,
  -0,
  0,
  0.5,
  1.5,
  7,
  2 ** 32 - 1,
  2 ** 32,
  2 ** 40 + 10,
  2 ** 50,
  2 ** 51 + 5,
  MAX - 1,
  MAX,
  2 ** 53,
  1e300,
);
const account = fc.integer({ min: 0, max: 3 });
const mostly = (usual: fc.Arbitrary<number>): fc.Arbitrary<number> =>
  fc.oneof({ weight: 24, arbitrary: usual }, { weight: 1, arbitrary: extreme });
// Ids that are equal in their low or high halves meet in the index.
const id = mostly(
  fc.oneof(
    fc.integer({ min: 1, max: 15 }),
    fc.integer({ min: 1, max: 3 }).map((n) => n * 2 ** 32),
  ),
);

/** Any command, mostly sensible: few accounts, ids and prices, so that they meet, and now and then anything at all. */
export function command(instrument: Instrument): fc.Arbitrary<Command> {
  const near = fc.integer({ min: 95, max: 105 });
  const far = fc.constantFrom(1, 2, 300, 5000, 2 ** 31, 2 ** 32 + 1, 2 ** 50 / 5 - 1, 2 ** 48);
  const ticks = fc.oneof({ weight: 12, arbitrary: near }, { weight: 1, arbitrary: far });
  const price = mostly(ticks.map((n) => n * instrument.tick));
  const quantity = mostly(fc.integer({ min: 1, max: 20 }).map((n) => n * instrument.lot));
  const side = mostly(fc.constantFrom(Side.BUY, Side.SELL)) as fc.Arbitrary<Side>;
  const limit = fc.record({
    do: fc.constant("new" as const),
    account,
    id,
    side,
    type: mostly(fc.constant(OrderType.LIMIT)) as fc.Arbitrary<OrderType>,
    timeInForce: mostly(fc.constantFrom(1, 1, 1, 1, 2, 3)) as fc.Arbitrary<TimeInForce>,
    price,
    quantity,
  });
  const market = fc.record({
    do: fc.constant("new" as const),
    account,
    id,
    side,
    type: fc.constant(OrderType.MARKET),
    timeInForce: mostly(fc.constantFrom(2, 3)) as fc.Arbitrary<TimeInForce>,
    price: mostly(fc.constant(0)),
    quantity,
  });
  return fc.oneof(
    { weight: 20, arbitrary: limit },
    { weight: 2, arbitrary: market },
    { weight: 6, arbitrary: fc.record({ do: fc.constant("cancel" as const), account, id }) },
    {
      weight: 6,
      arbitrary: fc.record({ do: fc.constant("replace" as const), account, id, price, quantity }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("massCancel" as const), account }) },
  );
}
