import type { NodeHealth, RoleRecord } from "../../proto/generated/evercross/v1/hierarchy.ts";
import type { MonitorTiming } from "../monitor/timing.ts";
import type { ProbeMemory } from "./probe-memory.ts";

/** `unknown`: no agent has spoken of it yet. */
export interface NodeCondition {
  readonly state: "up" | "down" | "unknown";
  readonly cause: string;
}

interface WatchedAgent {
  nodes: readonly string[];
  /** Why it is failed; undefined: it is not. */
  failure: string | undefined;
  failedAt: number;
  /** What it said of its nodes, or what its failure and their silence say. */
  readonly said: Map<string, NodeCondition>;
}

const UNKNOWN: NodeCondition = { state: "unknown", cause: "" };

/**
 * How the nodes below one coordinator's own agents do (rule 5.3): up as their agents say, and down when an agent says so, or when it
 * is failed and nothing on the node answers probes. A node stays down until its agent answers again.
 */
export class NodeWatch {
  readonly #timing: MonitorTiming;
  readonly #probes: ProbeMemory;
  readonly #agents = new Map<string, WatchedAgent>();
  readonly #agentsOf = new Map<string, string[]>();
  readonly #failed = new Set<string>();
  readonly #changed = new Set<string>();

  constructor(timing: MonitorTiming, probes: ProbeMemory) {
    this.#timing = timing;
    this.#probes = probes;
  }

  setAgents(agents: readonly RoleRecord[]): void {
    const roles = new Set(agents.map((agent) => agent.role));
    for (const role of this.#agents.keys()) {
      if (roles.has(role)) continue;
      this.#agents.delete(role);
      this.#failed.delete(role);
    }
    this.#agentsOf.clear();
    for (const { role, nodes } of agents) {
      const agent = this.#agents.get(role);
      if (agent === undefined) {
        this.#agents.set(role, { nodes, failure: undefined, failedAt: 0, said: new Map() });
      } else {
        agent.nodes = nodes;
        for (const node of agent.said.keys()) if (!nodes.includes(node)) agent.said.delete(node);
      }
      for (const node of nodes) this.#agentsOf.set(node, [...(this.#agentsOf.get(node) ?? []), role]);
    }
  }

  has(agent: string): boolean {
    return this.#agents.has(agent);
  }

  nodesOf(agent: string): readonly string[] {
    return this.#agents.get(agent)?.nodes ?? [];
  }

  agentsOn(node: string): readonly string[] {
    return this.#agentsOf.get(node) ?? [];
  }

  isFailed(agent: string): boolean {
    return this.#failed.has(agent);
  }

  condition(node: string): NodeCondition {
    let condition = UNKNOWN;
    for (const role of this.agentsOn(node)) {
      const said = this.#agents.get(role)?.said.get(node);
      if (said?.state === "down") return said;
      if (said?.state === "up") condition = said;
    }
    return condition;
  }

  answered(role: string, nodes: readonly NodeHealth[]): void {
    const agent = this.#agents.get(role);
    if (agent === undefined) return;
    for (const { node, serves } of nodes) {
      if (!agent.nodes.includes(node)) continue;
      if (serves) this.#probes.forget(node);
      const state = serves ? "up" : "down";
      if (agent.said.get(node)?.state === state) continue;
      const cause = serves ? `${role} answers` : `${role} says that it does not serve`;
      agent.said.set(node, { state, cause });
      this.#changed.add(node);
    }
  }

  up(role: string): void {
    const agent = this.#agents.get(role);
    if (agent?.failure === undefined) return;
    agent.failure = undefined;
    this.#failed.delete(role);
    for (const node of agent.nodes) this.#changed.add(node);
  }

  failed(now: number, role: string, reason: string): void {
    const agent = this.#agents.get(role);
    if (agent === undefined) return;
    if (agent.failure === undefined) agent.failedAt = now;
    agent.failure = reason;
    this.#failed.add(role);
    for (const node of agent.nodes) this.#changed.add(node);
  }

  /** Takes down the nodes of failed agents that are silent too. `isNew`: never was up, so that nothing can be lost by patience. */
  judge(now: number, isNew: (node: string) => boolean): void {
    for (const role of this.#failed) {
      const agent = this.#agents.get(role);
      if (agent?.failure === undefined) continue;
      for (const node of agent.nodes) {
        if (agent.said.get(node)?.state === "down" || !this.#isSilent(now, node)) continue;
        if (isNew(node) && now - agent.failedAt < this.#timing.startMs) continue;
        agent.said.set(node, { state: "down", cause: `${role} ${agent.failure}, and nobody on it answers` });
        this.#changed.add(node);
      }
    }
  }

  /** The nodes whose condition may have changed since this was last asked. */
  takeChanged(): string[] {
    const changed = [...this.#changed];
    this.#changed.clear();
    return changed;
  }

  /** Probes began `probeMs` after the agent's last sign, at the next beat: by now an answer would be here, and the last one is long ago. */
  #isSilent(now: number, node: string): boolean {
    const { silenceMs, probeMs, beatMs } = this.#timing;
    if (!Number.isFinite(probeMs)) return true;
    if (this.#probes.sinceAnswer(now, node) < silenceMs) return false;
    return this.#probes.silence(now, node) >= Math.max(beatMs, silenceMs - probeMs - beatMs);
  }
}
