import { parseRole } from "../monitor/role.ts";
import type { MonitorTiming } from "../monitor/timing.ts";
import type { Topology } from "../topology/topology.ts";
import type { ProbeMemory } from "./probe-memory.ts";

/**
 * The homes and nodes of child coordinators that could not be started on any of their nodes (rule 5.6). Their nodes are probed each
 * beat: one that is silent for `silenceMs` is down. When another monitor says after that that it is up, it is left alone for `startMs`.
 */
export class Takeover {
  readonly #timing: MonitorTiming;
  readonly #probes: ProbeMemory;
  readonly #lost = new Set<string>();
  readonly #homes = new Set<string>();
  /** Node → found down here. */
  readonly #nodes = new Map<string, boolean>();
  readonly #contradictedAt = new Map<string, number>();

  constructor(timing: MonitorTiming, probes: ProbeMemory) {
    this.#timing = timing;
    this.#probes = probes;
  }

  /** Whether there is a takeover that was not there before: none of an agent, whose nodes are judged by themselves. */
  begin(child: string, topology: Topology): boolean {
    if (parseRole(child).level === "agent" || this.#lost.has(child)) return false;
    this.#lost.add(child);
    this.refresh(topology);
    return true;
  }

  /** Whether there was a takeover to end. */
  end(child: string, topology: Topology): boolean {
    const ended = this.#lost.delete(child);
    if (ended) this.refresh(topology);
    return ended;
  }

  refresh(topology: Topology): void {
    this.#homes.clear();
    const covered = new Set<string>();
    for (const child of this.#lost) {
      if (topology.role(child) === undefined) this.#lost.delete(child);
      else this.#cover(child, topology, covered);
    }
    for (const node of this.#nodes.keys()) {
      if (covered.has(node)) continue;
      this.#nodes.delete(node);
      this.#contradictedAt.delete(node);
    }
    for (const node of covered) if (!this.#nodes.has(node)) this.#nodes.set(node, false);
  }

  coversHome(role: string): boolean {
    return this.#homes.has(role);
  }

  coversNode(node: string): boolean {
    return this.#nodes.has(node);
  }

  isDown(node: string): boolean {
    return this.#nodes.get(node) === true;
  }

  nodes(): Iterable<string> {
    return this.#nodes.keys();
  }

  /** The nodes that are found down now. */
  judge(now: number): string[] {
    const down: string[] = [];
    for (const [node, isDown] of this.#nodes) {
      if (isDown || this.#probes.silence(now, node) < this.#timing.silenceMs) continue;
      const contradictedAt = this.#contradictedAt.get(node) ?? Number.NEGATIVE_INFINITY;
      if (now - contradictedAt < this.#timing.startMs) continue;
      this.#nodes.set(node, true);
      down.push(node);
    }
    return down;
  }

  /** Its state record says that it is up, after it was found down here. */
  contradicted(now: number, node: string): void {
    if (!this.isDown(node)) return;
    this.#nodes.set(node, false);
    this.#contradictedAt.set(node, now);
  }

  #cover(role: string, topology: Topology, covered: Set<string>): void {
    this.#homes.add(role);
    for (const node of topology.nodesBelow(role)) covered.add(node);
    for (const child of topology.children(role)) {
      if (parseRole(child.role).level !== "agent") this.#cover(child.role, topology, covered);
    }
  }
}
