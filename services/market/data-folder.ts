import { existsSync } from "node:fs";
import { join } from "node:path";
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

/** A file of this name is in a data folder whose storage is being restored from a backup. */
export const RESTORING_NAME = "restoring";

/** Throws `DataFolderError` when a restore of this folder was not finished: a part of its books would be missing. */
export function checkRestored(dataDir: string): void {
  if (!existsSync(join(dataDir, RESTORING_NAME))) return;
  throw new DataFolderError(
    `${dataDir}: restoring a backup into it was not finished: remove the folder, or its nodes' storage folders, and restore again`,
  );
}

/** Where a symbol's log is kept must not change under a market that is resumed: nodes, and of several replicas more, may only be added. */
export function checkSameShape(before: MarketConfig, config: MarketConfig, dataDir: string): void {
  const shape = ({
    cluster,
    storage: { driver, shards },
  }: MarketConfig): Record<string, string | number> => ({
    cluster,
    "storage.driver": driver,
    "storage.shards": shards,
  });
  const is = shape(config);
  for (const [key, was] of Object.entries(shape(before))) {
    if (was === is[key]) continue;
    throw new ConfigError(
      `${key}: ${dataDir} holds a market with '${was}', not '${is[key]}': its books would not be found`,
    );
  }
  checkReplicas(before, config, dataDir);
  const names = nodeNames(config);
  const missing = nodeNames(before).filter((node) => !names.includes(node));
  if (missing.length > 0) {
    throw new ConfigError(
      `nodes: ${dataDir} holds a market with node ${missing.join(", ")}: books that are kept there would not be found`,
    );
  }
}

/** The members of a log are changed one by one, by its writer: three that are there can take in two more. */
function checkReplicas(before: MarketConfig, config: MarketConfig, dataDir: string): void {
  const [was, is] = [before.storage.replicas, config.storage.replicas];
  const grows = was > 1 && is > was;
  if (was === is || grows) return;
  throw new ConfigError(
    `storage.replicas: ${dataDir} holds a market with ${was}, which cannot become ${is}: ` +
      "'evercross storage backup' it, and restore the backup into the folder of a new market",
  );
}
