import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { LogStatus, type LogEntry } from "../../proto/generated/evercross/v1/log.ts";
import type { Materialise } from "../../runtime/job/definition.ts";
import { RocksStore } from "../../runtime/log/rocks-store.ts";
import { STORE_NAME, storageFolder } from "../../runtime/log/storage-folder.ts";
import { storageDefinition } from "../../runtime/log/storage-service.ts";
import { MemoryBus } from "../../runtime/messaging/memory-bus.ts";
import { call, STORAGE, storageContext } from "./storage-client.ts";
import { temporaryFolder } from "./temporary-folder.ts";

/** Entries that arrive together, and so share a synced batch. */
const GROUP = 7;

function groupsOf<T>(all: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, i) => all.slice(i * size, (i + 1) * size));
}

/** A storage folder as a storage job leaves it that has acknowledged these entries of one job. */
export async function storedLog(
  service: string,
  materialise: Materialise,
  entries: readonly LogEntry[],
): Promise<string> {
  const dataDir = temporaryFolder();
  const bus = new MemoryBus();
  const definition = storageDefinition(new Map([[service, { materialise }]]));
  const running = await definition.start(storageContext(bus, dataDir));
  try {
    const job = entries[0]?.job ?? "";
    const bodies = entries.map((value) => ({ $case: "append" as const, value }));
    const groups = [[{ $case: "open" as const, value: { epoch: 1 } }], ...groupsOf(bodies, GROUP)];
    for (const group of groups) {
      for (const { status, detail } of await Promise.all(group.map((body) => call(bus, job, body)))) {
        if (status !== LogStatus.OK) throw new Error(`storage refused: ${detail}`);
      }
    }
  } finally {
    await running.stop();
  }
  return storageFolder(dataDir, STORAGE.key);
}

/** Changes records behind the replica's back. */
export async function tamper(folder: string, change: (store: RocksStore) => void): Promise<void> {
  const store = await RocksStore.open(join(folder, STORE_NAME), false);
  try {
    change(store);
  } finally {
    await store.close();
  }
}

/** The store's files of this kind, largest first. */
export function storeFiles(folder: string, extension: "log" | "sst"): string[] {
  const store = join(folder, STORE_NAME);
  return readdirSync(store)
    .filter((name) => name.endsWith(`.${extension}`))
    .map((name) => join(store, name))
    .sort((a, b) => readFileSync(b).length - readFileSync(a).length);
}

/** Flips one bit of a file, at a share of its length from 0 to 1. */
export function flipBit(file: string, share: number): void {
  const bytes = readFileSync(file);
  const at = Math.floor(bytes.length * share);
  bytes[at] = (bytes[at] as number) ^ 0x10;
  writeFileSync(file, bytes);
}
