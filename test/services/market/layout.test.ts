import { describe, expect, test } from "vitest";
import { jobName, formatJob } from "../../../runtime/job/name.ts";
import { checkConfig, ConfigError, type MarketConfig } from "../../../services/market/config.ts";
import { checkSameShape } from "../../../services/market/data-folder.ts";
import { jobRecords, peersOf, planJobs, replicasOf } from "../../../services/market/layout.ts";

const NODES = ["n1", "n2", "n3", "n4", "n5"];
const SYMBOLS = Array.from({ length: 40 }, (_, index) => `S${index}`);

function config(storage: unknown, nodes: readonly string[] = NODES): MarketConfig {
  return checkConfig({ nodes, instruments: SYMBOLS.map((symbol) => ({ symbol })), storage }, "test");
}

describe("where a market keeps its logs", () => {
  test("one replica of each shard has the shard's name and stays on its node", () => {
    const plain = config({ shards: 2 });
    const records = jobRecords(plain, planJobs(plain), 0).filter(({ job }) => job.startsWith("storage/"));
    expect(records.map(({ job, node, nodes, apart }) => ({ job, node, nodes, apart }))).toEqual([
      { job: "storage/0", node: "n1", nodes: ["n1"], apart: "" },
      { job: "storage/1", node: "n2", nodes: ["n2"], apart: "" },
    ]);
    expect(peersOf(plain, jobName("storage", "1"))).toEqual([]);
  });

  test.each([3, 5])(
    "%i replicas of a shard begin on as many nodes, and are kept apart wherever they go",
    (replicas) => {
      const several = config({ shards: 4, replicas });
      const records = jobRecords(several, planJobs(several), 0).filter(({ job }) =>
        job.startsWith("storage/"),
      );
      expect(records).toHaveLength(4 * replicas);
      for (let shard = 0; shard < 4; shard++) {
        const own = records.filter(({ apart }) => apart === `storage-${shard}`);
        expect(own.map(({ job }) => job)).toEqual(
          Array.from({ length: replicas }, (_, replica) => `storage/${shard}.${replica}`),
        );
        expect(new Set(own.map(({ node }) => node)).size).toBe(replicas);
        expect(own.every(({ nodes }) => nodes.length === 0)).toBe(true);
      }
    },
  );

  test("each log has all replicas of one shard, and their peers are the others of it", () => {
    const several = config({ shards: 3, replicas: 3 });
    const planned = new Set(planJobs(several).map(({ job }) => formatJob(job)));
    for (const symbol of SYMBOLS) {
      const set = replicasOf(several, jobName("crossing", symbol));
      expect(set).toHaveLength(3);
      for (const replica of set) {
        expect(planned.has(formatJob(replica))).toBe(true);
        expect(peersOf(several, replica)).toEqual(set.filter(({ key }) => key !== replica.key));
      }
    }
  });

  test("no storage job is planned where the broker keeps the logs", () => {
    const streams = config({ driver: "jetstream" }, ["n1"]);
    expect(planJobs(streams).filter(({ job }) => job.service === "storage")).toEqual([]);
  });

  test.each([
    [{ replicas: 2 }, "storage.replicas: must be 1, 3 or 5"],
    [{ driver: "files" }, "storage.driver: "],
    [{ driver: "jetstream", replicas: 3 }, "storage.replicas: must be 1 with the driver jetstream: "],
    [{ replicas: 3 }, "storage.replicas: 3 replicas need as many nodes for storage, and there are 2"],
  ])("%j is refused on two nodes", (storage, message) => {
    expect(() => config(storage, ["n1", "n2"])).toThrow(ConfigError);
    expect(() => config(storage, ["n1", "n2"])).toThrow(message);
  });
});

describe("the storage of a market that is resumed", () => {
  test.each([
    [{}, {}],
    [{}, { driver: "rocksdb", shards: 1, replicas: 1 }],
    [{ replicas: 3 }, { replicas: 5 }],
  ])("may go from %j to %j", (before, now) => {
    expect(() => checkSameShape(config(before), config(now), "folder")).not.toThrow();
  });

  test.each([
    [{}, { shards: 2 }, "storage.shards: folder holds a market with '1', not '2': "],
    [{}, { driver: "jetstream" }, "storage.driver: folder holds a market with 'rocksdb', not 'jetstream': "],
    [{}, { replicas: 3 }, "storage.replicas: folder holds a market with 1, which cannot become 3: "],
    [
      { replicas: 5 },
      { replicas: 3 },
      "storage.replicas: folder holds a market with 5, which cannot become 3: ",
    ],
  ])("may not go from %j to %j", (before, now, message) => {
    expect(() => checkSameShape(config(before), config(now), "folder")).toThrow(message);
  });
});
