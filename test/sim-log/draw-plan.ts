import { Random } from "../../services/flow/random.ts";
import { FAULT_KINDS, type Broken, type FaultKind, type Plan, type PlannedFault } from "./plan.ts";

/** What comes more often than others: what a log is for. */
const OFTEN: readonly FaultKind[] = [
  "race",
  "kill writer",
  "stop writer",
  "cut writer",
  "cut replica",
  "power",
  "lose disk",
  "away",
];

export interface PlanBounds {
  readonly replicas?: 1 | 3 | 5 | undefined;
  readonly broken?: Broken | undefined;
  /** Only such faults, in place of all. */
  readonly kinds?: readonly FaultKind[] | undefined;
  readonly appendMs?: number | undefined;
  /** How many faults. */
  readonly faults?: number | undefined;
}

export function drawPlan(seed: number, bounds: PlanBounds = {}): Plan {
  const random = new Random(seed);
  const replicas = drawReplicas(random);
  const faultMs = 400 + random.below(random.chance(0.3) ? 6000 : 2000);
  const count = random.chance(0.05) ? 0 : 1 + random.geometric(0.25);
  const faults = Array.from({ length: bounds.faults ?? Math.min(count, 16) }, () =>
    drawFault(random, faultMs, bounds.kinds),
  );
  const appendMs = random.chance(0.3) ? 100 : 8 + random.below(40);
  return {
    seed,
    broken: bounds.broken,
    replicas: bounds.replicas ?? replicas,
    manners: {
      latencyMs: random.chance(0.2) ? 20 : 1,
      loss: random.chance(0.3) ? 0.1 * random.unit() : 0,
      duplication: random.chance(0.3) ? 0.2 * random.unit() : 0,
      late: random.chance(0.3) ? 0.2 * random.unit() : 0,
      lateMs: random.chance(0.3) ? 600 : 30,
    },
    syncMs: random.chance(0.2) ? 30 : 2,
    appendMs: bounds.appendMs ?? appendMs,
    payloadBytesMax: random.chance(0.1) ? 4000 : 60,
    recentBytes: random.chance(0.4) ? 300 + random.below(2000) : 1_000_000,
    readEntries: random.chance(0.5) ? 1 + random.below(4) : 1000,
    rows: random.chance(0.5),
    trimMs: random.chance(0.6) ? 50 + random.below(1000) : Infinity,
    restartMs: random.chance(0.5) ? 30 : 600,
    readers: random.below(3),
    awayFirst: random.chance(0.1)
      ? { index: random.below(5), lastsMs: 200 + random.below(faultMs) }
      : undefined,
    faultMs,
    faults: faults.sort((a, b) => a.at - b.at),
    ruin: random.chance(0.03),
  };
}

function drawReplicas(random: Random): 1 | 3 | 5 {
  const drawn = random.unit();
  return drawn < 0.15 ? 1 : drawn < 0.75 ? 3 : 5;
}

function drawFault(random: Random, faultMs: number, only: readonly FaultKind[] | undefined): PlannedFault {
  const often = random.chance(0.5);
  const kinds = only ?? (often ? OFTEN : FAULT_KINDS);
  const short = random.chance(0.5);
  return {
    at: random.unit() * faultMs,
    kind: kinds[random.below(kinds.length)] as FaultKind,
    lastsMs: short ? random.below(300) : 300 + random.below(faultMs),
    seed: random.next(),
  };
}
