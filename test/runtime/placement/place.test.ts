import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { JobRecord } from "../../../proto/generated/evercross/v1/hierarchy.ts";
import { NodeLoad } from "../../../runtime/placement/node-load.ts";
import { obstacle, place, type PlaceableNode } from "../../../runtime/placement/place.ts";
import { jobRecordOf } from "../../support/hierarchy-records.ts";

/** A node and the jobs on it, plainly. */
interface Plain {
  readonly node: string;
  readonly labels: readonly string[];
  readonly customer: string;
  readonly closed: string;
  readonly jobs: readonly JobRecord[];
}

function placeable({ jobs, ...node }: Plain): PlaceableNode {
  const load = new NodeLoad();
  for (const job of jobs) load.add(job);
  return { ...node, load };
}

/** Section 7 of HIERARCHY.md, word by word. */
function mayRun(job: JobRecord, on: Plain): boolean {
  const others = on.jobs.filter((other) => other.job !== job.job);
  return (
    on.closed === "" &&
    (job.nodes.length === 0 || job.nodes.includes(on.node)) &&
    job.labels.every((label) => on.labels.includes(label)) &&
    (on.customer === "" || on.customer === job.customer) &&
    (job.customer === "" ||
      others.every((other) => other.customer === "" || other.customer === job.customer)) &&
    (job.apart === "" || others.every((other) => other.apart !== job.apart)) &&
    job.failed.every((failed) => failed.node !== on.node)
  );
}

const NODES = ["n1", "n2", "n3", "n4", "n5"];
const customer = fc.constantFrom("", "", "alpha", "beta");
const labels = fc.subarray(["gpu", "storage"]);
const aJob = (name: fc.Arbitrary<string>): fc.Arbitrary<JobRecord> =>
  fc
    .record({
      job: name,
      labels,
      nodes: fc.oneof(fc.constant<string[]>([]), fc.subarray(NODES)),
      customer,
      apart: fc.constantFrom("", "", "r1", "r2"),
      failed: fc.subarray(NODES, { maxLength: 2 }),
    })
    .map(({ failed, ...rest }) =>
      jobRecordOf({ ...rest, failed: failed.map((node) => ({ node, atMs: 0, reason: "" })) }),
    );
const jobs = fc.uniqueArray(aJob(fc.nat(40).map((key) => `x/${key}`)), {
  maxLength: 6,
  selector: (job) => job.job,
});
const cluster = fc
  .subarray(NODES)
  .chain((names) =>
    fc.tuple(
      ...names.map((node) =>
        fc.record({
          node: fc.constant(node),
          labels: fc.subarray(["gpu", "storage", "more"]),
          customer,
          closed: fc.constantFrom("", "", "", "down", "drained"),
          jobs,
        }),
      ),
    ),
  )
  .map((nodes): Plain[] => nodes);
const aNewJob = aJob(fc.nat(40).map((key) => `x/${key}`));

describe("placement", () => {
  test("finds a node whenever there is one, and none that a rule forbids", () => {
    fc.assert(
      fc.property(aNewJob, cluster, (job, nodes) => {
        const allowed = nodes.filter((node) => mayRun(job, node));
        for (const node of nodes)
          expect(obstacle(job, placeable(node)) === undefined, node.node).toBe(allowed.includes(node));
        const placing = place(job, nodes.map(placeable));
        expect(placing.node !== undefined).toBe(allowed.length > 0);
        if (placing.node !== undefined) expect(allowed.map((node) => node.node)).toContain(placing.node);
      }),
    );
  });

  test("takes the node with the fewest jobs, of equal ones the lowest name, in whatever order the nodes come", () => {
    fc.assert(
      fc.property(
        aNewJob,
        cluster.chain((nodes) =>
          fc.tuple(fc.constant(nodes), fc.shuffledSubarray(nodes, { minLength: nodes.length })),
        ),
        (job, [nodes, shuffled]) => {
          const placing = place(job, nodes.map(placeable));
          expect(place(job, shuffled.map(placeable))).toEqual(placing);
          const weight = (node: Plain): number => node.jobs.filter((other) => other.job !== job.job).length;
          const chosen = nodes.find((node) => node.node === placing.node);
          for (const other of nodes.filter((node) => mayRun(job, node) && node !== chosen)) {
            if (chosen === undefined) throw new Error("not total");
            const [a, b] = [weight(chosen), weight(other)];
            expect(a < b || (a === b && chosen.node < other.node)).toBe(true);
          }
        },
      ),
    );
  });

  test("counts what a node bears through any history of arrivals and departures", () => {
    fc.assert(
      fc.property(jobs, jobs, aNewJob, (stay, leave, asked) => {
        const load = new NodeLoad();
        const names = new Set(stay.map((job) => job.job));
        const gone = leave.filter((job) => !names.has(job.job));
        for (const job of [...gone, ...stay]) load.add(job);
        for (const job of gone) load.remove(job);
        const others = stay.filter((job) => job.job !== asked.job);
        expect(load.size).toBe(stay.length);
        expect([...load.twins(asked)].length > 0).toBe(
          asked.apart !== "" && others.some((job) => job.apart === asked.apart),
        );
        const foreign = others.filter((job) => job.customer !== "" && job.customer !== asked.customer);
        expect([...load.strangers(asked)].sort()).toEqual(
          asked.customer === "" ? [] : foreign.map((job) => job.job).sort(),
        );
      }),
    );
  });

  test("says how many nodes there are and what stands against each", () => {
    const plain = { labels: [], customer: "", closed: "", jobs: [] };
    const nodes: Plain[] = [
      { ...plain, node: "n1", closed: "down" },
      { ...plain, node: "n2", closed: "drained" },
      { ...plain, node: "n3" },
      { ...plain, node: "n4", labels: ["gpu"], closed: "down" },
      { ...plain, node: "n5", labels: ["gpu"], customer: "alpha" },
    ];
    const job = jobRecordOf({ job: "x/1", labels: ["gpu"] });
    expect(place(job, nodes.map(placeable))).toEqual({
      node: undefined,
      reason: "of 5 nodes 1 down, 1 of other customers, 3 without its labels (gpu)",
    });
    expect(place(job, [])).toEqual({ node: undefined, reason: "there are no nodes" });
  });
});
