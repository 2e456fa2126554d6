import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { OrderType, Side, TimeInForce } from "../../engine/codes.ts";
import { EventBuffer } from "../../engine/event-buffer.ts";
import { OrderBook } from "../../engine/order-book.ts";
import { readEvents } from "./event-objects.ts";

const FOLDER = new URL("../../../shared/data/sse-600519/", import.meta.url);

const rows = (file: string): string[][] =>
  readFileSync(new URL(file, FOLDER), "utf8")
    .trimEnd()
    .split(/\r?\n/)
    .slice(1)
    .map((line) => line.split(","));

test.skipIf(!existsSync(FOLDER))(
  "a real trading day gives every trade and every ten-level book that the exchange published (needs ../shared/data/sse-600519)",
  () => {
    const trades = rows("trades_expected.csv").values();
    const checks = rows("book_checks.csv").values();
    let check = checks.next().value;
    const out = new EventBuffer();
    const instrument = { symbol: "600519", tick: 10, lot: 1, priceMax: 2 ** 40, quantityMax: 2 ** 40 };
    const book = new OrderBook(instrument, out);
    const ten = (side: Side): number[] =>
      Array.from({ length: 10 }, (_, n) => book.levels(side, 10)[n]).flatMap((level) =>
        level === undefined ? [0, 0] : [level.price, level.quantity],
      );
    let traded = 0;
    let checked = 0;
    rows("events.csv").forEach(([, op, id, letter, price, quantity, tif], index) => {
      out.clear();
      const side = letter === "B" ? Side.BUY : Side.SELL;
      const timeInForce = tif === "IOC" ? TimeInForce.IMMEDIATE_OR_CANCEL : TimeInForce.DAY;
      if (op === "C") book.cancel(1, Number(id));
      else book.newOrder(1, Number(id), side, OrderType.LIMIT, timeInForce, Number(price), Number(quantity));
      for (const { kind, fields } of readEvents(out)) {
        expect(kind).not.toBe("REJECTED");
        if (kind !== "TRADE") continue;
        const buys = fields.SIDE === Side.BUY;
        const pair = [fields.CLIENT_ORDER_ID, fields.MAKER_CLIENT_ORDER_ID];
        const [buyer, seller] = buys ? pair : pair.toReversed();
        const seen = [index, buyer, seller, fields.PRICE, fields.QUANTITY, buys ? "B" : "S"];
        expect(seen.join(",")).toBe(trades.next().value?.join(","));
        traded++;
      }
      for (; check !== undefined && Number(check[0]) === index; check = checks.next().value) {
        expect([...ten(Side.BUY), ...ten(Side.SELL)]).toEqual(check.slice(4).map(Number));
        checked++;
      }
    });
    expect([traded, checked]).toEqual([18_139, 4858]);
  },
);
