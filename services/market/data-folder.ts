import type { ProcessEntry, ProcessRegistry } from "../../runtime/process/registry.ts";
import { ConfigError, type MarketConfig } from "./config.ts";
import { nodeNames } from "./layout.ts";

/** The data folder is another market's, or another shape's. Nothing was started. */
export class DataFolderError extends Error {
  override readonly name = "DataFolderError";
}

/** Registers this process as the one that runs the market of a folder. Throws `DataFolderError` when it is in use. */
export function claim(registry: ProcessRegistry, dataDir: string): ProcessEntry {
  const refuse = (entries: readonly ProcessEntry[]): never => {
    const list = entries.map((entry) => `${entry.kind} ${entry.name} (${entry.pid})`).join(", ");
    throw new DataFolderError(
      `${dataDir} is in use by ${list}; 'evercross down --data ${dataDir}' ends them`,
    );
  };
  const before = registry.alive();
  if (before.length > 0) refuse(before);
  registry.open();
  const own = registry.register("up", "market");
  const rivals = registry.alive().filter((entry) => entry.pid !== own.pid);
  if (rivals.length > 0) {
    registry.remove(own);
    refuse(rivals);
  }
  return own;
}

/** Where a symbol's log is kept must not change under a market that is resumed: nodes may only be added. */
export function checkSameShape(before: MarketConfig, config: MarketConfig, dataDir: string): void {
  for (const key of ["cluster", "storage"] as const) {
    const [was, is] = [JSON.stringify(before[key]), JSON.stringify(config[key])];
    if (was === is) continue;
    throw new ConfigError(
      `${key}: ${dataDir} holds a market with ${was}, not ${is}: its books would not be found`,
    );
  }
  const names = nodeNames(config);
  const missing = nodeNames(before).filter((node) => !names.includes(node));
  if (missing.length > 0) {
    throw new ConfigError(
      `nodes: ${dataDir} holds a market with node ${missing.join(", ")}: books that are kept there would not be found`,
    );
  }
}
