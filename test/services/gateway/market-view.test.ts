import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { EventBatch } from "../../../proto/generated/evercross/v1/event.ts";
import { EventReason, Side } from "../../../proto/generated/evercross/v1/types.ts";
import { RowChanges } from "../../../runtime/log/row-changes.ts";
import { ShownOrders } from "../../../services/client/shown-orders.ts";
import { materialise } from "../../../services/crossing/materialise.ts";
import { PriceLevels } from "../../../services/flow/price-levels.ts";
import { type Body, type Interest, MarketView } from "../../../services/gateway/market-view.ts";
import { OrderView } from "../../../services/gateway/order-view.ts";
import { tradesOf } from "../../../services/gateway/trades.ts";
import type { Setup } from "../../engine/flow.ts";
import { SETUPS } from "../../engine/setups.ts";
import { BookFlow } from "../../support/book-flow.ts";
import { mixedJob, MixedFlow } from "../../support/mixed-flow.ts";
import { StoredRows } from "../../support/stored-rows.ts";

const BATCHES = 60;
const ALL = (): boolean => true;
const INTERESTS: readonly Interest[] = ["auction", "top", "book"];

/** What a client makes of the messages about one symbol, of whichever kind. */
class Follower {
  readonly levels = new PriceLevels();
  readonly orders = new ShownOrders();
  /** The last message of each kind that tells a whole state. */
  readonly last = new Map<string, Body>();
  readonly events: number[] = [];

  hear(bodies: readonly Body[]): void {
    for (const body of bodies) {
      this.last.set(body.$case, body);
      switch (body.$case) {
        case "bookSnapshot":
          for (const { side, price, quantity } of body.value.levels) this.levels.set(side, price, quantity);
          break;
        case "bookUpdate":
          for (const { side, price, quantity } of body.value.changes) this.levels.set(side, price, quantity);
          this.events.push(...body.value.changes.map(({ event }) => event));
          break;
        case "ordersSnapshot":
          this.orders.snapshot(body.value);
          break;
        case "ordersUpdate":
          this.orders.update(body.value);
          break;
        default:
      }
    }
  }

  /** Everything known, for comparison. */
  known(): unknown {
    const top = this.last.get("top");
    const phase = this.last.get("phase");
    return {
      levels: [Side.BUY, Side.SELL].map((side) => this.levels.best(side)),
      orders: [Side.BUY, Side.SELL].map((side) => this.orders.side(side)),
      top: top?.$case === "top" && [
        top.value.bid,
        top.value.bidQuantity,
        top.value.ask,
        top.value.askQuantity,
      ],
      phase: phase?.$case === "phase" && [phase.value.phase, phase.value.untilUs, phase.value.referencePrice],
    };
  }
}

/** The same of the book itself. */
function knownOf({ book }: BookFlow): unknown {
  const sides = [Side.BUY, Side.SELL] as const;
  const levels = sides.map((side) =>
    book.levels(side, Infinity).map(({ price, quantity }) => ({ price, quantity })),
  );
  const shown = [...book.orders()].filter((order) => order.shown > 0);
  const { phase, until, referencePrice } = book.state();
  const best = (side: number): number[] => [levels[side]?.[0]?.price ?? 0, levels[side]?.[0]?.quantity ?? 0];
  return {
    levels,
    orders: sides.map((which) =>
      shown
        .filter(({ side }) => side === which)
        .map(({ orderId, side, price, shown: quantity, priority }) => ({
          orderId,
          side,
          price,
          quantity,
          priority,
        })),
    ),
    top: [...best(0), ...best(1)],
    phase: [phase, until, referencePrice],
  };
}

describe.each(SETUPS)("who follows $instrument.symbol at a gateway", (setup) => {
  test("knows levels, orders, best prices and phase of the book, whenever it began to follow", () => {
    fc.assert(
      fc.property(fc.noShrink(fc.integer()), fc.nat({ max: BATCHES - 1 }), (seed, joins) => {
        const flow = new BookFlow(setup, seed);
        const market = new MarketView(setup.instrument);
        const orders = new OrderView(setup.instrument);
        const follower = new Follower();
        const join = (entry: number): void => {
          for (const interest of INTERESTS) follower.hear(market.snapshot(interest, entry));
          follower.hear(orders.snapshot(entry));
        };
        if (joins === 0) join(0);
        for (let entry = 1; entry <= BATCHES; entry++) {
          const batch = flow.batch(5);
          const follows = entry > joins;
          const { auction, top, book } = market.apply(entry, batch, () => follows);
          const lines = orders.apply(entry, batch, follows);
          if (entry < joins) continue;
          if (entry === joins) join(entry);
          else follower.hear([...auction, ...top, ...book, ...lines]);
          expect(follower.known()).toEqual(knownOf(flow));
        }
        expect(follower.events).toEqual([...follower.events].sort((one, other) => one - other));
      }),
      { numRuns: 4 },
    );
  });
});

/** Builds both views from stored rows, as of this event. */
function viewsFrom(setup: Setup, rows: StoredRows): { market: MarketView; orders: OrderView } {
  const market = new MarketView(setup.instrument);
  const orders = new OrderView(setup.instrument);
  for (const [key, value] of rows.sorted()) {
    market.row(key, value);
    orders.row(key, value);
  }
  market.rowsEnd();
  orders.rowsEnd();
  return { market, orders };
}

describe.each(SETUPS)("a gateway that comes late to $instrument.symbol", (setup) => {
  test("learns from rows, the last indication and later entries what the others know", () => {
    fc.assert(
      fc.property(fc.noShrink(fc.integer()), fc.nat({ max: BATCHES - 1 }), (seed, comes) => {
        const flow = new MixedFlow(setup, seed);
        const job = mixedJob(setup);
        job.restored();
        const rows = new StoredRows();
        const changes = new RowChanges();
        const batches: EventBatch[] = [];
        const early = viewsFrom(setup, rows);
        let late: typeof early | undefined;
        for (let entry = 1; entry <= BATCHES; entry++) {
          const requests = flow.next(5).map((data) => ({ data, reply: undefined }));
          const { payload } = job.step(flow.nowUs, requests, { epoch: 1, entry: 0 });
          if (payload === undefined) continue;
          const batch = EventBatch.decode(payload);
          batches.push(batch);
          for (const views of [early, late]) {
            views?.market.apply(entry, batch);
            views?.orders.apply(entry, batch);
          }
          for (const change of materialise(payload)) changes.add(change);
          if (late === undefined && entry > comes) {
            rows.store(changes.take());
            const { market, orders } = viewsFrom(setup, rows);
            if (market.isAuction) batches.toReversed().some((one) => market.recall(one));
            late = { market, orders };
          }
          if (late === undefined) continue;
          for (const interest of INTERESTS) {
            expect(late.market.snapshot(interest, entry)).toEqual(early.market.snapshot(interest, entry));
          }
          expect(late.orders.snapshot(entry)).toEqual(early.orders.snapshot(entry));
        }
      }),
      { numRuns: 4 },
    );
  });
});

describe("market data", () => {
  const hidden = /client|session|account|hidden|leaves/i;

  test("tells nobody of sessions, accounts or what is not shown", () => {
    const setup = SETUPS[0];
    if (setup === undefined) throw new Error("there is no setup");
    const flow = new BookFlow(setup, 7);
    const market = new MarketView(setup.instrument);
    const orders = new OrderView(setup.instrument);
    const names = new Set<string>();
    const collect = (value: unknown): void => {
      if (typeof value !== "object" || value === null) return;
      for (const [name, inner] of Object.entries(value)) {
        names.add(name);
        collect(inner);
      }
    };
    for (let entry = 1; entry <= BATCHES; entry++) {
      const batch = flow.batch(20);
      const { auction, top, book } = market.apply(entry, batch, ALL);
      for (const body of [...auction, ...top, ...book, ...orders.apply(entry, batch, true)])
        collect(body.value);
      for (const body of tradesOf("A", entry, batch)) collect(body.value);
      for (const interest of INTERESTS) collect(market.snapshot(interest, entry));
      collect(orders.snapshot(entry));
    }
    expect([...names].filter((name) => hidden.test(name))).toEqual([]);
    expect(names).toContain("orderId");
  });

  test("names no taker in an auction", () => {
    const kinds = new Set<string>();
    const look = (batch: EventBatch): void => {
      for (const body of tradesOf("A", 1, batch)) {
        const { reason, takerSide } = body.value;
        kinds.add(`${reason === EventReason.AUCTION_FILL} ${takerSide === Side.UNSPECIFIED}`);
      }
    };
    for (const setup of SETUPS) {
      const flow = new BookFlow(setup, 3);
      for (let entry = 1; entry <= BATCHES; entry++) look(flow.batch(20));
    }
    expect([...kinds].sort()).toEqual(["false false", "true true"]);
  });
});
