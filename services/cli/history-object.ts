import { type HistoryEvent, HistoryKind } from "../../proto/generated/evercross/v1/hierarchy.ts";
import { codeName } from "../../runtime/code-name.ts";
import { formatInstance } from "../../runtime/monitor/instance.ts";

/** An event of the history for programs; what does not apply is left out. */
export function historyObject(event: HistoryEvent): Record<string, unknown> {
  const texts = {
    cause: event.cause,
    node: event.node,
    old_instance: event.oldInstance,
    new_instance: event.newInstance,
  };
  return {
    time: new Date(event.timeUs / 1000).toISOString(),
    time_us: event.timeUs,
    role: event.role,
    by: event.by === undefined ? null : formatInstance(event.by),
    kind: codeName(HistoryKind, event.kind).toLowerCase(),
    element: event.element,
    ...Object.fromEntries(Object.entries(texts).filter(([, text]) => text !== "")),
    ...(event.tookMs === 0 ? undefined : { took_ms: event.tookMs }),
    ...(event.lost === 0 ? undefined : { lost: event.lost }),
  };
}
