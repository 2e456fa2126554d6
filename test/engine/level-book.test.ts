import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Side } from "../../engine/codes.ts";
import { EVENT_WIDTH } from "../../engine/event-fields.ts";
import { InvariantError } from "../../engine/invariant.ts";
import { LevelBook } from "../../engine/level-book.ts";
import { followShown } from "../../engine/shown-book.ts";
import { Touch } from "../../engine/touch.ts";
import { ShownFlow, shownSteps } from "./shown-flow.ts";

const { BUY, SELL } = Side;

describe("the level book", () => {
  test("rebuilds what is shown at each price, tells each level that changes, and the touch", () => {
    fc.assert(
      fc.property(shownSteps, (steps) => {
        const told = { [BUY]: new Map<number, number>(), [SELL]: new Map<number, number>() };
        const book = new LevelBook(1, (side, price, quantity) => {
          if (quantity === 0) told[side].delete(price);
          else told[side].set(price, quantity);
        });
        const touch = new Touch(book);
        let last = [0, 0, 0, 0];
        const flow = new ShownFlow();
        for (const step of steps) {
          flow.step(step);
          for (let index = 0; index < flow.events.length; index++) {
            followShown(book, flow.events.values, index * EVENT_WIDTH);
          }
          const tops: number[] = [];
          for (const side of [BUY, SELL]) {
            const expected = new Map<number, number>();
            for (const { price, shown } of flow.shownOrders(side)) {
              expected.set(price, (expected.get(price) ?? 0) + shown);
            }
            const levels = book.levels(side, Infinity).map(({ price, quantity }) => [price, quantity]);
            expect(levels).toEqual([...expected]);
            expect(told[side]).toEqual(expected);
            tops.push(...([...expected][0] ?? [0, 0]));
          }
          expect(touch.update()).toBe(tops.some((number, at) => number !== last[at]));
          expect([touch.bidPrice, touch.bidQuantity, touch.askPrice, touch.askQuantity]).toEqual(tops);
          last = tops;
        }
      }),
      { numRuns: 500 },
    );
  });

  test("tells a level that a replacement leaves and enters once, and nothing that is not shown", () => {
    const told: number[][] = [];
    const book = new LevelBook(1, (...change) => told.push(change));
    book.shows(1, 1, BUY, 100, 50);
    book.shows(2, 2, BUY, 100, 0);
    book.replaced(3, 1, BUY, 100, 50, 100, 70);
    book.replaced(4, 1, BUY, 100, 70, 101, 70);
    book.hides(2, BUY, 0, 0);
    expect(told).toEqual([
      [BUY, 100, 50],
      [BUY, 100, 70],
      [BUY, 100, 0],
      [BUY, 101, 70],
    ]);
  });

  test("begins with the levels that it is given", () => {
    const book = new LevelBook(5);
    book.set(SELL, 105, 7);
    book.set(SELL, 110, 9);
    book.set(SELL, 105, 3);
    book.set(SELL, 110, 0);
    expect(book.levels(SELL, 10)).toEqual([{ price: 105, quantity: 3 }]);
    expect(book.quantity(SELL, 110)).toBe(0);
    expect([book.bestPrice(SELL), book.bestQuantity(SELL), book.bestPrice(BUY)]).toEqual([105, 3, 0]);
  });

  test("throws when an event takes more than is shown", () => {
    const shows = (): LevelBook => {
      const book = new LevelBook(1);
      book.shows(1, 1, BUY, 100, 5);
      return book;
    };
    expect(() => shows().hides(1, BUY, 100, 6)).toThrow("level 100: an event takes 6 of 5");
    expect(() => shows().hides(1, BUY, 99, 5)).toThrow(InvariantError);
    expect(() => shows().traded(SELL, 100, 2, 0, 1, 6, false)).toThrow(InvariantError);
    expect(() => shows().traded(BUY, 100, 1, 5, 2, 1, true)).toThrow(InvariantError);
    expect(() => shows().shows(2, 2, SELL, 0, 5)).toThrow(InvariantError);
  });
});
