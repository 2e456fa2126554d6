import {
  OrderType,
  Peg,
  PostOnly,
  SelfTrade,
  Side,
  TimeInForce,
} from "../../proto/generated/evercross/v1/types.ts";
import type { MassCancelFilter, OrderTerms } from "../../services/client/index.ts";
import type { TradingFloor } from "../support/trading-floor.ts";

type Extra = Partial<OrderTerms>;

/** One session's place at one symbol. */
export class Seat {
  readonly #floor: TradingFloor;
  readonly #session: string;
  readonly #symbol: string;

  constructor(floor: TradingFloor, session: string, symbol: string) {
    this.#floor = floor;
    this.#session = session;
    this.#symbol = symbol;
  }

  buy(id: number, quantity: number, price: number, extra: Extra = {}): Promise<void> {
    return this.#floor.buy(this.#session, this.#symbol, id, { quantity, price, ...extra });
  }

  sell(id: number, quantity: number, price: number, extra: Extra = {}): Promise<void> {
    return this.#floor.sell(this.#session, this.#symbol, id, { quantity, price, ...extra });
  }

  cancel(id: number): Promise<void> {
    return this.#floor.ask(this.#session, this.#symbol, (client) => void client.cancel(this.#symbol, id));
  }

  replace(id: number, price: number, quantity: number, trigger?: number): Promise<void> {
    return this.#floor.ask(
      this.#session,
      this.#symbol,
      (client) => void client.replace(this.#symbol, id, price, quantity, trigger),
    );
  }

  reduce(id: number, by: number): Promise<void> {
    return this.#floor.ask(this.#session, this.#symbol, (client) => void client.reduce(this.#symbol, id, by));
  }

  massCancel(filter?: MassCancelFilter): Promise<void> {
    return this.#floor.ask(
      this.#session,
      this.#symbol,
      (client) => void client.massCancel(this.#symbol, filter),
    );
  }
}

export interface Seats {
  readonly ann: Seat;
  readonly bob: Seat;
}

/** What happens on a symbol of its own that nobody traded before, and every report of it. */
export interface OrderCase {
  readonly name: string;
  readonly happens: (seats: Seats) => Promise<void>;
  readonly reports: readonly string[];
}

const IOC: Extra = { timeInForce: TimeInForce.IMMEDIATE_OR_CANCEL };
const FOK: Extra = { timeInForce: TimeInForce.FILL_OR_KILL };
const MARKET: Extra = { type: OrderType.MARKET, ...IOC };
const GTC: Extra = { timeInForce: TimeInForce.GOOD_TILL_CANCEL };
const pegged = (peg: Extra["peg"], offset = 0): Extra => ({
  type: OrderType.PEGGED,
  ...(peg === undefined ? {} : { peg }),
  offset,
});

/** Bob sells one to ann at this price: the last price. */
async function trade({ ann, bob }: Seats, price: number): Promise<void> {
  await bob.sell(900, 1, price);
  await ann.buy(900, 1, price);
}

const traded = (price: number): string[] => [
  `bob accepted #900 sell 1@${price} limit day open=1 shown=1 (new-order)`,
  `ann accepted #900 buy 1@${price} limit day open=1 (new-order)`,
  `ann fill #900 buy 1@${price} taker open=0 (fill)`,
  `bob fill #900 sell 1@${price} maker open=0 shown-1 (fill)`,
];

export const PLAIN_CASES: readonly OrderCase[] = [
  {
    name: "a limit order takes what is at its price or better, and what is left of it rests",
    happens: async ({ ann, bob }) => {
      await ann.sell(1, 10, 105);
      await bob.buy(1, 4, 105);
      await bob.buy(2, 10, 106);
    },
    reports: [
      "ann accepted #1 sell 10@105 limit day open=10 shown=10 (new-order)",
      "bob accepted #1 buy 4@105 limit day open=4 (new-order)",
      "bob fill #1 buy 4@105 taker open=0 (fill)",
      "ann fill #1 sell 4@105 maker open=6 shown-4 (fill)",
      "bob accepted #2 buy 10@106 limit day open=10 shown=4 (new-order)",
      "bob fill #2 buy 6@105 taker open=4 (fill)",
      "ann fill #1 sell 6@105 maker open=0 shown-6 (fill)",
    ],
  },
  {
    name: "a market order takes any price and does not rest",
    happens: async ({ ann, bob }) => {
      await ann.sell(1, 2, 105);
      await ann.sell(2, 2, 500);
      await bob.buy(1, 5, 0, MARKET);
    },
    reports: [
      "ann accepted #1 sell 2@105 limit day open=2 shown=2 (new-order)",
      "ann accepted #2 sell 2@500 limit day open=2 shown=2 (new-order)",
      "bob accepted #1 buy 5@0 market immediate-or-cancel open=5 (new-order)",
      "bob fill #1 buy 2@105 taker open=3 (fill)",
      "ann fill #1 sell 2@105 maker open=0 shown-2 (fill)",
      "bob fill #1 buy 2@500 taker open=1 (fill)",
      "ann fill #2 sell 2@500 maker open=0 shown-2 (fill)",
      "bob cancelled #1 buy 1@0 open=0 (immediate-remainder)",
    ],
  },
  {
    name: "a market order with a price goes no further than that",
    happens: async ({ ann, bob }) => {
      await ann.sell(1, 2, 105);
      await ann.sell(2, 2, 500);
      await bob.buy(1, 5, 200, MARKET);
    },
    reports: [
      "ann accepted #1 sell 2@105 limit day open=2 shown=2 (new-order)",
      "ann accepted #2 sell 2@500 limit day open=2 shown=2 (new-order)",
      "bob accepted #1 buy 5@200 market immediate-or-cancel open=5 (new-order)",
      "bob fill #1 buy 2@105 taker open=3 (fill)",
      "ann fill #1 sell 2@105 maker open=0 shown-2 (fill)",
      "bob cancelled #1 buy 3@200 open=0 (price-protection)",
    ],
  },
  {
    name: "immediate-or-cancel trades what it can, fill-or-kill all or nothing",
    happens: async ({ ann, bob }) => {
      await ann.sell(1, 3, 105);
      await bob.buy(1, 4, 105, FOK);
      await bob.buy(2, 4, 105, IOC);
      await ann.sell(3, 3, 105);
      await bob.buy(3, 3, 105, FOK);
    },
    reports: [
      "ann accepted #1 sell 3@105 limit day open=3 shown=3 (new-order)",
      "bob accepted #1 buy 4@105 limit fill-or-kill open=4 (new-order)",
      "bob cancelled #1 buy 4@105 open=0 (fill-or-kill)",
      "bob accepted #2 buy 4@105 limit immediate-or-cancel open=4 (new-order)",
      "bob fill #2 buy 3@105 taker open=1 (fill)",
      "ann fill #1 sell 3@105 maker open=0 shown-3 (fill)",
      "bob cancelled #2 buy 1@105 open=0 (immediate-remainder)",
      "ann accepted #3 sell 3@105 limit day open=3 shown=3 (new-order)",
      "bob accepted #3 buy 3@105 limit fill-or-kill open=3 (new-order)",
      "bob fill #3 buy 3@105 taker open=0 (fill)",
      "ann fill #3 sell 3@105 maker open=0 shown-3 (fill)",
    ],
  },
  {
    name: "a minimum quantity trades at once or is cancelled, and is then forgotten",
    happens: async ({ ann, bob }) => {
      await ann.sell(1, 3, 105);
      await bob.buy(1, 10, 105, { minQuantity: 4 });
      await bob.buy(2, 10, 105, { minQuantity: 3 });
      await ann.sell(2, 1, 105);
    },
    reports: [
      "ann accepted #1 sell 3@105 limit day open=3 shown=3 (new-order)",
      "bob accepted #1 buy 10@105 limit day min=4 open=10 (new-order)",
      "bob cancelled #1 buy 10@105 open=0 (minimum-quantity)",
      "bob accepted #2 buy 10@105 limit day min=3 open=10 shown=7 (new-order)",
      "bob fill #2 buy 3@105 taker open=7 (fill)",
      "ann fill #1 sell 3@105 maker open=0 shown-3 (fill)",
      "ann accepted #2 sell 1@105 limit day open=1 (new-order)",
      "ann fill #2 sell 1@105 taker open=0 (fill)",
      "bob fill #2 buy 1@105 maker open=6 shown-1 (fill)",
    ],
  },
  {
    name: "an all-or-none order waits unseen until it can be filled whole",
    happens: async ({ ann, bob }) => {
      await bob.buy(1, 5, 105, { allOrNone: true });
      await ann.sell(1, 3, 105);
      await ann.sell(2, 4, 104);
    },
    reports: [
      "bob accepted #1 buy 5@105 limit day all-or-none open=5 (new-order)",
      "ann accepted #1 sell 3@105 limit day open=3 shown=3 (new-order)",
      "ann accepted #2 sell 4@104 limit day open=4 shown=4 (new-order)",
      "bob entered #1 buy 5@105 limit open=5 (all-or-none-matched)",
      "bob fill #1 buy 4@104 taker open=1 (fill)",
      "ann fill #2 sell 4@104 maker open=0 shown-4 (fill)",
      "bob fill #1 buy 1@105 taker open=0 (fill)",
      "ann fill #1 sell 1@105 maker open=2 shown-1 (fill)",
    ],
  },
  {
    name: "a post-only order never takes: it is refused or repriced",
    happens: async ({ ann, bob }) => {
      await ann.sell(1, 3, 105);
      await bob.buy(1, 3, 105, { postOnly: PostOnly.REJECT });
      await bob.buy(2, 3, 107, { postOnly: PostOnly.REPRICE });
      await bob.buy(3, 3, 103, { postOnly: PostOnly.REJECT });
    },
    reports: [
      "ann accepted #1 sell 3@105 limit day open=3 shown=3 (new-order)",
      "bob rejected #1 would-take",
      "bob accepted #2 buy 3@104 limit day post-only-reprice open=3 shown=3 (repriced)",
      "bob accepted #3 buy 3@103 limit day post-only-reject open=3 shown=3 (new-order)",
    ],
  },
  {
    name: "an iceberg shows a part, and each refresh goes to the end of the line",
    happens: async ({ ann, bob }) => {
      await ann.sell(1, 10, 105, { displayQuantity: 3 });
      await ann.sell(2, 2, 105);
      await bob.buy(1, 4, 105, IOC);
      await bob.buy(2, 3, 105, IOC);
    },
    reports: [
      "ann accepted #1 sell 10@105 limit day display=3 open=10 shown=3 (new-order)",
      "ann accepted #2 sell 2@105 limit day open=2 shown=2 (new-order)",
      "bob accepted #1 buy 4@105 limit immediate-or-cancel open=4 (new-order)",
      "bob fill #1 buy 3@105 taker open=1 (fill)",
      "ann fill #1 sell 3@105 maker open=7 shown-3 (fill)",
      "ann refreshed #1 sell 10@105 open=7 shown=3 (refresh)",
      "bob fill #1 buy 1@105 taker open=0 (fill)",
      "ann fill #2 sell 1@105 maker open=1 shown-1 (fill)",
      "bob accepted #2 buy 3@105 limit immediate-or-cancel open=3 (new-order)",
      "bob fill #2 buy 1@105 taker open=2 (fill)",
      "ann fill #2 sell 1@105 maker open=0 shown-1 (fill)",
      "bob fill #2 buy 2@105 taker open=0 (fill)",
      "ann fill #1 sell 2@105 maker open=5 shown-2 (fill)",
    ],
  },
  {
    name: "a hidden order is not shown, and trades behind what is",
    happens: async ({ ann, bob }) => {
      await ann.sell(1, 3, 105, { hidden: true });
      await ann.sell(2, 1, 105);
      await bob.buy(1, 2, 105);
    },
    reports: [
      "ann accepted #1 sell 3@105 limit day hidden open=3 (new-order)",
      "ann accepted #2 sell 1@105 limit day open=1 shown=1 (new-order)",
      "bob accepted #1 buy 2@105 limit day open=2 (new-order)",
      "bob fill #1 buy 1@105 taker open=1 (fill)",
      "ann fill #2 sell 1@105 maker open=0 shown-1 (fill)",
      "bob fill #1 buy 1@105 taker open=0 (fill)",
      "ann fill #1 sell 1@105 maker open=2 (fill)",
    ],
  },
  {
    name: "good-till-cancel and good-till-date orders live until then",
    happens: async ({ ann }) => {
      await ann.buy(1, 1, 90, GTC);
      const expiryUs = (Date.now() + 3_600_000) * 1000;
      await ann.buy(2, 1, 90, { timeInForce: TimeInForce.GOOD_TILL_DATE, expiryUs });
      await ann.cancel(1);
      await ann.cancel(2);
    },
    reports: [
      "ann accepted #1 buy 1@90 limit good-till-cancel open=1 shown=1 (new-order)",
      "ann accepted #2 buy 1@90 limit good-till-date expiry open=1 shown=1 (new-order)",
      "ann cancelled #1 buy 1@90 open=0 shown-1 (requested)",
      "ann cancelled #2 buy 1@90 open=0 shown-1 (requested)",
    ],
  },
];

export const WAITING_CASES: readonly OrderCase[] = [
  {
    name: "a stop becomes a market order when the last price reaches it",
    happens: async (seats) => {
      const { ann, bob } = seats;
      await bob.buy(1, 5, 95);
      await ann.sell(1, 3, 0, { type: OrderType.STOP, triggerPrice: 98 });
      await trade(seats, 97);
    },
    reports: [
      "bob accepted #1 buy 5@95 limit day open=5 shown=5 (new-order)",
      "ann accepted #1 sell 3@0 stop day trigger=98 open=3 (new-order)",
      ...traded(97),
      "ann entered #1 sell 3@0 market open=3 (triggered)",
      "ann fill #1 sell 3@95 taker open=0 (fill)",
      "bob fill #1 buy 3@95 maker open=2 shown-3 (fill)",
    ],
  },
  {
    name: "a stop-limit becomes a limit order, and may rest",
    happens: async (seats) => {
      const { ann, bob } = seats;
      await bob.buy(1, 1, 97);
      await ann.sell(1, 3, 96, { type: OrderType.STOP_LIMIT, triggerPrice: 98 });
      await trade(seats, 98);
    },
    reports: [
      "bob accepted #1 buy 1@97 limit day open=1 shown=1 (new-order)",
      "ann accepted #1 sell 3@96 stop-limit day trigger=98 open=3 (new-order)",
      ...traded(98),
      "ann entered #1 sell 3@96 limit open=3 shown=2 (triggered)",
      "ann fill #1 sell 1@97 taker open=2 (fill)",
      "bob fill #1 buy 1@97 maker open=0 shown-1 (fill)",
    ],
  },
  {
    name: "a trailing stop follows the last price, and never back",
    happens: async (seats) => {
      const { ann, bob } = seats;
      await trade(seats, 100);
      await bob.buy(1, 5, 90);
      await ann.sell(1, 2, 0, { type: OrderType.TRAILING_STOP, offset: 5 });
      await trade(seats, 104);
      await trade(seats, 101);
      await trade(seats, 99);
    },
    reports: [
      ...traded(100),
      "bob accepted #1 buy 5@90 limit day open=5 shown=5 (new-order)",
      "ann accepted #1 sell 2@0 trailing-stop day trigger=95 offset=5 open=2 (new-order)",
      ...traded(104),
      "ann trigger-moved #1 sell trigger=99 (trailed)",
      ...traded(101),
      ...traded(99),
      "ann entered #1 sell 2@0 market open=2 (triggered)",
      "ann fill #1 sell 2@90 taker open=0 (fill)",
      "bob fill #1 buy 2@90 maker open=3 shown-2 (fill)",
    ],
  },
  {
    name: "a market-if-touched order waits for the better price",
    happens: async (seats) => {
      const { ann, bob } = seats;
      await bob.buy(1, 5, 100);
      await ann.sell(1, 2, 99, { type: OrderType.MARKET_IF_TOUCHED, triggerPrice: 103 });
      await trade(seats, 102);
      await trade(seats, 103);
    },
    reports: [
      "bob accepted #1 buy 5@100 limit day open=5 shown=5 (new-order)",
      "ann accepted #1 sell 2@99 market-if-touched day trigger=103 open=2 (new-order)",
      ...traded(102),
      ...traded(103),
      "ann entered #1 sell 2@99 market open=2 (triggered)",
      "ann fill #1 sell 2@100 taker open=0 (fill)",
      "bob fill #1 buy 2@100 maker open=3 shown-2 (fill)",
    ],
  },
  {
    name: "a replaced trigger price is told, and the place in the line is lost",
    happens: async ({ ann }) => {
      await ann.sell(1, 2, 0, { type: OrderType.STOP, triggerPrice: 98 });
      await ann.replace(1, 0, 2, 97);
      await ann.replace(1, 90, 1);
    },
    reports: [
      "ann accepted #1 sell 2@0 stop day trigger=98 open=2 (new-order)",
      "ann replaced #1 sell 2@0 open=2 (replacement)",
      "ann trigger-moved #1 sell trigger=97 (replacement)",
      "ann replaced #1 sell 1@90 open=1 (replacement)",
    ],
  },
  {
    name: "when one of two partners trades, the other is cancelled",
    happens: async (seats) => {
      const { ann, bob } = seats;
      await ann.sell(1, 2, 110);
      await ann.sell(2, 2, 0, { type: OrderType.STOP, triggerPrice: 90, ocoClientOrderId: 1 });
      await bob.buy(1, 1, 110);
    },
    reports: [
      "ann accepted #1 sell 2@110 limit day open=2 shown=2 (new-order)",
      "ann accepted #2 sell 2@0 stop day trigger=90 partner=1 open=2 (new-order)",
      "bob accepted #1 buy 1@110 limit day open=1 (new-order)",
      "bob fill #1 buy 1@110 taker open=0 (fill)",
      "ann fill #1 sell 1@110 maker open=1 shown-1 (fill)",
      "ann cancelled #2 sell 2@0 open=0 (one-cancels-other)",
    ],
  },
  {
    name: "a primary peg follows its own side at an offset below 0 too",
    happens: async ({ ann, bob }) => {
      await ann.buy(1, 5, 100);
      await ann.buy(2, 5, 0, pegged(Peg.PRIMARY, -2));
      await bob.sell(1, 5, 100, IOC);
      await ann.buy(3, 1, 97);
      await bob.sell(2, 8, 95, IOC);
    },
    reports: [
      "ann accepted #1 buy 5@100 limit day open=5 shown=5 (new-order)",
      "ann accepted #2 buy 5@0 pegged day offset=-2 peg-primary open=5 (new-order)",
      "bob accepted #1 sell 5@100 limit immediate-or-cancel open=5 (new-order)",
      "bob fill #1 sell 5@100 taker open=0 (fill)",
      "ann fill #1 buy 5@100 maker open=0 shown-5 (fill)",
      "ann accepted #3 buy 1@97 limit day open=1 shown=1 (new-order)",
      "bob accepted #2 sell 8@95 limit immediate-or-cancel open=8 (new-order)",
      "bob fill #2 sell 1@97 taker open=7 (fill)",
      "ann fill #3 buy 1@97 maker open=0 shown-1 (fill)",
      "bob fill #2 sell 5@95 taker open=2 (fill)",
      "ann fill #2 buy 5@95 maker open=0 (fill)",
      "bob cancelled #2 sell 2@95 open=0 (immediate-remainder)",
    ],
  },
  {
    name: "a midpoint peg trades in the middle, and moves when the touch does",
    happens: async ({ ann, bob }) => {
      await ann.buy(1, 1, 100);
      await ann.sell(1 + 1, 1, 110);
      await ann.buy(3, 4, 0, pegged(Peg.MIDPOINT));
      await bob.sell(1, 1, 105);
      await bob.sell(2, 2, 104, { hidden: true });
      await ann.buy(4, 1, 103);
    },
    reports: [
      "ann accepted #1 buy 1@100 limit day open=1 shown=1 (new-order)",
      "ann accepted #2 sell 1@110 limit day open=1 shown=1 (new-order)",
      "ann accepted #3 buy 4@0 pegged day peg-midpoint open=4 (new-order)",
      "bob accepted #1 sell 1@105 limit day open=1 (new-order)",
      "bob fill #1 sell 1@105 taker open=0 (fill)",
      "ann fill #3 buy 1@105 maker open=3 (fill)",
      "bob accepted #2 sell 2@104 limit day hidden open=2 (new-order)",
      "bob fill #2 sell 2@105 taker open=0 (fill)",
      "ann fill #3 buy 2@105 maker open=1 (fill)",
      "ann accepted #4 buy 1@103 limit day open=1 shown=1 (new-order)",
    ],
  },
  {
    name: "a market peg follows the other side, but no further than its own limit",
    happens: async ({ ann, bob }) => {
      await bob.sell(1, 1, 110);
      await bob.sell(2, 3, 103, { hidden: true });
      await bob.sell(3, 3, 104, { hidden: true });
      await ann.buy(1, 5, 103, pegged(Peg.MARKET, -4));
    },
    reports: [
      "bob accepted #1 sell 1@110 limit day open=1 shown=1 (new-order)",
      "bob accepted #2 sell 3@103 limit day hidden open=3 (new-order)",
      "bob accepted #3 sell 3@104 limit day hidden open=3 (new-order)",
      "ann accepted #1 buy 5@103 pegged day offset=-4 peg-market open=5 (new-order)",
      "ann fill #1 buy 3@103 taker open=2 (fill)",
      "bob fill #2 sell 3@103 maker open=0 (fill)",
    ],
  },
  {
    name: "a peg that moves to a price at which it can trade, does",
    happens: async ({ ann, bob }) => {
      await bob.sell(1, 1, 110);
      await bob.sell(2, 3, 104, { hidden: true });
      await ann.buy(1, 2, 0, pegged(Peg.MARKET, -8));
      await bob.sell(3, 1, 120);
      await bob.cancel(1);
    },
    reports: [
      "bob accepted #1 sell 1@110 limit day open=1 shown=1 (new-order)",
      "bob accepted #2 sell 3@104 limit day hidden open=3 (new-order)",
      "ann accepted #1 buy 2@0 pegged day offset=-8 peg-market open=2 (new-order)",
      "bob accepted #3 sell 1@120 limit day open=1 shown=1 (new-order)",
      "bob cancelled #1 sell 1@110 open=0 shown-1 (requested)",
      "ann entered #1 buy 2@112 pegged open=2 (peg-moved)",
      "ann fill #1 buy 2@104 taker open=0 (fill)",
      "bob fill #2 sell 2@104 maker open=1 (fill)",
    ],
  },
];

export const CHANGE_CASES: readonly OrderCase[] = [
  {
    name: "less quantity and a reduction keep the place, all other changes lose it",
    happens: async ({ ann, bob }) => {
      await ann.sell(1, 10, 105);
      await ann.sell(2, 10, 105);
      await ann.replace(1, 105, 8);
      await ann.reduce(1, 3);
      await bob.buy(1, 1, 105);
      await ann.replace(1, 105, 9);
      await bob.buy(2, 1, 105);
      await ann.replace(2, 106, 10);
      await ann.reduce(2, 100);
    },
    reports: [
      "ann accepted #1 sell 10@105 limit day open=10 shown=10 (new-order)",
      "ann accepted #2 sell 10@105 limit day open=10 shown=10 (new-order)",
      "ann replaced #1 sell 8@105 open=8 shown=8 place-kept (replacement)",
      "ann replaced #1 sell 5@105 open=5 shown=5 place-kept (reduction)",
      "bob accepted #1 buy 1@105 limit day open=1 (new-order)",
      "bob fill #1 buy 1@105 taker open=0 (fill)",
      "ann fill #1 sell 1@105 maker open=4 shown-1 (fill)",
      "ann replaced #1 sell 9@105 open=8 shown=8 (replacement)",
      "bob accepted #2 buy 1@105 limit day open=1 (new-order)",
      "bob fill #2 buy 1@105 taker open=0 (fill)",
      "ann fill #2 sell 1@105 maker open=9 shown-1 (fill)",
      "ann replaced #2 sell 10@106 open=9 shown=9 (replacement)",
      "ann cancelled #2 sell 9@106 open=0 shown-9 (requested)",
    ],
  },
  {
    name: "a replacement may trade, and ends the order when all of it was executed",
    happens: async ({ ann, bob }) => {
      await ann.sell(1, 4, 105);
      await bob.buy(1, 3, 100);
      await bob.replace(1, 105, 3);
      await ann.replace(1, 105, 3);
      await ann.replace(1, 105, 3);
    },
    reports: [
      "ann accepted #1 sell 4@105 limit day open=4 shown=4 (new-order)",
      "bob accepted #1 buy 3@100 limit day open=3 shown=3 (new-order)",
      "bob replaced #1 buy 3@105 open=3 (replacement)",
      "bob fill #1 buy 3@105 taker open=0 (fill)",
      "ann fill #1 sell 3@105 maker open=1 shown-3 (fill)",
      "ann cancelled #1 sell 1@105 open=0 shown-1 (replaced-below-executed)",
      "ann rejected #1 unknown-order",
    ],
  },
  {
    name: "a mass cancel ends what its filter chooses",
    happens: async ({ ann }) => {
      for (const [id, price] of [90, 91, 92].entries()) await ann.buy(id + 1, 1, price);
      await ann.sell(4, 1, 110);
      await ann.sell(5, 1, 111, { account: "ann-fund" });
      await ann.massCancel({ lowPrice: 91, highPrice: 92, side: Side.BUY });
      await ann.massCancel({ account: "ann-fund" });
      await ann.massCancel({ side: Side.SELL });
      await ann.massCancel();
    },
    reports: [
      ...[90, 91, 92].map(
        (price, index) => `ann accepted #${index + 1} buy 1@${price} limit day open=1 shown=1 (new-order)`,
      ),
      "ann accepted #4 sell 1@110 limit day open=1 shown=1 (new-order)",
      "ann accepted #5 sell 1@111 limit day for=ann-fund open=1 shown=1 (new-order)",
      "ann cancelled #2 buy 1@91 open=0 shown-1 (mass-cancel)",
      "ann cancelled #3 buy 1@92 open=0 shown-1 (mass-cancel)",
      "ann mass-cancelled 2@0 open=0 (mass-cancel)",
      "ann cancelled #5 sell 1@111 open=0 shown-1 (mass-cancel)",
      "ann mass-cancelled 1@0 open=0 (mass-cancel)",
      "ann cancelled #4 sell 1@110 open=0 shown-1 (mass-cancel)",
      "ann mass-cancelled 1@0 open=0 (mass-cancel)",
      "ann cancelled #1 buy 1@90 open=0 shown-1 (mass-cancel)",
      "ann mass-cancelled 1@0 open=0 (mass-cancel)",
    ],
  },
  ...selfTradeCases(),
];

/** Orders of ann for her fund meet orders of her own: both are of one group. */
function selfTradeCases(): OrderCase[] {
  const own = "ann accepted #1 sell 5@105 limit day open=5 shown=5 (new-order)";
  const accepted = (words: string, shown = ""): string =>
    `ann accepted #2 buy 3@105 limit day self-trade-${words} for=ann-fund open=3${shown} (new-order)`;
  const cases: readonly [string, SelfTrade, string[]][] = [
    [
      "the newer one",
      SelfTrade.CANCEL_NEWEST,
      [accepted("cancel-newest"), "ann cancelled #2 buy 3@105 open=0 (self-trade)"],
    ],
    [
      "the older one",
      SelfTrade.CANCEL_OLDEST,
      [accepted("cancel-oldest", " shown=3"), "ann cancelled #1 sell 5@105 open=0 shown-5 (self-trade)"],
    ],
    [
      "both",
      SelfTrade.CANCEL_BOTH,
      [
        accepted("cancel-both"),
        "ann cancelled #1 sell 5@105 open=0 shown-5 (self-trade)",
        "ann cancelled #2 buy 3@105 open=0 (self-trade)",
      ],
    ],
    [
      "the smaller quantity of both",
      SelfTrade.DECREMENT,
      [
        accepted("decrement"),
        "ann decremented #1 sell 2@105 open=2 shown-3 (self-trade)",
        "ann cancelled #2 buy 3@105 open=0 (self-trade)",
      ],
    ],
  ];
  return cases.map(([what, selfTrade, reports]) => ({
    name: `when two orders of one group meet, self-trade prevention cancels ${what}`,
    happens: async ({ ann }) => {
      await ann.sell(1, 5, 105);
      await ann.buy(2, 3, 105, { selfTrade, account: "ann-fund" });
    },
    reports: [own, ...reports],
  }));
}

/** An order of ann that is refused, and why. */
export const REFUSED_ORDERS: readonly [string, Extra][] = [
  ["invalid-quantity", { quantity: -1 }],
  ["invalid-price", { price: -1 }],
  ["invalid-combination", { hidden: true, displayQuantity: 5 }],
  ["invalid-combination", { peg: Peg.PRIMARY }],
  ["invalid-combination", { allOrNone: true, hidden: true }],
  ["invalid-display-quantity", { displayQuantity: 10 }],
  ["invalid-display-quantity", { displayQuantity: -1 }],
  ["invalid-minimum-quantity", { minQuantity: 11 }],
  ["invalid-trigger-price", { type: OrderType.STOP, price: 0 }],
  ["invalid-trigger-price", { type: OrderType.STOP, price: 0, triggerPrice: -5 }],
  ["invalid-offset", { type: OrderType.TRAILING_STOP, price: 0, triggerPrice: 90, offset: -1 }],
  ["invalid-peg", { type: OrderType.PEGGED }],
  ["invalid-peg", { type: OrderType.PEGGED, peg: 9 as Peg }],
  ["invalid-expiry", { timeInForce: TimeInForce.GOOD_TILL_DATE, expiryUs: 1 }],
  ["invalid-instruction", { postOnly: 9 as PostOnly }],
  ["invalid-instruction", { selfTrade: 9 as SelfTrade }],
  ["invalid-order-type", { type: 9 as OrderType }],
  ["invalid-time-in-force", { timeInForce: 9 as TimeInForce }],
  ["invalid-time-in-force", { type: OrderType.MARKET, price: 0 }],
  ["wrong-phase", { timeInForce: TimeInForce.AT_THE_OPEN }],
  ["unknown-partner", { ocoClientOrderId: 77 }],
  ["no-reference-price", { type: OrderType.TRAILING_STOP, price: 0, offset: 5 }],
  ["unknown-account", { account: "bob" }],
  ["unknown-account", { account: "nobody" }],
];

/** An instrument with every bound, and what it refuses of ann's orders of 10 at 1000. */
export const GUARDED = {
  symbol: "GUARDED",
  tick: 5,
  tick_bands: [{ from: 1000, tick: 10 }],
  lot: 10,
  price_max: 2000,
  quantity_max: 1000,
  notional_max: 500_000,
  reference_price: 1000,
  fat_finger_width: 2000,
  collars: { action: "reject", static_width: 1000 },
} as const;
export const GUARDED_REFUSALS: readonly [string, Extra][] = [
  ["quantity-off-lot", { quantity: 15 }],
  ["quantity-too-large", { quantity: 2000 }],
  ["price-off-tick", { price: 1005 }],
  ["price-too-high", { price: 2010 }],
  ["notional-too-large", { quantity: 510 }],
  ["far-from-reference", { price: 1210 }],
  ["outside-collar", { price: 1110 }],
  ["position-limit", { quantity: 60, account: "ann-small" }],
  ["credit-limit", { quantity: 30, account: "ann-poor" }],
  ["price-required", { price: 0, account: "ann-poor", ...pegged(Peg.PRIMARY) }],
];
