import type { Logger } from "pino";
import { launchTarget } from "../../runtime/launcher/launch-target.ts";
import type { Launcher } from "../../runtime/launcher/launcher.ts";
import { parseRole } from "../../runtime/monitor/role.ts";
import type { ProcessEntry, ProcessRegistry } from "../../runtime/process/registry.ts";
import type { Topology } from "../../runtime/topology/topology.ts";
import { BOOT_GUARD_MS, BOOT_GUARD_POLL_MS } from "../limits.ts";

/** A process of monitors, by its entry in the registry. */
export interface MonitorProcess {
  readonly kind: "agent" | "coordinator";
  readonly node: string;
  readonly unit: string;
  readonly pid: number;
}

/** Names of nodes have no dot: what is before the first one is the node. */
export function monitorProcesses(entries: readonly ProcessEntry[]): MonitorProcess[] {
  return entries.flatMap(({ kind, name, pid }) => {
    if (kind !== "agent" && kind !== "coordinator") return [];
    const dot = name.indexOf(".");
    return [{ kind, node: name.slice(0, dot), unit: name.slice(dot + 1), pid }];
  });
}

export interface BootGuardOptions {
  readonly registry: ProcessRegistry;
  readonly launcher: Launcher;
  readonly topology: () => Topology;
  readonly isOff: (node: string) => boolean;
  /** False: it only looks. */
  readonly starts: boolean;
  readonly logger: Logger;
  /** A process of monitors runs that did not run at the last look, of a unit that did once. */
  readonly onRestart: (process: MonitorProcess) => void;
}

/**
 * Stands for the systems of the machines that a market's nodes would be: an agent of which there is no process at all
 * for `BOOT_GUARD_MS` is started, as at boot. All else the hierarchy does by itself.
 */
export class BootGuard {
  readonly #options: BootGuardOptions;
  readonly #timer: NodeJS.Timeout;
  /** Since when a unit has no process, in milliseconds of the monotonic clock. */
  readonly #missing = new Map<string, number>();
  readonly #seen = new Map<string, ReadonlySet<number>>();

  constructor(options: BootGuardOptions) {
    this.#options = options;
    this.#timer = setInterval(() => {
      this.#look(performance.now());
    }, BOOT_GUARD_POLL_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(now: number): void {
    const { registry, topology, starts } = this.#options;
    const running = monitorProcesses(registry.alive());
    this.#tell(running);
    if (!starts || !registry.isOpen()) return;
    const present = new Set(running.map(({ unit }) => unit));
    for (const { role, unit, on } of topology().roles()) {
      if (parseRole(role).level !== "agent") continue;
      const node = on.find((one) => !this.#options.isOff(one));
      if (present.has(unit) || node === undefined) {
        this.#missing.delete(unit);
        continue;
      }
      const since = this.#missing.get(unit) ?? now;
      this.#missing.set(unit, since);
      if (now - since < BOOT_GUARD_MS) continue;
      this.#missing.set(unit, now);
      void this.#start(role, node);
    }
  }

  #tell(running: readonly MonitorProcess[]): void {
    for (const process of running) {
      const before = this.#seen.get(process.unit);
      if (before !== undefined && !before.has(process.pid)) this.#options.onRestart(process);
    }
    for (const { unit } of running) {
      const pids = running.filter((one) => one.unit === unit).map((one) => one.pid);
      this.#seen.set(unit, new Set(pids));
    }
  }

  async #start(role: string, node: string): Promise<void> {
    const { launcher, topology, logger } = this.#options;
    try {
      await launcher.launch(launchTarget(topology(), role, node), undefined);
      logger.info({ role, node }, "started as at boot");
    } catch (error) {
      logger.warn({ role, node, reason: (error as Error).message }, "not started as at boot");
    }
  }
}
