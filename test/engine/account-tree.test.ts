import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { AccountRules } from "../../engine/account-rules.ts";
import { AccountTree } from "../../engine/account-tree.ts";
import { RejectReason, SelfTrade, Side } from "../../engine/codes.ts";
import { InvariantError } from "../../engine/invariant.ts";
import { ACCOUNT_LEVELS_MAX, ACCOUNTS_MAX, INTEGER_MAX } from "../../engine/limits.ts";

const { BUY, SELL } = Side;

/** A tree of accounts given as rules by handle. */
function treeOf(rules: Record<number, AccountRules>): AccountTree {
  const tree = new AccountTree();
  for (const [account, given] of Object.entries(rules)) tree.configure(Number(account), given);
  return tree;
}

function changed(tree: AccountTree): [number, number, number][] {
  const told: [number, number, number][] = [];
  tree.takeChanged((...position) => told.push(position));
  return told;
}

/** RULES.md 5.1 with lists of orders and trades, in exact arithmetic. */
class NaiveAccounts {
  readonly orders: { account: number; side: number; price: bigint; leaves: bigint }[] = [];
  readonly cash = new Map<number, bigint>();
  readonly position = new Map<number, bigint>();

  constructor(readonly rules: Record<number, AccountRules>) {}

  levels(account: number | undefined): number[] {
    return account === undefined ? [] : [account, ...this.levels(this.rules[account]?.parent)];
  }

  limited(account: number): number[] {
    return this.levels(account).filter((level) => {
      const rules = this.rules[level];
      return rules?.positionMax !== undefined || rules?.creditMax !== undefined;
    });
  }

  check(
    account: number,
    side: number,
    price: bigint,
    quantity: bigint,
    replaced: object | undefined,
  ): number {
    const levels = this.limited(account);
    if (side === BUY && price === 0n && levels.some((level) => this.rules[level]?.creditMax !== undefined))
      return RejectReason.PRICE_REQUIRED;
    for (const level of levels) {
      const open = this.orders.filter(
        (order) => order !== replaced && order.side === side && this.levels(order.account).includes(level),
      );
      const leaves = open.reduce((sum, order) => sum + order.leaves, quantity);
      const position = this.position.get(level) ?? 0n;
      const positionMax = BigInt(this.rules[level]?.positionMax ?? INTEGER_MAX);
      if ((side === BUY ? position + leaves : leaves - position) > positionMax)
        return RejectReason.POSITION_LIMIT;
      if (side === SELL || price === 0n) continue;
      const cash = this.cash.get(level) ?? 0n;
      const spent = open.reduce((sum, order) => sum + order.price * order.leaves, price * quantity);
      const creditMax = BigInt(this.rules[level]?.creditMax ?? INTEGER_MAX);
      if (spent + (cash > 0n ? cash : 0n) > creditMax) return RejectReason.CREDIT_LIMIT;
    }
    return 0;
  }

  /** Which a book keeps within 2^53 - 1. */
  sideQuantity(side: number): bigint {
    return this.orders.reduce((sum, order) => sum + (order.side === side ? order.leaves : 0n), 0n);
  }

  trade(account: number, side: number, price: bigint, quantity: bigint): void {
    const bought = side === BUY ? quantity : -quantity;
    for (const level of this.limited(account)) {
      this.position.set(level, (this.position.get(level) ?? 0n) + bought);
      const cash = (this.cash.get(level) ?? 0n) + price * bought;
      const most = BigInt(INTEGER_MAX);
      this.cash.set(level, cash > most ? most : cash < -most ? -most : cash);
    }
  }
}

describe("the account tree", () => {
  test("lets open just what exact arithmetic over all orders and trades lets open", () => {
    const number = fc.oneof(
      { weight: 8, arbitrary: fc.integer({ min: 1, max: 40 }) },
      fc.constantFrom(2 ** 26, 2 ** 27, 2 ** 40, 2 ** 52, INTEGER_MAX),
    );
    const limit = fc.option(
      fc.oneof(fc.integer({ min: 0, max: 300 }), fc.constantFrom(2 ** 53 - 50, INTEGER_MAX)),
      { nil: undefined },
    );
    const rules = fc.tuple(limit, limit, limit, limit, limit, limit, fc.boolean());
    const step = fc.record({
      account: fc.integer({ min: 0, max: 4 }),
      side: fc.constantFrom(BUY, SELL),
      price: fc.oneof({ weight: 6, arbitrary: number }, fc.constant(0)),
      quantity: number,
      pick: fc.nat({ max: 20 }),
      action: fc.constantFrom("enter", "enter", "enter", "replace", "fill", "fill", "cancel", "take"),
      better: fc.integer({ min: 0, max: 5 }),
    });
    const answers = new Set<number>();
    fc.assert(
      fc.property(rules, fc.array(step, { maxLength: 60, size: "max" }), (limits, steps) => {
        const account = (at: number, parent?: number): AccountRules => ({
          ...(parent === undefined ? {} : { parent }),
          ...(limits[at * 2] === undefined ? {} : { positionMax: limits[at * 2] as number }),
          ...(limits[at * 2 + 1] === undefined ? {} : { creditMax: limits[at * 2 + 1] as number }),
        });
        // 4 is a stranger; 0 and 1 are clients of 2, below 3.
        const given = { 0: account(0, 2), 1: account(1, limits[6] ? 2 : 3), 2: { parent: 3 }, 3: account(2) };
        const tree = treeOf(given);
        const naive = new NaiveAccounts(given);
        for (const { account: who, side, price, quantity, pick, action, better } of steps) {
          const order = naive.orders[pick % Math.max(1, naive.orders.length)];
          if (action === "enter" || action === "take") {
            const reason = naive.check(who, side, BigInt(price), BigInt(quantity), undefined);
            expect(tree.check(who, side, price, quantity, 0, 0)).toBe(reason);
            answers.add(reason);
            if (reason !== 0) continue;
            if (action === "take") {
              const paid = Math.max(1, price - better);
              naive.trade(who, side, BigInt(paid), BigInt(quantity));
              tree.traded(who, side, paid, quantity);
            } else if (naive.sideQuantity(side) + BigInt(quantity) <= BigInt(INTEGER_MAX)) {
              naive.orders.push({ account: who, side, price: BigInt(price), leaves: BigInt(quantity) });
              tree.open(who, side, price, quantity);
            }
          } else if (order !== undefined) {
            const own = [order.account, order.side, Number(order.price)] as const;
            const leaves = Number(order.leaves);
            if (action === "replace") {
              const reason = naive.check(order.account, order.side, BigInt(price), BigInt(quantity), order);
              expect(tree.check(order.account, order.side, price, quantity, own[2], leaves)).toBe(reason);
              const others = naive.sideQuantity(order.side) - order.leaves;
              if (reason !== 0 || others + BigInt(quantity) > BigInt(INTEGER_MAX)) continue;
              tree.open(...own, -leaves);
              tree.open(order.account, order.side, price, quantity);
              order.price = BigInt(price);
              order.leaves = BigInt(quantity);
            } else {
              const executed = action === "cancel" ? leaves : Math.min(leaves, quantity);
              tree.open(...own, -executed);
              order.leaves -= BigInt(executed);
              if (order.leaves === 0n) naive.orders.splice(naive.orders.indexOf(order), 1);
              if (action === "fill") {
                const paid = Math.max(1, own[2] + (order.side === BUY ? -better : better));
                naive.trade(order.account, order.side, BigInt(paid), BigInt(executed));
                tree.traded(order.account, order.side, paid, executed);
              }
            }
          }
          for (const level of [0, 1, 2, 3, 4]) {
            expect(tree.position(level)).toBe(Number(naive.position.get(level) ?? 0n));
            expect(tree.cash(level)).toBe(Number(naive.cash.get(level) ?? 0n));
          }
        }
      }),
      { numRuns: 600 },
    );
    const { CREDIT_LIMIT, POSITION_LIMIT, PRICE_REQUIRED } = RejectReason;
    expect(answers).toEqual(new Set([0, CREDIT_LIMIT, POSITION_LIMIT, PRICE_REQUIRED]));
  });

  test("looks for a missing price first, then at each level from the account upwards", () => {
    const tree = treeOf({
      1: { parent: 2, positionMax: 10 },
      2: { parent: 3, creditMax: 1000 },
      3: { positionMax: 5 },
    });
    expect(tree.check(1, BUY, 0, 100, 0, 0)).toBe(RejectReason.PRICE_REQUIRED);
    expect(tree.check(1, BUY, 1000, 8, 0, 0)).toBe(RejectReason.CREDIT_LIMIT);
    expect(tree.check(1, BUY, 100, 8, 0, 0)).toBe(RejectReason.POSITION_LIMIT);
    expect(tree.check(1, SELL, 0, 6, 0, 0)).toBe(RejectReason.POSITION_LIMIT);
    expect(tree.check(1, SELL, 0, 5, 0, 0)).toBe(0);
    expect(tree.check(3, BUY, 0, 5, 0, 0)).toBe(0);
  });

  test("tells each position once that is another than it was, lowest handle first", () => {
    const clients = Array.from({ length: 50 }, (_, n) => 99 - n);
    const rules: Record<number, AccountRules> = { 10: { positionMax: 1000 } };
    const tree = treeOf(rules);
    for (const client of clients) tree.configure(client, { parent: 10, positionMax: 9 });
    expect(changed(tree)).toEqual([]);
    tree.traded(70, BUY, 5, 2);
    tree.traded(60, SELL, 5, 2);
    // The tree's own position and cash are what they were.
    expect(changed(tree)).toEqual([
      [60, -2, -10],
      [70, 2, 10],
    ]);
    expect(changed(tree)).toEqual([]);
    for (const client of clients) tree.traded(client, BUY, 3, 1);
    const told = changed(tree);
    expect(told.map(([account]) => account)).toEqual([10, ...clients.toReversed()]);
    expect(told[0]).toEqual([10, 50, 150]);
    // Bought and sold at different prices: the same position, other cash.
    tree.traded(70, BUY, 9, 1);
    tree.traded(70, SELL, 7, 1);
    expect(changed(tree)).toEqual([
      [10, 50, 152],
      [70, 3, 15],
    ]);
    tree.setPosition(70, -4, -0);
    expect(changed(tree)).toEqual([]);
    expect([tree.position(70), tree.cash(70)]).toEqual([-4, 0]);
    expect([...tree.accountsWithPosition()]).toEqual([10, ...clients.toReversed()]);
  });

  test("keeps a position that it is told, of an account without limits too", () => {
    const tree = new AccountTree();
    tree.setPosition(3, 7, -70);
    expect([tree.position(3), tree.cash(3), tree.limited]).toEqual([7, -70, false]);
    tree.traded(3, BUY, 1, 1);
    expect(tree.position(3)).toBe(7);
    tree.configure(3, { positionMax: 10 });
    expect(tree.check(3, BUY, 1, 4, 0, 0)).toBe(RejectReason.POSITION_LIMIT);
    expect(tree.check(3, BUY, 1, 3, 0, 0)).toBe(0);
    expect(() => tree.setPosition(3, 2 ** 53, 0)).toThrow(InvariantError);
  });

  test("blocks an account and all below it", () => {
    const tree = treeOf({ 5: { parent: 4 }, 4: { parent: 3 }, 6: { parent: 3 } });
    tree.block(4, true);
    tree.block(4, true);
    expect([3, 4, 5, 6, 7].map((account) => tree.isBlocked(account))).toEqual([
      false,
      true,
      true,
      false,
      false,
    ]);
    tree.block(3, true);
    expect(tree.isBlocked(6)).toBe(true);
    expect([...tree.blockedAccounts()]).toEqual([3, 4]);
    tree.block(3, false);
    expect(tree.anyBlocked).toBe(true);
    tree.block(4, false);
    tree.block(9, false);
    expect([tree.anyBlocked, tree.isBlocked(5)]).toEqual([false, false]);
    expect([tree.isWithin(5, 3), tree.isWithin(5, 5), tree.isWithin(3, 5), tree.isWithin(900, 3)]).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });

  test("knows groups and what they do, and what nobody configured", () => {
    const tree = treeOf({ 1: { selfTradeGroup: 7, selfTrade: SelfTrade.DECREMENT }, 2: {} });
    expect([1, 2, 900].map((account) => tree.group(account))).toEqual([7, 0, 0]);
    expect(tree.selfTrade(1)).toBe(SelfTrade.DECREMENT);
    expect(tree.selfTrade(900)).toBe(SelfTrade.CANCEL_NEWEST);
    expect([tree.grouped, tree.limited]).toEqual([true, false]);
    tree.configure(1, { creditMax: 5 });
    expect([tree.grouped, tree.limited, tree.group(1)]).toEqual([false, true, 0]);
    tree.configure(1, {});
    expect(tree.limited).toBe(false);
    expect(tree.check(1, BUY, 9, 9, 0, 0)).toBe(0);
  });

  test("refuses trees that run in a circle or are too high, in whatever order they come", () => {
    const links = fc.array(
      fc.tuple(fc.nat({ max: 11 }), fc.option(fc.nat({ max: 11 }), { nil: undefined })),
      {
        maxLength: 40,
        size: "max",
      },
    );
    fc.assert(
      fc.property(links, (flow) => {
        const tree = new AccountTree();
        const parents = new Map<number, number>();
        for (const [account, parent] of flow) {
          const asked = new Map(parents);
          if (parent === undefined) asked.delete(account);
          else asked.set(account, parent);
          // Levels above each account, or more than there are accounts when they run in a circle.
          const levels = Math.max(
            ...Array.from({ length: 12 }, (_, from) => {
              let count = 0;
              for (let at: number | undefined = from; at !== undefined && count < 20; at = asked.get(at))
                count++;
              return count;
            }),
          );
          const configure = (): void => tree.configure(account, parent === undefined ? {} : { parent });
          if (levels > ACCOUNT_LEVELS_MAX) {
            expect(configure).toThrow(InvariantError);
            return;
          }
          configure();
          parents.clear();
          for (const [child, above] of asked) parents.set(child, above);
          for (const [child, above] of parents) expect(tree.isWithin(child, above)).toBe(true);
        }
      }),
      { numRuns: 1000 },
    );
  });

  test("throws on numbers that are none, and on more taken off than was open", () => {
    const wrong: AccountRules[] = [
      { parent: -1 },
      { parent: ACCOUNTS_MAX },
      { selfTrade: 5 },
      { selfTradeGroup: 0.5 },
      { positionMax: -1 },
      { creditMax: 2 ** 53 },
      { creditMax: Number.NaN },
    ];
    for (const rules of wrong) expect(() => treeOf({ 1: rules })).toThrow(InvariantError);
    expect(() => treeOf({ [ACCOUNTS_MAX]: {} })).toThrow(InvariantError);
    const tree = treeOf({ 1: { positionMax: 9 } });
    tree.open(1, BUY, 3, 4);
    expect(() => tree.open(1, BUY, 3, -5)).toThrow("account 1: 5 at 3 taken off");
  });
});
