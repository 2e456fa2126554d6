import { describe, expect, test } from "vitest";
import {
  AuctionRule,
  EventReason,
  MatchingPolicy,
  OrderType,
  Peg,
  Phase,
  PostOnly,
  SelfTrade,
  Side,
  TimeInForce,
} from "../../engine/codes.ts";
import type { Instrument } from "../../engine/instrument.ts";
import { OrderEntry } from "../../engine/order-entry.ts";
import { configure, execute, type Setup, tell } from "./flow.ts";
import { NaiveBook } from "./naive/naive-book.ts";

const { BUY, SELL } = Side;
const PLAIN: Instrument = { symbol: "X", tick: 1, lot: 1, priceMax: 1_000_000, quantityMax: 1_000_000 };

/** A naive book with its rules spelled out by hand: each test says what RULES.md says of it. */
class Bench {
  readonly book: NaiveBook;
  private nextId = 1;

  constructor(instrument: Partial<Instrument> = {}, accounts: Setup["accounts"] = []) {
    const setup = { instrument: { ...PLAIN, ...instrument }, accounts };
    this.book = new NaiveBook(setup.instrument);
    configure(this.book, setup);
  }

  /** Enters a limit order for the day, unless the terms say other; each has the next order id from 1. */
  enter(side: Side, quantity: number, price: number, terms: Partial<OrderEntry> = {}, account = 1): number {
    const entry = new OrderEntry().plain(
      this.nextId,
      side,
      OrderType.LIMIT,
      TimeInForce.DAY,
      price,
      quantity,
    );
    execute(this.book, { do: "enter", account, terms: Object.assign(entry, terms) });
    return this.nextId++;
  }

  phase(phase: Phase): void {
    execute(this.book, { do: "setPhase", phase, until: 0, reason: EventReason.OPERATOR });
  }

  /** What happened since the last call: `1x5@100+2` is 5 at 100 between order 1, the taker, and order 2. */
  happened(): string {
    return this.book
      .takeEvents()
      .map(({ kind, fields }) => {
        if (kind === "TRADE") {
          return `${fields.ORDER_ID}x${fields.QUANTITY}@${fields.PRICE}+${fields.MAKER_ORDER_ID}`;
        }
        if (kind === "CANCELLED") return `-${fields.ORDER_ID}:${fields.REASON}`;
        if (kind === "ENTERED") return `>${fields.ORDER_ID}`;
        if (kind === "REFRESHED") return `*${fields.ORDER_ID}`;
        if (kind === "REJECTED") return `!${fields.REASON}`;
        if (kind === "TRIGGER_MOVED") return `${fields.ORDER_ID}^${fields.PRICE}`;
        if (kind === "UNCROSS") return `=${fields.QUANTITY}@${fields.PRICE}`;
        return "";
      })
      .filter((text) => text !== "")
      .join(" ");
  }
}

describe("in continuous trading", () => {
  test("an iceberg that meets an iceberg is refreshed behind the others of its price, again and again", () => {
    const bench = new Bench();
    bench.enter(SELL, 5, 100, { displayQuantity: 2 });
    bench.enter(SELL, 1, 100);
    bench.enter(BUY, 8, 100, { displayQuantity: 3 });
    expect(bench.happened()).toBe("3x2@100+1 *1 3x1@100+2 3x2@100+1 *1 3x1@100+1");
    expect(bench.book.levels(BUY, 1)).toEqual([{ price: 100, quantity: 2, orders: 1 }]);
  });

  test("a fill-or-kill order counts what is hidden, and is killed by what is missing", () => {
    const bench = new Bench();
    bench.enter(SELL, 3, 100, { hidden: true });
    bench.enter(SELL, 4, 100, { displayQuantity: 1 });
    bench.enter(BUY, 8, 100, { timeInForce: TimeInForce.FILL_OR_KILL });
    bench.enter(BUY, 7, 100, { timeInForce: TimeInForce.FILL_OR_KILL });
    expect(bench.happened()).toBe("-3:4 4x1@100+2 *2 4x1@100+2 *2 4x1@100+2 *2 4x1@100+2 4x3@100+1");
  });

  test("an all-or-none order is passed by until it can be filled whole", () => {
    const bench = new Bench();
    bench.enter(SELL, 5, 100, { allOrNone: true });
    bench.enter(SELL, 5, 101);
    bench.enter(BUY, 3, 101);
    expect(bench.happened()).toBe("3x3@101+2");
    bench.enter(BUY, 4, 100);
    expect(bench.happened()).toBe("");
    bench.enter(BUY, 1, 100);
    expect(bench.happened()).toBe(">1 1x4@100+4 1x1@100+5");
  });

  test("a stop's trades trigger the next stop", () => {
    const bench = new Bench();
    const stop = { type: OrderType.STOP, triggerPrice: 99 };
    bench.enter(BUY, 1, 100);
    bench.enter(BUY, 2, 99);
    bench.enter(BUY, 9, 97);
    bench.enter(SELL, 3, 0, { ...stop, triggerPrice: 100 }, 2);
    bench.enter(SELL, 2, 0, { ...stop, triggerPrice: 97 }, 2);
    bench.happened();
    bench.enter(SELL, 1, 100, {}, 2);
    expect(bench.happened()).toBe("6x1@100+1 >4 4x2@99+2 4x1@97+3 >5 5x2@97+3");
  });

  test("a trailing stop follows the last price up and not down", () => {
    const bench = new Bench();
    const trade = (price: number): void => {
      bench.enter(SELL, 1, price, {}, 2);
      bench.enter(BUY, 1, price, {}, 3);
    };
    trade(100);
    bench.enter(SELL, 1, 0, { type: OrderType.TRAILING_STOP, offset: 5 });
    bench.happened();
    trade(103);
    trade(101);
    expect(bench.happened()).toBe("5x1@103+4 3^98 7x1@101+6");
  });

  test("a pegged order never crosses the shown book, and trades with what is hidden when it moves", () => {
    const bench = new Bench();
    bench.enter(BUY, 1, 95);
    bench.enter(SELL, 1, 100);
    bench.enter(BUY, 5, 0, { type: OrderType.PEGGED, peg: Peg.MARKET, offset: 3 }, 2);
    bench.enter(SELL, 2, 99, { hidden: true }, 3);
    expect(bench.happened()).toBe("4x2@99+3");
    bench.enter(SELL, 1, 102, { hidden: true }, 3);
    bench.enter(SELL, 1, 103, {}, 3);
    execute(bench.book, { do: "cancel", account: 1, id: 2 });
    expect(bench.happened()).toBe("-2:1 >3 3x1@102+5");
  });

  test("a partner ends at the first fill, before the next one", () => {
    const bench = new Bench();
    bench.enter(SELL, 1, 100);
    bench.enter(SELL, 1, 101);
    bench.enter(SELL, 1, 101, { oco: 1 });
    bench.enter(BUY, 3, 101, {}, 2);
    expect(bench.happened()).toBe("4x1@100+1 -3:12 4x1@101+2");
  });

  test("a post-only order is refused, or gets the price one tick worse than the best", () => {
    const bench = new Bench({ tick: 5 });
    bench.enter(SELL, 1, 100);
    bench.enter(BUY, 1, 100, { postOnly: PostOnly.REJECT });
    bench.enter(BUY, 1, 110, { postOnly: PostOnly.REPRICE });
    expect(bench.happened()).toBe("!231");
    expect(bench.book.levels(BUY, 1)).toEqual([{ price: 95, quantity: 1, orders: 1 }]);
  });

  test("pro-rata gives each its share, rounded down, and the rest by priority", () => {
    const bench = new Bench({ policy: MatchingPolicy.PRO_RATA });
    for (const quantity of [10, 20, 30]) bench.enter(SELL, quantity, 100);
    bench.enter(BUY, 10, 100, {}, 2);
    // 10/60, 20/60 and 30/60 of 10 are 1, 3 and 5; the one that is left over is the first's.
    expect(bench.happened()).toBe("4x2@100+1 4x3@100+2 4x5@100+3");
  });

  test("price-size-time gives the larger one first", () => {
    const bench = new Bench({ policy: MatchingPolicy.PRICE_SIZE_TIME });
    for (const quantity of [2, 5, 5]) bench.enter(SELL, quantity, 100);
    bench.enter(BUY, 11, 100, {}, 2);
    expect(bench.happened()).toBe("4x5@100+2 4x5@100+3 4x1@100+1");
  });

  test("what follows waits when a request has caused so many events", () => {
    const bench = new Bench({ requestEvents: 2 });
    bench.enter(BUY, 9, 100);
    bench.enter(SELL, 1, 0, { type: OrderType.STOP, triggerPrice: 100 }, 2);
    bench.happened();
    const entry = new OrderEntry().plain(9, SELL, OrderType.LIMIT, TimeInForce.DAY, 100, 1);
    tell(bench.book, { do: "enter", account: 3, terms: entry });
    expect(bench.happened()).toBe("3x1@100+1");
    expect(bench.book.pending).toBe(true);
    bench.book.proceed();
    expect(bench.happened()).toBe(">2 2x1@100+1");
    expect(bench.book.pending).toBe(false);
  });
});

describe("in an auction", () => {
  const auction = (auctionRule: AuctionRule, accounts: Setup["accounts"] = []): Bench =>
    new Bench({ auctionRule, initialPhase: Phase.OPENING_AUCTION, referencePrice: 108 }, accounts);

  test.each([
    ["Shanghai takes the middle", AuctionRule.SHANGHAI, 105],
    ["Xetra the limit nearest to the reference", AuctionRule.XETRA, 110],
    ["Nasdaq the reference itself", AuctionRule.NASDAQ, 108],
  ])("%s of the prices that give as much", (_, rule, price) => {
    const bench = auction(rule);
    bench.enter(BUY, 5, 110);
    bench.enter(SELL, 5, 100, {}, 2);
    bench.phase(Phase.CONTINUOUS);
    expect(bench.happened()).toBe(`=5@${price} 1x5@${price}+2`);
  });

  test("market orders at the open come first, and what is left of them ends", () => {
    const bench = auction(AuctionRule.XETRA);
    const atOpen = { type: OrderType.MARKET, timeInForce: TimeInForce.AT_THE_OPEN };
    bench.enter(BUY, 5, 101);
    bench.enter(BUY, 4, 0, atOpen, 2);
    bench.enter(SELL, 3, 100, {}, 3);
    bench.phase(Phase.CONTINUOUS);
    expect(bench.happened()).toBe("=3@101 2x3@101+3 -2:13");
  });

  test("orders that self-trade prevention leaves to meet are uncrossed too", () => {
    const group = { selfTradeGroup: 1, selfTrade: SelfTrade.CANCEL_NEWEST };
    const bench = auction(AuctionRule.SHANGHAI, [
      [1, group],
      [2, group],
    ]);
    bench.enter(SELL, 6, 98, {}, 2);
    bench.enter(BUY, 2, 99, {}, 3);
    bench.enter(BUY, 8, 105, {}, 1);
    // 3 is the younger one of its group and ends; 2 and 1 would be left crossed.
    bench.phase(Phase.CONTINUOUS);
    expect(bench.happened()).toBe("=6@105 -3:8 =2@98 2x2@98+1");
  });
});
