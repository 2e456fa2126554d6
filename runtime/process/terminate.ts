import { PROCESS_KILL_MS, PROCESS_POLL_MS } from "../limits.ts";
import { isAlive, signalProcess, type ProcessIdentity } from "./process-identity.ts";
import { waitFor } from "./wait.ts";

/**
 * Ends exactly these processes: SIGTERM, after `graceMs` SIGKILL; 0 begins with SIGKILL. Resolves when all are gone,
 * throws when one survives even that.
 */
export async function terminate(processes: readonly ProcessIdentity[], graceMs: number): Promise<void> {
  const gone = (): boolean => !processes.some(isAlive);
  if (graceMs > 0) {
    for (const one of processes) signalProcess(one, "SIGTERM");
    // A stopped process sees no SIGTERM until it is woken.
    for (const one of processes) signalProcess(one, "SIGCONT");
    if (await waitFor(gone, graceMs, PROCESS_POLL_MS)) return;
  }
  for (const one of processes) signalProcess(one, "SIGKILL");
  if (await waitFor(gone, PROCESS_KILL_MS, PROCESS_POLL_MS)) return;
  const left = processes.filter(isAlive).map((one) => one.pid);
  throw new Error(`processes ${left.join(", ")} are still there ${PROCESS_KILL_MS} ms after SIGKILL`);
}
