import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { JobState } from "../../proto/generated/evercross/v1/control.ts";
import { OrderType, Peg, Phase, TimeInForce } from "../../proto/generated/evercross/v1/types.ts";
import { jobName } from "../../runtime/job/name.ts";
import { SourceLogReader } from "../../runtime/log/source-log-reader.ts";
import { NatsBus } from "../../runtime/messaging/nats-bus.ts";
import { waitFor } from "../../runtime/process/wait.ts";
import { auditLog } from "../../services/audit/run-audit.ts";
import { operateCrossing } from "../../services/crossing/operate.ts";
import { type BookStateAt, queryBookState } from "../../services/crossing/state-query.ts";
import { checkConfig } from "../../services/market/config.ts";
import { marketLogs } from "../../services/market/market-logs.ts";
import { type Market, startMarket } from "../../services/market/market.ts";
import { MarketWatcher } from "../support/market-watcher.ts";
import { processesNaming } from "../support/processes.ts";
import { TradingFloor } from "../support/trading-floor.ts";
import { Seat } from "./order-cases.ts";

const DEADLINE_MS = 30_000;
const MARKET_AT_OPEN = { type: OrderType.MARKET, timeInForce: TimeInForce.AT_THE_OPEN };
const AT_OPEN = { timeInForce: TimeInForce.AT_THE_OPEN };
const AT_CLOSE = { timeInForce: TimeInForce.AT_THE_CLOSE };
const GTC = { timeInForce: TimeInForce.GOOD_TILL_CANCEL };

/** A timetable whose next changes come soon, on a clock that shows about noon: nobody trades past midnight here. */
function timetableFrom(nowMs: number): object {
  const offset = 12 - new Date(nowMs).getUTCHours();
  // These names count to the west.
  const zone = offset === 0 ? "Etc/GMT" : `Etc/GMT${offset > 0 ? "-" : "+"}${Math.abs(offset)}`;
  const at = (seconds: number): string =>
    new Date(nowMs + offset * 3_600_000 + seconds * 1000).toISOString().slice(11, 19);
  return {
    time_zone: zone,
    days: ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
    changes: [
      { at: "00:00", phase: "pre_open" },
      { at: at(6), phase: "opening_auction" },
      { at: at(8), phase: "continuous" },
      { at: at(10), phase: "closing_auction" },
      { at: at(12), phase: "closed" },
    ],
  };
}

describe("a day of auctions over real gateways", () => {
  const dataDir = mkdtempSync(join(tmpdir(), "evercross-test-"));
  let market: Market;
  let bus: NatsBus;
  let floor: TradingFloor;
  let timed: MarketWatcher;

  beforeAll(async () => {
    const config = checkConfig(
      {
        nodes: ["n1"],
        instruments: [
          {
            symbol: "DAY",
            initial_phase: "pre_open",
            collars: { action: "auction", dynamic_width: 500, auction_ms: 1000 },
          },
          { symbol: "TIMED", timetable: timetableFrom(Date.now()) },
          { symbol: "KILL" },
          { symbol: "TWIN" },
        ],
        crossing: { isolation: "process" },
        gateway: { instances: 2 },
      },
      "test",
    );
    market = await startMarket(config, { dataDir, logger: pino({ level: "silent" }) });
    bus = await NatsBus.connect({ url: market.broker.url, token: market.broker.token, name: "test" });
    floor = new TradingFloor(market.gateways, ["ann", "bob"]);
    timed = watch("TIMED", 0, "watcher-1");
  });

  afterAll(async () => {
    expect(floor.faults).toEqual([]);
    await timed.close();
    await floor.close();
    await bus.close();
    await market.stop();
    expect(processesNaming(dataDir)).toEqual([]);
    rmSync(dataDir, { recursive: true, force: true });
  });

  const deadline = (): number => performance.now() + DEADLINE_MS;
  const state = (symbol: string): Promise<BookStateAt> =>
    queryBookState(bus, market.config.cluster, symbol, deadline());

  async function setPhase(symbol: string, phase: Phase): Promise<void> {
    const request = { $case: "setPhase", value: { phase, untilUs: 0 } } as const;
    const answer = await operateCrossing(bus, market.config.cluster, symbol, request, deadline());
    expect(answer).toMatchObject({ refused: 0, phase });
    await floor.settled(symbol);
  }

  function watch(symbol: string, gateway: number, session: string): MarketWatcher {
    return new MarketWatcher(symbol, market.gateways[gateway] as { host: string; port: number }, session);
  }

  test("is seen by who follows it, phase by phase", async () => {
    const ann = new Seat(floor, "ann", "DAY");
    const bob = new Seat(floor, "bob", "DAY");
    const watcher = watch("DAY", 1, "watcher");
    expect(await watcher.hear("phase pre-open")).toEqual(["phase pre-open"]);

    await ann.buy(1, 10, 101);
    await bob.sell(1, 4, 99);
    await watcher.until(3);
    expect(watcher.top()).toEqual({ bid: "10@101", ask: "4@99" });

    await setPhase("DAY", Phase.OPENING_AUCTION);
    await bob.sell(2, 3, 100, AT_OPEN);
    await bob.sell(3, 5, 0, MARKET_AT_OPEN);
    expect(await watcher.hear("indicative 10@100")).toEqual([
      "phase opening-auction (operator)",
      "indicative 4@101, 6 more to buy",
      "indicative 7@101, 3 more to buy",
      "indicative 10@100, 2 more to sell",
    ]);
    // What waits for the open is nobody's business but in the indicative volume.
    expect(watcher.book()).toEqual({ bids: ["10@101"], asks: ["4@99"] });

    await setPhase("DAY", Phase.CONTINUOUS);
    expect(await watcher.hear("phase continuous")).toEqual([
      "uncross 10@100, 2 more to sell",
      "trade 5@100 (auction-fill)",
      "trade 4@100 (auction-fill)",
      "trade 1@100 (auction-fill)",
      "phase continuous reference 100 (operator)",
    ]);
    expect(floor.lines("DAY").slice(-7)).toEqual([
      "ann fill #1 buy 5@100 taker open=5 shown-5 (auction-fill)",
      "bob fill #3 sell 5@100 maker open=0 (auction-fill)",
      "ann fill #1 buy 4@100 taker open=1 shown-4 (auction-fill)",
      "bob fill #1 sell 4@100 maker open=0 shown-4 (auction-fill)",
      "ann fill #1 buy 1@100 taker open=0 shown-1 (auction-fill)",
      "bob fill #2 sell 1@100 maker open=2 (auction-fill)",
      "bob cancelled #2 sell 2@100 open=0 (auction-remainder)",
    ]);

    await ann.buy(4, 3, 98, GTC);
    await bob.sell(4, 3, 102);
    await setPhase("DAY", Phase.HALT);
    await bob.sell(5, 1, 98);
    expect(floor.lines("DAY").at(-1)).toBe("bob rejected #5 wrong-phase");
    await setPhase("DAY", Phase.CONTINUOUS);
    await watcher.until((await state("DAY")).nextEvent - 1);
    expect(watcher.told.splice(0)).toEqual([
      "phase halt reference 100 (operator)",
      "phase continuous reference 100 (operator)",
    ]);
    expect(watcher.top()).toEqual({ bid: "3@98", ask: "3@102" });

    // 110 lies more than 5 % above the last price.
    await bob.sell(6, 2, 110);
    await ann.buy(6, 4, 110);
    expect(await watcher.hear("phase continuous")).toEqual([
      "trade 3@102 buy (fill)",
      "phase volatility-auction reference 100 (dynamic-collar)",
      "indicative 1@110, 1 more to sell",
      "uncross 1@110, 1 more to sell",
      "trade 1@110 (auction-fill)",
      "phase continuous reference 110 (time-reached)",
    ]);

    await ann.buy(7, 2, 0, { type: OrderType.MARKET, ...AT_CLOSE });
    await setPhase("DAY", Phase.CLOSING_AUCTION);
    await setPhase("DAY", Phase.CLOSED);
    expect(await watcher.hear("phase closed")).toEqual([
      "phase closing-auction reference 110 (operator)",
      "indicative 1@110, 1 more to buy",
      "uncross 1@110, 1 more to buy",
      "trade 1@110 (auction-fill)",
      "phase closed reference 110 (operator)",
    ]);
    await watcher.until((await state("DAY")).nextEvent - 1);
    expect(watcher.book()).toEqual({ bids: ["3@98"], asks: [] });
    expect(floor.lines("DAY").slice(-1)).toEqual(["ann cancelled #7 buy 1@0 open=0 (auction-remainder)"]);
    await ann.buy(8, 1, 98);
    expect(floor.lines("DAY").at(-1)).toBe("ann rejected #8 wrong-phase");
    expect(watcher.faults).toEqual([]);
    await watcher.close();
  });

  /** Enters all that can be live at once, up to the middle of an auction call. */
  async function untilTheCall(symbol: string): Promise<void> {
    const ann = new Seat(floor, "ann", symbol);
    const bob = new Seat(floor, "bob", symbol);
    await ann.buy(1, 1, 100);
    await bob.sell(1, 1, 100);
    await ann.buy(10, 5, 97);
    await ann.buy(11, 20, 98, { displayQuantity: 5 });
    await ann.buy(12, 4, 98, { hidden: true });
    await ann.buy(13, 6, 0, { type: OrderType.PEGGED, peg: Peg.PRIMARY, offset: -1 });
    await ann.buy(14, 9, 101, { allOrNone: true });
    await bob.sell(10, 5, 103);
    await bob.sell(11, 12, 104, { displayQuantity: 4 });
    await bob.sell(12, 3, 0, { type: OrderType.STOP, triggerPrice: 97 });
    await bob.sell(13, 3, 96, { type: OrderType.STOP_LIMIT, triggerPrice: 98 });
    await bob.sell(14, 3, 0, { type: OrderType.TRAILING_STOP, offset: 4 });
    await bob.sell(15, 2, 110, { ocoClientOrderId: 12, ...GTC });
    await bob.sell(16, 2, 0, { type: OrderType.MARKET, ...AT_CLOSE });
    await setPhase(symbol, Phase.VOLATILITY_AUCTION);
    await bob.sell(17, 7, 98);
  }

  /** The auction, then requests that make every one of these orders trade, wake or end, then the close. */
  async function fromTheCall(symbol: string): Promise<void> {
    const ann = new Seat(floor, "ann", symbol);
    const bob = new Seat(floor, "bob", symbol);
    await setPhase(symbol, Phase.CONTINUOUS);
    await bob.sell(18, 9, 101);
    await bob.sell(19, 30, 90, { timeInForce: TimeInForce.IMMEDIATE_OR_CANCEL });
    await ann.buy(20, 6, 103);
    await setPhase(symbol, Phase.CLOSING_AUCTION);
    await ann.buy(21, 2, 105);
    await setPhase(symbol, Phase.CLOSED);
  }

  async function killCrossing(symbol: string): Promise<void> {
    const job = `crossing/${symbol}`;
    const { pid } = await market.locate(job);
    process.kill(pid, "SIGKILL");
    const runs = async (): Promise<boolean> => {
      const now = await market.locate(job);
      return now.pid !== pid && now.status?.state === JobState.RUNNING;
    };
    expect(await waitFor(runs, DEADLINE_MS, 20)).toBe(true);
  }

  test("goes on after a kill in the middle of an auction call like its twin that was not killed", async () => {
    const watcher = watch("KILL", 0, "watcher-2");
    const twin = watch("TWIN", 1, "watcher-3");
    for (const symbol of ["KILL", "TWIN"]) await untilTheCall(symbol);
    const { entry: _, ...before } = await state("KILL");
    const called = await watcher.hear("indicative 7@98, 17 more to buy");
    await killCrossing("KILL");
    const { entry: __, ...after } = await state("KILL");
    expect(after).toEqual(before);
    // Who begins to follow now is told what the others have heard already.
    const late = watch("KILL", 1, "watcher-4");
    await late.until(before.nextEvent - 1);
    expect(late.told).toEqual(["phase volatility-auction", called.at(-1)]);
    late.told.length = 0;
    await watcher.until(before.nextEvent - 1);
    const seen = (one: MarketWatcher): unknown => [one.book(), one.lines(), one.top()];
    expect(seen(late)).toEqual(seen(watcher));

    await twin.hear("indicative 7@98");
    for (const symbol of ["KILL", "TWIN"]) await fromTheCall(symbol);
    const reports = floor.lines("KILL");
    expect(reports).toEqual(floor.lines("TWIN"));
    // None of it slept through the test.
    const reasons = new Set(reports.map((line) => /\(([a-z-]+)\)$/.exec(line)?.[1] ?? "refused"));
    expect([...reasons].sort()).toEqual([
      "auction-fill",
      "expired",
      "fill",
      "immediate-remainder",
      "new-order",
      "one-cancels-other",
      "refresh",
      "trailed",
      "triggered",
    ]);
    const end = await state("KILL");
    expect((await state("TWIN")).hash).toBe(end.hash);
    for (const follower of [watcher, late, twin]) {
      await follower.until(end.nextEvent - 1);
      expect(follower.told).toEqual(watcher.told);
      expect(seen(follower)).toEqual(seen(watcher));
      expect(follower.faults).toEqual([]);
      await follower.close();
    }
    expect(watcher.told.slice(-2)).toEqual([
      "trade 2@103 (auction-fill)",
      "phase closed reference 103 (operator)",
    ]);

    const job = jobName("crossing", "KILL");
    const logs = marketLogs(market.config, bus);
    const reader = new SourceLogReader(job, (wanted) => logs.source(job, wanted), DEADLINE_MS);
    const verdict = await auditLog(job, reader);
    expect(verdict).toMatchObject({ ok: true, findings: [], book: { hash: end.hash } });
  });

  test("goes by its timetable, though nobody asks for anything", async () => {
    const told = await timed.hear("phase closed");
    const phases = ["opening-auction", "continuous", "closing-auction", "closed"];
    const changes = told.filter((line) => line.endsWith("(timetable)"));
    // On a slow machine the day has begun before anybody looks.
    expect(changes).toEqual(
      phases.slice(phases.length - changes.length).map((phase) => `phase ${phase} (timetable)`),
    );
    expect(timed.faults).toEqual([]);
  });
});
