import { setTimeout as delay } from "node:timers/promises";

/**
 * Looks at `condition` every `everyMs` until it gives a value other than undefined or false, at most for
 * `deadlineMs`; then undefined. The condition is looked at once more when the time is up.
 */
export async function waitFor<T>(
  condition: () => T | undefined | false | Promise<T | undefined | false>,
  deadlineMs: number,
  everyMs: number,
): Promise<T | undefined> {
  const deadline = performance.now() + deadlineMs;
  for (;;) {
    const last = performance.now() >= deadline;
    const value = await condition();
    if (value !== undefined && value !== false) return value;
    if (last) return undefined;
    await delay(everyMs);
  }
}
