import type { JobRecord, NodeRecord, RoleRecord } from "../../proto/generated/evercross/v1/hierarchy.ts";
import type { DesiredStore, RecordChange } from "../../runtime/desired/desired-store.ts";
import type { DesiredView, Held } from "../../runtime/desired/desired-view.ts";
import { StoreFollower } from "../../runtime/desired/store-follower.ts";
import { CHANGES_IN_FLIGHT_MAX } from "../../runtime/limits.ts";
import { waitFor } from "../../runtime/process/wait.ts";
import type { Topology } from "../../runtime/topology/topology.ts";
import { MARKET_POLL_MS, SEED_MS } from "../limits.ts";
import { nodeRecords, roleRecords, topologyOf } from "./arrangement.ts";
import type { MarketConfig } from "./config.ts";
import { jobRecords, planJobs } from "./layout.ts";

/**
 * What makes the store say what a configuration says, before anything of the market runs. `before`: the configuration by which
 * the store was made so far. What changed between the two is changed in the store; all else stays as operators and coordinators
 * have made it, what they removed included. A store without records is made anew.
 */
export function seedChanges(
  view: DesiredView,
  before: MarketConfig | undefined,
  config: MarketConfig,
  nowMs: number,
): RecordChange[] {
  const empty = view.roles.size + view.nodes.size + view.jobs.size === 0;
  const old = empty || before === undefined ? undefined : before;
  const topology = topologyOf(config);
  return [
    ...roleChanges(view, old, config),
    ...nodeChanges(view, old, config),
    ...jobChanges(view, topology, old, config, nowMs),
    // Nothing runs yet: how the nodes did says nothing of how they do.
    ...[...view.states].map(([name, { revision }]): RecordChange => removal("state", name, revision)),
  ];
}

type SeededKind = "role" | "node" | "job" | "state" | "place";

function removal(kind: SeededKind, name: string, expected: number): RecordChange {
  return { kind, name, expected, value: undefined };
}

const same = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other);

/** Records by name that are new or different in the configuration, and names that it has no more. */
function differences<T>(
  old: ReadonlyMap<string, T>,
  now: ReadonlyMap<string, T>,
): { readonly changed: readonly T[]; readonly gone: readonly string[] } {
  return {
    changed: [...now].filter(([name, value]) => !same(old.get(name), value)).map(([, value]) => value),
    gone: [...old.keys()].filter((name) => !now.has(name)),
  };
}

const byName = <T>(records: readonly T[], name: (record: T) => string): Map<string, T> =>
  new Map(records.map((record) => [name(record), record]));

function removed<T>(
  kind: SeededKind,
  gone: readonly string[],
  records: ReadonlyMap<string, Held<T>>,
): RecordChange[] {
  return gone.flatMap((name) => {
    const held = records.get(name);
    return held === undefined ? [] : [removal(kind, name, held.revision)];
  });
}

function roleChanges(
  view: DesiredView,
  before: MarketConfig | undefined,
  config: MarketConfig,
): RecordChange[] {
  const name = (record: RoleRecord): string => record.role;
  const old = before === undefined ? [] : roleRecords(before);
  const { changed, gone } = differences(byName(old, name), byName(roleRecords(config), name));
  return [
    ...changed.flatMap((value): RecordChange[] => {
      const held = view.roles.get(value.role);
      if (held !== undefined && same(held.value, value)) return [];
      return [{ kind: "role", name: value.role, expected: held?.revision ?? 0, value }];
    }),
    ...removed("role", gone, view.roles),
  ];
}

function nodeChanges(
  view: DesiredView,
  before: MarketConfig | undefined,
  config: MarketConfig,
): RecordChange[] {
  const name = (record: NodeRecord): string => record.node;
  const old = before === undefined ? [] : nodeRecords(before);
  const { changed, gone } = differences(byName(old, name), byName(nodeRecords(config), name));
  return [
    ...changed.flatMap((wanted): RecordChange[] => {
      const held = view.nodes.get(wanted.node);
      // Operators drain nodes; the configuration does not.
      const value = { ...wanted, drained: held?.value.drained ?? false };
      if (held !== undefined && same(held.value, value)) return [];
      return [{ kind: "node", name: value.node, expected: held?.revision ?? 0, value }];
    }),
    ...removed("node", gone, view.nodes),
  ];
}

function jobChanges(
  view: DesiredView,
  topology: Topology,
  before: MarketConfig | undefined,
  config: MarketConfig,
  nowMs: number,
): RecordChange[] {
  const plan = (of: MarketConfig): Map<string, JobRecord> =>
    byName(jobRecords(of, planJobs(of), nowMs), (record) => record.job);
  const old = before === undefined ? new Map<string, JobRecord>() : plan(before);
  const now = plan(config);
  const changes: RecordChange[] = [];
  for (const [name, value] of now) {
    const isNew = !old.has(name) && !view.jobs.has(name);
    if (isNew) changes.push({ kind: "job", name, expected: 0, value });
  }
  const gone = new Set([...old.keys()].filter((name) => !now.has(name)));
  const homes = new Set(topology.roles().map((role) => role.role));
  for (const [name, { value, revision }] of view.jobs) {
    if (gone.has(name)) continue;
    const wanted = now.get(name);
    // A job whose home is no more belongs to the one of its node, or to the first one there is.
    const home = homes.has(value.home) ? value.home : (topology.homeOf(value.node) ?? anyHome(topology));
    const group = wanted !== undefined && old.get(name)?.group !== wanted.group ? wanted.group : value.group;
    if (home !== value.home || group !== value.group)
      changes.push({ kind: "job", name, expected: revision, value: { ...value, home, group } });
  }
  return [...changes, ...removed("job", [...gone], view.jobs), ...removed("place", [...gone], view.places)];
}

function anyHome(topology: Topology): string {
  const [top] = topology.tops().filter((role) => role.nodes.length === 0);
  return top?.role ?? "";
}

/** Carries `seedChanges` out. Rejects when the store does not take them within `SEED_MS`. */
export async function seedStore(
  store: DesiredStore,
  before: MarketConfig | undefined,
  config: MarketConfig,
): Promise<void> {
  const follower = new StoreFollower(store, () => undefined);
  const isSeeded = async (): Promise<boolean> => {
    if (!follower.complete) return false;
    const changes = seedChanges(follower.view, before, config, Date.now());
    for (let from = 0; from < changes.length; from += CHANGES_IN_FLIGHT_MAX) {
      const part = changes.slice(from, from + CHANGES_IN_FLIGHT_MAX);
      await Promise.all(part.map((change) => store.change(change)));
    }
    // What was made is seen in a moment; what was not is tried again.
    return changes.length === 0;
  };
  try {
    if ((await waitFor(isSeeded, SEED_MS, MARKET_POLL_MS)) !== true) {
      throw new Error(
        `the desired state could not be written within ${SEED_MS} ms: its store does not answer`,
      );
    }
  } finally {
    follower.stop();
  }
}
