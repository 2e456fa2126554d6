import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { BackupCode, BackupError } from "../../runtime/backup/backup-error.ts";
import { unreadable } from "../../runtime/backup/backup-folder.ts";
import type { BackupTail } from "../../runtime/backup/backup-log.ts";
import { replaceFile } from "../../runtime/backup/backup-writer.ts";
import { checkConfig, ConfigError, type MarketConfig } from "../market/config.ts";

export const RECORD_NAME = "backup.json";

const FORMAT = 1;

const content = z.strictObject({
  format: z.int(),
  /** As in effect: with ports, and with absolute paths. */
  config: z.unknown(),
  port_chosen: z.boolean(),
  /** Where the backup of each log ends, by job: what must be there. */
  logs: z.record(
    z.string(),
    z.strictObject({ last: z.int().min(1), chain: z.string().regex(/^[0-9a-f]{64}$/) }),
  ),
});
const schema = content.extend({ sha256: z.string() });

/** What a backup is of, beside its files: they must go at least as far. */
export interface BackupRecord {
  readonly config: MarketConfig;
  readonly portChosen: boolean;
  readonly tails: ReadonlyMap<string, BackupTail>;
}

const digestOf = (value: z.infer<typeof content>): string =>
  createHash("sha256").update(JSON.stringify(value)).digest("hex");

/** Undefined when there is none. Throws `BackupError` on one that is not as it was written. */
export function findRecord(folder: string): BackupRecord | undefined {
  const path = join(folder, RECORD_NAME);
  const damaged = (why: string): BackupError => new BackupError(BackupCode.BACKUP_DAMAGED, `${path}: ${why}`);
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    if (!(error instanceof SyntaxError)) throw unreadable(path, error);
    throw damaged("it is not JSON");
  }
  const result = schema.safeParse(value);
  if (!result.success) throw damaged("it is not what a backup writes");
  const { sha256, ...written } = result.data;
  if (written.format !== FORMAT) {
    throw new BackupError(BackupCode.BACKUP_VERSION, `${path}: format ${written.format} is not known here`);
  }
  if (digestOf(written) !== sha256) throw damaged("it is not as it was written (digest)");
  try {
    const config = checkConfig(written.config, path);
    const tails = new Map(
      Object.entries(written.logs).map(([job, { last, chain }]) => [
        job,
        { seq: last, chain: Buffer.from(chain, "hex") },
      ]),
    );
    return { config, portChosen: written.port_chosen, tails };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new BackupError(
      BackupCode.BACKUP_VERSION,
      `its configuration is not of this version: ${error.message}`,
    );
  }
}

/** Throws `BackupError` when there is none, or it is not as it was written. */
export function readRecord(folder: string): BackupRecord {
  const record = findRecord(folder);
  if (record !== undefined) return record;
  throw new BackupError(
    BackupCode.BACKUP_MISSING,
    `${folder} holds no backup: there is no ${RECORD_NAME} in it`,
  );
}

/** Replaces it as a whole. Throws what the file system throws. */
export function writeRecord(folder: string, { config, portChosen, tails }: BackupRecord): void {
  const logs = Object.fromEntries(
    [...tails]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([job, { seq, chain }]) => [job, { last: seq, chain: Buffer.from(chain).toString("hex") }]),
  );
  // As it is read again, so that what is hashed is the same.
  const written = JSON.parse(
    JSON.stringify({ format: FORMAT, config, port_chosen: portChosen, logs }),
  ) as z.infer<typeof content>;
  const text = JSON.stringify({ ...written, sha256: digestOf(written) }, undefined, 2);
  replaceFile(join(folder, RECORD_NAME), `${text}\n`);
}
