import { Random } from "../../services/flow/random.ts";
import type { Fault, FaultTargets } from "./fault.ts";
import type { LinkState } from "./link-state.ts";

/** Faults that come at once, after a time without one. The next round waits until the cluster is whole again. */
export interface FaultRound {
  readonly quietMs: number;
  readonly faults: readonly Fault[];
}

/** Between rounds: the end of one recovery must be seen before the next fault, and load must have been there. */
const QUIET_MS = { min: 300, max: 1500 };
/** A pause is shorter than the silence that is judged, or longer. */
const PAUSE_MS = { min: 100, max: 4000 };
const OFF_MS = { min: 1500, max: 4000 };
const LINK_MS = { min: 300, max: 4000 };
/** Far below the silence that is judged. */
const DELAY_MS = { min: 10, max: 100 };
const CLOCK_SHIFT_MS = { min: 1000, max: 86_400_000 };

type Draw = (random: Random, targets: FaultTargets) => Fault | undefined;

/**
 * Faults without end from a seed, each kind as often as it stands in the deck: the deck is shuffled, dealt, and shuffled again, so that a
 * run that is long enough has seen them all. The same seed and targets give the same rounds.
 */
export function* planFaults(seed: number, targets: FaultTargets): Generator<FaultRound, never> {
  const random = new Random(seed);
  for (;;) {
    for (const draw of shuffled(random, DECK)) {
      const fault = draw(random, targets);
      if (fault === undefined) continue;
      const faults = [fault];
      // Now and then another one hits before the first is recovered from.
      while (faults.length < 3 && random.chance(0.12)) {
        const another = pick(random, DECK)(random, targets);
        if (another !== undefined && !faults.some((one) => meets(one, another))) faults.push(another);
      }
      yield { quietMs: between(random, QUIET_MS), faults };
    }
  }
}

/** Two faults of one round have different victims. */
function meets(a: Fault, b: Fault): boolean {
  return JSON.stringify(victim(a)) === JSON.stringify(victim(b));
}

function victim(fault: Fault): readonly string[] {
  switch (fault.kind) {
    case "kill":
    case "pause":
    case "link":
      return [fault.target];
    case "off":
    case "clock":
      return [fault.node];
    case "vertical":
      return [fault.role];
    case "horizontal":
      return [fault.level];
  }
}

function between(random: Random, { min, max }: { readonly min: number; readonly max: number }): number {
  return min + random.below(max - min + 1);
}

function pick<T>(random: Random, from: readonly T[]): T {
  return from[random.below(from.length)] as T;
}

function shuffled<T>(random: Random, from: readonly T[]): T[] {
  const all = [...from];
  for (let last = all.length - 1; last > 0; last--) {
    const other = random.below(last + 1);
    [all[last], all[other]] = [all[other] as T, all[last] as T];
  }
  return all;
}

const job =
  (service: string) =>
  (random: Random, { jobs }: FaultTargets): string | undefined =>
    jobs[service] === undefined || jobs[service].length === 0 ? undefined : pick(random, jobs[service]);

const role =
  (level: keyof FaultTargets["roles"]) =>
  (random: Random, { roles }: FaultTargets): string | undefined => {
    const names = roles[level];
    return names === undefined || names.length === 0 ? undefined : pick(random, names);
  };

const broker = (): string => "broker";
const anyNode = (random: Random, { nodes }: FaultTargets): string => pick(random, nodes);

type Find = (random: Random, targets: FaultTargets) => string | undefined;

const kill =
  (find: Find): Draw =>
  (random, targets) => {
    const target = find(random, targets);
    return target === undefined ? undefined : { kind: "kill", target };
  };

const pause =
  (find: Find): Draw =>
  (random, targets) => {
    const target = find(random, targets);
    return target === undefined ? undefined : { kind: "pause", target, ms: between(random, PAUSE_MS) };
  };

const link =
  (find: Find, state: (random: Random) => LinkState): Draw =>
  (random, targets) => {
    const target = find(random, targets);
    if (target === undefined) return undefined;
    return { kind: "link", target, state: state(random), ms: between(random, LINK_MS) };
  };

const off =
  (storage: boolean): Draw =>
  (random, { nodes, storageNodes }) => {
    const candidates = nodes.filter((node) => storageNodes.includes(node) === storage);
    if (candidates.length === 0) return undefined;
    return { kind: "off", node: pick(random, candidates), ms: between(random, OFF_MS) };
  };

const cut = (): LinkState => ({ kind: "cut" });
const stalled = (random: Random): LinkState => ({
  kind: "stalled",
  way: pick(random, ["up", "down", "both"] as const),
});
const slow = (random: Random): LinkState => ({ kind: "slow", delayMs: between(random, DELAY_MS) });

const anyMonitor: Find = (random, targets) => {
  const levels = Object.keys(targets.roles) as (keyof FaultTargets["roles"])[];
  return role(pick(random, levels))(random, targets);
};

const horizontal: Draw = (random, { roles }) => {
  const levels = Object.keys(roles) as (keyof FaultTargets["roles"])[];
  return levels.length === 0 ? undefined : { kind: "horizontal", level: pick(random, levels) };
};

const vertical: Draw = (random, targets) => {
  const upper = (["local", "group"] as const).filter((level) => (targets.roles[level]?.length ?? 0) > 0);
  if (upper.length === 0) return undefined;
  const found = role(pick(random, upper))(random, targets);
  return found === undefined ? undefined : { kind: "vertical", role: found };
};

const clock: Draw = (random, targets) => {
  const shiftMs = between(random, CLOCK_SHIFT_MS) * (random.chance(0.5) ? 1 : -1);
  return { kind: "clock", node: anyNode(random, targets), shiftMs };
};

const DECK: readonly Draw[] = [
  ...Array.from({ length: 4 }, () => kill(job("crossing"))),
  kill(job("storage")),
  kill(job("gateway")),
  kill(role("agent")),
  kill(role("agent")),
  kill(role("local")),
  kill(role("group")),
  kill(role("universal")),
  kill(broker),
  pause(job("crossing")),
  pause(job("storage")),
  pause(job("gateway")),
  pause(role("agent")),
  pause(role("local")),
  pause(anyMonitor),
  pause(broker),
  off(false),
  off(false),
  off(true),
  link(anyNode, cut),
  link(anyNode, stalled),
  link(anyNode, slow),
  link(job("crossing"), cut),
  link(job("crossing"), stalled),
  link(anyMonitor, cut),
  link(anyMonitor, stalled),
  vertical,
  horizontal,
  clock,
];
