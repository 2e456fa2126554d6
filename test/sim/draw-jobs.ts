import type { JobRecord } from "../../proto/generated/evercross/v1/hierarchy.ts";
import { NodeLoad } from "../../runtime/placement/node-load.ts";
import { place, type PlaceableNode } from "../../runtime/placement/place.ts";
import { Topology } from "../../runtime/topology/topology.ts";
import type { Random } from "../../services/flow/random.ts";
import { jobRecordOf } from "../support/hierarchy-records.ts";
import { type DrawnCluster, pick } from "./draw-cluster.ts";
import type { JobKind, JobPlan } from "./plan.ts";

/** Jobs of every sort, and where they stand at first: by the placement's own rule, or nowhere yet. */
export function drawJobs(random: Random, cluster: DrawnCluster, levels: number): JobPlan[] {
  const { nodes, workers } = cluster;
  const jobs: { record: JobRecord; what: JobKind }[] = [];
  const add = (job: string, what: JobKind, fields: Partial<JobRecord> = {}): void => {
    const group = random.chance(0.3) ? `shared-${random.below(3)}` : job;
    jobs.push({ record: jobRecordOf({ job, group, wanted: true, ...fields }), what });
  };
  // Everybody's jobs are kept by storage, so it is nobody's own node that it is on.
  const shared = nodes.filter(({ record }) => workers.includes(record.node) && record.customer === "");
  const storages = Math.min(shared.length, 1 + random.below(3));
  for (let index = 0; index < storages; index++)
    add(
      `storage/${index}`,
      { kind: "storage" },
      { nodes: [shared[index]?.record.node as string], group: `storage/${index}` },
    );
  const counters = 2 + random.below(workers.length > 40 ? 12 : 5);
  for (let index = 0; index < counters; index++)
    add(`counter/${index}`, { kind: "counter", storage: `storage/${random.below(storages)}` });
  const many = workers.length * (workers.length > 100 ? 10 : 1 + random.below(4));
  for (let index = 0; index < many; index++)
    add(`plain/${index}`, { kind: "stateless" }, drawWishes(random, cluster));
  const replicas = Math.min(workers.length, 3);
  if (random.chance(0.4))
    for (let index = 0; index < replicas; index++)
      add(`apart/${index}`, { kind: "stateless" }, { apart: "copies" });
  if (random.chance(0.2)) {
    const poison = { kind: "poison", killsHost: random.chance(0.4) } as const;
    add("poison/0", poison, random.chance(0.7) ? { group: "poison/0" } : {});
  }
  return settle(random, cluster, levels, jobs);
}

function drawWishes(random: Random, { nodes, workers }: DrawnCluster): Partial<JobRecord> {
  const dice = random.unit();
  if (dice < 0.06) return { labels: ["gpu"] };
  if (dice < 0.1) return { nodes: [pick(random, workers), pick(random, workers)] };
  const customers = [...new Set(nodes.map(({ record }) => record.customer))].filter((one) => one !== "");
  return customers.length > 0 && dice < 0.3 ? { customer: pick(random, customers) } : {};
}

/** Labels and customers of nodes, drawn before the jobs. */
export function drawTraits(random: Random, cluster: DrawnCluster): void {
  const walls = random.chance(0.2) && cluster.workers.length >= 4;
  cluster.nodes.forEach(({ record, site }, index) => {
    const labels = random.chance(0.4) ? ["gpu"] : [];
    const customer = walls && index > 1 && index < 4 ? "acme" : "";
    cluster.nodes[index] = { record: { ...record, labels, customer }, site };
  });
}

function settle(
  random: Random,
  { nodes, roles, workers }: DrawnCluster,
  levels: number,
  jobs: readonly { record: JobRecord; what: JobKind }[],
): JobPlan[] {
  const topology = new Topology(
    roles,
    nodes.map(({ record }) => record),
  );
  const placed = levels === 1 || random.chance(0.6);
  const spots: PlaceableNode[] = nodes
    .filter(({ record }) => workers.includes(record.node))
    .map(({ record }) => ({ ...record, closed: "", load: new NodeLoad() }));
  const tops = topology.tops().map((role) => role.role);
  return jobs.flatMap(({ record, what }): JobPlan[] => {
    // A top knows only the nodes below it: a job that names its nodes belongs to theirs.
    const able = tops.filter((top) => record.nodes.every((node) => topology.nodesBelow(top).includes(node)));
    const home = levels === 1 ? "" : pick(random, able.length > 0 ? able : tops);
    if (!placed) return [{ record: { ...record, home }, what }];
    const { node } = place(record, spots);
    if (node === undefined) return levels === 1 ? [] : [{ record: { ...record, home }, what }];
    spots.find((spot) => spot.node === node)?.load.add(record);
    return [{ record: { ...record, node, home: topology.homeOf(node) ?? "", reason: "at first" }, what }];
  });
}
