import { cpSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { EntryKind, LogEntry, Started } from "../../../proto/generated/evercross/v1/log.ts";
import { backupFiles, prepareFolder } from "../../../runtime/backup/backup-folder.ts";
import { takeBackup } from "../../../runtime/backup/take-backup.ts";
import { parseJob } from "../../../runtime/job/name.ts";
import { GENESIS_CHAIN, sealEntry } from "../../../runtime/log/entry.ts";
import { RowChanges } from "../../../runtime/log/row-changes.ts";
import { materialise } from "../../../services/crossing/materialise.ts";
import { SourceLog } from "../../../runtime/log/readable-log.ts";
import { auditStorageFolder } from "../../../services/audit/run-audit.ts";
import { backupMarket } from "../../../services/backup/backup-market.ts";
import { withLocalStorage } from "../../../services/backup/local-storage.ts";
import { waitFor } from "../../../runtime/process/wait.ts";
import { ReplicatedLogs } from "../../../runtime/log/replicated-logs.ts";
import { nodeFolder, planJobs, replicasOf } from "../../../services/market/layout.ts";
import { readRecord, writeRecord } from "../../../services/backup/backup-record.ts";
import { logJobs, withKeptLogs } from "../../../services/backup/kept-logs.ts";
import { restoreMarket, type JobRestored } from "../../../services/backup/restore-market.ts";
import { verifyBackup } from "../../../services/backup/verify-backup.ts";
import { checkConfig, type MarketConfig } from "../../../services/market/config.ts";
import { checkRestored } from "../../../services/market/data-folder.ts";
import { ArrayLog } from "../../support/array-log.ts";
import { entryKey } from "../../../runtime/log/store-key.ts";
import { tamper } from "../../support/storage-folder.ts";
import { FLOW_JOB, flowLog, flowPayloads } from "../../support/crossing-flow.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const JOB = parseJob(FLOW_JOB);
const TIME_US = 1_800_000_000_000_000;

const configOf = (replicas: number, symbols: readonly string[] = [JOB.key]): MarketConfig =>
  checkConfig({ instruments: symbols.map((symbol) => ({ symbol })), storage: { replicas } }, "test");

/** Several writers, one after the other. */
function changingLog(): LogEntry[] {
  const [started, ...data] = flowLog(flowPayloads(30, 12)) as [LogEntry, ...LogEntry[]];
  const all: LogEntry[] = [];
  let chain: Uint8Array = GENESIS_CHAIN;
  let epoch = 0;
  const add = (entry: LogEntry, isNew: boolean): void => {
    const prevEpoch = epoch;
    if (isNew) epoch += 3;
    const sealed = sealEntry({ ...entry, seq: all.length + 1, epoch, prevEpoch }, chain);
    chain = sealed.chain;
    all.push(sealed);
  };
  for (const [index, entry] of data.entries()) {
    if (index % 7 === 0) add(started, true);
    add(entry, false);
  }
  return all;
}

const LOG = changingLog();

/** A backup of this log, as of a market of this configuration. */
async function backupOf(config: MarketConfig, source = new ArrayLog(LOG)): Promise<string> {
  const folder = join(temporaryFolder(), "backup");
  prepareFolder(folder);
  const files = backupFiles(folder).get(FLOW_JOB) ?? [];
  const { cluster } = config;
  const { tail } = await takeBackup({
    folder,
    cluster,
    job: JOB,
    source,
    files,
    timeUs: TIME_US,
  });
  writeRecord(folder, { config, portChosen: true, tails: new Map(tail && [[FLOW_JOB, tail]]) });
  return folder;
}

const MARKET = { config: undefined, version: "1" };

function restore(folder: string, dataDir: string, config?: MarketConfig): Promise<JobRestored[]> {
  return restoreMarket({ folder, dataDir, config, version: "1", timeUs: TIME_US });
}

/** Every entry that a stopped market would go on from. */
async function entriesIn(dataDir: string): Promise<LogEntry[]> {
  const found: LogEntry[] = [];
  await withKeptLogs(dataDir, async (logs) => {
    const log = new SourceLog(FLOW_JOB, await logs.source(JOB));
    const { first, last } = await log.bounds();
    for await (const entry of log.entries(first, last + 1)) found.push(entry);
  });
  return found;
}

const bytesOf = (entries: readonly LogEntry[]): Buffer[] =>
  entries.map((entry) => Buffer.from(LogEntry.encode(entry).finish()));

const storageFoldersIn = (dataDir: string): string[] =>
  readdirSync(join(dataDir, "nodes")).flatMap((node) =>
    readdirSync(join(dataDir, "nodes", node)).map((name) => join(dataDir, "nodes", node, name)),
  );

/** Backs a stopped market up; why each log was refused, if it was. */
const take = async (dataDir: string, folder: string): Promise<(string | undefined)[]> => {
  const refusals: (string | undefined)[] = [];
  await withKeptLogs(dataDir, async (logs) => {
    const done = await backupMarket({ folder, logs, jobs: logJobs(logs.config), timeUs: TIME_US });
    refusals.push(...done.map(({ refused }) => refused));
  });
  return refusals;
};

/** Rows as a replica has them after so many entries. */
function rowsAfter(entries: number): [Uint8Array, Uint8Array][] {
  const changes = new RowChanges();
  for (const { kind, payload } of LOG.slice(0, entries)) {
    if (kind === EntryKind.DATA) for (const change of materialise(payload)) changes.add(change);
  }
  return changes
    .take()
    .flatMap(({ key, value }) => (value === undefined ? [] : [[key, value] as [Uint8Array, Uint8Array]]))
    .sort(([a], [b]) => Buffer.compare(a, b));
}

/** Storage folders of a market with all of the log. */
async function wholeMarket(): Promise<string[]> {
  const dataDir = join(temporaryFolder(), "whole");
  await restore(await backupOf(configOf(1)), dataDir);
  return storageFoldersIn(dataDir);
}

describe("restoring a market", () => {
  test.each([1, 3])(
    "gives %s replicas the whole log, and makes them the only members, far above",
    async (replicas) => {
      const config = configOf(replicas);
      const dataDir = join(temporaryFolder(), "market");
      const folder = await backupOf(config);
      const [restored] = await restore(folder, dataDir);
      expect(restored).toMatchObject({ job: FLOW_JOB, entries: LOG.length, seq: LOG.length + 1 });
      expect(restored?.epoch).toBeGreaterThan(TIME_US / 1_000_000);

      const entries = await entriesIn(dataDir);
      expect(bytesOf(entries.slice(0, -1))).toEqual(bytesOf(LOG));
      const last = entries.at(-1) as LogEntry;
      expect(last).toMatchObject({
        kind: EntryKind.STARTED,
        epoch: restored?.epoch,
        prevEpoch: LOG.at(-1)?.epoch,
      });
      const { members } = Started.decode(last.payload);
      expect(members.map(({ name }) => name)).toEqual(restored?.replicas);
      expect(new Set(members.map(({ incarnation }) => incarnation)).size).toBe(replicas);

      const folders = storageFoldersIn(dataDir);
      expect(folders.length).toBe(replicas);
      for (const each of folders) {
        const verdict = await auditStorageFolder(JOB, each);
        expect(verdict.findings).toEqual([]);
        expect(verdict.lastEntry).toBe(LOG.length + 1);
        expect(verdict.rowsEntry).toBeGreaterThanOrEqual(LOG.length);
      }
      expect(() => checkRestored(dataDir)).not.toThrow();
    },
  );

  test.each([1, 3])(
    "of a log that was trimmed gives %s replicas its rows, and the log behind them",
    async (replicas) => {
      const source = new ArrayLog(LOG);
      source.first = 12;
      source.rowsSeq = 15;
      source.stored = rowsAfter(15);
      const folder = await backupOf(configOf(replicas), source);
      const { logs } = await verifyBackup(folder, () => undefined);
      expect(logs).toMatchObject([{ ok: true, firstEntry: 12, rowsEntry: 15 }]);
      const dataDir = join(temporaryFolder(), "market");
      expect(await restore(folder, dataDir)).toMatchObject([
        { entries: LOG.length - 11, seq: LOG.length + 1 },
      ]);
      expect(bytesOf((await entriesIn(dataDir)).slice(0, -1))).toEqual(bytesOf(LOG.slice(14)));
      const [whole = ""] = await wholeMarket();
      const { book } = await auditStorageFolder(JOB, whole);
      for (const each of storageFoldersIn(dataDir)) {
        expect(await auditStorageFolder(JOB, each)).toMatchObject({ findings: [], firstEntry: 15, book });
      }
      // It goes on behind what the restored log begins with.
      expect(await take(dataDir, folder)).toEqual([undefined]);
      expect((await verifyBackup(folder, () => undefined)).logs).toMatchObject([
        { ok: true, lastEntry: LOG.length + 1 },
      ]);
    },
  );

  test("of a log whose rows do not reach beyond its first entry is refused", async () => {
    const source = new ArrayLog(LOG);
    source.first = 15;
    source.rowsSeq = 15;
    source.stored = rowsAfter(15);
    const folder = await backupOf(configOf(1), source);
    const dataDir = join(temporaryFolder(), "market");
    await expect(restore(folder, dataDir)).rejects.toThrow(/^backup_gap: .* what the first of them follows/);
    expect(storageFoldersIn(dataDir)).toEqual([]);
    expect(() => checkRestored(dataDir)).not.toThrow();
    await restore(await backupOf(configOf(1)), dataDir);
  });

  test("leaves no say to a replica of the lost market, though it has more", async () => {
    const config = configOf(3);
    const [lost, dataDir] = [join(temporaryFolder(), "lost"), join(temporaryFolder(), "market")];
    // As that market was: it had begun earlier, and went on after the backup.
    const dayUs = 86_400_000_000;
    await restoreMarket({
      ...MARKET,
      folder: await backupOf(config),
      dataDir: lost,
      timeUs: TIME_US - dayUs,
    });
    await restore(await backupOf(config, new ArrayLog(LOG.slice(0, 20))), dataDir);
    const [mine = "", old = ""] = [storageFoldersIn(dataDir)[0], storageFoldersIn(lost)[0]];
    rmSync(mine, { recursive: true });
    renameSync(old, mine);
    const [restored, kept] = [(await entriesIn(dataDir)).at(-1) as LogEntry, await entriesIn(dataDir)];
    expect(kept.length).toBe(21);
    const places = planJobs(config)
      .filter(({ job }) => job.service === "storage")
      .map(({ job, node }) => ({ job, node, dataDir: nodeFolder(dataDir, node) }));
    await withLocalStorage(config, places, async (port) => {
      const log = new ReplicatedLogs({ replicasOf: (job) => replicasOf(config, job), port }).writer(JOB);
      const committed: LogEntry[] = [];
      const ends: string[] = [];
      const events = {
        committed: (entry: LogEntry) => void committed.push(entry),
        ended: (reason: string) => void ends.push(reason),
        stalled: () => undefined,
      };
      const opened = await log.open({ instance: "i", node: "n1", version: "1", timeUs: TIME_US }, events);
      expect(opened?.tail).toMatchObject({ seq: 21, epoch: restored.epoch });
      expect(opened?.tail.chain).toEqual(restored.chain);
      await waitFor(() => log.room, 20_000, 5);
      log.append(LOG[20]?.payload ?? Buffer.alloc(0));
      await waitFor(() => committed.length === 2, 20_000, 5);
      log.close();
      expect(ends).toEqual([]);
      expect(committed.map(({ seq }) => seq)).toEqual([22, 23]);
      expect(Started.decode(committed[0]?.payload ?? Buffer.alloc(0)).members).toEqual(
        Started.decode(restored.payload).members,
      );
    });
  });

  test("twice makes two sets of members, of which one takes no entry of the other's", async () => {
    const folder = await backupOf(configOf(1));
    const [one, two] = [join(temporaryFolder(), "one"), join(temporaryFolder(), "two")];
    await restore(folder, one);
    await restore(folder, two);
    const [first, second] = [await entriesIn(one), await entriesIn(two)];
    expect(bytesOf(first.slice(0, -1))).toEqual(bytesOf(second.slice(0, -1)));
    expect(first.at(-1)?.chain).not.toEqual(second.at(-1)?.chain);
  });

  test("is refused by name, and leaves the market's folder alone", async () => {
    const config = configOf(1);
    const folder = await backupOf(config);
    const full = join(temporaryFolder(), "full");
    await restore(folder, full);
    await expect(restore(folder, full)).rejects.toThrow(/^restore_not_empty: .*storage-0 has logs already/);
    const other = checkConfig({ cluster: "other", instruments: [{ symbol: JOB.key }] }, "test");
    const empty = join(temporaryFolder(), "empty");
    await expect(restore(folder, empty, other)).rejects.toThrow(/^backup_other_market: /);
    await expect(restore(folder, empty, configOf(1, ["ELSE"]))).rejects.toThrow(
      `restore_other_shape: the backup has a log of ${FLOW_JOB}, the market no such symbol`,
    );
    const stream = checkConfig(
      { instruments: [{ symbol: JOB.key }], storage: { driver: "jetstream" } },
      "test",
    );
    await expect(restore(folder, empty, stream)).rejects.toThrow(
      /^restore_other_shape: storage.driver is 'jetstream'/,
    );
    const [file] = readdirSync(folder).filter((name) => name.endsWith(".backup"));
    const path = join(folder, file ?? "");
    const bytes = readFileSync(path);
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] as number) ^ 1;
    writeFileSync(path, bytes);
    await expect(restore(folder, empty)).rejects.toThrow(/^backup_damaged: .*nothing was restored/);
    await expect(restore(join(folder, "none"), empty)).rejects.toThrow(/^backup_missing: /);
    expect(existsSync(empty)).toBe(false);
  });

  test("that was not finished keeps the market from being brought up", async () => {
    const dataDir = join(temporaryFolder(), "market");
    await restore(await backupOf(configOf(1)), dataDir);
    writeFileSync(join(dataDir, "restoring"), "");
    expect(() => checkRestored(dataDir)).toThrow(/restoring a backup into it was not finished/);
  });
});

describe("the backup of a stopped market", () => {
  test("continues the backup that the market was restored from", async () => {
    const folder = await backupOf(configOf(1));
    const dataDir = join(temporaryFolder(), "market");
    await restore(folder, dataDir);
    expect(await take(dataDir, folder)).toEqual([undefined]);
    expect(readRecord(folder).tails.get(FLOW_JOB)?.seq).toBe(LOG.length + 1);
    const { record, logs } = await verifyBackup(folder, () => undefined);
    expect(record).toBeUndefined();
    expect(logs).toMatchObject([{ ok: true, lastEntry: LOG.length + 1 }]);
    // A market that was made of the same backup is another one from there on.
    const other = join(temporaryFolder(), "other");
    await restore(await backupOf(configOf(1)), other);
    expect((await take(other, folder))[0]).toMatch(
      new RegExp(`^backup_other_log: .* entry ${LOG.length + 1} of the market's log is not the one`),
    );
  });

  test("needs a majority of the replicas, and takes the best of what they have", async () => {
    const dataDir = join(temporaryFolder(), "market");
    await restore(await backupOf(configOf(3)), dataDir);
    const whole = await entriesIn(dataDir);
    const [one = "", two = "", three = ""] = storageFoldersIn(dataDir);
    // A replica of another time is none of the log's members.
    const other = join(temporaryFolder(), "other");
    await restore(await backupOf(configOf(3)), other);
    const [stranger = ""] = storageFoldersIn(other);
    renameSync(one, `${one}.away`);
    expect(bytesOf(await entriesIn(dataDir))).toEqual(bytesOf(whole));
    renameSync(three, `${three}.away`);
    cpSync(stranger, one, { recursive: true });
    expect((await take(dataDir, join(temporaryFolder(), "backup")))[0]).toMatch(/^backup_no_majority: /);
    rmSync(one, { recursive: true });
    renameSync(`${three}.away`, three);
    expect(await take(dataDir, join(temporaryFolder(), "backup"))).toEqual([undefined]);
    renameSync(two, `${two}.away`);
    expect((await take(dataDir, join(temporaryFolder(), "backup")))[0]).toMatch(
      /^backup_no_majority: crossing\/TEST: no folder that can be read of storage\/0\.\d, storage\/0\.\d/,
    );
  });

  test("backs up what it can when a log is damaged, and says which is not", async () => {
    const dataDir = join(temporaryFolder(), "market");
    await restore(await backupOf(configOf(1, [JOB.key, "LATER"])), dataDir);
    const [stored = ""] = storageFoldersIn(dataDir);
    await tamper(stored, (store) => store.write([{ key: entryKey(FLOW_JOB, 9), value: undefined }], true));
    const folder = join(temporaryFolder(), "backup");
    expect(await take(dataDir, folder)).toEqual([`${FLOW_JOB}: entry 9 is missing`, undefined]);
    expect(backupFiles(folder).size).toBe(0);
    expect(readRecord(folder).tails.size).toBe(0);
  });
});

describe("the record of a backup", () => {
  test("is found to be damaged whichever byte has another bit", async () => {
    const folder = await backupOf(configOf(1));
    const path = join(folder, "backup.json");
    const whole = readFileSync(path);
    for (let at = 0; at < whole.length; at++) {
      const bytes = Buffer.from(whole);
      bytes[at] = (bytes[at] as number) ^ (1 << (at & 3));
      // Spaces between the parts say nothing.
      if (JSON.stringify(safeJson(bytes)) === JSON.stringify(safeJson(whole))) continue;
      writeFileSync(path, bytes);
      expect(() => readRecord(folder), `byte ${at}`).toThrow(/^backup_/);
    }
  });

  test("that is missing or wrong does not keep the files from being proved", async () => {
    const folder = await backupOf(configOf(1));
    rmSync(join(folder, "backup.json"));
    const { record, logs } = await verifyBackup(folder, () => undefined);
    expect(record).toMatch(/^backup_missing: /);
    expect(logs).toMatchObject([{ ok: true, lastEntry: LOG.length }]);
  });

  test("tells of a log whose files are all gone", async () => {
    const folder = await backupOf(configOf(1));
    for (const name of readdirSync(folder)) if (name.endsWith(".backup")) rmSync(join(folder, name));
    const { logs } = await verifyBackup(folder, () => undefined);
    expect(logs).toMatchObject([{ ok: false, job: FLOW_JOB, findings: [{ code: "log_truncated" }] }]);
  });
});

function safeJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch {
    return undefined;
  }
}
