import type { JobStatus } from "../../proto/generated/evercross/v1/control.ts";
import type { Escalation, NodeHealth, PlaceRecord } from "../../proto/generated/evercross/v1/hierarchy.ts";
import type { InstanceId } from "../monitor/instance.ts";
import type { MonitorInput, MonitorOutput, Peer } from "../monitor/monitor-message.ts";
import type { ProcessIdentity } from "../process/process-identity.ts";

/** A job that an agent is to keep running. */
export interface DesiredJob {
  /** `service/key`. */
  readonly job: string;
  /** Jobs of one group on one node share a job host. */
  readonly group: string;
  readonly node: string;
  /** Its state is kept warm in a second host of the node. */
  readonly standby?: boolean;
}

/** A host that the agent finds at its own start. */
export interface FoundHost {
  readonly node: string;
  readonly host: string;
  readonly identity: ProcessIdentity;
}

/** What happens to an agent. `link` names a connection to a job host, given by the shell and never used again. */
export type AgentInput =
  | { readonly kind: "tick" }
  /** The whole of what is wanted from now on: the first one ends the time in which only what was adopted is kept. */
  | {
      readonly kind: "desired";
      readonly jobs: readonly DesiredJob[];
      /** The nodes whose hosts it keeps. Hosts of its own node are `direct`. */
      readonly nodes: readonly string[];
      readonly parent: Peer | undefined;
    }
  | {
      readonly kind: "hello";
      readonly link: number;
      readonly node: string;
      readonly host: string;
      readonly identity: ProcessIdentity;
      readonly jobs: readonly JobStatus[];
    }
  | {
      readonly kind: "hostAnswer";
      readonly link: number;
      readonly beat: number;
      readonly jobs: readonly JobStatus[];
      readonly best: InstanceId | undefined;
      /** For how long its link to the broker has been down; 0: it is up. */
      readonly linkDownMs: number;
      /** The jobs whose state it keeps warm, sorted. */
      readonly warm: readonly string[];
    }
  | { readonly kind: "job"; readonly link: number; readonly status: JobStatus }
  /** The link is closed, or said something that is no message. */
  | { readonly kind: "closed"; readonly link: number; readonly detail: string }
  /** The process that `spawn` asked for runs. */
  | {
      readonly kind: "spawned";
      readonly node: string;
      readonly host: string;
      readonly identity: ProcessIdentity;
    }
  /** The process of a host is gone, or could not be started. */
  | { readonly kind: "exit"; readonly node: string; readonly host: string; readonly detail: string }
  /** An operator wants the job's host dead. */
  | { readonly kind: "kill"; readonly job: string }
  /** What happens to it as a monitor that has a parent. */
  | Extract<MonitorInput, { kind: "link" | "poll" | "announced" | "launched" }>;

/** What an agent does. Outputs are carried out in their order. After `suicide` nothing follows; no job ends by it. */
export type AgentOutput =
  | { readonly kind: "pollHost"; readonly link: number; readonly beat: number }
  | { readonly kind: "start"; readonly link: number; readonly job: string }
  | { readonly kind: "stop"; readonly link: number; readonly job: string }
  | { readonly kind: "retire"; readonly link: number }
  | { readonly kind: "warm"; readonly link: number; readonly jobs: readonly string[] }
  /** Close the link; no `closed` comes for it. */
  | { readonly kind: "drop"; readonly link: number }
  /** Start a process for this host; answered by `spawned` or `exit`. */
  | { readonly kind: "spawn"; readonly node: string; readonly host: string }
  /** SIGKILL, then watch until the process is gone; answered by `exit`. */
  | {
      readonly kind: "kill";
      readonly node: string;
      readonly host: string;
      readonly identity: ProcessIdentity;
    }
  /** For the directory: a job of this agent changed; `place` undefined: it is no job of this agent any more. */
  | { readonly kind: "place"; readonly job: string; readonly place: PlaceRecord | undefined }
  | (Extract<MonitorOutput, { kind: "answer" }> & {
      readonly escalations: readonly Escalation[];
      readonly nodes: readonly NodeHealth[];
    })
  | Extract<MonitorOutput, { kind: "announce" | "launch" | "suicide" | "event" }>;
