import type { NodeRecord, RoleRecord } from "../../proto/generated/evercross/v1/hierarchy.ts";
import type { Random } from "../../services/flow/random.ts";
import { nodeRecordOf, roleRecordOf } from "../support/hierarchy-records.ts";

export interface DrawnCluster {
  readonly arrangement: string;
  readonly nodes: { readonly record: NodeRecord; readonly site: number }[];
  readonly roles: RoleRecord[];
  /** Nodes on which jobs may be put. */
  readonly workers: string[];
}

export interface ClusterBounds {
  readonly nodes: number | undefined;
  readonly levels: number | undefined;
  readonly nodesMax: number;
}

const SHAPES = ["spread", "dedicated", "stacked", "one process", "mixed"] as const;
type Shape = (typeof SHAPES)[number];

/** Mostly small, now and then large: small ones find nearly everything, and ten thousand of them are done in minutes. */
function drawSize(random: Random, { nodes, nodesMax }: ClusterBounds): number {
  if (nodes !== undefined) return nodes;
  const dice = random.unit();
  const draw = (least: number, most: number): number => least + random.below(most - least + 1);
  if (dice < 0.62) return Math.min(nodesMax, draw(2, 5));
  if (dice < 0.9) return Math.min(nodesMax, draw(6, 12));
  if (dice < 0.993) return Math.min(nodesMax, draw(13, 30));
  if (dice < 0.9993) return Math.min(nodesMax, draw(31, 120));
  return Math.min(nodesMax, draw(121, 1000));
}

function drawLevels(random: Random): number {
  const dice = random.unit();
  if (dice < 0.1) return 1;
  if (dice < 0.5) return 2;
  return dice < 0.75 ? 3 : 4;
}

export const pick = <T>(random: Random, from: readonly T[]): T => from[random.below(from.length)] as T;

export function shuffled<T>(random: Random, from: readonly T[]): T[] {
  const list = [...from];
  for (let index = list.length - 1; index > 0; index--) {
    const other = random.below(index + 1);
    [list[index], list[other]] = [list[other] as T, list[index] as T];
  }
  return list;
}

/** Splits a list in runs of `least` to `most`. */
function inGroups<T>(random: Random, list: readonly T[], least: number, most: number): T[][] {
  const groups: T[][] = [];
  for (let start = 0; start < list.length;) {
    const size = least + random.below(most - least + 1);
    groups.push(list.slice(start, start + size));
    start += size;
  }
  return groups;
}

/** From bounds and chance: nodes and sites, who watches whom, and where each role may run. */
export function drawCluster(
  random: Random,
  bounds: ClusterBounds,
): DrawnCluster & { levels: number; sites: number } {
  const size = drawSize(random, bounds);
  const levels = bounds.levels ?? drawLevels(random);
  const sites = random.chance(0.35) ? 3 : 1;
  const shape = levels === 1 ? "spread" : pick(random, SHAPES);
  const workers = Array.from({ length: size }, (_, index) => `n${index + 1}`);
  // Names decide who is best: they are in no order of place.
  const names = shuffled(random, workers);
  const dedicated = shape === "dedicated" ? ["c1", "c2", "c3"] : [];
  const nodes = [...names, ...dedicated].map((node, index) => ({
    record: nodeRecordOf({ node, address: node }),
    site:
      sites === 1 ? 0 : size < 6 ? index % 3 : Math.floor((index * 3) / (names.length + dedicated.length)),
  }));
  const builder = new RoleBuilder(random, shape, names, dedicated);
  builder.build(levels, sites);
  for (const [node, local] of builder.localOf) {
    const found = nodes.findIndex(({ record }) => record.node === node);
    const { record, site } = nodes[found] as (typeof nodes)[number];
    nodes[found] = { record: { ...record, local }, site };
  }
  return {
    arrangement: `${levels} levels, ${shape}`,
    nodes,
    roles: builder.roles,
    workers: names,
    levels,
    sites,
  };
}

/** Makes the roles of a cluster, from the agents upwards. */
class RoleBuilder {
  readonly roles: RoleRecord[] = [];
  readonly localOf = new Map<string, string>();
  readonly #random: Random;
  readonly #shape: Shape;
  readonly #workers: readonly string[];
  readonly #dedicated: readonly string[];

  constructor(random: Random, shape: Shape, workers: readonly string[], dedicated: readonly string[]) {
    this.#random = random;
    this.#shape = shape;
    this.#workers = workers;
    this.#dedicated = dedicated;
  }

  build(levels: number, sites: number): void {
    const random = this.#random;
    const perLocal = this.#workers.length > 40 ? 20 + random.below(80) : 2 + random.below(6);
    const locals =
      levels === 1 ? [[...this.#workers]] : inGroups(random, this.#workers, perLocal, perLocal + 2);
    const top = (role: string, nodes: readonly string[]): { role: string; nodes: readonly string[] } => ({
      role,
      nodes,
    });
    let below = locals.map((nodes, index) => {
      const local = levels === 1 ? "" : `local/l${index + 1}`;
      this.#agents(nodes, local);
      return top(local, nodes);
    });
    if (levels >= 2) for (const { role, nodes } of below) this.#coordinator(role, nodes, role.slice(6));
    for (const level of ["group", "universal"].slice(0, Math.max(0, levels - 2))) {
      const most = level === "universal" ? 6 : 3;
      const groups = inGroups(random, below, 1, Math.max(1, most));
      const above = groups.map((members, index) => {
        const role = `${level}/${level[0]}${index + 1}`;
        const nodes = members.flatMap((member) => member.nodes);
        const wide = sites > 1 && random.chance(0.3);
        for (const member of members) this.#adopt(member.role, role, wide);
        // In one process: the chain from the first local up.
        const [first] = members;
        const unit = this.#together()
          ? this.#unitOf((first as { role: string }).role)
          : `${level}-${index + 1}`;
        this.#coordinator(role, nodes, unit);
        return top(role, nodes);
      });
      below = above;
    }
  }

  #together(): boolean {
    if (this.#shape === "one process") return true;
    return (this.#shape === "mixed" || this.#shape === "stacked") && this.#random.chance(0.5);
  }

  #unitOf(role: string): string {
    return this.roles.find((one) => one.role === role)?.unit ?? role;
  }

  #adopt(role: string, parent: string, wide: boolean): void {
    const index = this.roles.findIndex((one) => one.role === role);
    this.roles[index] = { ...(this.roles[index] as RoleRecord), parent, wide };
  }

  #coordinator(role: string, nodes: readonly string[], unit: string): void {
    const random = this.#random;
    const same = this.roles.find((one) => one.unit === unit);
    const spread = shuffled(random, nodes).slice(0, 1 + random.below(Math.min(nodes.length, 4)));
    // One node alone cannot be replaced while it is down: rare, but a configuration that there is.
    const on =
      spread.length === 1 && nodes.length > 1 && random.chance(0.8)
        ? shuffled(random, nodes).slice(0, 2)
        : spread;
    const place = this.#dedicated.length > 0 ? shuffled(random, this.#dedicated) : on;
    this.roles.push(roleRecordOf({ role, on: [...(same?.on ?? place)], unit }));
  }

  #agents(nodes: readonly string[], local: string): void {
    const random = this.#random;
    const away = random.chance(0.15);
    const twice = random.chance(0.12);
    let watcher: string | undefined;
    const list: { node: string; also: string[] }[] = [];
    for (const node of nodes) {
      this.localOf.set(node, local);
      if (away && watcher !== undefined && random.chance(0.4)) {
        list.find((one) => one.node === watcher)?.also.push(node);
        continue;
      }
      watcher = node;
      list.push({ node, also: [] });
    }
    for (const { node, also } of list) {
      const watched = [node, ...also];
      const record = { parent: local, on: [node], nodes: watched };
      this.roles.push(roleRecordOf({ ...record, role: `agent/${node}`, unit: `agent-${node}` }));
      if (!twice || also.length > 0 || random.chance(0.5)) continue;
      const role = `agent/${node}-s`;
      this.roles.push(
        roleRecordOf({ ...record, role, unit: `agent-${node}-s`, services: ["storage", "apart"] }),
      );
    }
  }
}
