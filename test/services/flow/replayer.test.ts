import { describe, expect, test } from "vitest";
import { ReportKind } from "../../../proto/generated/evercross/v1/gateway.ts";
import { Side } from "../../../proto/generated/evercross/v1/types.ts";
import type { Flow } from "../../../services/flow/action.ts";
import type { ExpectedBook, FlowTrade } from "../../../services/flow/expected.ts";
import { generateFlow } from "../../../services/flow/generator.ts";
import { openFlow } from "../../../services/flow/open.ts";
import { describeReport, replayReport, type ReplayReport } from "../../../services/flow/replay-report.ts";
import { Replayer, type ReplayOptions } from "../../../services/flow/replayer.ts";
import { textFile } from "./collect.ts";
import { MemorySession, type MarketMessage, type Tamper } from "./memory-session.ts";

const HEADER = "op,symbol,order_id,side,type,tif,price,quantity";
/** Two orders, one that takes both in part, one cancel. */
const ROWS = ["N,A,1,S,LIMIT,DAY,101,5", "N,A,2,S,LIMIT,DAY,102,5", "N,A,3,B,LIMIT,DAY,102,7", "C,A,2,,,,,"];
const TRADES: FlowTrade[] = [
  { row: 2, buyId: 3, sellId: 1, price: 101, quantity: 5, taker: Side.BUY },
  { row: 2, buyId: 3, sellId: 2, price: 102, quantity: 2, taker: Side.BUY },
];
const BOOKS: ExpectedBook[] = [
  {
    row: 1,
    bids: [],
    asks: [
      { price: 101, quantity: 5 },
      { price: 102, quantity: 5 },
    ],
  },
  { row: 2, bids: [], asks: [{ price: 102, quantity: 3 }] },
  { row: 3, bids: [], asks: [] },
];

async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  for (const item of items) yield await Promise.resolve(item);
}

const small = (): Flow => openFlow(textFile(`${HEADER}\n${ROWS.join("\n")}\n`), "csv");

async function replayed(
  flow: Flow,
  tamper?: Tamper,
  more: Partial<ReplayOptions> = {},
): Promise<ReplayReport> {
  const replayer = new Replayer({
    flow,
    connect: (_, handlers) => new MemorySession(handlers, tamper),
    sessions: ["one"],
    exclusive: true,
    speed: undefined,
    window: 64,
    interventions: [],
    silenceMaxMs: 300,
    clock: () => performance.now() * 1000,
    signal: new AbortController().signal,
    ...more,
  });
  return replayReport(await replayer.run(), flow);
}

/** Changes the first message that `pick` takes; all others pass. */
function once(
  pick: (message: MarketMessage) => boolean,
  change: (message: MarketMessage) => readonly MarketMessage[],
): Tamper {
  let done = false;
  return (message) => {
    if (done || !pick(message)) return [message];
    done = true;
    return change(message);
  };
}

const isFill = (message: MarketMessage): boolean =>
  message.kind === "report" && message.value.kind === ReportKind.FILL;

describe("a replay against an exact market", () => {
  test("finds every trade and every book as expected", async () => {
    const report = await replayed(small(), undefined, {
      expectedTrades: each(TRADES),
      expectedBooks: each(BOOKS),
    });
    expect(report).toMatchObject({
      orders: 4,
      new_orders: 3,
      cancels: 1,
      accepted: 3,
      fills: 4,
      trades: 2,
      trades_checked: 2,
      trade_mismatches: 0,
      books_checked: 3,
      books_unchecked: 0,
      book_mismatches: 0,
      final_books_checked: 1,
      lost: 0,
      duplicated: 0,
      inconsistent: 0,
      live: 0,
      failovers: 0,
      verified: true,
    });
    expect(describeReport(report).at(-1)).toBe("verified");
  });

  test("a generated flow over several sessions and symbols is fully accounted for", async () => {
    const symbols = ["A", "B", "C"];
    const flow = generateFlow({ seed: 3, actions: 3000, symbols, actionsPerSecond: 1e6 });
    const report = await replayed(flow, undefined, { sessions: ["one", "two"] });
    expect(report).toMatchObject({ orders: 3000, symbols: 3, final_books_checked: 3, verified: true });
    expect(report.trades).toBeGreaterThan(300);
    expect(report.fills).toBe(2 * report.trades);
    expect(report.accepted + report.replaced + report.rejected).toBeLessThanOrEqual(3000);
    // The generator's own belief follows the market closely.
    expect(report.rejected).toBeLessThan(30);
  });

  test("a flow's own time is kept at a multiple", async () => {
    const timed = `${HEADER},time_us\nN,A,1,S,LIMIT,DAY,101,5,0\nC,A,1,,,,,,400000\n`;
    const report = await replayed(openFlow(textFile(timed), "csv"), undefined, { speed: 10 });
    expect(report.seconds).toBeGreaterThanOrEqual(0.039);
    expect(report.verified).toBe(true);
  });

  test("an interruption stops it without blaming the market", async () => {
    const controller = new AbortController();
    const flow = generateFlow({ seed: 3, actions: 50_000, symbols: ["A"], actionsPerSecond: 1e6 });
    const onProgress = (): void => controller.abort();
    const report = await replayed(flow, undefined, { signal: controller.signal, onProgress });
    expect(report).toMatchObject({ stopped: "it was interrupted", lost: 0, verified: false });
    expect(report.orders).toBeLessThan(50_000);
  });
});

describe("a replay against a faulty market", () => {
  test("names a trade that differs", async () => {
    const wrong = TRADES.map((trade, index) => (index === 1 ? { ...trade, sellId: 9 } : trade));
    const report = await replayed(small(), undefined, { expectedTrades: each(wrong) });
    expect(report).toMatchObject({ trade_mismatches: 1, trades_checked: 1, verified: false });
    expect(report.first_difference).toBe(
      "trade 1: expected row 2: buy 3, sell 9, 2 at 102, aggressor B; got row 2: buy 3, sell 2, 2 at 102, aggressor B",
    );
  });

  test("names a trade that never came, and one too many", async () => {
    const more = [...TRADES, { ...TRADES[0], row: 3 } as FlowTrade];
    const missing = await replayed(small(), undefined, { expectedTrades: each(more) });
    expect(missing.first_difference).toMatch(/^trade 2: expected row 3: .*; got none$/);
    const extra = await replayed(small(), undefined, { expectedTrades: each(TRADES.slice(0, 1)) });
    expect(extra.first_difference).toMatch(/^trade 1: none expected, got row 2/);
  });

  test("names a book that differs", async () => {
    const wrong = BOOKS.map((book) =>
      book.row === 2 ? { ...book, asks: [{ price: 102, quantity: 4 }] } : book,
    );
    const report = await replayed(small(), undefined, { expectedBooks: each(wrong) });
    expect(report).toMatchObject({ book_mismatches: 1, books_checked: 1, verified: false });
    expect(report.first_difference).toBe("book 1, after row 2: ask 0: expected 4 at 102, got 3 at 102");
  });

  test("finds a lost answer", async () => {
    const tamper = once(
      (message) => message.kind === "report" && message.value.seq === 4,
      () => [],
    );
    const report = await replayed(small(), tamper);
    expect(report).toMatchObject({ stopped: "nothing was answered for 0.3 s", lost: 1, verified: false });
    expect(report.findings).toEqual(["unanswered: request 4 (row 3: cancel A 2)"]);
  });

  test("finds a lost fill as a missing half, and a lost trade as a missing event", async () => {
    const half = await replayed(
      small(),
      once(isFill, () => []),
    );
    expect(half.findings[0]).toBe("half_trade: A: of event 4 only the maker's side was reported");
    const both = await replayed(small(), (message) =>
      message.kind === "report" && message.value.event === 4 ? [] : [message],
    );
    expect(both.findings[0]).toBe("event_missing: A: no report of event 4");
    expect(both.lost).toBeGreaterThan(0);
    expect(both.verified).toBe(false);
  });

  test("finds a doubled fill, told again or executed again", async () => {
    const told = await replayed(
      small(),
      once(isFill, (message) => [message, message]),
    );
    expect(told).toMatchObject({ duplicated: 1, verified: false });
    expect(told.findings).toEqual(["event_repeated: A: event 4 after event 4"]);
    const executed = await replayed(
      small(),
      once(
        (message) => message.kind === "report" && message.value.event === 6,
        (message) =>
          message.kind === "report"
            ? [
                message,
                {
                  kind: "report",
                  value: {
                    ...message.value,
                    event: 7,
                    kind: ReportKind.FILL,
                    clientOrderId: 1,
                    maker: true,
                    seq: 0,
                  },
                },
              ]
            : [],
      ),
    );
    expect(executed.findings[0]).toBe("order_not_live: A event 7 (FILL): order 1 is not live");
    expect(executed.duplicated).toBe(1);
  });

  test("finds an answer given twice", async () => {
    const report = await replayed(
      small(),
      once(
        (message) => message.kind === "report" && message.value.seq === 4,
        (message) =>
          message.kind === "report"
            ? [
                message,
                { kind: "report", value: { ...message.value, seq: 1, event: message.value.event + 1 } },
              ]
            : [],
      ),
    );
    expect(report.findings[0]).toMatch(/^answered_twice: A: event 7 answers request 1/);
    expect(report.verified).toBe(false);
  });

  test("finds open quantity that does not follow", async () => {
    const report = await replayed(
      small(),
      once(isFill, (message) =>
        message.kind === "report"
          ? [{ kind: "report", value: { ...message.value, leaves: message.value.leaves + 1 } }]
          : [],
      ),
    );
    expect(report.findings[0]).toBe(
      "wrong_leaves: A event 4 (FILL): order 3 7 open, 5 executed, 3 said to be left",
    );
    expect(report.inconsistent).toBe(1);
  });

  test("finds an acknowledged order that is not in the book at the end", async () => {
    const flow = openFlow(textFile(`${HEADER}\nN,A,1,S,LIMIT,DAY,101,5\n`), "csv");
    const report = await replayed(flow, (message) =>
      message.kind === "snapshot" ? [{ ...message, value: { ...message.value, levels: [] } }] : [message],
    );
    expect(report.findings).toEqual(["order_missing: final book of A: ask 0: expected 5 at 101, got none"]);
    expect(report.lost).toBe(1);
  });
});

describe("a replay in a session that was used before", () => {
  test("takes fills of earlier orders as they come", async () => {
    const market: MemorySession[] = [];
    const connect: ReplayOptions["connect"] = (_, handlers) => {
      market.push(new MemorySession(handlers));
      const { side, type, timeInForce } = { side: Side.SELL, type: 1, timeInForce: 1 } as const;
      // An order of an earlier process: it rests before the flow begins.
      market[0]?.newOrder("A", { clientOrderId: 900, side, type, timeInForce, price: 100, quantity: 2 });
      return market[0] as MemorySession;
    };
    const report = await replayed(small(), undefined, { connect, exclusive: false });
    expect(report.findings.filter((finding) => !finding.includes("answers request 1,"))).toEqual([]);
    expect(report).toMatchObject({ trades: 2, fills: 4, live: 0 });
  });
});

describe("an outage", () => {
  test("of the link ends with the first report, and hides books without blame", async () => {
    const flow = generateFlow({ seed: 4, actions: 2000, symbols: ["A"], actionsPerSecond: 1e6 });
    let heard = 0;
    const report = await replayed(flow, undefined, {
      connect: (_, handlers) =>
        new MemorySession(handlers, (message) => {
          if (message.kind === "report" && ++heard === 500) handlers.onLink?.("down", "reset");
          return [message];
        }),
    });
    expect(report).toMatchObject({ failovers: 1, verified: true });
    expect(report.failover_gaps[0]?.cause).toBe("one lost its link: reset");
  });

  test("that was announced is measured from the last report before to the first after", async () => {
    let held: (() => void) | undefined;
    let silent = false;
    const flow = generateFlow({ seed: 4, actions: 2000, symbols: ["A"], actionsPerSecond: 1e6 });
    class Pausing extends MemorySession {
      override ready(): Promise<void> {
        return silent ? new Promise((resolve) => (held = resolve)) : Promise.resolve();
      }
    }
    const report = await replayed(flow, undefined, {
      connect: (_, handlers) => new Pausing(handlers),
      interventions: [
        {
          after: 1000,
          label: "killed it",
          act: () => {
            silent = true;
            return Promise.resolve(() => {
              silent = false;
              held?.();
              return Promise.resolve(true);
            });
          },
        },
      ],
    });
    expect(report).toMatchObject({ failovers: 1, verified: true });
    expect(report.failover_gaps[0]?.cause).toBe("killed it");
  });

  test("that nobody announced shows as a new writer's entry after a silence", async () => {
    let now = 0;
    let shift = 0;
    const flow = openFlow(textFile(`${HEADER}\n${ROWS.join("\n")}\n`), "csv");
    const report = await replayed(
      flow,
      (message) => {
        if (message.kind !== "report") return [message];
        if (message.value.seq === 3 && shift === 0) {
          shift = 1;
          now += 90_000;
        }
        return [{ ...message, value: { ...message.value, entry: message.value.entry + shift } }];
      },
      { clock: () => (now += 1) },
    );
    expect(report.failovers).toBe(1);
    expect(report.failover_gaps[0]?.cause).toBe("new writer of A");
    expect(report.failover_gaps[0]?.gap_ms).toBeGreaterThanOrEqual(90);
    expect(report.failover_gaps[0]?.gap_ms).toBeLessThan(91);
  });
});
