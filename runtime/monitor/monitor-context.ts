import type { HistoryKind } from "../../proto/generated/evercross/v1/hierarchy.ts";
import { formatInstance, type InstanceId } from "./instance.ts";
import type { MonitorOutput, Peer } from "./monitor-message.ts";
import type { MonitorTiming } from "./timing.ts";

interface EventDetails {
  readonly cause: string;
  readonly node?: string | undefined;
  readonly old?: InstanceId | undefined;
  readonly new?: InstanceId | undefined;
  readonly tookMs?: number;
}

/** What the parts of one monitor share: who it is, its time, and what it says. */
export class MonitorContext {
  /**
   * The monitor's own time in milliseconds. Where it was not stepped for longer than a beat, only a beat is counted: what arrived meanwhile
   * was not read, so nobody may be taken for silent because of it.
   */
  now = 0;
  linkUp = true;
  outputs: MonitorOutput[] = [];

  constructor(
    readonly self: InstanceId,
    readonly timing: MonitorTiming,
    /** `[0, 1)`. */
    readonly random: () => number,
    /** Negative when the first is better. */
    readonly prefers: (a: InstanceId, b: InstanceId) => number,
  ) {}

  /** There is a way to it. */
  reaches(peer: Peer): boolean {
    return peer.direct || this.linkUp;
  }

  event(kind: HistoryKind, element: string, details: EventDetails): void {
    this.outputs.push({
      kind: "event",
      event: {
        kind,
        element,
        cause: details.cause,
        node: details.node ?? details.new?.node ?? details.old?.node ?? "",
        oldInstance: details.old === undefined ? "" : formatInstance(details.old),
        newInstance: details.new === undefined ? "" : formatInstance(details.new),
        tookMs: details.tookMs ?? 0,
      },
    });
  }
}
