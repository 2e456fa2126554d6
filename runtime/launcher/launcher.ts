import type { InstanceId } from "../monitor/instance.ts";

/** A process that can be started on a node. */
export interface LaunchTarget {
  /** `agent`: a unit of agents only; `coordinator`: any other unit. */
  readonly kind: "agent" | "coordinator" | "host";
  /** Of agents and coordinators their unit (`agent-n1`, `local-a`), of a host its name on the node (`h3`). */
  readonly name: string;
  readonly node: string;
  /** Of a unit: the roles in it. */
  readonly roles?: readonly string[];
  /** Of a host: the role of the agent that keeps it. */
  readonly agent?: string;
}

/** The process was not started: the node does not serve, or the command failed. */
export class LaunchError extends Error {
  override readonly name = "LaunchError";
}

/**
 * Starts processes on nodes. Three forms: `LocalLauncher` (processes of this machine), `CommandLauncher` (a command template, e.g.
 * `ssh {address} systemctl restart evercross-agent@{name}`), and the units of `docker/` that start agents at boot.
 */
export interface Launcher {
  /**
   * Kills `failed`, if it is still there, and starts a new process, unless another instance of the target runs on that node already; a
   * monitor that runs there for longer than `MONITOR_START_MS` is killed like `failed`, since it is missed all the same.
   * Resolves when the process runs, not when it serves. Rejects with `LaunchError`.
   */
  launch(target: LaunchTarget, failed: InstanceId | undefined): Promise<"started" | "present">;
  /** SIGKILL. Resolves when it is gone. Rejects with `LaunchError` when that is not known. */
  kill(target: LaunchTarget, instance: InstanceId): Promise<void>;
}
