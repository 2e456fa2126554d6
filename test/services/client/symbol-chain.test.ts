import { describe, expect, test } from "vitest";
import {
  type ExecutionReport,
  ReportKind,
  type Resume,
} from "../../../proto/generated/evercross/v1/gateway.ts";
import { Side } from "../../../proto/generated/evercross/v1/types.ts";
import { SymbolChain } from "../../../services/client/symbol-chain.ts";
import { massCancelOf, reportOf } from "../../support/blank-messages.ts";

const BODY = { $case: "massCancel", value: massCancelOf() } as const;

function report(entry: number, event: number, seq: number, maker = false): ExecutionReport {
  const fill = { kind: ReportKind.FILL, orderId: 1, clientOrderId: 1, side: Side.BUY };
  return reportOf({ ...fill, symbol: "A", entry, event, seq, lastPrice: 1, lastQuantity: 1, maker });
}

const resume = (entry: number, event: number): Resume => ({
  symbol: "A",
  entry,
  event,
  markOnly: false,
  refreshes: false,
});

function resumed(mark: number, entry: number): { symbol: string; mark: number; entry: number } {
  return { symbol: "A", mark, entry };
}

/** A chain that is open behind log entry 10, with requests 3, 5 and 9 on their way. */
function open(): SymbolChain {
  const chain = new SymbolChain("A");
  chain.resumed(resumed(0, 10), false);
  for (const seq of [3, 5, 9]) chain.add(seq, BODY);
  return chain;
}

function seqs(chain: SymbolChain, mark: number, entry: number): number[] {
  const outcome = chain.resumed(resumed(mark, entry), false);
  if (outcome.kind !== "send") throw new Error("history stands in the way");
  return outcome.requests.map(({ seq }) => seq);
}

describe("a client's chain of one symbol", () => {
  test("each request names the one before it", () => {
    const chain = new SymbolChain("A");
    expect([3, 5, 9].map((seq) => chain.add(seq, BODY).prev)).toEqual([0, 3, 5]);
    expect(chain.unanswered).toBe(3);
  });

  test("a new one asks only for the mark, one with reports for what is behind the last of them", () => {
    expect(new SymbolChain("A").resume()).toEqual({ ...resume(0, 0), markOnly: true });
    const chain = open();
    expect(chain.resume()).toEqual(resume(11, 0));
    chain.report(report(12, 20, 3));
    // The other report of the same event may not have come.
    expect(chain.resume()).toEqual(resume(12, 19));
  });

  test("a resume that replayed nothing new moves behind what it replayed", () => {
    const chain = open();
    expect(seqs(chain, 0, 15)).toEqual([3, 5, 9]);
    expect(chain.resume().entry).toBe(16);
    expect(seqs(chain, 0, 12)).toEqual([3, 5, 9]);
    expect(chain.resume().entry).toBe(16);
  });

  test("what is past the mark is sent again, once the reports up to it have come", () => {
    const chain = open();
    chain.report(report(11, 1, 3));
    chain.report(report(11, 2, 5));
    expect(seqs(chain, 5, 11)).toEqual([9]);
  });

  test("a request that was executed but never reported is an alarm", () => {
    expect(() => open().resumed(resumed(5, 12), false)).toThrow(
      "A: request 3 was executed (mark 5) but never reported",
    );
  });

  test.each([
    ["the same report", [report(11, 7, 3)], report(11, 7, 3), false],
    ["an earlier one", [report(11, 7, 3)], report(11, 6, 0, true), false],
    ["a later one", [report(11, 7, 3)], report(11, 8, 3), true],
    ["the maker's side of a trade with oneself", [report(11, 7, 3)], report(11, 7, 0, true), true],
    ["the maker's side again", [report(11, 7, 3), report(11, 7, 0, true)], report(11, 7, 0, true), false],
    ["the taker's side again", [report(11, 7, 3), report(11, 7, 0, true)], report(11, 7, 3), false],
  ])("hears %s rightly", (_, before, next, fresh) => {
    const chain = open();
    for (const one of before) expect(chain.report(one)).toBe(true);
    expect(chain.report(next)).toBe(fresh);
  });

  test("a report answers its request and all before it; one caused by others answers none", () => {
    const chain = open();
    chain.report(report(11, 1, 0, true));
    expect(chain.unanswered).toBe(3);
    chain.report(report(11, 2, 5));
    expect(chain.unanswered).toBe(1);
  });

  test("a refusal answers just its own request, and says when there was nothing to refuse", () => {
    const chain = open();
    expect(chain.refused(5)).toBe(true);
    expect(chain.refused(5)).toBe(false);
    chain.report(report(11, 1, 3));
    expect(chain.refused(3)).toBe(false);
    expect(seqs(chain, 3, 11)).toEqual([9]);
  });

  test("what an earlier process did stands in the way, unless it is to be gone on with", () => {
    const refused = new SymbolChain("A");
    expect(refused.resumed(resumed(7, 20), false)).toEqual({ kind: "history", mark: 7 });
    expect(refused.open).toBe(false);
    const adopted = new SymbolChain("A");
    expect(adopted.resumed(resumed(7, 20), true)).toEqual({ kind: "send", requests: [] });
    expect(adopted.add(8, BODY).prev).toBe(7);
    const late = new SymbolChain("A");
    late.add(1, BODY);
    expect(late.resumed(resumed(7, 20), true)).toEqual({ kind: "history", mark: 7 });
  });

  test("clearing gives back what was asked, and begins anew", () => {
    const chain = open();
    chain.report(report(11, 1, 3));
    expect(chain.clear().map(({ seq }) => seq)).toEqual([5, 9]);
    expect(chain.unanswered).toBe(0);
    expect(chain.add(10, BODY).prev).toBe(0);
  });

  test("thousands of answered requests leave the order of the rest as it was", () => {
    const chain = new SymbolChain("A");
    chain.resumed(resumed(0, 1), false);
    for (let seq = 1; seq <= 5000; seq++) chain.add(seq, BODY);
    for (let seq = 1; seq <= 4990; seq++) expect(chain.report(report(seq + 1, seq, seq))).toBe(true);
    expect(seqs(chain, 4990, 4991)).toEqual([4991, 4992, 4993, 4994, 4995, 4996, 4997, 4998, 4999, 5000]);
  });
});
