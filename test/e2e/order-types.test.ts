import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TimeInForce } from "../../proto/generated/evercross/v1/types.ts";
import { checkConfig } from "../../services/market/config.ts";
import { type Market, startMarket } from "../../services/market/market.ts";
import { processesNaming } from "../support/processes.ts";
import { TradingFloor } from "../support/trading-floor.ts";
import {
  CHANGE_CASES,
  type OrderCase,
  PLAIN_CASES,
  REFUSED_ORDERS,
  Seat,
  type Seats,
  WAITING_CASES,
} from "./order-cases.ts";

const CASES: readonly OrderCase[] = [...PLAIN_CASES, ...WAITING_CASES, ...CHANGE_CASES];
const symbolOf = (index: number): string => `S${index}`;
const REFUSALS = "REFUSALS";
const EXPIRY = "EXPIRY";

describe("an order over a real gateway", () => {
  const dataDir = mkdtempSync(join(tmpdir(), "evercross-test-"));
  let market: Market;
  let floor: TradingFloor;

  beforeAll(async () => {
    const symbols = [...CASES.keys()].map(symbolOf);
    const config = checkConfig(
      {
        nodes: ["n1"],
        instruments: [...symbols, REFUSALS, EXPIRY].map((symbol) => ({ symbol })),
        gateway: { instances: 2 },
        accounts: [
          { name: "ann", self_trade_group: 1 },
          { name: "ann-fund", parent: "ann", self_trade_group: 1 },
        ],
      },
      "test",
    );
    market = await startMarket(config, { dataDir, logger: pino({ level: "silent" }) });
    floor = new TradingFloor(market.gateways, ["ann", "bob"]);
  });

  afterAll(async () => {
    expect(floor.faults).toEqual([]);
    await floor.close();
    await market.stop();
    expect(processesNaming(dataDir)).toEqual([]);
    rmSync(dataDir, { recursive: true, force: true });
  });

  const seats = (symbol: string): Seats => ({
    ann: new Seat(floor, "ann", symbol),
    bob: new Seat(floor, "bob", symbol),
  });

  test.each(CASES.map((one, index) => [one.name, one, symbolOf(index)] as const))(
    "%s",
    async (_, { happens, reports }, symbol) => {
      await happens(seats(symbol));
      expect(floor.lines(symbol)).toEqual(reports);
    },
  );

  test("is refused by name for each term that is wrong, and leaves nothing behind", async () => {
    const { ann } = seats(REFUSALS);
    for (const [id, [, extra]] of REFUSED_ORDERS.entries()) await ann.buy(id + 1, 10, 100, extra);
    expect(floor.lines(REFUSALS)).toEqual(
      REFUSED_ORDERS.map(([reason], id) => `ann rejected #${id + 1} ${reason}`),
    );
  });

  test("ends when its date comes, though nobody asks for anything", async () => {
    const { ann } = seats(EXPIRY);
    const expiryUs = (Date.now() + 500) * 1000;
    await ann.buy(1, 1, 90, { timeInForce: TimeInForce.GOOD_TILL_DATE, expiryUs });
    await floor.until(EXPIRY, "expired");
    expect(floor.lines(EXPIRY)).toEqual([
      "ann accepted #1 buy 1@90 limit good-till-date expiry open=1 shown=1 (new-order)",
      "ann cancelled #1 buy 1@90 open=0 shown-1 (expired)",
    ]);
  });
});
