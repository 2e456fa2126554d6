import type { Logger } from "pino";
import type { JobDefinition } from "../job/definition.ts";
import { REHEARSAL_PAUSE_MS } from "../limits.ts";

/**
 * Lets each service rehearse in a host that has nothing else to do, a slice at a time, so that its code is warm when a
 * job comes. Ends for good when `idle` says no, or when one throws: a host that is cold still runs its jobs.
 */
export function rehearse(definitions: Iterable<JobDefinition>, idle: () => boolean, logger: Logger): void {
  const rehearsals = [...definitions].flatMap((definition) =>
    definition.kind === "stateful" && definition.rehearse !== undefined ? [definition.rehearse()] : [],
  );
  const slice = (): void => {
    const current = rehearsals[0];
    if (current === undefined || !idle()) return;
    try {
      if (current.next().done === true) rehearsals.shift();
    } catch (error) {
      return logger.error({ err: error }, "a rehearsal failed; this host stays cold");
    }
    setTimeout(slice, REHEARSAL_PAUSE_MS).unref();
  };
  slice();
}
