import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { EntryKind, LogEntry } from "../../../proto/generated/evercross/v1/log.ts";
import { BackupError } from "../../../runtime/backup/backup-error.ts";
import { backupFiles, prepareFolder } from "../../../runtime/backup/backup-folder.ts";
import { BackupLog, type BackupTail } from "../../../runtime/backup/backup-log.ts";
import { type BackedUp, takeBackup } from "../../../runtime/backup/take-backup.ts";
import { jobName } from "../../../runtime/job/name.ts";
import { GENESIS_CHAIN, sealEntry } from "../../../runtime/log/entry.ts";
import { ArrayLog } from "../../support/array-log.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const JOB = jobName("crossing", "A/B%C");
const NAME = "crossing/A/B%C";
const CLUSTER = "market";

/** Entries of these payloads, whose writers have these epochs. */
function logOf(entries: readonly { readonly epoch: number; readonly payload: Uint8Array }[]): LogEntry[] {
  let chain: Buffer = GENESIS_CHAIN;
  let prevEpoch = 0;
  return entries.map(({ epoch, payload }, index) => {
    const kind = epoch === prevEpoch ? EntryKind.DATA : EntryKind.STARTED;
    const entry = sealEntry({ job: NAME, epoch, seq: index + 1, prevEpoch, kind, payload }, chain);
    chain = entry.chain;
    prevEpoch = epoch;
    return entry;
  });
}

const plainLog = (count: number): LogEntry[] =>
  logOf(
    Array.from({ length: count }, (_, i) => ({
      epoch: 1 + Math.floor(i / 5),
      payload: Buffer.from(`p${i}`),
    })),
  );

function take(folder: string, source: ArrayLog, cluster = CLUSTER): Promise<BackedUp> {
  prepareFolder(folder);
  const files = backupFiles(folder).get(NAME) ?? [];
  return takeBackup({ folder, cluster, job: JOB, source, files, timeUs: 1 });
}

interface Read {
  readonly entries: Buffer[];
  readonly problems: string[];
}

async function read(folder: string, known?: BackupTail, cluster = CLUSTER): Promise<Read> {
  const log = new BackupLog(JOB, backupFiles(folder).get(NAME) ?? [], { known, cluster });
  const found: Read = { entries: [], problems: [] };
  for await (const item of log.entries()) {
    if (item.kind === "entry") found.entries.push(Buffer.from(LogEntry.encode(item.entry).finish()));
    else found.problems.push(`${item.problem} ${item.seq}-${item.through}`);
  }
  return found;
}

const bytesOf = (entries: readonly LogEntry[]): Buffer[] =>
  entries.map((entry) => Buffer.from(LogEntry.encode(entry).finish()));

const onlyFile = (folder: string): string => {
  const [name] = readdirSync(folder);
  return join(folder, name ?? "");
};

describe("a backup of a log", () => {
  test("gives back any log, whatever it holds and in however many pieces it was taken", async () => {
    const someLog = fc.array(
      fc.record({
        rise: fc.boolean(),
        payload: fc.uint8Array({ maxLength: 40 }),
        cut: fc.integer({ min: 0, max: 3 }),
      }),
      { minLength: 1, maxLength: 30 },
    );
    await fc.assert(
      fc.asyncProperty(someLog, fc.integer({ min: 1, max: 7 }), async (parts, page) => {
        let epoch = 1;
        const all = logOf(parts.map(({ rise, payload }) => ({ epoch: (epoch += rise ? 1 : 0), payload })));
        const folder = mkdtempSync(join(tmpdir(), "evercross-test-"));
        try {
          for (const [index, { cut }] of parts.entries()) {
            if (cut === 0) await take(folder, new ArrayLog(all.slice(0, index + 1), page));
          }
          const { tail } = await take(folder, new ArrayLog(all, page));
          expect(tail).toEqual({ seq: all.length, chain: all.at(-1)?.chain });
          expect(await read(folder, tail)).toEqual({ entries: bytesOf(all), problems: [] });
        } finally {
          rmSync(folder, { recursive: true });
        }
      }),
      { numRuns: 60 },
    );
  });

  test("adds a file with what is new, and none when nothing is", async () => {
    const folder = temporaryFolder();
    const all = plainLog(9);
    expect(await take(folder, new ArrayLog(all.slice(0, 4)))).toMatchObject({ first: 1, last: 4 });
    expect(await take(folder, new ArrayLog(all.slice(0, 4)))).toMatchObject({
      first: 0,
      last: 0,
      tail: { seq: 4 },
    });
    expect(await take(folder, new ArrayLog(all))).toMatchObject({ first: 5, last: 9 });
    expect(readdirSync(folder)).toEqual([
      "crossing%2FA%2FB%25C.0000000000000001.backup",
      "crossing%2FA%2FB%25C.0000000000000005.backup",
    ]);
  });

  test("refuses a log that is another one, that ends before, or whose entries between were trimmed", async () => {
    const folder = temporaryFolder();
    const all = plainLog(9);
    await take(folder, new ArrayLog(all.slice(0, 6)));
    const before = readFileSync(onlyFile(folder));
    const other = logOf(Array.from({ length: 9 }, () => ({ epoch: 1, payload: Buffer.from("other") })));
    const trimmed = new ArrayLog(all);
    trimmed.first = 8;
    const refused: [ArrayLog, RegExp][] = [
      [
        new ArrayLog(other),
        /^backup_other_log: crossing\/A\/B%C: entry 6 of the market's log is not the one/,
      ],
      [new ArrayLog(all.slice(0, 5)), /^backup_other_log: .* ends at entry 5, the backup has 6/],
      [trimmed, /^backup_gap: .* entries 7 to 7 were trimmed/],
    ];
    for (const [source, why] of refused) {
      const refusal: unknown = await take(folder, source).catch((error: unknown) => error);
      expect(refusal).toBeInstanceOf(BackupError);
      expect((refusal as Error).message).toMatch(why);
    }
    trimmed.first = 7;
    expect(await take(folder, trimmed)).toMatchObject({ first: 7, last: 9 });
    expect(readFileSync(join(folder, readdirSync(folder)[0] ?? ""))).toEqual(before);
    expect((await read(folder)).problems).toEqual([]);
  });

  test("leaves the folder as it was when the source breaks off, and clears away what a killed backup left", async () => {
    const folder = temporaryFolder();
    const source = new ArrayLog(plainLog(9));
    source.asked = (from) => {
      if (from > 4) throw new Error("gone");
    };
    await expect(take(folder, source)).rejects.toThrow("gone");
    expect(readdirSync(folder)).toEqual([]);
    // No process has so high a number.
    writeFileSync(join(folder, "crossing%2FX.0000000000000001.backup.99999999.part"), "half");
    prepareFolder(folder);
    expect(readdirSync(folder)).toEqual([]);
  });

  test("keeps rows in place of the entries that were trimmed, and begins anew when a trim overtakes it", async () => {
    const folder = temporaryFolder();
    const source = new ArrayLog(plainLog(12));
    source.first = 5;
    source.rowsSeq = 6;
    source.stored = Array.from({ length: 5 }, (_, i) => [Buffer.from([i]), Buffer.from(`row ${i}`)]);
    let overtaken = false;
    source.asked = () => {
      if (!overtaken) source.first = 7;
      overtaken = true;
    };
    expect(await take(folder, source)).toMatchObject({ first: 7, last: 12, rows: 5 });
    const log = new BackupLog(JOB, backupFiles(folder).get(NAME) ?? []);
    const rows: string[] = [];
    expect(await log.rows((_, value) => rows.push(Buffer.from(value).toString()))).toEqual({
      seq: 6,
      problem: undefined,
    });
    expect(rows).toEqual(["row 0", "row 1", "row 2", "row 3", "row 4"]);
    expect(await read(folder)).toEqual({ entries: bytesOf(source.all.slice(6)), problems: [] });
  });
});

describe("a damaged backup", () => {
  async function backup(): Promise<{ readonly folder: string; readonly tail: BackupTail | undefined }> {
    const folder = temporaryFolder();
    const all = plainLog(20);
    for (const end of [8, 15, 20]) await take(folder, new ArrayLog(all.slice(0, end)));
    return { folder, tail: (await take(folder, new ArrayLog(all))).tail };
  }
  const paths = (folder: string): string[] => readdirSync(folder).map((name) => join(folder, name));

  test("is found out whichever byte has a flipped bit", async () => {
    const folder = temporaryFolder();
    const { tail } = await take(folder, new ArrayLog(plainLog(6)));
    const path = onlyFile(folder);
    const whole = readFileSync(path);
    for (let at = 0; at < whole.length; at++) {
      const bytes = Buffer.from(whole);
      bytes[at] = (bytes[at] as number) ^ (1 << (at & 7));
      writeFileSync(path, bytes);
      const { problems } = await read(folder, tail);
      expect(problems.length, `byte ${at}`).toBeGreaterThan(0);
    }
  });

  test("is found out wherever a file is cut, or grows", async () => {
    const folder = temporaryFolder();
    const { tail } = await take(folder, new ArrayLog(plainLog(6)));
    const path = onlyFile(folder);
    const whole = readFileSync(path);
    for (let length = 0; length < whole.length; length++) {
      writeFileSync(path, whole.subarray(0, length));
      expect((await read(folder, tail)).problems.length, `${length} bytes`).toBeGreaterThan(0);
    }
    writeFileSync(path, Buffer.concat([whole, Buffer.of(0)]));
    expect((await read(folder, tail)).problems.length).toBeGreaterThan(0);
    writeFileSync(path, Buffer.concat([whole, whole.subarray(8)]));
    expect((await read(folder, tail)).problems.length).toBeGreaterThan(0);
  });

  test("names the entries of one bad record, and gives all others", async () => {
    const { folder, tail } = await backup();
    const path = paths(folder)[1] as string;
    const bytes = readFileSync(path);
    const at = bytes.indexOf("p10");
    bytes[at] = (bytes[at] as number) ^ 1;
    writeFileSync(path, bytes);
    const { entries, problems } = await read(folder, tail);
    expect(problems).toEqual(["unreadable 11-11"]);
    expect(entries.length).toBe(19);
  });

  test("names what a missing, swapped, repeated or renamed file takes away", async () => {
    const missing = await backup();
    rmSync(paths(missing.folder)[1] as string);
    expect((await read(missing.folder, missing.tail)).problems).toEqual(["missing 9-15"]);

    const last = await backup();
    rmSync(paths(last.folder)[2] as string);
    expect((await read(last.folder, last.tail)).problems).toEqual(["truncated 16-20"]);

    const swapped = await backup();
    const [, one = "", two = ""] = paths(swapped.folder);
    const [first, second] = [readFileSync(one), readFileSync(two)];
    writeFileSync(one, second);
    writeFileSync(two, first);
    expect((await read(swapped.folder, swapped.tail)).problems).toContain("misplaced 9-9");

    const foreign = await backup();
    expect((await read(foreign.folder, foreign.tail, "another")).problems).toEqual([
      "record 0-0",
      "record 0-0",
      "record 0-0",
    ]);

    const renamed = await backup();
    const path = paths(renamed.folder)[2] as string;
    renameSync(path, path.replace("0016", "0017"));
    expect((await read(renamed.folder, renamed.tail)).problems.length).toBeGreaterThan(0);
  });

  test("of an older state of the folder is known by where the backup ended", async () => {
    const { folder } = await backup();
    const other = logOf(Array.from({ length: 20 }, () => ({ epoch: 1, payload: Buffer.from("other") })));
    const end = other.at(-1) as LogEntry;
    expect((await read(folder, { seq: 20, chain: end.chain })).problems).toEqual(["chain 20-20"]);
  });

  test("is not continued", async () => {
    const { folder } = await backup();
    const path = paths(folder)[2] as string;
    writeFileSync(path, readFileSync(path).subarray(0, -1));
    await expect(take(folder, new ArrayLog(plainLog(25)))).rejects.toThrow(
      /^backup_damaged: .*remove that file/,
    );
    rmSync(path);
    expect(await take(folder, new ArrayLog(plainLog(25)))).toMatchObject({ first: 16, last: 25 });
    expect((await read(folder)).entries.length).toBe(25);
  });
});
