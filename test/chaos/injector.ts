import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { signalProcess } from "../../runtime/process/process-identity.ts";
import type { ProcessEntry } from "../../runtime/process/registry.ts";
import type { Topology } from "../../runtime/topology/topology.ts";
import { nodeFolder } from "../../services/market/layout.ts";
import { type ClusterSight, nodeOf } from "./cluster-sight.ts";
import type { NodeClocks } from "./node-clocks.ts";
import type { Fault } from "./fault.ts";
import type { LinkProxy } from "./link-proxy.ts";
import { OPEN } from "./link-state.ts";
import { NOTHING_TOUCHED, type Touched } from "./touched.ts";

/** A fault that was done. */
export interface Injection {
  readonly fault: Fault;
  readonly atMs: number;
  /** The processes that were killed, paused, or cut off. */
  readonly victims: readonly ProcessEntry[];
  /** Jobs of these processes. */
  readonly jobs: readonly string[];
  readonly touched: Touched;
  /** Resolves when the fault itself is over: awake, switched on, linked again. */
  readonly over: Promise<void>;
}

export interface InjectorOptions {
  readonly dataDir: string;
  readonly sight: ClusterSight;
  readonly topology: () => Topology;
  /** By node: all its processes reach the broker through it. */
  readonly links: ReadonlyMap<string, LinkProxy>;
  readonly clocks: NodeClocks;
}

/** A fault that cannot be done now, e.g. because its victim is not there. */
export class NoVictimError extends Error {
  override readonly name = "NoVictimError";
}

/** Does faults to a running cluster, and undoes those that do not last. */
export class Injector {
  readonly #options: InjectorOptions;
  readonly #paused = new Set<ProcessEntry>();
  readonly #off = new Set<string>();

  constructor(options: InjectorOptions) {
    this.#options = options;
  }

  /** Returns when it is done. Throws `NoVictimError`. */
  inject(fault: Fault): Injection {
    switch (fault.kind) {
      case "kill":
        return this.#strike(fault, this.#processOf(fault.target), "SIGKILL");
      case "pause": {
        const injection = this.#strike(fault, this.#processOf(fault.target), "SIGSTOP");
        return { ...injection, over: this.#wake(injection.victims, fault.ms) };
      }
      case "off":
        return this.#switchOff(fault);
      case "link":
        return this.#link(fault);
      case "vertical":
        return this.#strike(fault, this.#subTree(fault.role), "SIGKILL");
      case "horizontal": {
        const roles = this.#options.topology().roles();
        const level = roles.filter(({ role }) => role.startsWith(`${fault.level}/`));
        const entries = level.flatMap(({ role }) => this.#options.sight.entriesOf(role));
        return this.#strike(fault, entries, "SIGKILL");
      }
      case "clock":
        this.#options.clocks.shift(fault.node, fault.shiftMs);
        return this.#done(fault, [], NOTHING_TOUCHED);
    }
  }

  /** Undoes what has not ended by itself: whatever was paused must not be left so. */
  restore(): void {
    for (const entry of this.#paused) signalProcess(entry, "SIGCONT");
    for (const node of this.#off) rmSync(this.#offFile(node), { force: true });
    for (const link of this.#options.links.values()) link.reset();
  }

  #processOf(target: string): ProcessEntry[] {
    return this.#options.sight.entriesOf(target);
  }

  #strike(fault: Fault, entries: readonly ProcessEntry[], signal: "SIGKILL" | "SIGSTOP"): Injection {
    const victims = entries.filter((entry) => signalProcess(entry, signal));
    if (victims.length === 0) throw new NoVictimError("its victim is not there");
    if (signal === "SIGKILL") this.#options.sight.killed(victims.map(({ pid }) => pid));
    return this.#done(fault, victims, this.#touched(victims, []));
  }

  #done(fault: Fault, victims: readonly ProcessEntry[], touched: Touched): Injection {
    const { sight } = this.#options;
    const jobs = victims.flatMap(({ pid }) => sight.jobsOf(pid));
    return { fault, atMs: performance.now(), victims, jobs, touched, over: Promise.resolve() };
  }

  #touched(victims: readonly ProcessEntry[], nodes: readonly string[]): Touched {
    const { sight } = this.#options;
    return {
      pids: victims.map(({ pid }) => pid),
      nodes,
      roles: victims.flatMap((entry) => sight.rolesOf(entry)),
      jobs: victims.flatMap(({ pid }) => sight.jobsOf(pid)),
    };
  }

  /** A coordinator, the monitors below it, and all that runs on their nodes. */
  #subTree(role: string): ProcessEntry[] {
    const { sight } = this.#options;
    const topology = this.#options.topology();
    const below = (parent: string): string[] => [
      parent,
      ...topology.children(parent).flatMap((child) => below(child.role)),
    ];
    const monitors = below(role).flatMap((one) => sight.entriesOf(one));
    const hosts = topology
      .nodesBelow(role)
      .flatMap((node) => sight.entriesOn(node))
      .filter(({ kind }) => kind === "host");
    return [...monitors, ...hosts];
  }

  async #wake(victims: readonly ProcessEntry[], ms: number): Promise<void> {
    for (const victim of victims) this.#paused.add(victim);
    await delay(ms);
    for (const victim of victims) {
      signalProcess(victim, "SIGCONT");
      this.#paused.delete(victim);
    }
  }

  #switchOff(fault: Extract<Fault, { kind: "off" }>): Injection {
    const { dataDir, sight } = this.#options;
    const { node, ms } = fault;
    mkdirSync(nodeFolder(dataDir, node), { recursive: true, mode: 0o700 });
    writeFileSync(this.#offFile(node), "", { mode: 0o600 });
    this.#off.add(node);
    const victims = sight.entriesOn(node).filter((entry) => signalProcess(entry, "SIGKILL"));
    sight.killed(victims.map(({ pid }) => pid));
    const injection = this.#done(fault, victims, this.#touched(victims, [node]));
    return { ...injection, over: this.#stayOff(node, ms) };
  }

  /** What was being started at that moment has no power either. */
  async #stayOff(node: string, ms: number): Promise<void> {
    const { sight } = this.#options;
    const until = performance.now() + ms;
    while (performance.now() < until) {
      for (const entry of sight.entriesOn(node)) signalProcess(entry, "SIGKILL");
      await delay(Math.min(20, ms));
    }
    rmSync(this.#offFile(node), { force: true });
    this.#off.delete(node);
  }

  #offFile(node: string): string {
    return join(nodeFolder(this.#options.dataDir, node), "off");
  }

  #link(fault: Extract<Fault, { kind: "link" }>): Injection {
    const { sight, links } = this.#options;
    const wholeNode = links.get(fault.target);
    // A link that is only slow is no reason for anybody to restart anything.
    const harmless = fault.state.kind === "slow";
    if (wholeNode !== undefined) {
      wholeNode.setAll(fault.state);
      const victims = sight.entriesOn(fault.target);
      const touched = harmless ? NOTHING_TOUCHED : this.#touched(victims, [fault.target]);
      const over = delay(fault.ms).then(() => wholeNode.setAll(OPEN));
      return { ...this.#done(fault, victims, touched), over };
    }
    const victims = this.#processOf(fault.target);
    const undo = victims.map((entry) => {
      const link = links.get(nodeOf(entry));
      if (link === undefined) throw new NoVictimError(`node ${nodeOf(entry)} has no link of its own`);
      const client = `${entry.kind} ${entry.name}`;
      link.setClient(client, fault.state);
      return () => link.setClient(client, undefined);
    });
    if (victims.length === 0) throw new NoVictimError("its victim is not there");
    // A job host is judged by its agent beside it, without the broker: nothing of it may restart.
    const roles = victims.flatMap((entry) => sight.rolesOf(entry));
    const touched = harmless || roles.length === 0 ? NOTHING_TOUCHED : this.#touched(victims, []);
    const over = delay(fault.ms).then(() => {
      for (const one of undo) one();
    });
    return { ...this.#done(fault, victims, touched), over };
  }
}
