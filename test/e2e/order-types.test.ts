import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { OrderType, TimeInForce } from "../../proto/generated/evercross/v1/types.ts";
import { NatsBus } from "../../runtime/messaging/nats-bus.ts";
import { operateCrossing } from "../../services/crossing/operate.ts";
import { checkConfig } from "../../services/market/config.ts";
import { type Market, startMarket } from "../../services/market/market.ts";
import { processesNaming } from "../support/processes.ts";
import { TradingFloor } from "../support/trading-floor.ts";
import {
  CHANGE_CASES,
  GUARDED,
  GUARDED_REFUSALS,
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
const KILLED = "KILLED";
const RATED = { symbol: "RATED", message_rate: { messages: 2, window_ms: 3_600_000 } };
const DEADLINE_MS = 20_000;

describe("an order over a real gateway", () => {
  const dataDir = mkdtempSync(join(tmpdir(), "evercross-test-"));
  let market: Market;
  let bus: NatsBus;
  let floor: TradingFloor;

  beforeAll(async () => {
    const symbols = [...CASES.keys()].map(symbolOf);
    const config = checkConfig(
      {
        nodes: ["n1"],
        instruments: [
          ...[...symbols, REFUSALS, EXPIRY, KILLED].map((symbol) => ({ symbol })),
          GUARDED,
          RATED,
        ],
        gateway: { instances: 2 },
        accounts: [
          { name: "ann", self_trade_group: 1 },
          { name: "ann-fund", parent: "ann", self_trade_group: 1 },
          { name: "ann-small", parent: "ann", position_max: 50 },
          { name: "ann-poor", parent: "ann", credit_max: 20_000 },
        ],
      },
      "test",
    );
    market = await startMarket(config, { dataDir, logger: pino({ level: "silent" }) });
    bus = await NatsBus.connect({ url: market.broker.url, token: market.broker.token, name: "test" });
    floor = new TradingFloor(market.gateways, ["ann", "bob"]);
  });

  afterAll(async () => {
    expect(floor.faults).toEqual([]);
    await floor.close();
    await bus.close();
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

  test("is refused by name at each bound of its instrument and of its accounts", async () => {
    const { ann } = seats(GUARDED.symbol);
    for (const [id, [, extra]] of GUARDED_REFUSALS.entries()) await ann.buy(id + 1, 10, 1000, extra);
    await ann.buy(100, 10, 1000);
    expect(floor.lines(GUARDED.symbol)).toEqual([
      ...GUARDED_REFUSALS.map(([reason], id) => `ann rejected #${id + 1} ${reason}`),
      "ann accepted #100 buy 10@1000 limit day open=10 shown=10 (new-order)",
    ]);
  });

  test("is refused past the message rate, and cancelled all the same", async () => {
    const { ann } = seats(RATED.symbol);
    for (const id of [1, 2, 3]) await ann.buy(id, 1, 100);
    await ann.cancel(1);
    expect(floor.lines(RATED.symbol).slice(2)).toEqual([
      "ann rejected #3 rate-limit",
      "ann cancelled #1 buy 1@100 open=0 shown-1 (requested)",
    ]);
  });

  test("ends by the kill switch of an account above it, until that is unblocked", async () => {
    const { ann, bob } = seats(KILLED);
    await ann.buy(1, 1, 100);
    await ann.sell(2, 2, 0, { type: OrderType.STOP, triggerPrice: 90, account: "ann-fund" });
    await bob.buy(1, 1, 100);
    const block = async (blocked: boolean): Promise<void> => {
      const request = { $case: "blockAccount", value: { account: "ann", blocked } } as const;
      const { cluster } = market.config;
      await operateCrossing(bus, cluster, KILLED, request, performance.now() + DEADLINE_MS);
      await floor.settled(KILLED);
    };
    await block(true);
    await block(true);
    await ann.buy(3, 1, 100, { account: "ann-fund" });
    await block(false);
    await ann.buy(4, 1, 100);
    expect(floor.lines(KILLED).slice(3)).toEqual([
      "ann cancelled #1 buy 1@100 open=0 shown-1 (kill-switch)",
      "ann cancelled #2 sell 2@0 open=0 (kill-switch)",
      "ann rejected #3 account-blocked",
      "ann accepted #4 buy 1@100 limit day open=1 shown=1 (new-order)",
    ]);
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
