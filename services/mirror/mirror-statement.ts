import { join } from "node:path";
import { type JobLog, loadJobLog } from "../../runtime/log/job-log.ts";
import { RocksStore } from "../../runtime/log/rocks-store.ts";
import { STORE_NAME, WITNESS_NAME } from "../../runtime/log/storage-folder.ts";
import { folderKey, heardKey, heardRange, jobOfMetaKey, metaRange } from "../../runtime/log/store-key.ts";
import { decodeFolder, encodeFolder } from "../../runtime/log/store-record.ts";
import { type LogStore, StoreError } from "../../runtime/log/store.ts";
import { type Acknowledged, readWitness } from "../../runtime/log/witness.ts";
import { decodeHeard } from "../../runtime/mirror/heard-record.ts";
import type { Heard } from "../../runtime/mirror/log-lag.ts";
import { PromotionCode, PromotionError } from "./promotion-error.ts";
import type { LogStatement } from "./promotion-record.ts";

/**
 * What the mirror in a folder, which nobody else has open, has of its logs; and of `jobs`, which it was to have. Undefined when the
 * folder is a storage job's already.
 */
export function mirrorStatements(
  mirror: string,
  folder: string,
  jobs: readonly string[],
): Promise<LogStatement[] | undefined> {
  const witness = readWitness(join(folder, WITNESS_NAME));
  return withStore(folder, (store) => {
    const key = folderKey();
    const value = store.get(key);
    if (value !== undefined && decodeFolder(key, value)?.replica !== mirror) return undefined;
    const names = new Set([...jobsIn(store), ...jobs]);
    return [...names].sort().map((job) => ({ mirror, ...statementOf(store, job, witness.get(job)) }));
  });
}

/** Makes a mirror's folder that of a storage job under an incarnation of its own. Once it is, nothing is changed. */
export function becomeStorage(folder: string, storage: string, incarnation: string): Promise<void> {
  return withStore(folder, (store) => {
    const key = folderKey();
    const before = store.get(key);
    if (before !== undefined && decodeFolder(key, before)?.replica === storage) return;
    const notes = [...heardKeys(store)].map((note) => ({ key: note, value: undefined }));
    store.write([{ key, value: encodeFolder(key, { replica: storage, incarnation }) }, ...notes], true);
  });
}

async function withStore<T>(folder: string, use: (store: LogStore) => T): Promise<T> {
  let store: RocksStore | undefined;
  try {
    store = await RocksStore.open(join(folder, STORE_NAME), false);
    return use(store);
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    const runs = error.failure === "locked";
    throw new PromotionError(
      runs ? PromotionCode.PROMOTE_RUNS : PromotionCode.PROMOTE_UNREADABLE,
      runs ? `the mirror in ${folder} still runs: 'evercross down' ends it` : error.message,
    );
  } finally {
    await store?.close();
  }
}

function* jobsIn(store: LogStore): Generator<string, void, undefined> {
  for (let job: string | undefined; ;) {
    const [next] = store.scan(metaRange(job), { max: 1, bytes: 1 });
    if (next === undefined) return;
    job = jobOfMetaKey(next.key);
    yield job;
  }
}

function* heardKeys(store: LogStore): Generator<Buffer, void, undefined> {
  const { to } = heardRange();
  for (let { from } = heardRange(); ;) {
    const found = store.scan({ from, to }, { max: SCAN_MAX, bytes: SCAN_BYTES });
    for (const { key } of found) yield key;
    const last = found.at(-1);
    if (last === undefined) return;
    from = Buffer.concat([last.key, Buffer.of(0)]);
  }
}

const SCAN_MAX = 4096;
const SCAN_BYTES = 1024 * 1024;

function statementOf(
  store: LogStore,
  job: string,
  witness: Acknowledged | undefined,
): Omit<LogStatement, "mirror"> {
  const log = loadJobLog(store, job, witness);
  const heard = heardOf(store, job);
  return {
    log: job,
    seq: log.blank ? 0 : log.seq,
    epoch: log.blank ? 0 : log.epoch,
    chain: log.blank || log.seq === 0 ? "" : log.chain.toString("hex"),
    committed: heard?.seq ?? 0,
    promised: Math.max(heard?.promised ?? 0, log.promised),
    heard_ms: heard?.atMs ?? 0,
    refusal: refusalOf(log),
  };
}

function refusalOf(log: JobLog): string {
  if (log.blank) return `${log.job}: the mirror had only begun to copy its rows`;
  return log.refusal?.detail ?? "";
}

function heardOf(store: LogStore, job: string): Heard | undefined {
  const key = heardKey(job);
  const value = store.get(key);
  return value && decodeHeard(key, value);
}
