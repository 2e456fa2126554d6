import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Side } from "../../engine/codes.ts";
import { EVENT_WIDTH } from "../../engine/event-fields.ts";
import { InvariantError } from "../../engine/invariant.ts";
import { OrderFeed, type ShownOrder } from "../../engine/order-feed.ts";
import { followShown } from "../../engine/shown-book.ts";
import { ShownFlow, shownSteps } from "./shown-flow.ts";

const { BUY, SELL } = Side;

describe("the order feed", () => {
  test("rebuilds every shown order in its line and tells each that changes, also after a restore", () => {
    fc.assert(
      fc.property(shownSteps, fc.nat({ max: 80 }), (steps, restoreAt) => {
        const told = new Map<number, ShownOrder>();
        const listen = (
          orderId: number,
          side: Side,
          price: number,
          shown: number,
          priority: number,
        ): void => {
          if (shown === 0) told.delete(orderId);
          else told.set(orderId, { orderId, side, price, shown, priority });
        };
        let feed = new OrderFeed(1, listen);
        const flow = new ShownFlow();
        for (const [at, step] of steps.entries()) {
          if (at === restoreAt) {
            const orders = [...feed.orders(BUY), ...feed.orders(SELL)];
            feed = new OrderFeed(1, listen);
            for (const order of orders.sort((one, other) => one.orderId - other.orderId)) feed.restore(order);
            feed.finishRestore();
          }
          flow.step(step);
          for (let index = 0; index < flow.events.length; index++) {
            followShown(feed, flow.events.values, index * EVENT_WIDTH);
          }
          const expected = [...flow.shownOrders(BUY), ...flow.shownOrders(SELL)];
          expect([...feed.orders(BUY), ...feed.orders(SELL)]).toEqual(expected);
          expect(feed.size).toBe(expected.length);
          expect(told.size).toBe(expected.length);
          for (const order of expected) {
            expect(told.get(order.orderId)).toEqual(order);
            expect(feed.find(order.orderId)).toEqual(order);
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  test("throws when an event contradicts what is shown", () => {
    const shows = (): OrderFeed => {
      const feed = new OrderFeed(1);
      feed.shows(4, 1, BUY, 100, 5);
      return feed;
    };
    const wrong: ((feed: OrderFeed) => void)[] = [
      (feed) => feed.hides(2, BUY, 100, 1),
      (feed) => feed.hides(1, SELL, 100, 1),
      (feed) => feed.hides(1, BUY, 101, 1),
      (feed) => feed.hides(1, BUY, 100, 6),
      (feed) => feed.traded(SELL, 100, 9, 1, 1, 5, true),
      (feed) => feed.replaced(5, 1, BUY, 99, 5, 99, 4, true),
      (feed) => feed.shows(4, 2, BUY, 100, 5),
    ];
    for (const event of wrong) expect(() => event(shows())).toThrow(InvariantError);
    const twice = shows();
    twice.restore({ orderId: 1, side: BUY, price: 90, shown: 1, priority: 9 });
    expect(() => twice.finishRestore()).toThrow("order 1 is shown twice");
    expect(shows().find(2)).toBeUndefined();
  });
});
