import { PROCESS_GRACE_MS } from "../../runtime/limits.ts";
import type { ProcessEntry, ProcessRegistry } from "../../runtime/process/registry.ts";
import { terminate } from "../../runtime/process/terminate.ts";

/** Who ends first: those who would start others again, then those who need others to end in good order. */
const ORDER: readonly ((entry: ProcessEntry) => boolean)[] = [
  (entry) => entry.kind === "coordinator",
  (entry) => entry.kind === "agent",
  (entry) => entry.kind === "host" && entry.role === "gateway",
  (entry) => entry.kind === "host" && entry.role !== "storage",
  (entry) => entry.kind === "host",
  (entry) => entry.kind === "broker",
];

/**
 * Ends every process of a data folder but this one and a living `up`, and lets none be added. Gives how many there were; throws when one
 * is left.
 */
export async function stopProcesses(registry: ProcessRegistry): Promise<number> {
  registry.close();
  const others = (): ProcessEntry[] =>
    registry.alive().filter((entry) => entry.kind !== "up" && entry.pid !== process.pid);
  const stopped = new Set<number>();
  for (const isNext of ORDER) {
    const next = others().filter(isNext);
    for (const entry of next) stopped.add(entry.pid);
    await terminate(next, PROCESS_GRACE_MS);
  }
  const left = others();
  if (left.length > 0) {
    throw new Error(
      `still there: ${left.map((entry) => `${entry.kind} ${entry.name} (${entry.pid})`).join(", ")}`,
    );
  }
  return stopped.size;
}
