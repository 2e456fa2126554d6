import { existsSync } from "node:fs";
import { join } from "node:path";
import { assert, integer, nat, property } from "fast-check";
import { describe, expect, test } from "vitest";
import { Side } from "../../../proto/generated/evercross/v1/types.ts";
import { readExpectedBooks, readExpectedTrades, UpToRow } from "../../../services/flow/expected.ts";
import { randomMoments } from "../../../services/flow/intervention.ts";
import { Random } from "../../../services/flow/random.ts";
import { textFile } from "./collect.ts";

const TRADES = "event_idx,buy_id,sell_id,price_milli,qty,aggressor";
const DAY = join(import.meta.dirname, "../../../../shared/data/sse-600519");

async function all<T>(source: AsyncIterable<T>): Promise<T[]> {
  const entries: T[] = [];
  for await (const entry of source) entries.push(entry);
  return entries;
}

describe("expected trades", () => {
  test("are read in order", async () => {
    expect(await all(readExpectedTrades(textFile(`${TRADES}\r\n1043,2,3,1808080,82,S\r\n`)))).toEqual([
      { row: 1043, buyId: 2, sellId: 3, price: 1_808_080, quantity: 82, taker: Side.SELL },
    ]);
  });

  test("a bad row is refused by line, column and reason", async () => {
    await expect(all(readExpectedTrades(textFile(`${TRADES}\n1,2,3,4,5,X\n`)))).rejects.toThrow(
      "flow.txt:2:11: aggressor: 'X' is none of B, S",
    );
    await expect(all(readExpectedTrades(textFile("a,b\n1,2\n")))).rejects.toThrow(
      "flow.txt:1:1: the first line",
    );
  });

  test("are handed out up to a row, and no further", async () => {
    const rows = ["1,1,2,5,5,B", "1,1,3,5,5,B", "4,6,7,5,5,S"].join("\n");
    const source = new UpToRow(readExpectedTrades(textFile(`${TRADES}\n${rows}\n`)));
    const taken: number[] = [];
    const take = ({ row }: { readonly row: number }): void => void taken.push(row);
    await source.advance(0, take);
    expect(taken).toEqual([]);
    await source.advance(3, take);
    expect(taken).toEqual([1, 1]);
    await source.advance(4, take);
    await source.advance(5, take);
    expect(taken).toEqual([1, 1, 4]);
    await source.close();
  });
});

describe("expected books", () => {
  test.skipIf(!existsSync(DAY))("of the shared trading day are 4,858, best levels first", async () => {
    const books = await all(readExpectedBooks(join(DAY, "book_checks.csv")));
    expect(books).toHaveLength(4858);
    for (const { bids, asks } of books) {
      expect(bids.map(({ price }) => price)).toEqual(bids.map(({ price }) => price).sort((a, b) => b - a));
      expect(asks.map(({ price }) => price)).toEqual(asks.map(({ price }) => price).sort((a, b) => a - b));
    }
  });
});

describe("random moments", () => {
  test("are distinct, ascending, and away from the ends of the flow", () => {
    assert(
      property(integer({ min: 100, max: 1e6 }), nat(20), nat(), (actions, count, seed) => {
        const moments = randomMoments(new Random(seed), count, actions);
        expect(new Set(moments).size).toBe(count);
        expect(moments).toEqual([...moments].sort((a, b) => a - b));
        for (const moment of moments) {
          expect(moment).toBeGreaterThanOrEqual(Math.floor(actions * 0.05));
          expect(moment).toBeLessThan(actions * 0.95);
        }
      }),
    );
  });

  test("that do not fit are refused", () => {
    expect(() => randomMoments(new Random(1), 10, 10)).toThrow(
      "10 interruptions do not fit a flow of 10 actions",
    );
  });
});
