import type { JobStatus } from "../../proto/generated/evercross/v1/control.ts";
import type { ProcessIdentity } from "../process/process-identity.ts";

/** A job that the agent is to keep running. */
export interface DesiredJob {
  /** `service/key`. */
  readonly job: string;
  /** Jobs of one group share a job host. */
  readonly group: string;
}

/** A host that the agent finds at its own start. */
export interface FoundHost {
  readonly host: string;
  readonly identity: ProcessIdentity;
}

/** What happens to an agent. `link` names a connection, given by the shell and never used again. */
export type AgentInput =
  | { readonly kind: "tick" }
  /** The whole of what is wanted from now on. */
  | { readonly kind: "desired"; readonly jobs: readonly DesiredJob[] }
  | {
      readonly kind: "hello";
      readonly link: number;
      readonly host: string;
      readonly identity: ProcessIdentity;
      readonly jobs: readonly JobStatus[];
    }
  | {
      readonly kind: "answer";
      readonly link: number;
      readonly beat: number;
      readonly jobs: readonly JobStatus[];
    }
  | { readonly kind: "job"; readonly link: number; readonly status: JobStatus }
  /** The link is closed, or said something that is no message. */
  | { readonly kind: "closed"; readonly link: number; readonly detail: string }
  /** The process that `spawn` asked for runs. */
  | { readonly kind: "spawned"; readonly host: string; readonly identity: ProcessIdentity }
  /** The process of a host is gone, or could not be started. */
  | { readonly kind: "exit"; readonly host: string; readonly detail: string }
  /** An operator wants the job's host dead. */
  | { readonly kind: "kill"; readonly job: string };

/** What an agent does. Outputs are carried out in their order. */
export type AgentOutput =
  | { readonly kind: "poll"; readonly link: number; readonly beat: number }
  | { readonly kind: "start"; readonly link: number; readonly job: string }
  | { readonly kind: "stop"; readonly link: number; readonly job: string }
  | { readonly kind: "retire"; readonly link: number }
  /** Close the link; no `closed` comes for it. */
  | { readonly kind: "drop"; readonly link: number }
  /** Start a process for this host; answered by `spawned` or `exit`. */
  | { readonly kind: "spawn"; readonly host: string }
  /** SIGKILL, then watch until the process is gone; answered by `exit`. */
  | { readonly kind: "kill"; readonly host: string; readonly identity: ProcessIdentity }
  /** For the log. */
  | { readonly kind: "event"; readonly name: AgentEvent; readonly subject: string; readonly detail: string };

export type AgentEvent =
  | "adoption_done"
  | "host_adopted"
  | "host_failed"
  | "host_not_gone"
  | "host_refused"
  | "job_adopted"
  | "job_failed"
  | "job_quarantined"
  | "job_stopped_twin"
  | "group_split";
