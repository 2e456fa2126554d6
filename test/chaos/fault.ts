import type { Level } from "../../runtime/monitor/role.ts";
import type { LinkState } from "./link-state.ts";

/**
 * One thing that is done to a running cluster. A target is a job (`crossing/AAA`), a role (`local/a`) or `broker`; of a
 * link also a node (`n3`). Which process that is, is looked up at the moment of the fault.
 */
export type Fault =
  /** SIGKILL to its process. */
  | { readonly kind: "kill"; readonly target: string }
  /** SIGSTOP to its process, SIGCONT after so long. */
  | { readonly kind: "pause"; readonly target: string; readonly ms: number }
  /** SIGKILL to all processes of a node at once; nothing can be started there for so long. */
  | { readonly kind: "off"; readonly node: string; readonly ms: number }
  /** The way to the broker of one process, or of all processes of a node. */
  | {
      readonly kind: "link";
      readonly target: string;
      readonly state: LinkState;
      readonly ms: number;
    }
  /** SIGKILL at once to a coordinator, to all monitors below it and to all job hosts of their nodes. */
  | { readonly kind: "vertical"; readonly role: string }
  /** SIGKILL at once to all monitors of a level. */
  | { readonly kind: "horizontal"; readonly level: Exclude<Level, "host"> }
  /** The wall clock of a node is set forward, or back. */
  | { readonly kind: "clock"; readonly node: string; readonly shiftMs: number };

/** What a cluster has that can be hit; fixed for its whole life, but for where the jobs are. */
export interface FaultTargets {
  readonly nodes: readonly string[];
  /** Nodes whose data exists once: what needs it waits until they are back. */
  readonly storageNodes: readonly string[];
  /** `crossing/AAA`; by service. */
  readonly jobs: Readonly<Record<string, readonly string[]>>;
  /** `local/a`; by level, only levels that there are. */
  readonly roles: Partial<Readonly<Record<Exclude<Level, "host">, readonly string[]>>>;
}

/** Under which name recoveries of such faults are counted, e.g. `kill_crossing`, `off_node`, `stall_up_agent`. */
export function faultName(fault: Fault, targets: FaultTargets): string {
  const of = (target: string): string => {
    const slash = target.indexOf("/");
    if (slash > 0) return target.slice(0, slash);
    return targets.nodes.includes(target) ? nodeName(target, targets) : target;
  };
  switch (fault.kind) {
    case "kill":
    case "pause":
      return `${fault.kind}_${of(fault.target)}`;
    case "off":
      return `off_${nodeName(fault.node, targets)}`;
    case "link":
      return `${linkName(fault.state)}_${of(fault.target)}`;
    case "vertical":
      return `vertical_${of(fault.role)}`;
    case "horizontal":
      return `horizontal_${fault.level}`;
    case "clock":
      return "clock_jump";
  }
}

function nodeName(node: string, { storageNodes }: FaultTargets): string {
  return storageNodes.includes(node) ? "storage_node" : "node";
}

function linkName(state: LinkState): string {
  if (state.kind !== "stalled") return state.kind;
  return state.way === "both" ? "stall" : `stall_${state.way}`;
}

/** One line for people, and for a script: `parseFault` reads it. */
export function faultText(fault: Fault): string {
  switch (fault.kind) {
    case "kill":
      return `kill ${fault.target}`;
    case "pause":
      return `pause ${fault.target} ${fault.ms}ms`;
    case "off":
      return `off ${fault.node} ${fault.ms}ms`;
    case "link": {
      const { state, target, ms } = fault;
      if (state.kind === "stalled") return `stall ${target} ${state.way} ${ms}ms`;
      return state.kind === "slow" ? `slow ${target} ${state.delayMs}ms ${ms}ms` : `cut ${target} ${ms}ms`;
    }
    case "vertical":
      return `vertical ${fault.role}`;
    case "horizontal":
      return `horizontal ${fault.level}`;
    case "clock":
      return `clock ${fault.node} ${fault.shiftMs}ms`;
  }
}
