import type { Escalation, NodeHealth } from "../../proto/generated/evercross/v1/hierarchy.ts";
import type { RecordChange, StoredRecord } from "../desired/desired-store.ts";
import type { MonitorInput, MonitorOutput } from "../monitor/monitor-message.ts";

/** What happens to a coordinator (local, group or universal), beside what happens to every monitor. */
export type CoordinatorInput =
  | Exclude<MonitorInput, { kind: "surroundings" | "answer" | "probed" }>
  /** What else a child's answer said. */
  | (Extract<MonitorInput, { kind: "answer" }> & {
      readonly escalations: readonly Escalation[];
      readonly nodes: readonly NodeHealth[];
    })
  /** Something on a node answered a probe. */
  | { readonly kind: "nodeProbed"; readonly node: string }
  | { readonly kind: "record"; readonly record: StoredRecord }
  /** The view of the store is complete from now on. */
  | { readonly kind: "complete" }
  /** What became of a `change`. */
  | {
      readonly kind: "changed";
      readonly change: RecordChange;
      readonly outcome: "ok" | "conflict" | "unknown";
    };

export type CoordinatorOutput =
  | Exclude<MonitorOutput, { kind: "probe" | "active" | "failed" | "up" | "lost" | "answer" }>
  | (Extract<MonitorOutput, { kind: "answer" }> & { readonly escalations: readonly Escalation[] })
  | { readonly kind: "probeNode"; readonly node: string }
  | { readonly kind: "change"; readonly change: RecordChange };
