import { jobName } from "../../runtime/job/name.ts";
import { SourceLogReader } from "../../runtime/log/source-log-reader.ts";
import type { NatsBus } from "../../runtime/messaging/nats-bus.ts";
import { auditLog } from "../audit/run-audit.ts";
import type { Verdict } from "../audit/verdict.ts";
import { type BookStateAt, queryBookState } from "../crossing/state-query.ts";
import { PROOF_STATE_MAX_MS } from "../limits.ts";
import type { MarketConfig } from "../market/config.ts";
import { instrumentOf } from "../market/instrument.ts";
import { marketLogs } from "../market/market-logs.ts";
import type { SymbolLedger } from "./symbol-ledger.ts";

/** One symbol, seen three ways: by who traded it, in the checkpoint log, and by the running job. */
export interface SymbolProof {
  readonly symbol: string;
  readonly ok: boolean;
  readonly entries: number;
  readonly events: number;
  readonly trades: number;
  readonly accepted_quantity: bigint;
  readonly executed_quantity: bigint;
  readonly cancelled_quantity: bigint;
  readonly live_quantity: bigint;
  readonly live_orders: number;
  /** Hash of the book rebuilt from storage. */
  readonly rebuilt_hash: string;
  /** Hash of the book of the running job. */
  readonly live_hash: string;
  /** What disagrees, in words. */
  readonly faults: readonly string[];
}

/** Pure: compares the reports, the log and the running book. */
export function compareSymbol(
  symbol: string,
  ledger: SymbolLedger,
  verdict: Verdict,
  live: BookStateAt,
): SymbolProof {
  const faults = verdict.findings.map(({ code, detail }) => `log: ${code}: ${detail}`);
  if (!verdict.ok && faults.length === 0) faults.push("log: not proved");
  const same = <T extends bigint | number | string>(
    what: string,
    reported: T,
    stored: T | undefined,
  ): void => {
    if (reported !== stored) faults.push(`${what}: ${reported} against ${stored ?? "nothing"} in the log`);
  };
  const totals = ledger.orders.totals();
  for (const key of ["accepted", "bought", "sold", "cancelled", "live"] as const) {
    same(`quantity ${key} by the reports`, totals[key], verdict.quantity?.[key]);
  }
  same("events reported", ledger.lastEvent, verdict.counts.events);
  same("trades reported", ledger.trades, verdict.counts.trades);
  same("orders live by the reports", ledger.orders.live, verdict.book?.liveOrders);
  same("next event of the running book", live.nextEvent, verdict.book?.nextEvent);
  same("hash of the running book", live.hash, verdict.book?.hash);
  return {
    symbol,
    ok: faults.length === 0,
    entries: verdict.counts.entries,
    events: verdict.counts.events,
    trades: verdict.counts.trades,
    accepted_quantity: totals.accepted,
    executed_quantity: totals.bought + totals.sold,
    cancelled_quantity: totals.cancelled,
    live_quantity: totals.live,
    live_orders: ledger.orders.live,
    rebuilt_hash: verdict.book?.hash ?? "",
    live_hash: live.hash,
    faults,
  };
}

/** Proves every symbol of a market on which nothing is traded any more, in turn. */
export async function proveMarket(
  bus: NatsBus,
  config: MarketConfig,
  ledgers: ReadonlyMap<string, SymbolLedger>,
): Promise<SymbolProof[]> {
  const logs = marketLogs(config, bus);
  const proofs: SymbolProof[] = [];
  for (const [symbol, ledger] of ledgers) {
    const job = jobName("crossing", symbol);
    const live = await queryBookState(bus, config.cluster, symbol, performance.now() + PROOF_STATE_MAX_MS);
    const reader = new SourceLogReader(job, (wanted) => logs.source(job, wanted), PROOF_STATE_MAX_MS);
    await reader.reached(live.entry);
    const verdict = await auditLog(job, reader, instrumentOf(config, symbol));
    proofs.push(compareSymbol(symbol, ledger, verdict, live));
  }
  return proofs;
}
