import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Side } from "../../engine/codes.ts";
import { EventBuffer } from "../../engine/event-buffer.ts";
import { EVENT_WIDTH } from "../../engine/event-fields.ts";
import { Indication } from "../../engine/indication.ts";
import { LevelBook } from "../../engine/level-book.ts";
import { OrderBook } from "../../engine/order-book.ts";
import { OrderFeed } from "../../engine/order-feed.ts";
import { followShown } from "../../engine/shown-book.ts";
import { configure, execute } from "./flow.ts";
import { FlowGenerator } from "./flow-generator.ts";
import { SETUPS } from "./setups.ts";

const STEPS = 400;
const SIDES = [Side.BUY, Side.SELL];

describe.each(SETUPS)("who follows a random flow on $instrument.symbol by its events", (setup) => {
  test("shows the levels, the orders in their lines and the phase that the book has", () => {
    fc.assert(
      fc.property(fc.noShrink(fc.integer()), (seed) => {
        const generator = new FlowGenerator(setup, seed);
        const events = new EventBuffer();
        const book = new OrderBook(setup.instrument, events);
        configure(book, setup);
        const { tick, initialPhase, referencePrice } = setup.instrument;
        const levels = new LevelBook(tick);
        const feed = new OrderFeed(tick);
        const indication = new Indication(initialPhase, referencePrice);
        for (let step = 0; step < STEPS; step++) {
          events.clear();
          execute(book, generator.next());
          for (let base = 0; base < events.length * EVENT_WIDTH; base += EVENT_WIDTH) {
            followShown(levels, events.values, base);
            followShown(feed, events.values, base);
            indication.follow(events.values, base);
          }
          for (const side of SIDES) {
            const shown = book.levels(side, Infinity).map(({ price, quantity }) => ({ price, quantity }));
            expect(levels.levels(side, Infinity)).toEqual(shown);
          }
          const orders = [...book.orders()].filter((order) => order.shown > 0);
          expect(SIDES.flatMap((side) => [...feed.orders(side)])).toEqual(
            orders.map(({ orderId, side, price, shown, priority }) => ({
              orderId,
              side,
              price,
              shown,
              priority,
            })),
          );
          const { phase, until, referencePrice: reference } = book.state();
          expect([indication.phase, indication.until, indication.referencePrice]).toEqual([
            phase,
            until,
            reference,
          ]);
        }
      }),
      { numRuns: 10 },
    );
  });
});
