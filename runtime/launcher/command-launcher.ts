import { execFile, type ExecFileException } from "node:child_process";
import { LAUNCH_COMMAND_MS, LAUNCH_OUTPUT_BYTES_MAX } from "../limits.ts";
import type { InstanceId } from "../monitor/instance.ts";
import type { CommandTemplate } from "./command-template.ts";
import { type Launcher, LaunchError, type LaunchTarget } from "./launcher.ts";

export interface CommandLauncherOptions {
  /** Starts a unit on a node, and has nothing to do where it runs; exit code 0 says that it runs. */
  readonly start: CommandTemplate;
  /** Ends the process `{pid}` that began at `{ticks}`; exit code 0 says that it is gone, or was. */
  readonly kill: CommandTemplate;
  /** Where a node is reached; empty when that is not known. */
  readonly addressOf: (node: string) => string;
}

/** Starts processes on other machines, by commands that the operator has given. */
export class CommandLauncher implements Launcher {
  readonly #options: CommandLauncherOptions;

  constructor(options: CommandLauncherOptions) {
    this.#options = options;
  }

  async launch(target: LaunchTarget, failed: InstanceId | undefined): Promise<"started" | "present"> {
    // On another node, which may not be reached any more, what failed ends itself when it learns of the new one.
    if (failed !== undefined && failed.node === target.node) await this.kill(target, failed);
    await this.#run(this.#options.start, target, target.node, undefined);
    return "started";
  }

  kill(target: LaunchTarget, instance: InstanceId): Promise<void> {
    return this.#run(this.#options.kill, target, instance.node, instance);
  }

  #run(
    template: CommandTemplate,
    { kind, name, roles, agent }: LaunchTarget,
    node: string,
    instance: InstanceId | undefined,
  ): Promise<void> {
    const [command, ...args] = template.argumentsFor({
      node,
      address: this.#options.addressOf(node) || node,
      kind,
      unit: name,
      roles: roles?.join(",") ?? agent ?? "",
      pid: instance === undefined ? "" : String(instance.pid),
      ticks: instance === undefined ? "" : String(instance.startTicks),
    });
    const options = {
      timeout: LAUNCH_COMMAND_MS,
      maxBuffer: LAUNCH_OUTPUT_BYTES_MAX,
      killSignal: "SIGKILL",
    } as const;
    return new Promise((resolve, reject) => {
      execFile(command, args, options, (error, _, stderr) => {
        if (error === null) return resolve();
        const said = stderr.trim() === "" ? "" : `: ${stderr.trim()}`;
        const line = [command, ...args].join(" ");
        reject(new LaunchError(`${kind} ${name} on ${node}: '${line}': ${reasonOf(error)}${said}`));
      });
    });
  }
}

function reasonOf(error: ExecFileException): string {
  if (typeof error.code === "number") return `exit code ${error.code}`;
  if (typeof error.code === "string") return error.message;
  if (error.killed === true) return `no end within ${LAUNCH_COMMAND_MS} ms`;
  return `ended by ${error.signal ?? "nobody knows what"}`;
}
