import { existsSync, readFileSync } from "node:fs";
import { Side, TimeInForce } from "../engine/index.ts";
import { FillDigest, type Fills } from "./fill-digest.ts";
import { type Flow, FlowWriter } from "./flow.ts";

const FILES = ["events.csv", "trades_expected.csv"] as const;

/** A recorded day and the trades that the exchange reported for it. */
export interface RecordedDay {
  readonly flow: Flow;
  readonly expected: Fills;
}

/** Reads the day where it lies; `undefined` when the folder or a file of it is not there. */
export function readSseDay(folder: string): RecordedDay | undefined {
  if (FILES.some((file) => !existsSync(`${folder}/${file}`))) return undefined;
  const rows = (file: string): string[][] =>
    readFileSync(`${folder}/${file}`, "utf8")
      .trimEnd()
      .split(/\r?\n/)
      .slice(1)
      .map((line) => line.split(","));
  const events = rows("events.csv");
  const writer = new FlowWriter(events.length);
  for (const [, op, id, letter, price, quantity, tif] of events) {
    if (op === "C") {
      writer.cancel(0, Number(id));
      continue;
    }
    const side = letter === "B" ? Side.BUY : Side.SELL;
    const timeInForce = tif === "IOC" ? TimeInForce.IMMEDIATE_OR_CANCEL : TimeInForce.DAY;
    writer.newOrder(0, Number(id), side, Number(price), Number(quantity), timeInForce);
  }
  const expected = new FillDigest();
  for (const [, buyer, seller, price, quantity, aggressor] of rows("trades_expected.csv")) {
    const [taker, maker] = aggressor === "B" ? [buyer, seller] : [seller, buyer];
    expected.add(Number(taker), Number(maker), Number(price), Number(quantity));
  }
  return { flow: writer.finish("sse-day", 10, 0), expected: expected.fills };
}
