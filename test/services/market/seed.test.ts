import { describe, expect, onTestFinished, test } from "vitest";
import type { RecordChange } from "../../../runtime/desired/desired-store.ts";
import { MemoryDesiredStore } from "../../../runtime/desired/memory-desired-store.ts";
import { StoreFollower } from "../../../runtime/desired/store-follower.ts";
import { checkConfig, type MarketConfig } from "../../../services/market/config.ts";
import { seedStore } from "../../../services/market/seed.ts";

const configOf = (changes: object): MarketConfig =>
  checkConfig(
    { nodes: ["n1", "n2"], instruments: [{ symbol: "A" }, { symbol: "B" }], ...changes },
    "market.yaml",
  );
const PLAIN = configOf({});

/** A store, and what is in it. */
function world() {
  const store = new MemoryDesiredStore();
  const follower = new StoreFollower(store, () => undefined);
  onTestFinished(() => follower.stop());
  const { view } = follower;
  const make = (change: RecordChange): void => {
    if (store.apply(change).kind !== "ok") throw new Error(`${change.kind} ${change.name}: conflict`);
  };
  return {
    store,
    view,
    make,
    jobs: () => [...view.jobs.values()].map(({ value }) => `${value.job} ${value.node} ${value.home}`).sort(),
    roles: () => [...view.roles.keys()].sort(),
    nodes: () => [...view.nodes.keys()].sort(),
  };
}

describe("the desired state of a market", () => {
  test("is written whole where there is none, and not again", async () => {
    const { store, jobs, roles, nodes } = world();
    await seedStore(store, undefined, PLAIN);
    expect(roles()).toEqual(["agent/n1", "agent/n2", "local/main"]);
    expect(nodes()).toEqual(["n1", "n2"]);
    expect(jobs()).toEqual([
      "crossing/A n2 local/main",
      "crossing/B n1 local/main",
      "gateway/0 n1 local/main",
      "storage/0 n1 local/main",
    ]);
    const { revision } = store;
    await seedStore(store, PLAIN, PLAIN);
    expect(store.revision).toBe(revision);
    // One that ended before it could say that it had written all.
    await seedStore(store, undefined, PLAIN);
    expect(store.revision).toBe(revision);
  });

  test("stays as operators and coordinators have made it when the market is resumed", async () => {
    const { store, view, make, jobs } = world();
    await seedStore(store, undefined, PLAIN);
    const moved = view.jobs.get("crossing/A");
    const stopped = view.jobs.get("crossing/B");
    const node = view.nodes.get("n2");
    const removed = view.jobs.get("gateway/0");
    if (!moved || !stopped || !node || !removed) throw new Error("not seeded");
    make({
      kind: "job",
      name: "crossing/A",
      expected: moved.revision,
      value: { ...moved.value, node: "n1" },
    });
    make({
      kind: "job",
      name: "crossing/B",
      expected: stopped.revision,
      value: { ...stopped.value, wanted: false },
    });
    make({ kind: "job", name: "gateway/0", expected: removed.revision, value: undefined });
    make({ kind: "job", name: "crossing/X", expected: 0, value: { ...moved.value, job: "crossing/X" } });
    make({ kind: "node", name: "n2", expected: node.revision, value: { ...node.value, drained: true } });
    const before = jobs();
    await seedStore(store, PLAIN, PLAIN);
    expect(jobs()).toEqual(before);
    expect(view.jobs.get("crossing/B")?.value.wanted).toBe(false);
    expect(view.nodes.get("n2")?.value.drained).toBe(true);
  });

  test("follows what changed in the configuration, and nothing else", async () => {
    const { store, view, make, jobs, roles, nodes } = world();
    await seedStore(store, undefined, PLAIN);
    const node = view.nodes.get("n2");
    if (!node) throw new Error("not seeded");
    make({ kind: "node", name: "n2", expected: node.revision, value: { ...node.value, drained: true } });
    const place = {
      job: "crossing/A",
      node: "n2",
      agent: "agent/n2",
      host: "h1",
      pid: 1,
      instance: "i",
      epoch: 1,
    };
    const value = { ...place, state: 4, sinceMs: 1, restarts: 0, detail: "", address: "" } as const;
    make({ kind: "place", name: "crossing/A", expected: 0, value });
    const next = configOf({
      nodes: ["n1", { name: "n2", labels: ["gpu"] }, "n3"],
      instruments: [{ symbol: "B" }, { symbol: "C" }],
      crossing: { isolation: "process" },
    });
    await seedStore(store, PLAIN, next);
    expect(nodes()).toEqual(["n1", "n2", "n3"]);
    expect(roles()).toEqual(["agent/n1", "agent/n2", "agent/n3", "local/main"]);
    expect(view.roles.get("local/main")?.value.on).toEqual(["n1", "n2", "n3"]);
    expect(view.nodes.get("n2")?.value).toMatchObject({ labels: ["gpu"], drained: true });
    // What was there stays where it was, though the plan for three nodes would have it elsewhere.
    expect(jobs()).toEqual([
      "crossing/B n1 local/main",
      "crossing/C n3 local/main",
      "gateway/0 n1 local/main",
      "storage/0 n1 local/main",
    ]);
    expect(view.jobs.get("crossing/B")?.value.group).toBe("crossing/B");
    expect([...view.places.keys()]).toEqual([]);
  });

  test("gives jobs a home in the arrangement that there is now", async () => {
    const { store, jobs } = world();
    await seedStore(store, undefined, PLAIN);
    const split = configOf({
      hierarchy: {
        locals: [
          { name: "a", nodes: ["n1"] },
          { name: "b", nodes: ["n2"] },
        ],
      },
    });
    await seedStore(store, PLAIN, split);
    expect(jobs()).toEqual([
      "crossing/A n2 local/b",
      "crossing/B n1 local/a",
      "gateway/0 n1 local/a",
      "storage/0 n1 local/a",
    ]);
    const alone = configOf({ hierarchy: { locals: [] } });
    await seedStore(store, split, alone);
    expect(jobs()[0]).toBe("crossing/A n2 ");
  });

  test("says nothing of how the nodes did before", async () => {
    const { store, view, make } = world();
    await seedStore(store, undefined, PLAIN);
    make({
      kind: "state",
      name: "n1",
      expected: 0,
      value: { node: "n1", up: false, sinceMs: 5, cause: "silent" },
    });
    await seedStore(store, PLAIN, PLAIN);
    expect(view.states.size).toBe(0);
  });

  test("is written whole again when the store was lost", async () => {
    const { store, jobs } = world();
    await seedStore(store, PLAIN, PLAIN);
    expect(jobs()).toHaveLength(4);
  });
});
