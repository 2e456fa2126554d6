import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { JobRecord } from "../../../proto/generated/evercross/v1/hierarchy.ts";
import { JOB_QUARANTINE_MAX_MS, MONITOR_RETRY_MAX_MS } from "../../../runtime/limits.ts";
import { orderJob } from "../../../runtime/desired/job-orders.ts";
import { obstacle, type PlaceableNode } from "../../../runtime/placement/place.ts";
import { placeableNodes } from "../../../runtime/placement/placeable-nodes.ts";
import {
  agentOf,
  CoordinatorWorld,
  coordinatorOf,
  nodeOf,
  wantedJob,
} from "../../support/coordinator-world.ts";

/** What befalls a cluster; numbers name the n-th node, job or coordinator that there is. */
type Deed =
  | { readonly kind: "off" | "on" | "killAgent" | "drain" | "undrain"; readonly node: number }
  | { readonly kind: "killCoordinator" | "twin" | "cut" | "heal"; readonly coordinator: number }
  | { readonly kind: "stop" | "start" | "move" | "remove" | "poison" | "cure"; readonly job: number }
  | { readonly kind: "lose"; readonly changes: number };

const index = fc.nat(60);
const deed: fc.Arbitrary<Deed> = fc.oneof(
  fc.record({ kind: fc.constantFrom("off", "on", "killAgent", "drain", "undrain"), node: index }),
  fc.record({ kind: fc.constantFrom("killCoordinator", "twin", "cut", "heal"), coordinator: index }),
  fc.record({ kind: fc.constantFrom("stop", "start", "move", "remove", "poison", "cure"), job: index }),
  fc.record({ kind: fc.constant("lose" as const), changes: fc.nat(20) }),
);
const deeds = fc.array(fc.record({ deed, afterMs: fc.constantFrom(0, 100, 500, 1500, 4000) }), {
  maxLength: 25,
});

const job = fc.record({
  labels: fc.constantFrom<string[]>([], [], ["gpu"]),
  customer: fc.constantFrom("", "", "", "alpha", "beta"),
  apart: fc.constantFrom("", "", "", "r1", "r2"),
  wanted: fc.constantFrom(true, true, true, false),
});
const cluster = fc.record({
  /** Nodes of each local coordinator. */
  locals: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 }),
  levels: fc.integer({ min: 1, max: 3 }),
  jobs: fc.array(job, { maxLength: 20 }),
});

function build({
  locals,
  levels,
  jobs,
}: {
  locals: number[];
  levels: number;
  jobs: Partial<JobRecord>[];
}): CoordinatorWorld {
  const names = locals.flatMap((count, local) => Array.from({ length: count }, (_, at) => `n${local}${at}`));
  const top = levels === 3 ? "universal/u" : levels === 2 ? "group/g" : "";
  const parentOfLocals = levels === 3 ? "group/g" : top;
  const above = [
    ...(levels === 3 ? [coordinatorOf("universal/u", "", ["c1", "c2"])] : []),
    ...(levels >= 2 ? [coordinatorOf("group/g", levels === 3 ? "universal/u" : "", ["c2", "c3"])] : []),
  ];
  const localRoles = locals.map((_, local) => coordinatorOf(`local/${local}`, parentOfLocals, ["c3", "c1"]));
  return new CoordinatorWorld({
    nodes: [
      ...["c1", "c2", "c3"].map((node) => nodeOf(node)),
      ...names.map((node, at) => nodeOf(node, { labels: at % 3 === 0 ? ["gpu"] : [] })),
    ],
    roles: [...above, ...localRoles, ...names.map((node) => agentOf(node, `local/${node.charAt(1)}`))],
    jobs: jobs.map((fields, at) => wantedJob(`x/${at}`, `local/${at % locals.length}`, fields)),
  });
}

function befall(world: CoordinatorWorld, deed: Deed): void {
  const pick = <T>(list: readonly T[], at: number): T | undefined => list[at % Math.max(1, list.length)];
  switch (deed.kind) {
    case "off":
    case "on":
    case "killAgent":
    case "drain":
    case "undrain": {
      const nodes = [...world.view.nodes.values()].map(({ value }) => value);
      const node = pick(nodes, deed.node);
      if (node === undefined) return;
      if (deed.kind === "off") world.powerOff(node.node);
      else if (deed.kind === "on") world.powerOn(node.node);
      else if (deed.kind === "killAgent") {
        const agent = world.agents.get(`agent/${node.node}`);
        if (agent !== undefined) agent.alive = false;
      } else world.put("node", node.node, { ...node, drained: deed.kind === "drain" });
      return;
    }
    case "killCoordinator":
    case "twin":
    case "cut":
    case "heal": {
      const one = pick(world.coordinators, deed.coordinator);
      if (one === undefined) return;
      if (deed.kind === "killCoordinator") world.kill(one);
      else if (deed.kind === "twin") {
        if (!world.off.has("c2")) world.startCoordinator(one.role, "c2");
      } else one.deaf = deed.kind === "cut";
      return;
    }
    case "poison":
    case "cure": {
      const name = `x/${deed.job % 20}`;
      if (deed.kind === "poison") world.poison.add(name);
      else world.poison.delete(name);
      return;
    }
    case "lose": {
      let left = deed.changes;
      world.fate = () => (left-- > 0 ? (left % 2 === 0 ? "lost" : "unanswered") : "reached");
      return;
    }
    default: {
      const one = pick(world.jobs(), deed.job);
      if (one === undefined) return;
      const order = { kind: deed.kind, job: one.job } as const;
      const outcome = orderJob(world.view, world.topology, world.wall, order);
      if (outcome.kind === "ok")
        for (const { kind, name, value } of outcome.changes) world.put(kind, name, value);
    }
  }
}

/** Whatever was done to it is undone; what must start again by itself is left to do so, where there is anybody to start it. */
function heal(world: CoordinatorWorld): void {
  world.poison.clear();
  world.fate = () => "reached";
  for (const node of world.off) world.powerOn(node);
  for (const one of world.coordinators) one.deaf = false;
  // A top has nobody above it, and the simulated agents start nobody: its boot unit does.
  for (const { role, on, nodes } of world.topology.roles())
    if (nodes.length === 0 && world.alive(role).length === 0) world.startCoordinator(role, on[0] ?? "");
}

/** Where a job of this home may be: below the home's top. */
function reach({ view, topology }: CoordinatorWorld, home: string): PlaceableNode[] {
  let top = home;
  for (let up = topology.parent(top); up !== undefined; up = topology.parent(top)) top = up.role;
  const below = topology.nodesBelow(top);
  return placeableNodes(view, topology, "x").filter(({ node }) => below.includes(node));
}

/** What the store holds, places of the directory aside. */
const recordsOf = ({ view }: CoordinatorWorld): unknown =>
  [view.jobs, view.states].map((records) => [...records.values()].map(({ revision }) => revision));

describe("coordinators of a random cluster after a random history", () => {
  test("put each wanted job that can be anywhere on one node that is up, and change nothing after", () => {
    fc.assert(
      fc.property(cluster, deeds, (shape, history) => {
        const world = build(shape);
        for (const { deed: one, afterMs } of history) {
          befall(world, one);
          world.run(afterMs);
        }
        heal(world);
        world.run(MONITOR_RETRY_MAX_MS + 2 * JOB_QUARANTINE_MAX_MS);
        for (const { role, nodes } of world.topology.roles())
          if (nodes.length === 0) expect(world.alive(role), role).toHaveLength(1);
        const settled = recordsOf(world);
        for (const record of world.jobs().filter(({ wanted }) => wanted)) {
          const nodes = reach(world, record.home);
          const on = nodes.find(({ node }) => node === record.node);
          const free = nodes.filter((node) => obstacle(record, node) === undefined);
          if (on === undefined) expect(free, `${record.job} has no node: ${record.reason}`).toEqual([]);
          else {
            const against = obstacle(record, on);
            if (against === "closed" && on.closed === "drained")
              expect(free, `${record.job} stays on ${on.node}`).toEqual([]);
            else expect(against, `${record.job} on ${on.node}\n${world.story()}`).toBeUndefined();
          }
        }
        world.run(20_000);
        expect(recordsOf(world)).toEqual(settled);
      }),
      { numRuns: 60 },
    );
  });
});
