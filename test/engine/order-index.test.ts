import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { hashId, OrderIndex } from "../../engine/order-index.ts";
import { OrderTable, packOwner } from "../../engine/order-table.ts";

describe("the order index", () => {
  test("finds just what was added and not removed, in long runs of colliding hashes too", () => {
    const key = fc.record({ account: fc.nat({ max: 3 }), id: fc.integer({ min: 1, max: 60 }) });
    // Few home slots force runs that wrap around the end and shift back over each other.
    const homes = fc.constantFrom(1, 3, 0xffff_ffff);
    fc.assert(
      fc.property(fc.array(key, { maxLength: 400, size: "max" }), homes, (keys, homeMask) => {
        const orders = new OrderTable();
        const index = new OrderIndex(orders);
        const model = new Map<string, number>();
        const hash = (account: number, id: number): number =>
          (hashId(account, id) & homeMask) - (homeMask === 3 ? 2 : 0);
        for (const { account, id } of keys) {
          const name = `${account}/${id}`;
          const known = model.get(name);
          expect(index.find(hash(account, id), account, id)).toBe(known ?? 0);
          if (known === undefined) {
            const handle = orders.add(1, id, 1, 1, 1, packOwner(account, 1, 1, 1));
            index.add(hash(account, id), handle);
            model.set(name, handle);
          } else {
            index.remove(hash(account, id), known);
            orders.release(known);
            model.delete(name);
          }
          expect(orders.live).toBe(model.size);
        }
        for (const [name, handle] of model) {
          const [account, id] = name.split("/").map(Number) as [number, number];
          expect(index.find(hash(account, id), account, id)).toBe(handle);
        }
      }),
      { numRuns: 200 },
    );
  });

  test("spreads ids in sequence, ids that differ only above bit 32, and accounts", () => {
    const buckets = (hashes: readonly number[]): number => new Set(hashes.map((hash) => hash & 0xffff)).size;
    const numbers = Array.from({ length: 65_536 }, (_, n) => n);
    // 65,536 random draws from as many buckets leave 63 % of them used.
    expect(buckets(numbers.map((n) => hashId(1, n + 1)))).toBeGreaterThan(38_000);
    expect(buckets(numbers.map((n) => hashId(1, (n + 1) * 2 ** 32)))).toBeGreaterThan(38_000);
    expect(buckets(numbers.map((n) => hashId(n, 1)))).toBeGreaterThan(38_000);
  });
});
