import type { RoleRecord } from "../../proto/generated/evercross/v1/hierarchy.ts";
import {
  agentTiming,
  coordinatorTiming,
  hostTiming,
  type MonitorTiming,
} from "../../runtime/monitor/timing.ts";
import { Random } from "../../services/flow/random.ts";
import { type ClusterBounds, type DrawnCluster, drawCluster, pick } from "./draw-cluster.ts";
import { drawJobs, drawTraits } from "./draw-jobs.ts";
import { FAULT_KINDS, type FaultKind, type PlannedFault } from "./fault.ts";
import type { Broken, Plan } from "./plan.ts";

/** Sets a seed's second generator apart from the first of another seed. */
const MOVING = 2 ** 40;

export interface PlanBounds {
  readonly nodes?: number | undefined;
  readonly levels?: number | undefined;
  /** No cluster is larger. */
  readonly nodesMax?: number;
  readonly broken?: Broken | undefined;
}

/** What comes more often than others: what a hierarchy is for. */
const OFTEN: readonly FaultKind[] = [
  "twin",
  "twin job",
  "kill monitor",
  "kill host",
  "power",
  "stop monitor",
  "cut link",
  "cut node",
  "pair",
  "vertical",
];

export function drawPlan(seed: number, bounds: PlanBounds = {}): Plan {
  const random = new Random(seed);
  const clusterBounds: ClusterBounds = {
    nodes: bounds.nodes,
    levels: bounds.levels,
    nodesMax: bounds.nodesMax ?? 1000,
  };
  const { levels, sites, ...cluster } = drawCluster(random, clusterBounds);
  letAgentsMove(new Random(seed + MOVING), cluster.roles);
  drawTraits(random, cluster);
  const jobs = drawJobs(random, cluster, levels);
  const hubs = sites > 1 && random.chance(0.7) ? 3 : 1;
  const faultMs = 1000 + random.below(random.chance(0.3) ? 25_000 : 9000);
  return {
    seed,
    broken: bounds.broken,
    levels,
    arrangement: cluster.arrangement,
    sites,
    hubs,
    storeCopies: hubs === 3 && random.chance(0.5),
    nodes: cluster.nodes,
    roles: cluster.roles,
    jobs,
    spares: random.chance(0.8) ? 1 : random.below(3),
    timing: drawTiming(cluster, bounds.broken),
    // Without a level above the agents nobody else brings back a machine's last one.
    bootGuard: levels === 1 || random.chance(0.5),
    clockDrift: random.chance(0.3) ? 0.01 : 0.0001,
    wallSkewMs: random.chance(0.2) ? 3_600_000 : 100,
    timerJitterMs: random.chance(0.3) ? 30 : 3,
    latencyMs: random.chance(0.2) ? 20 : 1,
    siteLatencyMs: sites === 1 ? 0 : random.chance(0.5) ? 2 : 40,
    storeLatencyMs: random.chance(0.2) ? 50 : 3,
    syncMs: random.chance(0.3) ? 20 : 2,
    jobStartMs: random.chance(0.2) ? 500 : 30,
    recoveryMs: random.chance(0.4) ? 3000 : 50,
    hostStartMs: random.chance(0.2) ? 1000 : 200,
    unitStartMs: random.chance(0.2) ? 1500 : 300,
    requestMs: 100 + random.below(400),
    faultsAfterMs: random.chance(0.15) ? random.below(4000) : undefined,
    faultMs,
    faults: drawFaults(random, faultMs, sites),
    leavesStopped: random.chance(0.5),
    quietMs: random.chance(0.06) ? 60_000 : 12_000,
  };
}

/** An agent of several nodes may run on any of them. Drawn apart, so that older seeds stay what they are. */
function letAgentsMove(random: Random, roles: RoleRecord[]): void {
  roles.forEach((role, index) => {
    if (role.nodes.length > 1 && random.chance(0.4)) roles[index] = { ...role, on: [...role.nodes] };
  });
}

function drawTiming({ roles }: DrawnCluster, broken: Broken | undefined): Plan["timing"] {
  const timing = new Map<string, MonitorTiming>();
  for (const { role, wide } of roles) {
    const wideChildren = roles.some((one) => one.parent === role && one.wide);
    const drawn = role.startsWith("agent/")
      ? agentTiming({ wideParent: wide })
      : coordinatorTiming({ wideParent: wide, wideChildren });
    timing.set(role, broken === "passive" ? { ...drawn, passiveMs: 0 } : drawn);
  }
  return { host: hostTiming(), roles: timing };
}

function drawFaults(random: Random, faultMs: number, sites: number): PlannedFault[] {
  const count = random.chance(0.03) ? 0 : 1 + Math.min(11, random.geometric(0.3));
  const faults: PlannedFault[] = [];
  const far: readonly FaultKind[] = ["partition sites", "partition routes", "bridge", "flap"];
  while (faults.length < count) {
    const kind = pick(
      random,
      random.chance(0.5) ? OFTEN : sites > 1 && random.chance(0.3) ? far : FAULT_KINDS,
    );
    // Several at once: the next one comes with the one before it.
    const before = faults.at(-1);
    const at =
      before !== undefined && random.chance(0.3) ? before.at + random.below(30) : random.below(faultMs);
    faults.push({ kind, at, forMs: drawDuration(random) });
  }
  return faults.sort((a, b) => a.at - b.at);
}

/** Around the times at which the monitors decide, and far beyond. */
function drawDuration(random: Random): number {
  const dice = random.unit();
  if (dice < 0.3) return 50 + random.below(950);
  if (dice < 0.7) return 800 + random.below(3000);
  return 3000 + random.below(15_000);
}
