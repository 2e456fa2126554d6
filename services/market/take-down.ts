import { ProcessRegistry } from "../../runtime/process/registry.ts";
import { terminate } from "../../runtime/process/terminate.ts";
import { MARKET_STOP_MS } from "../limits.ts";
import { stopProcesses } from "./stop-processes.ts";

/**
 * Ends whatever runs of the market in a data folder, whoever started it: a living `up` is asked to stop its market, then the rest
 * is ended. Gives how many processes there were; 0 when there was nothing to do. Throws when one is left.
 */
export async function takeDown(dataDir: string): Promise<number> {
  const registry = new ProcessRegistry(dataDir);
  const before = registry.alive();
  if (before.length === 0) return 0;
  registry.close();
  const starters = before.filter((entry) => entry.kind === "up" && entry.pid !== process.pid);
  await terminate(starters, MARKET_STOP_MS);
  await stopProcesses(registry);
  const left = registry.alive().filter((entry) => entry.pid !== process.pid);
  if (left.length > 0) throw new Error(`still there: ${left.map((entry) => entry.pid).join(", ")}`);
  return before.length;
}
