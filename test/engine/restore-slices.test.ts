import { describe, expect, test } from "vitest";
import { EventBuffer, OrderBook, OrderType, Side, stateHash, TimeInForce } from "../../engine/index.ts";

const ORDERS = 70_000;
const instrument = { symbol: "A", tick: 1, lot: 1, priceMax: 2 ** 40, quantityMax: 2 ** 40 };

function fresh(): OrderBook {
  return new OrderBook(instrument, new EventBuffer());
}

describe("a restore in slices", () => {
  test("puts a large book together as it was, in many steps", () => {
    const out = new EventBuffer();
    const live = new OrderBook(instrument, out);
    for (let id = 1; id <= ORDERS; id++) {
      const side = id % 2 === 0 ? Side.BUY : Side.SELL;
      const price = side === Side.BUY ? 1000 - (id % 300) : 1001 + (id % 300);
      live.newOrder(id % 7, id, side, OrderType.LIMIT, TimeInForce.GOOD_TILL_CANCEL, price, 1 + (id % 50));
      out.clear();
    }
    const restored = fresh();
    for (const order of live.orders()) restored.restoreOrder(order);
    let steps = 0;
    for (const slices = restored.finishRestoreInSlices(live.state()); slices.next().done !== true;)
      steps += 1;
    expect(steps).toBeGreaterThan(6);
    const name = String;
    expect(stateHash(restored, name)).toBe(stateHash(live, name));
    expect(restored.state()).toEqual(live.state());
    restored.cancel(1, 1);
    expect(restored.liveOrders).toBe(ORDERS - 1);
  });
});
