import type { StoreRange } from "./store.ts";

/**
 * Keys of a replica's records. `job` is one byte of length and the job's name in UTF-8, so that no job's keys lie
 * within another's; integers are 8 bytes, big-endian, so that keys sort by number.
 *
 * | key | value |
 * | --- | --- |
 * | `i` | incarnation of the folder, and the replica's name (`FolderRecord`) |
 * | `e`, job, seq | the log entry (`LogEntry`), which proves itself |
 * | `m`, job | promised epoch, first entry kept, chain value before it (`MetaRecord`) |
 * | `r`, job, 0 | entry that the rows are the state after, and its chain value (`RowsRecord`) |
 * | `h`, job | of a mirror: what was last heard of the log at its source (`HeardRecord`) |
 * | `r`, job, 1, row key | the row, see `row-seal.ts` |
 *
 * Every value but entry and row ends in the CRC-32 of its key and of what stands before. The rows' own record precedes
 * the rows, so that one view of the prefix holds both.
 */
const Family = { ENTRY: 0x65, META: 0x6d, ROWS: 0x72, FOLDER: 0x69, HEARD: 0x68 } as const;
type Family = (typeof Family)[keyof typeof Family];

const ROWS_RECORD = 0;
const ROW = 1;

function prefix(family: Family, job: string, extra: number): Buffer {
  const bytes = Buffer.byteLength(job);
  if (bytes > 0xff) throw new RangeError(`job name '${job}' has ${bytes} bytes, more than 255`);
  const key = Buffer.allocUnsafe(2 + bytes + extra);
  key[0] = family;
  key[1] = bytes;
  key.write(job, 2);
  return key;
}

export function entryKey(job: string, seq: number): Buffer {
  const key = prefix(Family.ENTRY, job, 8);
  key.writeUInt32BE(Math.floor(seq / 2 ** 32), key.length - 8);
  key.writeUInt32BE(seq >>> 0, key.length - 4);
  return key;
}

/** Sequence that an entry's key names. */
export function seqOfKey(key: Buffer): number {
  return key.readUInt32BE(key.length - 8) * 2 ** 32 + key.readUInt32BE(key.length - 4);
}

/** Entries with `from <= seq < to`. */
export function entryRange(job: string, from: number, to: number): StoreRange {
  return { from: entryKey(job, from), to: entryKey(job, to) };
}

export function metaKey(job: string): Buffer {
  return prefix(Family.META, job, 0);
}

export function rowsRecordKey(job: string): Buffer {
  const key = prefix(Family.ROWS, job, 1);
  key[key.length - 1] = ROWS_RECORD;
  return key;
}

export function rowKey(job: string, key: Uint8Array): Buffer {
  const head = prefix(Family.ROWS, job, 1 + key.length);
  head[head.length - key.length - 1] = ROW;
  head.set(key, head.length - key.length);
  return head;
}

/** The rows' own record and all rows. */
export function rowsRange(job: string): StoreRange {
  const key = rowsRecordKey(job);
  const end = prefix(Family.ROWS, job, 1);
  end[end.length - 1] = ROW + 1;
  return { from: key, to: end };
}

/** The folder's own record. */
export function folderKey(): Buffer {
  return Buffer.of(Family.FOLDER);
}

/** Records of promised epochs, those of the jobs behind `job`. */
export function metaRange(job: string | undefined): StoreRange {
  const from = job === undefined ? Buffer.of(Family.META) : Buffer.concat([metaKey(job), Buffer.of(0)]);
  return { from, to: Buffer.of(Family.META + 1) };
}

export function jobOfMetaKey(key: Buffer): string {
  return key.toString("utf8", 2);
}

/** What a mirror heard of a log last; and all such records. */
export function heardKey(job: string): Buffer {
  return prefix(Family.HEARD, job, 0);
}

export function heardRange(): StoreRange {
  return { from: Buffer.of(Family.HEARD), to: Buffer.of(Family.HEARD + 1) };
}
