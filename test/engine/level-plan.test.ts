import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MatchingPolicy } from "../../engine/codes.ts";
import { LevelPlan } from "../../engine/level-plan.ts";
import { OrderTable } from "../../engine/order-table.ts";

const MAX = Number.MAX_SAFE_INTEGER;

interface Part {
  readonly order: number;
  readonly amount: number;
}

/** What each of the orders that show these quantities, in order of priority, gets of `incoming`, in the order told. */
function share(policy: MatchingPolicy, shown: readonly number[], incoming: number, lot = 1): Part[] {
  const orders = new OrderTable();
  const plan = new LevelPlan(orders);
  shown.forEach((quantity, index) => {
    plan.add(orders.add(index + 1, 1, quantity, quantity, index + 1, 0), quantity);
  });
  plan.share(policy, incoming, lot);
  return Array.from({ length: plan.length }, (_, index) => ({
    order: orders.orderId(plan.handle(index)),
    amount: plan.amount(index),
  }));
}

/** RULES.md 3.1 in exact integers. */
function exactShares(shown: readonly number[], incoming: number, lot: number): number[] {
  const total = shown.reduce((sum, one) => sum + BigInt(one), 0n);
  if (BigInt(incoming) >= total) return [...shown];
  const shares = shown.map((one) => {
    const part = (BigInt(incoming) * BigInt(one)) / total;
    return part - (part % BigInt(lot));
  });
  let left = BigInt(incoming) - shares.reduce((sum, one) => sum + one, 0n);
  return shares.map((one, index) => {
    const room = BigInt(shown[index]!) - one;
    const more = left < room ? left : room;
    left -= more;
    return Number(one + more);
  });
}

describe("pro-rata", () => {
  test("gives exact shares in whole lots, whatever the numbers are", () => {
    const quantity = fc.oneof(
      fc.integer({ min: 1, max: 50 }),
      fc.integer({ min: 1, max: 2 ** 40 }),
      fc.maxSafeNat().map((n) => Math.floor(n / 8) + 1),
    );
    fc.assert(
      fc.property(
        fc.array(quantity, { minLength: 1, maxLength: 7 }),
        fc.maxSafeNat(),
        fc.constantFrom(1, 10),
        fc.boolean(),
        (parts, of, lot, isLarge) => {
          const shown = parts.map((part) => Math.max(1, Math.floor(part / lot)) * lot);
          const total = shown.reduce((sum, one) => sum + one, 0);
          const most = isLarge ? MAX : total;
          const incoming = Math.max(1, Math.floor((of % most) / lot)) * lot;
          const amounts = share(MatchingPolicy.PRO_RATA, shown, incoming, lot).map(({ amount }) => amount);
          expect(amounts).toEqual(exactShares(shown, incoming, lot));
          expect(amounts.reduce((sum, one) => sum + one, 0)).toBe(Math.min(incoming, total));
        },
      ),
      { numRuns: 2000 },
    );
  });

  test("shares where a product of doubles would be off by one", () => {
    const shown = [MAX - 3, 3];
    expect(share(MatchingPolicy.PRO_RATA, shown, MAX - 1).map(({ amount }) => amount)).toEqual([MAX - 3, 2]);
    const thirds = [3_002_399_751_580_330, 3_002_399_751_580_330, 3_002_399_751_580_331];
    expect(share(MatchingPolicy.PRO_RATA, thirds, 2 ** 52).map(({ amount }) => amount)).toEqual(
      exactShares(thirds, 2 ** 52, 1),
    );
  });

  test("goes by time when there is less than a lot for each", () => {
    expect(share(MatchingPolicy.PRO_RATA, [10, 10, 10], 10, 10)).toEqual([
      { order: 1, amount: 10 },
      { order: 2, amount: 0 },
      { order: 3, amount: 0 },
    ]);
  });
});

test("price-size-time gives to the larger order first, to the earlier one of equal size", () => {
  expect(share(MatchingPolicy.PRICE_SIZE_TIME, [5, 20, 10, 20, MAX], 12).map(({ order }) => order)).toEqual([
    5, 2, 4, 3, 1,
  ]);
});

test("price-time leaves orders and amounts as they stand", () => {
  expect(share(MatchingPolicy.PRICE_TIME, [5, 20], 1)).toEqual([
    { order: 1, amount: 5 },
    { order: 2, amount: 20 },
  ]);
});

test("an order that ended since is told from one that came into its place", () => {
  const orders = new OrderTable();
  const plan = new LevelPlan(orders);
  const handle = orders.add(1, 1, 5, 5, 1, 0);
  plan.add(handle, 5);
  expect(plan.isLive(0)).toBe(true);
  orders.release(handle);
  expect(plan.isLive(0)).toBe(false);
  expect(orders.add(2, 1, 5, 5, 2, 0)).toBe(handle);
  expect(plan.isLive(0)).toBe(false);
});
