import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import type { FlowInstrument } from "../flow/action.ts";
import { checkConfig, type MarketConfig } from "../market/config.ts";
import { type Market, startMarket } from "../market/market.ts";

/** A market of three nodes with the instruments that a flow needs. */
export function marketConfigFor(instruments: readonly FlowInstrument[], source: string): MarketConfig {
  return checkConfig({ instruments }, source);
}

/** Brings a market up in a folder of its own, gives it to `use`, and leaves neither process nor folder, whatever happens. */
export async function withTemporaryMarket<T>(
  config: MarketConfig,
  signal: AbortSignal,
  use: (market: Market) => Promise<T>,
): Promise<T> {
  const dataDir = await mkdtemp(join(tmpdir(), "evercross-market-"));
  try {
    const logger = pino({ level: process.env["EVERCROSS_LOG"] ?? "silent" });
    const market = await startMarket(config, { dataDir, logger, signal });
    try {
      return await use(market);
    } finally {
      await market.stop();
    }
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
}
