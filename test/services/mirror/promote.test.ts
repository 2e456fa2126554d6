import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, renameSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import {
  EntryKind,
  type LogEntry,
  type LogTail,
  Started,
} from "../../../proto/generated/evercross/v1/log.ts";
import { FolderLogs } from "../../../runtime/backup/folder-logs.ts";
import { jobName, parseJob } from "../../../runtime/job/name.ts";
import { sealEntry, GENESIS_CHAIN } from "../../../runtime/log/entry.ts";
import { openStorageFolder, STORE_NAME } from "../../../runtime/log/storage-folder.ts";
import { mirrorFolder } from "../../../runtime/mirror/mirror-service.ts";
import { MirrorStore } from "../../../runtime/mirror/mirror-store.ts";
import { ProcessRegistry } from "../../../runtime/process/registry.ts";
import { checkConfig, type MarketConfig } from "../../../services/market/config.ts";
import { nodeFolder } from "../../../services/market/layout.ts";
import { readRunFile, writeRunFile } from "../../../services/market/run-file.ts";
import { promote } from "../../../services/mirror/promote.ts";
import { becomeStorage } from "../../../services/mirror/mirror-statement.ts";
import {
  checkPromoted,
  findPromotion,
  missingEntries,
  type PromotionRecord,
  writePromotion,
} from "../../../services/mirror/promotion-record.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const OLD = { name: "storage/0", incarnation: "ab".repeat(16) };
const HEARD_MS = 1_700_000_000_000;

const market = checkConfig(
  {
    nodes: ["n1", "r1"],
    instruments: [{ symbol: "AAA" }, { symbol: "BBB" }, { symbol: "CCC" }],
    storage: { mirror: { nodes: ["r1"] } },
  },
  "test",
);

/** What a writer of the lost site wrote: `STARTED`, then so much more. */
function logOf(job: string, epoch: number, count: number): LogEntry[] {
  const entries: LogEntry[] = [];
  const started = { instance: "i", node: "n1", version: "1", timeUs: 1, members: [OLD] };
  for (let seq = 1; seq <= count; seq++) {
    const kind = seq === 1 ? EntryKind.STARTED : EntryKind.DATA;
    const payload = seq === 1 ? Started.encode(started).finish() : Buffer.from(`entry ${seq}`);
    const fields = { job, epoch, seq, prevEpoch: seq === 1 ? 0 : epoch, kind, payload };
    entries.push(sealEntry(fields, entries.at(-1)?.chain ?? GENESIS_CHAIN));
  }
  return entries;
}

interface Site {
  readonly from: string;
  readonly dataDir: string;
  readonly promotion: Parameters<typeof promote>[0];
}

/** A stopped mirror: it has 5 entries of AAA and has heard of 8, it has all 3 of BBB, and nothing of CCC. */
async function site(): Promise<Site> {
  const root = temporaryFolder();
  const [from, dataDir] = [join(root, "from"), join(root, "new")];
  writeRunFile(from, { config: market, portChosen: true, broker: { url: "nats://127.0.0.1:1", token: "t" } });
  const folder = await openStorageFolder({
    path: mirrorFolder(nodeFolder(from, "r1"), "0"),
    replica: "mirror/0",
    rebuildable: false,
    draw: () => randomBytes(16).toString("hex"),
    told: () => undefined,
  });
  const store = new MirrorStore({
    folder,
    kept: new Map(),
    shortage: () => undefined,
    wrote: () => undefined,
    rowsFailed: () => undefined,
  });
  store.write(0, [
    { job: "crossing/AAA", entries: logOf("crossing/AAA", 4, 5) },
    { job: "crossing/BBB", entries: logOf("crossing/BBB", 2, 3) },
  ]);
  const heard = (seq: number, promised: number) => ({ atMs: HEARD_MS, seq, promised, sinceMs: 0 });
  store.note([
    { job: "crossing/AAA", heard: heard(8, 4) },
    { job: "crossing/BBB", heard: heard(3, 9) },
  ]);
  await store.close();
  const promotion = { from, dataDir, config: undefined, version: "1.2.3", timeUs: 1_800_000_000_000_000 };
  return { from, dataDir, promotion };
}

const stated = ({ logs }: PromotionRecord): unknown[] =>
  logs.map((each) => [each.log, each.seq, each.committed, each.heard_ms, missingEntries(each), each.refusal]);

/** The end of a log in the promoted storage, and what that entry says. */
async function endOf(dataDir: string, job: string): Promise<{ tail: LogTail; started: Started }> {
  const folders = new FolderLogs([nodeFolder(dataDir, "r1")]);
  try {
    const source = await folders.source(parseJob(job), [jobName("storage", "0")]);
    const tail = await source.tail();
    const [last] = (await source.entries(tail?.seq ?? 0, (tail?.seq ?? 0) + 1)) ?? [];
    if (tail === undefined || last === undefined) throw new Error(`${job} has no end`);
    return { tail, started: Started.decode(last.payload) };
  } finally {
    await folders.close();
  }
}

const STATED = [
  ["crossing/AAA", 5, 8, HEARD_MS, { from: 6, to: 8 }, ""],
  ["crossing/BBB", 3, 3, HEARD_MS, undefined, ""],
  ["crossing/CCC", 0, 0, 0, undefined, ""],
];

async function expectPromoted(dataDir: string): Promise<void> {
  const aaa = await endOf(dataDir, "crossing/AAA");
  expect(aaa.tail.seq).toBe(6);
  expect(aaa.tail.epoch).toBeGreaterThan(4);
  expect(aaa.started.members).toEqual([
    { name: "storage/0", incarnation: expect.not.stringMatching(OLD.incarnation) as string },
  ]);
  const bbb = await endOf(dataDir, "crossing/BBB");
  expect(bbb.tail.seq).toBe(4);
  // Above what was promised there, too.
  expect(bbb.tail.epoch).toBeGreaterThan(9);
  expect(bbb.started.members).toEqual(aaa.started.members);
  const { config, portChosen } = readRunFile(dataDir);
  expect(config.nodes.map(({ name, customer }) => [name, customer])).toEqual([["r1", ""]]);
  expect(config.storage).toEqual({ driver: "rocksdb", shards: 1, replicas: 1 });
  expect(config.instruments).toEqual(market.instruments);
  expect(portChosen).toBe(true);
}

describe("promoting a mirror", () => {
  test("states what it has and what it knows to lack, and opens each log with its own storage as the only member", async () => {
    const { dataDir, promotion } = await site();
    const record = await promote(promotion);
    expect(stated(record)).toEqual(STATED);
    await expectPromoted(dataDir);
  });

  test("is refused when it was done before, and changes nothing then", async () => {
    const { dataDir, promotion } = await site();
    await promote(promotion);
    await expect(promote(promotion)).rejects.toThrow(/^promote_done: .* was promoted to at 2027-01-15T/);
    await expectPromoted(dataDir);
  });

  test("is gone on with where it was broken off: stated, changed, moved, or half opened", async () => {
    for (const step of ["stated", "changed", "moved"]) {
      const { dataDir, from, promotion } = await site();
      const reference = await promote(promotion);
      // As it was before, with what the attempt had done by then.
      const [mirror] = reference.mirrors;
      if (mirror === undefined) throw new Error("no mirror was promoted");
      const other = await site();
      const moved = { ...mirror, folder: mirror.folder.replace(from, other.from) };
      const target = mirror.target.replace(dataDir, other.dataDir);
      const begun = { ...reference, finished: false, from: other.from, mirrors: [{ ...moved, target }] };
      mkdirSync(other.dataDir, { recursive: true });
      writePromotion(other.dataDir, begun);
      expect(() => checkPromoted(other.dataDir)).toThrow("promoting a mirror into it was not finished");
      if (step !== "stated") await becomeStorage(moved.folder, "storage/0", "cd".repeat(16));
      if (step === "moved") {
        mkdirSync(dirname(target), { recursive: true });
        renameSync(moved.folder, target);
      }
      const record = await promote(other.promotion);
      checkPromoted(other.dataDir);
      expect(stated(record)).toEqual(STATED);
      await expectPromoted(other.dataDir);
      // All logs are open by now: another attempt adds nothing.
      writePromotion(other.dataDir, { ...record, finished: false });
      expect(stated(await promote(other.promotion))).toEqual(STATED);
      await expectPromoted(other.dataDir);
    }
  });

  test("a mirror that ran again after a broken attempt is stated anew", async () => {
    const { dataDir, promotion } = await site();
    const other = await site();
    const begun = { ...(await promote(other.promotion)), finished: false };
    mkdirSync(dataDir, { recursive: true });
    const mirrors = begun.mirrors.map((each) => ({
      ...each,
      folder: each.folder.replace(other.from, promotion.from),
      target: each.target.replace(other.dataDir, dataDir),
    }));
    writePromotion(dataDir, { ...begun, mirrors, logs: begun.logs.map((each) => ({ ...each, seq: 1 })) });
    expect(stated(await promote(promotion))).toEqual(STATED);
  });

  test("is refused by name where a market runs, where there is one, where there is no mirror, and for another shape", async () => {
    const one = await site();
    const registry = new ProcessRegistry(one.from);
    registry.open();
    const own = registry.register("up", "market");
    await expect(promote(one.promotion)).rejects.toThrow(/^promote_runs: a market still runs in /);
    registry.remove(own);
    await expect(promote({ ...one.promotion, dataDir: one.from })).rejects.toThrow(/^promote_not_empty: /);
    const without = (config: unknown): MarketConfig => checkConfig(config, "test");
    const shapes = [
      [{ ...market, storage: { shards: 2 } }, "shards 2"],
      [{ ...market, cluster: "other" }, "the configuration is of 'other'"],
      [{ ...market, instruments: [{ symbol: "AAA" }] }, "the mirror has a log of crossing/BBB"],
    ] as const;
    for (const [shape, why] of shapes) {
      const config = without(shape);
      await expect(promote({ ...one.promotion, config })).rejects.toThrow(why);
    }
    expect(findPromotion(one.dataDir)).toBeUndefined();
    const bare = temporaryFolder();
    writeRunFile(bare, { config: market, portChosen: true, broker: { url: "", token: "" } });
    await expect(promote({ ...one.promotion, from: bare })).rejects.toThrow(/^promote_no_mirror: /);
    // Nothing of all that touched the mirror.
    expect(stated(await promote(one.promotion))).toEqual(STATED);
  });

  test("is refused while the mirror has its folder open", async () => {
    const { from, promotion } = await site();
    const path = mirrorFolder(nodeFolder(from, "r1"), "0");
    const open = await openStorageFolder({
      path,
      replica: "mirror/0",
      rebuildable: false,
      draw: () => "",
      told: () => undefined,
    });
    onTestFinished(async () => {
      open.witness.close();
      await open.store.close();
    });
    await expect(promote(promotion)).rejects.toThrow(/^promote_runs: the mirror in /);
    expect(existsSync(join(path, STORE_NAME))).toBe(true);
  });
});
