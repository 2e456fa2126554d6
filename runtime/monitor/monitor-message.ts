import type { HistoryKind } from "../../proto/generated/evercross/v1/hierarchy.ts";
import type { InstanceId } from "./instance.ts";

/** What a monitor watches, or is watched by. */
export interface Peer {
  /** `agent/n1`; of a host, `host/n1.h3`. */
  readonly role: string;
  /** Where it may run, the preferred node first. */
  readonly on: readonly string[];
  /** Reached without the broker: over a local socket. */
  readonly direct: boolean;
}

/** Whom a monitor has around it; may change while it runs. */
export interface Surroundings {
  readonly parent: Peer | undefined;
  readonly children: readonly Peer[];
}

export type MonitorInput =
  /** Time passes: at least twice a beat. */
  | { readonly kind: "tick" }
  /** The way to the broker. Up when the machine is made. */
  | { readonly kind: "link"; readonly up: boolean }
  | { readonly kind: "surroundings"; readonly surroundings: Surroundings }
  /** The parent's sign of life. `ask` is the shell's handle for the answer. */
  | {
      readonly kind: "poll";
      readonly role: string;
      readonly from: InstanceId;
      readonly beat: number;
      readonly ask: number;
      /** Instances of the asked role that are to end themselves (4.5). */
      readonly outdone: readonly InstanceId[];
    }
  | {
      readonly kind: "answer";
      readonly child: string;
      readonly from: InstanceId;
      readonly beat: number;
      readonly best: InstanceId | undefined;
    }
  /** The end of a child's instance was seen, or it spoke nonsense. `from` undefined: whichever it is. */
  | {
      readonly kind: "gone";
      readonly child: string;
      readonly from: InstanceId | undefined;
      readonly reason: string;
    }
  /** The end of the parent was seen. */
  | { readonly kind: "orphaned"; readonly reason: string }
  /** Something on the node of a silent child answered a probe. */
  | { readonly kind: "probed"; readonly child: string }
  | {
      readonly kind: "announced";
      readonly role: string;
      readonly node: string;
      readonly byRole: string;
      readonly by: InstanceId;
      readonly cause: string;
    }
  /** What became of a `launch`. `ok` says that the process was started, or was there; not that it answers. */
  | {
      readonly kind: "launched";
      readonly role: string;
      readonly node: string;
      readonly ok: boolean;
      readonly detail: string;
    };

/** Outputs are carried out in their order. After `suicide` nothing follows, ever. */
export type MonitorOutput =
  | {
      readonly kind: "poll";
      readonly child: string;
      readonly beat: number;
      readonly outdone: readonly InstanceId[];
    }
  | { readonly kind: "probe"; readonly child: string }
  | {
      readonly kind: "answer";
      readonly ask: number;
      readonly beat: number;
      readonly best: InstanceId;
    }
  | { readonly kind: "announce"; readonly role: string; readonly node: string; readonly cause: string }
  | {
      readonly kind: "launch";
      readonly role: string;
      readonly node: string;
      readonly failed: InstanceId | undefined;
    }
  /** The passive round is over, or (`false`) has begun anew. */
  | { readonly kind: "active"; readonly active: boolean }
  /** `serves`: its node was heard within `silenceMs`: a probe was answered, or its end was seen. */
  | {
      readonly kind: "failed";
      readonly child: string;
      readonly from: InstanceId | undefined;
      readonly reason: string;
      readonly serves: boolean;
    }
  /** It answers: the first time, or after it was failed, or as another instance (`changed`). */
  | {
      readonly kind: "up";
      readonly child: string;
      readonly from: InstanceId;
      readonly changed: boolean;
    }
  /** Tried on every node without success. Told once for each round of tries. */
  | { readonly kind: "lost"; readonly child: string; readonly reason: string }
  | { readonly kind: "suicide"; readonly reason: string }
  | { readonly kind: "event"; readonly event: MonitorEvent };

/** For the history: the shell adds time, role and instance. */
export interface MonitorEvent {
  readonly kind: HistoryKind;
  readonly element: string;
  readonly cause: string;
  readonly node: string;
  readonly oldInstance: string;
  readonly newInstance: string;
  readonly tookMs: number;
}
