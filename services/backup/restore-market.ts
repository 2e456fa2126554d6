import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { BackupCode, BackupError } from "../../runtime/backup/backup-error.ts";
import { backupFiles } from "../../runtime/backup/backup-folder.ts";
import { syncFolder } from "../../runtime/backup/backup-writer.ts";
import { storageFolders } from "../../runtime/backup/folder-logs.ts";
import { brokerFolder } from "../../runtime/broker/broker.ts";
import { restoreLog, type Restored } from "../../runtime/backup/restore-log.ts";
import { formatJob, type JobName, parseJob } from "../../runtime/job/name.ts";
import type { ReplicaPort } from "../../runtime/log/replica-port.ts";
import { storageFolder } from "../../runtime/log/storage-folder.ts";
import type { Bus } from "../../runtime/messaging/bus.ts";
import { ProcessRegistry } from "../../runtime/process/registry.ts";
import type { MarketConfig } from "../market/config.ts";
import { claim, RESTORING_NAME } from "../market/data-folder.ts";
import { nodeFolder, type PlannedJob, planJobs, replicasOf } from "../market/layout.ts";
import { findRunFile, writeRunFile } from "../market/run-file.ts";
import { type BackupRecord, readRecord } from "./backup-record.ts";
import { checkLogJob } from "./kept-logs.ts";
import { withLocalStorage } from "./local-storage.ts";
import { backedUpLog, verifyBackup } from "./verify-backup.ts";

export interface MarketRestore {
  /** Of the backup. */
  readonly folder: string;
  /** Of the market: it must not run, and have no log. */
  readonly dataDir: string;
  /** In place of the configuration of the folder's market, or of the backup's. */
  readonly config: MarketConfig | undefined;
  readonly version: string;
  /** Microseconds since the Unix epoch. */
  readonly timeUs: number;
  /** Told of every entry that is restored. */
  readonly progress?: () => void;
}

export interface JobRestored extends Restored {
  readonly job: string;
  readonly replicas: readonly string[];
}

/**
 * Makes the storage folders of a market that is to be brought up next, out of a backup that is proved first. They come into
 * their places when all of them are whole; until then the market cannot be brought up. Throws `BackupError`, `ConfigError` or
 * `DataFolderError`.
 */
export async function restoreMarket(restore: MarketRestore): Promise<JobRestored[]> {
  const { folder, dataDir } = restore;
  const record = readRecord(folder);
  const config = restore.config ?? findRunFile(dataDir)?.config ?? record.config;
  const jobs = [...new Set([...record.tails.keys(), ...backupFiles(folder).keys()])].map(parseJob);
  if (jobs.length === 0)
    throw new BackupError(BackupCode.BACKUP_MISSING, `the backup in ${folder} has no log`);
  checkShape(record, config, jobs.map(formatJob));
  const storage = planJobs(config).filter(({ job }) => job.service === "storage");
  checkEmpty(dataDir, config, storage);
  const { logs, record: problem } = await verifyBackup(folder, () => undefined);
  const bad = logs.filter(({ ok }) => !ok).map(({ job }) => job);
  if (problem !== undefined || bad.length > 0) {
    const detail = `${problem ?? bad.join(", ")}: 'evercross storage verify' says what is wrong`;
    throw new BackupError(BackupCode.BACKUP_DAMAGED, `${folder}: ${detail}; nothing was restored`);
  }
  const registry = new ProcessRegistry(dataDir);
  const own = claim(registry, dataDir);
  try {
    beginRestoring(dataDir);
    const restored = await writeLogs(restore, config, record, storage, jobs).catch((error: unknown) => {
      endRestoring(dataDir, storage);
      throw error;
    });
    for (const { job, node } of storage) place(dataDir, node, job.key);
    keepConfig(restore, config, record);
    endRestoring(dataDir, storage);
    return restored;
  } finally {
    registry.remove(own);
  }
}

/** Into folders that are not in their places yet. */
function writeLogs(
  restore: MarketRestore,
  config: MarketConfig,
  record: BackupRecord,
  storage: readonly PlannedJob[],
  jobs: readonly JobName[],
): Promise<JobRestored[]> {
  const { folder, version, timeUs, progress } = restore;
  const { cluster } = config;
  return withStorage(restore, config, storage, async (port, bus) => {
    const done: JobRestored[] = [];
    for (const job of jobs) {
      const replicas = replicasOf(config, job);
      const restored = await restoreLog({
        job,
        replicas,
        port,
        bus,
        cluster,
        backup: backedUpLog(folder, record, formatJob(job)),
        started: { instance: `restore-${randomUUID()}`, node: "", version, timeUs },
        ...(progress && { progress }),
      });
      done.push({ job: formatJob(job), replicas: replicas.map(formatJob), ...restored });
    }
    return done;
  });
}

function checkShape(record: BackupRecord, config: MarketConfig, jobs: readonly string[]): void {
  if (record.config.cluster !== config.cluster) {
    const detail = `the backup is of the market '${record.config.cluster}', not of '${config.cluster}'`;
    throw new BackupError(BackupCode.BACKUP_OTHER_MARKET, detail);
  }
  if (config.storage.driver !== "rocksdb") {
    const detail = `storage.driver is '${config.storage.driver}': a backup is restored into storage jobs only`;
    throw new BackupError(BackupCode.RESTORE_OTHER_SHAPE, detail);
  }
  for (const job of jobs) {
    try {
      checkLogJob(config, parseJob(job));
    } catch (error) {
      if (!(error instanceof BackupError)) throw error;
      const detail = `the backup has a log of ${job}, the market no such symbol`;
      throw new BackupError(BackupCode.RESTORE_OTHER_SHAPE, detail);
    }
  }
}

/** Where jobs were put last, storage jobs among them, the store of the desired state says alone. */
function checkEmpty(dataDir: string, config: MarketConfig, storage: readonly PlannedJob[]): void {
  const nodes = config.nodes.map(({ name }) => nodeFolder(dataDir, name));
  const replicas = storage.map(({ job }) => job);
  const [there] = storageFolders(nodes, replicas);
  const why =
    there !== undefined
      ? `${there.path} has logs already`
      : existsSync(brokerFolder(dataDir))
        ? `${brokerFolder(dataDir)} has the desired state of a market that ran here`
        : undefined;
  if (why === undefined) return;
  throw new BackupError(BackupCode.RESTORE_NOT_EMPTY, `${why}: restore into a new folder, or remove it`);
}

/** Below a node's folder, so that what is made there can be moved into its place in one step. */
const stagingFolder = (dataDir: string, node: string): string =>
  join(nodeFolder(dataDir, node), RESTORING_NAME);

function beginRestoring(dataDir: string): void {
  writeFileSync(join(dataDir, RESTORING_NAME), "", { mode: 0o600 });
  syncFolder(dataDir);
}

function endRestoring(dataDir: string, storage: readonly PlannedJob[]): void {
  for (const { node } of storage) rmSync(stagingFolder(dataDir, node), { recursive: true, force: true });
  rmSync(join(dataDir, RESTORING_NAME));
  syncFolder(dataDir);
}

/** Runs the market's storage jobs in this process, over empty folders of their own, and stops them again. */
function withStorage<T>(
  { dataDir }: MarketRestore,
  config: MarketConfig,
  storage: readonly PlannedJob[],
  use: (port: ReplicaPort, bus: Bus) => Promise<T>,
): Promise<T> {
  const places = storage.map(({ job, node }) => {
    const staging = stagingFolder(dataDir, node);
    // What an attempt before has left.
    rmSync(storageFolder(staging, job.key), { recursive: true, force: true });
    mkdirSync(staging, { recursive: true, mode: 0o700 });
    return { job, node, dataDir: staging };
  });
  return withLocalStorage(config, places, use);
}

function place(dataDir: string, node: string, key: string): void {
  const staging = stagingFolder(dataDir, node);
  const target = storageFolder(nodeFolder(dataDir, node), key);
  rmSync(target, { recursive: true, force: true });
  renameSync(storageFolder(staging, key), target);
  syncFolder(dirname(target));
}

/** So that `up` on the folder brings up the market that the backup is of. */
function keepConfig(
  { dataDir, config: given }: MarketRestore,
  config: MarketConfig,
  record: BackupRecord,
): void {
  if (existsSync(join(dataDir, "market.json")) && given === undefined) return;
  const portChosen = given === undefined ? record.portChosen : given.gateway.port === 0;
  writeRunFile(dataDir, {
    config,
    portChosen,
    broker: findRunFile(dataDir)?.broker ?? { url: "", token: "" },
  });
}
