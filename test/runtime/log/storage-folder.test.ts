import { cpSync, existsSync, readdirSync, renameSync, rmSync, truncateSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { FAILED_FOLDERS_KEPT } from "../../../runtime/limits.ts";
import { GENESIS_CHAIN } from "../../../runtime/log/entry.ts";
import {
  markFailed,
  openStorageFolder,
  STORE_NAME,
  storageFolder,
  WITNESS_NAME,
  type FolderOptions,
} from "../../../runtime/log/storage-folder.ts";
import { folderKey, metaKey } from "../../../runtime/log/store-key.ts";
import { StoreError } from "../../../runtime/log/store.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const JOB = "counter/a";

interface Case extends FolderOptions {
  readonly words: string[];
  readonly dataDir: string;
}

/** Draws `00…01`, `00…02` and so on. */
function folder(rebuildable: boolean, dataDir = temporaryFolder(), replica = "storage/0"): Case {
  const words: string[] = [];
  let drawn = 0;
  return {
    path: storageFolder(dataDir, replica.slice("storage/".length)),
    dataDir,
    replica,
    rebuildable,
    draw: () => String((drawn += 1)).padStart(32, "0"),
    told: (what) => void words.push(what),
    words,
  };
}

/** Opens, writes a record of a job, and closes; gives the incarnation. */
async function use(options: FolderOptions): Promise<string> {
  const { store, witness, incarnation } = await openStorageFolder(options);
  store.write([{ key: metaKey(JOB), value: Buffer.from("x") }], true);
  witness.note([{ job: JOB, promised: 1, seq: 0, chain: GENESIS_CHAIN }]);
  witness.close();
  await store.close();
  return incarnation;
}

const first = "1".padStart(32, "0");
const second = "2".padStart(32, "0");

describe("a storage folder", () => {
  test("has an incarnation that is drawn once, when it is made", async () => {
    const made = folder(true);
    expect(await use(made)).toBe(first);
    expect(await use(made)).toBe(first);
  });

  test("that was lost is another incarnation", async () => {
    const made = folder(true);
    await use(made);
    rmSync(made.path, { recursive: true });
    expect(await use(made)).toBe(second);
  });

  test("of another replica is refused by name, and not touched", async () => {
    const one = folder(true);
    const other = folder(true, one.dataDir, "storage/1");
    await use(one);
    await use(other);
    for (const [from, to] of [
      [one.path, "swap"],
      [other.path, one.path],
      ["swap", other.path],
    ] as const) {
      renameSync(
        from.replace(/^swap$/, join(one.dataDir, "swap")),
        to.replace(/^swap$/, join(one.dataDir, "swap")),
      );
    }
    await expect(openStorageFolder(one)).rejects.toThrow("is that of storage/1, not of storage/0");
    await expect(openStorageFolder(other)).rejects.toThrow("is that of storage/0, not of storage/1");
    expect(readdirSync(one.dataDir).sort()).toEqual(["storage-0", "storage-1"]);
  });

  test("that failed is set aside where others can rebuild it, and a few of these are kept", async () => {
    const made = folder(true);
    for (let round = 1; round <= FAILED_FOLDERS_KEPT + 2; round++) {
      expect(await use(made)).toBe(String(round).padStart(32, "0"));
      markFailed(made.path, `failure ${round}`);
    }
    await use(made);
    expect(made.words.at(-1)).toMatch(/^set aside as .*storage-0-failed-4, .*: failure 4$/);
    expect(readdirSync(made.dataDir).sort()).toEqual([
      "storage-0",
      "storage-0-failed-3",
      "storage-0-failed-4",
    ]);
  });

  test("that failed and is the only copy is opened again as it is", async () => {
    const made = folder(false);
    await use(made);
    markFailed(made.path, "fsync: input/output error");
    expect(await use(made)).toBe(first);
    expect(made.words).toEqual([
      "opened again after a failure, since there is no other copy: fsync: input/output error",
    ]);
    expect(await use(made)).toBe(first);
    expect(made.words).toHaveLength(1);
  });

  const damages: [string, (store: string) => void][] = [
    ["its list of files is cut", (store) => truncateSync(join(store, find(store, /^MANIFEST/)), 10)],
    ["its list of files is missing", (store) => unlinkSync(join(store, find(store, /^MANIFEST/)))],
    ["a file of records is missing", (store) => unlinkSync(join(store, find(store, /\.sst$/)))],
    ["the name of its list of files is missing", (store) => unlinkSync(join(store, "CURRENT"))],
    ["its store is missing", (store) => rmSync(store, { recursive: true })],
  ];

  const find = (store: string, pattern: RegExp): string =>
    readdirSync(store).find((name) => pattern.test(name)) as string;

  test.each(damages)("of which %s is set aside where others can rebuild it", async (_, damage) => {
    const made = folder(true);
    // A store that is opened again writes what was in its journal to a file of records.
    for (let i = 0; i < 2; i++) await use(made);
    damage(join(made.path, STORE_NAME));
    expect(await use(made)).toBe(second);
    expect(made.words).toHaveLength(1);
    expect(existsSync(`${made.path}-failed-1`)).toBe(true);
  });

  test("of which the name of its list of files is missing is refused, and left as it is, where it is the only copy", async () => {
    const made = folder(false);
    for (let i = 0; i < 2; i++) await use(made);
    const store = join(made.path, STORE_NAME);
    unlinkSync(join(store, "CURRENT"));
    const before = readdirSync(store).sort();
    await expect(openStorageFolder(made)).rejects.toThrow(StoreError);
    expect(before.filter((name) => name.endsWith(".sst")).length).toBeGreaterThan(0);
    for (const name of before) expect(existsSync(join(store, name)), name).toBe(true);
  });

  test("whose record is damaged is refused by name where it is the only copy", async () => {
    const made = folder(false);
    const { store, witness } = await openStorageFolder(made);
    store.write([{ key: folderKey(), value: Buffer.alloc(30) }], true);
    witness.close();
    await store.close();
    await expect(openStorageFolder(made)).rejects.toThrow(StoreError);
    await expect(openStorageFolder(made)).rejects.toThrow("the record of the folder");
    expect(existsSync(join(made.path, WITNESS_NAME))).toBe(true);
  });

  test("that was copied is the same incarnation: what it lacks is the witness's to find", async () => {
    const made = folder(true);
    await use(made);
    cpSync(made.path, `${made.path}-copy`, { recursive: true });
    rmSync(made.path, { recursive: true });
    renameSync(`${made.path}-copy`, made.path);
    expect(await use(made)).toBe(first);
  });
});
