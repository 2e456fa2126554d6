import { array, assert, integer, nat, property, record } from "fast-check";
import { describe, expect, test } from "vitest";
import { type ExecutionReport, ReportKind } from "../../../proto/generated/evercross/v1/gateway.ts";
import { Side, TimeInForce } from "../../../proto/generated/evercross/v1/types.ts";
import { Findings } from "../../../services/flow/findings.ts";
import { OrderLedger } from "../../../services/flow/order-ledger.ts";
import { SymbolLedger } from "../../../services/flow/symbol-ledger.ts";
import { forEachReport } from "../../../services/gateway/reports.ts";
import { SETUPS } from "../../engine/setups.ts";
import { BookFlow } from "../../support/book-flow.ts";
import { PriceLevels } from "../../../services/flow/price-levels.ts";
import { MemorySession } from "./memory-session.ts";

const NOBODY = { caused: () => undefined, traded: () => undefined };
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("the order ledger", () => {
  test("quantity is conserved over any flow, and its levels are the book", async () => {
    const findings = new Findings();
    const ledger = new OrderLedger("A", true, findings);
    const apply = (report: ExecutionReport): void => {
      if (report.kind === ReportKind.ACCEPTED) ledger.accepted(report, undefined);
      else if (report.kind === ReportKind.FILL) ledger.filled(report);
      else if (report.kind === ReportKind.CANCELLED) ledger.cancelled(report);
      else if (report.kind === ReportKind.REPLACED) ledger.replaced(report);
    };
    const book = new PriceLevels();
    const market = new MemorySession({
      onReport: apply,
      onBookSnapshot: (snapshot) => {
        book.clear();
        for (const { side, price, quantity } of snapshot.levels) book.set(side, price, quantity);
      },
    });
    let random = 1;
    const next = (bound: number): number => {
      random = (random * 48_271) % 2_147_483_647;
      return random % bound;
    };
    for (let id = 1; id <= 2000; id++) {
      const side = next(2) === 0 ? Side.BUY : Side.SELL;
      const timeInForce = next(4) === 0 ? TimeInForce.IMMEDIATE_OR_CANCEL : TimeInForce.DAY;
      const terms = {
        clientOrderId: id,
        side,
        type: 1,
        timeInForce,
        price: 95 + next(10),
        quantity: 1 + next(9),
      };
      market.newOrder("A", terms as Parameters<typeof market.newOrder>[1]);
      if (next(3) === 0) market.cancel("A", 1 + next(id));
    }
    market.subscribe("A");
    await turn();
    const totals = ledger.totals();
    expect(findings.details).toEqual([]);
    expect(totals.bought).toBeGreaterThan(1000);
    expect(totals.bought).toBe(totals.sold);
    expect(totals.accepted).toBe(totals.bought + totals.sold + totals.cancelled + totals.live);
    for (const side of [Side.BUY, Side.SELL]) expect(ledger.levels().best(side)).toEqual(book.best(side));
  });
});

describe.each(SETUPS)("order ledgers of the sessions of $instrument.symbol", (setup) => {
  test("find nothing wrong with the reports of any flow, and what they count is conserved", () => {
    assert(
      property(integer(), (seed) => {
        const findings = new Findings();
        const ledgers = new Map<string, SymbolLedger>();
        const flow = new BookFlow(setup, seed);
        for (let entry = 1; entry <= 40; entry++) {
          const batch = flow.batch(5);
          forEachReport({ symbol: "A", entry }, batch, batch.sessions, (session, report) => {
            let ledger = ledgers.get(session);
            if (ledger === undefined)
              ledgers.set(session, (ledger = new SymbolLedger("A", false, findings, NOBODY)));
            if (ledger.inOrder(report)) ledger.apply({ ...report, seq: 0 }, undefined);
          });
        }
        expect(findings.details).toEqual([]);
        let live = 0;
        for (const { orders } of ledgers.values()) {
          const totals = orders.totals();
          expect(totals.accepted).toBe(totals.bought + totals.sold + totals.cancelled + totals.live);
          live += orders.live;
        }
        expect(live).toBe(flow.orders().size);
      }),
      { numRuns: 4 },
    );
  });
});

describe("price levels", () => {
  test("agree with a plain map after any changes", () => {
    const change = record({ side: nat(1), price: nat(20), quantity: nat(3) });
    assert(
      property(array(change, { maxLength: 200 }), (changes) => {
        const levels = new PriceLevels();
        const plain = [new Map<number, number>(), new Map<number, number>()];
        for (const { side, price, quantity } of changes) {
          levels.set(side === 0 ? Side.BUY : Side.SELL, price, quantity);
          if (quantity === 0) plain[side]?.delete(price);
          else plain[side]?.set(price, quantity);
        }
        const sorted = (side: 0 | 1): { price: number; quantity: number }[] =>
          [...(plain[side] as Map<number, number>)]
            .map(([price, quantity]) => ({ price, quantity }))
            .sort((a, b) => (side === 0 ? b.price - a.price : a.price - b.price));
        expect(levels.best(Side.BUY)).toEqual(sorted(0));
        expect(levels.best(Side.SELL, 3)).toEqual(sorted(1).slice(0, 3));
      }),
    );
  });
});
