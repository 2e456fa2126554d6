import type { ChildProcess } from "node:child_process";
import type { Logger } from "pino";
import type { Launcher, LaunchTarget } from "../launcher/launcher.ts";
import { HOST_EXIT_MS, HOST_EXIT_POLL_MS } from "../limits.ts";
import { identify, isAlive, signalProcess, type ProcessIdentity } from "../process/process-identity.ts";
import type { ProcessRegistry } from "../process/registry.ts";
import { waitFor } from "../process/wait.ts";
import type { AgentInput, FoundHost } from "./agent-message.ts";
import { hostEntryName, hostInstance, hostNamePrefix, hostNumber } from "./host-name.ts";

export interface HostProcessesOptions {
  /** `agent/n1`. */
  readonly role: string;
  readonly node: string;
  readonly registry: ProcessRegistry;
  /** Starts the process of a job host of this name on the agent's own node, detached. */
  readonly spawnHost: (host: string) => ChildProcess;
  /** Starts and kills those of other nodes. */
  readonly launcher: Launcher;
  readonly logger: Logger;
}

/** The hosts of an agent that run on its own node already. */
export function foundHosts(registry: ProcessRegistry, role: string, node: string): FoundHost[] {
  const entry = hostEntryName(node, "");
  const prefix = hostNamePrefix(role, node);
  return registry
    .alive()
    .filter(({ kind, name }) => kind === "host" && name.startsWith(entry))
    .map((found) => ({
      node,
      host: found.name.slice(entry.length),
      identity: { pid: found.pid, startTicks: found.startTicks },
    }))
    .filter(({ host }) => hostNumber(prefix, host) !== undefined);
}

/** Starts and kills the processes of job hosts, and tells what came of it; never from within a call. */
export class HostProcesses {
  readonly #options: HostProcessesOptions;
  readonly #tell: (input: AgentInput) => void;

  constructor(options: HostProcessesOptions, tell: (input: AgentInput) => void) {
    this.#options = options;
    this.#tell = (input) => {
      setImmediate(tell, input);
    };
  }

  spawn(node: string, host: string): void {
    if (node === this.#options.node) this.#spawnHere(host);
    else void this.#launch(node, host);
  }

  kill(node: string, host: string, identity: ProcessIdentity): void {
    void (node === this.#options.node
      ? this.#killHere(host, identity)
      : this.#killThere(node, host, identity));
  }

  #spawnHere(host: string): void {
    const { registry, node, logger } = this.#options;
    let child: ChildProcess;
    const exited = (detail: string): void => {
      this.#tell({ kind: "exit", node, host, detail });
    };
    try {
      child = this.#options.spawnHost(host);
    } catch (error) {
      exited(`cannot be started: ${(error as Error).message}`);
      return;
    }
    child.once("error", (error) => {
      exited(`cannot be started: ${error.message}`);
    });
    child.once("exit", (code, signal) => {
      exited(`exit ${signal ?? code}`);
    });
    const identity = child.pid === undefined ? undefined : identify(child.pid);
    if (identity === undefined) return;
    try {
      // Who takes the market down must see it even before it can speak for itself.
      registry.register("host", hostEntryName(node, host), identity);
    } catch (error) {
      child.kill("SIGKILL");
      logger.warn({ host, error: (error as Error).message }, "host not wanted");
      return;
    }
    this.#tell({ kind: "spawned", node, host, identity });
  }

  async #killHere(host: string, identity: ProcessIdentity): Promise<void> {
    signalProcess(identity, "SIGKILL");
    const gone = (): boolean => !isAlive(identity);
    if ((await waitFor(gone, HOST_EXIT_MS, HOST_EXIT_POLL_MS)) === undefined) return;
    this.#tell({ kind: "exit", node: this.#options.node, host, detail: "its process is gone" });
  }

  #target(node: string, host: string): LaunchTarget {
    return { kind: "host", name: host, node, agent: this.#options.role };
  }

  async #launch(node: string, host: string): Promise<void> {
    const exited = (detail: string): void => {
      this.#tell({ kind: "exit", node, host, detail });
    };
    try {
      const outcome = await this.#options.launcher.launch(this.#target(node, host), undefined);
      // One that an earlier agent started, and that says no hello: the next name is free.
      if (outcome === "present") exited("another process of this name is there already");
    } catch (error) {
      exited(`cannot be started: ${(error as Error).message}`);
    }
  }

  async #killThere(node: string, host: string, identity: ProcessIdentity): Promise<void> {
    try {
      await this.#options.launcher.kill(this.#target(node, host), hostInstance(node, identity));
    } catch (error) {
      // Nobody knows whether it is gone: the machine waits its time, and the checkpoint log fences what may be there.
      this.#options.logger.warn({ node, host, error: (error as Error).message }, "host not killed");
      return;
    }
    this.#tell({ kind: "exit", node, host, detail: "its process is gone" });
  }
}
