import type { Instrument } from "../../engine/index.ts";
import type { MarketConfig } from "./config.ts";
import { engineInstrument } from "./instrument-config.ts";

/** The engine's instrument of a configured symbol; undefined when it is not configured. */
export function instrumentOf(config: MarketConfig, symbol: string): Instrument | undefined {
  const found = config.instruments.find((instrument) => instrument.symbol === symbol);
  return found && engineInstrument(found);
}
