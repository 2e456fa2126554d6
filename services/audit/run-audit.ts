import { existsSync } from "node:fs";
import { join } from "node:path";
import { formatJob, type JobName } from "../../runtime/job/name.ts";
import type { LogReader } from "../../runtime/log/log-reader.ts";
import { RocksStore } from "../../runtime/log/rocks-store.ts";
import { STORE_NAME, WITNESS_NAME } from "../../runtime/log/storage-folder.ts";
import { StoreLogReader } from "../../runtime/log/store-log-reader.ts";
import { readWitness } from "../../runtime/log/witness.ts";
import { LogAudit } from "./log-audit.ts";
import type { AuditedRules } from "./replayed-state.ts";
import type { Verdict } from "./verdict.ts";

/** Reads and proves the log of one crossing job; `rules` are those of its instrument. Damage is in the verdict; rejects only when nothing can be read at all. */
export async function auditLog(job: JobName, reader: LogReader, rules: AuditedRules = {}): Promise<Verdict> {
  const audit = new LogAudit(job, rules);
  audit.rowsRead(await reader.rows((key, value) => audit.row(key, value)));
  for await (const item of reader.entries()) audit.item(item);
  return audit.verdict();
}

/**
 * Audits a copy of a storage job's folder. Opening it lets the store recover, so the folder changes; it must not be in
 * use. Rejects with `StoreError` when the store does not open.
 */
export async function auditStorageFolder(
  job: JobName,
  folder: string,
  rules: AuditedRules = {},
): Promise<Verdict> {
  const path = join(folder, STORE_NAME);
  if (!existsSync(path)) throw new Error(`${folder} is no storage folder: it holds no '${STORE_NAME}'`);
  const store = await RocksStore.open(path, false);
  try {
    const witness = readWitness(join(folder, WITNESS_NAME)).get(formatJob(job));
    return await auditLog(job, new StoreLogReader(store, formatJob(job), witness), rules);
  } finally {
    await store.close();
  }
}
