import type { ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { MONITOR_START_MS, PROCESS_KILL_MS, PROCESS_POLL_MS } from "../limits.ts";
import type { InstanceId } from "../monitor/instance.ts";
import {
  identify,
  isAlive,
  processAgeMs,
  signalProcess,
  type ProcessIdentity,
} from "../process/process-identity.ts";
import type { ProcessEntry, ProcessRegistry } from "../process/registry.ts";
import { waitFor } from "../process/wait.ts";
import { type Launcher, LaunchError, type LaunchTarget } from "./launcher.ts";

export interface LocalLauncherOptions {
  /** Of the data folder that all nodes of this machine share. */
  readonly registry: ProcessRegistry;
  /** The data folder of a node. A file `off` in it: the node has no power, nothing is started on it. */
  readonly nodeFolder: (node: string) => string;
  /** Starts the process of a target, detached. */
  readonly spawn: (target: LaunchTarget) => ChildProcess;
}

/** How a process is named in the registry: `n1.agent-n1`, `n1.h3`. */
export function processEntryName({ node, name }: Pick<LaunchTarget, "node" | "name">): string {
  return `${node}.${name}`;
}

/** Whether a node was switched off by the file that stands for it. */
export function isSwitchedOff(nodeFolder: string): boolean {
  return existsSync(join(nodeFolder, "off"));
}

/** Starts the processes of all nodes on this machine. */
export class LocalLauncher implements Launcher {
  readonly #options: LocalLauncherOptions;

  constructor(options: LocalLauncherOptions) {
    this.#options = options;
  }

  async launch(target: LaunchTarget, failed: InstanceId | undefined): Promise<"started" | "present"> {
    const { registry, nodeFolder } = this.#options;
    if (!registry.isOpen()) throw new LaunchError("nothing is started any more: the market is being stopped");
    if (isSwitchedOff(nodeFolder(target.node))) throw new LaunchError(`node ${target.node} is off`);
    if (failed !== undefined) await this.kill(target, failed);
    for (const entry of this.#present(target)) if (hadItsTime(entry)) await this.#end(entry);
    const name = `${target.kind}-${processEntryName(target)}`;
    const outcome = registry.exclusively(name, () => {
      if (this.#present(target).length > 0) return "present";
      this.#start(target);
      return "started";
    });
    // Another launcher starts it at this very moment.
    return outcome ?? "present";
  }

  /** Only a process of this registry is killed: the instance of another machine may have any pid. */
  async kill(_target: LaunchTarget, instance: InstanceId): Promise<void> {
    const { registry } = this.#options;
    const entry = registry.alive().find((one) => isSame(one, instance));
    if (entry !== undefined) await this.#end(entry);
  }

  /** Processes of the target that are there. */
  #present(target: LaunchTarget): ProcessEntry[] {
    const name = processEntryName(target);
    return this.#options.registry
      .alive()
      .filter((entry) => entry.kind === target.kind && entry.name === name);
  }

  async #end(entry: ProcessEntry): Promise<void> {
    signalProcess(entry, "SIGKILL");
    if ((await waitFor(() => !isAlive(entry), PROCESS_KILL_MS, PROCESS_POLL_MS)) !== true) {
      throw new LaunchError(
        `${entry.kind} ${entry.name}: process ${entry.pid} is still there ${PROCESS_KILL_MS} ms after SIGKILL`,
      );
    }
    this.#options.registry.remove(entry);
  }

  #start(target: LaunchTarget): ProcessEntry {
    const { registry, spawn } = this.#options;
    const name = processEntryName(target);
    let child: ChildProcess;
    try {
      child = spawn(target);
    } catch (error) {
      throw new LaunchError(`${target.kind} ${name} cannot be started: ${(error as Error).message}`);
    }
    // Without a listener it would be nobody's error. What cannot be started has no pid, which is told below.
    child.on("error", () => undefined);
    const identity = child.pid === undefined ? undefined : identify(child.pid);
    if (identity === undefined) throw new LaunchError(`${target.kind} ${name}: its process did not start`);
    try {
      // Whoever stops the market must see it even before it can speak for itself.
      return registry.register(target.kind, name, identity);
    } catch (error) {
      signalProcess(identity, "SIGKILL");
      throw new LaunchError((error as Error).message);
    }
  }
}

/** A monitor that was started so long ago and is still missed has frozen before anybody knew it. */
function hadItsTime(entry: ProcessEntry): boolean {
  const ageMs = entry.kind === "host" ? undefined : processAgeMs(entry);
  return ageMs !== undefined && ageMs > MONITOR_START_MS;
}

function isSame(entry: ProcessIdentity, { pid, startTicks }: InstanceId): boolean {
  return entry.pid === pid && entry.startTicks === startTicks;
}
