import { randomBytes, randomUUID } from "node:crypto";
import { existsSync, mkdirSync, renameSync } from "node:fs";
import { dirname, join } from "node:path";
import { LogStatus } from "../../proto/generated/evercross/v1/log.ts";
import { syncFolder } from "../../runtime/backup/backup-writer.ts";
import { refoundLog } from "../../runtime/backup/restore-log.ts";
import { formatJob, type JobName, parseJob } from "../../runtime/job/name.ts";
import { REPLICA_TIMEOUT_MS } from "../../runtime/limits.ts";
import type { ReplicaPort } from "../../runtime/log/replica-port.ts";
import { STORE_NAME, storageFolder } from "../../runtime/log/storage-folder.ts";
import { mirrorFolder } from "../../runtime/mirror/mirror-service.ts";
import { ProcessRegistry } from "../../runtime/process/registry.ts";
import { withLocalStorage } from "../backup/local-storage.ts";
import { PROMOTED_TOGETHER } from "../limits.ts";
import { checkConfig, type MarketConfig } from "../market/config.ts";
import { claim } from "../market/data-folder.ts";
import { mirroredBy, nodeFolder, planJobs, replicasOf } from "../market/layout.ts";
import { mirrorPlaces } from "../market/mirror-config.ts";
import { findRunFile, readRunFile, type RunFile, writeRunFile } from "../market/run-file.ts";
import { mirrorStatements, becomeStorage } from "./mirror-statement.ts";
import { PromotionCode, PromotionError } from "./promotion-error.ts";
import {
  findPromotion,
  type LogStatement,
  type PromotionRecord,
  writePromotion,
} from "./promotion-record.ts";

export interface Promotion {
  /** Data folder at this site of the market that was mirrored. Nothing runs in it. */
  readonly from: string;
  /** Data folder of the market that is to be. */
  readonly dataDir: string;
  /** In place of the mirrored market's configuration, on the nodes of its mirrors. */
  readonly config: MarketConfig | undefined;
  readonly version: string;
  /** Microseconds since the Unix epoch. */
  readonly timeUs: number;
}

interface MirrorPlace {
  readonly job: JobName;
  readonly folder: string;
}

/**
 * Makes the mirrors in a data folder the storage of a market of their own. What they have, and what they know to lack, is
 * stated before anything is changed. Then each folder is a storage job's, under a new incarnation; each log goes on in an epoch
 * above every one of the lost site, with that storage job as its only member: what comes back of the lost site can neither write
 * to it nor be counted. What was broken off is gone on with. Throws `PromotionError`, `BackupError`, `ConfigError` or
 * `DataFolderError`.
 */
export async function promote(promotion: Promotion): Promise<PromotionRecord> {
  const { from, dataDir } = promotion;
  const before = findPromotion(dataDir);
  if (before?.finished === true) {
    const when = new Date(before.timeMs).toISOString();
    const detail = `${dataDir} has the market that ${before.from} was promoted to at ${when}: 'evercross up' serves it`;
    throw new PromotionError(PromotionCode.PROMOTE_DONE, detail);
  }
  if (new ProcessRegistry(from).alive().length > 0) {
    const detail = `a market still runs in ${from}: 'evercross down --data ${from}' ends it`;
    throw new PromotionError(PromotionCode.PROMOTE_RUNS, detail);
  }
  if (before === undefined) checkEmpty(dataDir);
  const registry = new ProcessRegistry(dataDir);
  const own = claim(registry, dataDir);
  try {
    const record = before === undefined ? await begin(promotion) : await resume(promotion, before);
    for (const { folder, storage, target } of record.mirrors) await move(folder, storage, target);
    await refound(promotion, record);
    const broker = findRunFile(dataDir)?.broker ?? { url: "", token: "" };
    writeRunFile(dataDir, { config: record.config, portChosen: record.portChosen, broker });
    const finished = { ...record, finished: true };
    writePromotion(dataDir, finished);
    return finished;
  } finally {
    registry.remove(own);
  }
}

/** States what there is, and what is to be done. */
async function begin({ from, dataDir, config: given, timeUs }: Promotion): Promise<PromotionRecord> {
  const run = readRunFile(from);
  const mirrors = mirrorsIn(from, run.config);
  if (mirrors.length === 0) {
    throw new PromotionError(PromotionCode.PROMOTE_NO_MIRROR, `no node's folder in ${from} has a mirror`);
  }
  const config = given ?? promotedConfig(run);
  const logs = await statements(run.config, mirrors);
  checkShape(run.config, config, logs);
  const record: PromotionRecord = {
    finished: false,
    timeMs: Math.trunc(timeUs / 1000),
    from,
    config,
    portChosen: given === undefined ? run.portChosen : given.gateway.port === 0,
    mirrors: mirrors.map((mirror) => movedTo(dataDir, config, mirror)),
    logs,
  };
  writePromotion(dataDir, record);
  return record;
}

/** A mirror whose folder was not changed yet may have run again since. */
async function resume({ dataDir }: Promotion, before: PromotionRecord): Promise<PromotionRecord> {
  const left = before.mirrors
    .filter(({ folder }) => existsSync(join(folder, STORE_NAME)))
    .map(({ mirror, folder }) => ({ job: parseJob(mirror), folder }));
  const anew = await statements(before.config, left);
  const known = new Set(anew.map(({ mirror }) => mirror));
  const record = { ...before, logs: [...before.logs.filter(({ mirror }) => !known.has(mirror)), ...anew] };
  writePromotion(dataDir, record);
  return record;
}

async function statements(config: MarketConfig, mirrors: readonly MirrorPlace[]): Promise<LogStatement[]> {
  const logs: LogStatement[] = [];
  for (const { job, folder } of mirrors) {
    const jobs = mirroredBy(config, job).map(formatJob);
    logs.push(...((await mirrorStatements(formatJob(job), folder, jobs)) ?? []));
  }
  return logs;
}

function mirrorsIn(dataDir: string, config: MarketConfig): MirrorPlace[] {
  return mirrorPlaces(config)
    .map(({ job, node }) => ({ job, folder: mirrorFolder(nodeFolder(dataDir, node), job.key) }))
    .filter(({ folder }) => existsSync(join(folder, STORE_NAME)));
}

/** The same market on the nodes of its mirrors alone. */
function promotedConfig({ config }: RunFile): MarketConfig {
  const { mirror, ...storage } = config.storage;
  const own = new Set(mirror?.nodes ?? []);
  const nodes = config.nodes.filter(({ name }) => own.has(name)).map((node) => ({ ...node, customer: "" }));
  const { launcher } = config.hierarchy;
  const promoted = {
    ...config,
    nodes,
    hierarchy: launcher === undefined ? {} : { launcher },
    storage: { ...storage, driver: "rocksdb", replicas: 1 },
  };
  return checkConfig(promoted, "the configuration of the mirrored market");
}

function checkShape(before: MarketConfig, config: MarketConfig, logs: readonly LogStatement[]): void {
  const refuse = (detail: string): never => {
    throw new PromotionError(PromotionCode.PROMOTE_OTHER_SHAPE, detail);
  };
  const { driver, shards, replicas } = config.storage;
  if (config.cluster !== before.cluster) {
    refuse(`the mirror is of the market '${before.cluster}', the configuration is of '${config.cluster}'`);
  }
  if (driver !== "rocksdb" || replicas !== 1 || shards !== before.storage.shards) {
    const is = `driver ${driver}, replicas ${replicas}, shards ${shards}`;
    const must = `driver rocksdb, replicas 1, shards ${before.storage.shards}`;
    refuse(`the mirror's folders become storage with ${must}; the configuration has ${is}`);
  }
  const symbols = new Set(config.instruments.map(({ symbol }) => symbol));
  const stranger = logs.find(({ log, seq }) => seq > 0 && !symbols.has(parseJob(log).key));
  if (stranger !== undefined) refuse(`the mirror has a log of ${stranger.log}, the market no such symbol`);
}

function checkEmpty(dataDir: string): void {
  if (findRunFile(dataDir) === undefined && !existsSync(join(dataDir, "nodes"))) return;
  throw new PromotionError(
    PromotionCode.PROMOTE_NOT_EMPTY,
    `${dataDir} has a market already: promote into a folder that has none`,
  );
}

function movedTo(
  dataDir: string,
  config: MarketConfig,
  { job: mirror, folder }: MirrorPlace,
): PromotionRecord["mirrors"][number] {
  const planned = planJobs(config).find(({ job }) => job.service === "storage" && job.key === mirror.key);
  if (planned === undefined) throw new Error(`no storage job for ${formatJob(mirror)}`);
  const target = storageFolder(nodeFolder(dataDir, planned.node), planned.job.key);
  return { mirror: formatJob(mirror), folder, storage: formatJob(planned.job), target };
}

/** Again it does what is left to do. */
async function move(folder: string, storage: string, target: string): Promise<void> {
  if (existsSync(target)) return;
  await becomeStorage(folder, storage, randomBytes(16).toString("hex"));
  mkdirSync(dirname(target), { recursive: true, mode: 0o700 });
  try {
    renameSync(folder, target);
  } catch (error) {
    const detail = `${folder} cannot be moved to ${target}: ${(error as Error).message}`;
    const advice = "give the market a folder on the same file system, and promote again";
    throw new PromotionError(PromotionCode.PROMOTE_UNREADABLE, `${detail}; ${advice}`);
  }
  for (const each of [dirname(target), dirname(folder)]) syncFolder(each);
}

/** Logs without an entry are founded by their first writer, as any. */
async function refound(promotion: Promotion, { config, logs, mirrors }: PromotionRecord): Promise<void> {
  const places = mirrors.map(({ storage, target }) => ({
    job: parseJob(storage),
    node: "",
    dataDir: dirname(target),
  }));
  const due = logs.filter(({ seq, refusal }) => seq > 0 && refusal === "");
  await withLocalStorage(config, places, async (port) => {
    for (let from = 0; from < due.length; from += PROMOTED_TOGETHER) {
      const some = due.slice(from, from + PROMOTED_TOGETHER);
      await Promise.all(some.map((statement) => refoundOne(promotion, config, port, statement)));
    }
  });
}

async function refoundOne(
  { version, timeUs }: Promotion,
  config: MarketConfig,
  port: ReplicaPort,
  { log, promised }: LogStatement,
): Promise<void> {
  const job = parseJob(log);
  const replicas = replicasOf(config, job);
  const question = { job: log, body: { $case: "tail", value: {} }, committed: 0 } as const;
  const { status, tail, detail } = await port.call(replicas[0] as JobName, question, REPLICA_TIMEOUT_MS);
  if (status !== LogStatus.OK || tail === undefined) {
    throw new PromotionError(PromotionCode.PROMOTE_UNREADABLE, `${log}: ${detail}`);
  }
  // An attempt before came so far.
  if (tail.members.some(({ incarnation }) => incarnation === tail.incarnation)) return;
  const started = { instance: `promote-${randomUUID()}`, node: "", version, timeUs };
  const known = Math.max(promised, tail.promised);
  await refoundLog({ job, replicas, port, started, promised: known }, tail);
}
