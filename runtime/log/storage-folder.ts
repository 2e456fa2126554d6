import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { FAILED_FOLDERS_KEPT, STORAGE_LOCK_WAIT_MS } from "../limits.ts";
import { RocksStore } from "./rocks-store.ts";
import { folderKey } from "./store-key.ts";
import { decodeFolder, encodeFolder } from "./store-record.ts";
import { StoreError } from "./store.ts";
import { readWitness, Witness } from "./witness.ts";

/** Where a storage job keeps its store, and beside it the witness, in a node's data folder. */
export function storageFolder(dataDir: string, key: string): string {
  return join(dataDir, `storage-${encodeURIComponent(key)}`);
}

/** Names within a storage folder. */
export const STORE_NAME = "store";
export const WITNESS_NAME = "witness";
/** Holds why the folder is not to be trusted any more, once it is not. */
export const FAILED_NAME = "failed";

const LOCK_POLL_MS = 20;
const EVERYTHING = { from: Buffer.of(0), to: Buffer.of(0xff) };

export interface FolderOptions {
  readonly path: string;
  /** Logical name of the replica, `storage/0`: another's folder is refused. */
  readonly replica: string;
  /** Whether others have what is in it: then a folder that failed is set aside, and an empty one takes its place. */
  readonly rebuildable: boolean;
  /** Draws 32 hexadecimal digits that were never drawn before. */
  readonly draw: () => string;
  /** Hears what became of the folder, in words. */
  readonly told: (what: string) => void;
}

/**
 * A storage folder that is open. Its incarnation is drawn when the folder is made and kept in the store, so that it comes
 * and goes with what the replica acknowledged.
 */
export interface StorageFolder {
  readonly path: string;
  readonly store: RocksStore;
  readonly witness: Witness;
  readonly incarnation: string;
}

/** Rejects with `StoreError`, or with what the file system throws; nothing is open then. */
export async function openStorageFolder(options: FolderOptions): Promise<StorageFolder> {
  const { path, rebuildable, told } = options;
  const failed = failure(path);
  if (failed !== undefined) {
    if (rebuildable) setAside(path, failed, told);
    else told(`opened again after a failure, since there is no other copy: ${failed}`);
    rmSync(join(path, FAILED_NAME), { force: true });
  }
  await forgetFailed(path);
  try {
    return await open(options);
  } catch (error) {
    if (!(error instanceof StoreError) || error.failure !== "damaged" || !rebuildable) throw error;
    setAside(path, error.message, told);
    return await open(options);
  }
}

/** Notes that the folder failed; whoever opens it next decides what that means. Never throws: the disk may be gone. */
export function markFailed(path: string, reason: string): void {
  try {
    writeFileSync(join(path, FAILED_NAME), reason, { mode: 0o600 });
    sync(path);
  } catch {
    // Then the next start finds the disk as it is now, and fails by name.
  }
}

async function open(options: FolderOptions): Promise<StorageFolder> {
  const { path } = options;
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const name = join(path, STORE_NAME);
  // A store that lacks the file that names its others would be made anew, and what is left of the old one removed.
  const create = !existsSync(name) || readWitness(join(path, WITNESS_NAME)).size === 0;
  const store = await openStore(name, create);
  let witness: Witness | undefined;
  try {
    // The store syncs what is in its folder; that the folder itself is there is ours to sync.
    for (const each of [path, dirname(path)]) sync(each);
    witness = Witness.open(join(path, WITNESS_NAME));
    return { path, store, witness, incarnation: incarnation(store, witness, options) };
  } catch (error) {
    witness?.close();
    await store.close();
    throw error;
  }
}

/** The process before may need a moment to be gone. */
async function openStore(path: string, create: boolean): Promise<RocksStore> {
  const deadline = performance.now() + STORAGE_LOCK_WAIT_MS;
  for (;;) {
    try {
      return await RocksStore.open(path, create);
    } catch (error) {
      const locked = error instanceof StoreError && error.failure === "locked";
      if (!locked || performance.now() > deadline) throw error;
      await wait(LOCK_POLL_MS);
    }
  }
}

function incarnation(store: RocksStore, witness: Witness, options: FolderOptions): string {
  const { path, replica, rebuildable, draw } = options;
  const key = folderKey();
  const value = store.get(key);
  if (value !== undefined) {
    const record = decodeFolder(key, value);
    if (record === undefined)
      throw new StoreError(
        "damaged",
        `the record of the folder ${path} is damaged; restore it from a good copy`,
      );
    if (record.replica !== replica) {
      const detail = `the folder ${path} is that of ${record.replica}, not of ${replica}; put each in its own place`;
      throw new StoreError("io", detail);
    }
    return record.incarnation;
  }
  const used = witness.size > 0 || store.scan(EVERYTHING, { max: 1, bytes: 1 }).length > 0;
  if (used && rebuildable)
    throw new StoreError(
      "damaged",
      `the folder ${path} has logs and does not say whose; it was made by nobody`,
    );
  const drawn = draw();
  store.write([{ key, value: encodeFolder(key, { incarnation: drawn, replica }) }], true);
  return drawn;
}

function failure(path: string): string | undefined {
  const file = join(path, FAILED_NAME);
  return existsSync(file) ? readFileSync(file, "utf8") : undefined;
}

/** Names and numbers of the folders that were set aside, oldest first. */
function failedFolders(path: string): { readonly path: string; readonly number: number }[] {
  const prefix = `${basename(path)}-failed-`;
  if (!existsSync(dirname(path))) return [];
  return readdirSync(dirname(path))
    .filter((name) => name.startsWith(prefix) && /^\d+$/.test(name.slice(prefix.length)))
    .map((name) => ({ path: join(dirname(path), name), number: Number(name.slice(prefix.length)) }))
    .sort((a, b) => a.number - b.number);
}

function setAside(path: string, reason: string, told: (what: string) => void): void {
  const number = (failedFolders(path).at(-1)?.number ?? 0) + 1;
  const aside = `${path}-failed-${number}`;
  renameSync(path, aside);
  sync(dirname(path));
  told(`set aside as ${aside}, to be rebuilt from the others: ${reason}`);
}

/** Nothing needs them but who looks for the cause, or has lost all else. */
async function forgetFailed(path: string): Promise<void> {
  for (const old of failedFolders(path).slice(0, -FAILED_FOLDERS_KEPT)) {
    await rm(old.path, { recursive: true, force: true });
  }
}

function sync(path: string): void {
  const file = openSync(path, "r");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
