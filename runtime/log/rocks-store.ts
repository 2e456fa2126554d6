import { RocksLevel, type RocksIterator, type RocksRange, type RocksRows } from "@nxtedition/rocksdb";
import {
  StoreError,
  type LogStore,
  type ScanBounds,
  type StoreChange,
  type StoreFailure,
  type StoreRange,
  type StoreRecord,
  type StoreValues,
  type StoreView,
} from "./store.ts";

const ENCODING = { keyEncoding: "buffer", valueEncoding: "buffer" } as const;

/** RocksDB's messages begin with the kind of failure; the cause of a failed open hangs below it. */
function storeError(what: string, folder: string, error: unknown): StoreError {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const text = cause instanceof Error ? cause.message : String(cause);
  return new StoreError(failureOf(text), `cannot ${what} ${folder}: ${text}`);
}

function failureOf(text: string): StoreFailure {
  if (/no space|quota/i.test(text)) return "full";
  if (/corrupt|checksum|does not exist|no such file/i.test(text)) return "damaged";
  return /lock/i.test(text) ? "locked" : "io";
}

function records({ rows }: RocksRows): StoreRecord[] {
  const found: StoreRecord[] = [];
  for (let i = 0; i + 1 < rows.length; i += 2) {
    found.push({ key: rows[i] as Buffer, value: rows[i + 1] as Buffer });
  }
  return found;
}

/** Of an iterator without keys. */
function values({ rows }: RocksRows): Buffer[] {
  const found: Buffer[] = [];
  for (let i = 1; i < rows.length; i += 2) found.push(rows[i] as Buffer);
  return found;
}

class RocksView<T> {
  readonly #iterator: RocksIterator;
  readonly #folder: string;
  readonly #taken: (rows: RocksRows) => T[];
  #done = false;

  constructor(iterator: RocksIterator, folder: string, taken: (rows: RocksRows) => T[]) {
    this.#iterator = iterator;
    this.#folder = folder;
    this.#taken = taken;
  }

  next(max: number): T[] {
    try {
      const rows = this.#iterator._nextvSync(max);
      this.#done = rows.finished;
      return this.#taken(rows);
    } catch (error) {
      throw storeError("read", this.#folder, error);
    }
  }

  get done(): boolean {
    return this.#done;
  }

  close(): void {
    this.#iterator._closeSync();
    // Now that it holds nothing, this only takes it off the database's list.
    void this.#iterator.close();
  }
}

/*
 * Settings, measured with 100 jobs, batches of 16 entries of 2 KiB, and rows that come and go, 600 MiB and 2.5 GiB, with other work on the two
 * cores; one run each, and two runs of one setting differ by a quarter:
 *
 * | setting | MiB/s, 0.6 and 2.5 GiB | sync p50, p99, worst (ms, 2.5 GiB) | bytes written for each byte | open (ms) |
 * | --- | --- | --- | --- | --- |
 * | levels, 64 MiB in memory (as it comes) | 54 to 71, 60 | 0.30, 4.0, 201 | 5.2 | 71 to 167 |
 * | universal, 16 MiB | 70 to 80, 61 | 0.32, 3.8, 42 | 5.3 | 64 to 121 |
 * | universal, 64 MiB | 84, 52 | 0.30, 4.6, 150 | 3.7 | 65 to 371 |
 * | levels, 16 MiB | 67, 36 | 0.32, 7.3, 121 | 5.8 | 79 to 92 |
 * | levels, 64 MiB, two merged to one | 54 | 0.28, 4.4, 66 (0.6 GiB) | 3.1 (0.6 GiB) | 391 |
 * | pipelined writes | 52 | 0.30, 4.9, 40 (0.6 GiB) | 3.3 (0.6 GiB) | 173 |
 * | entries in a column family of their own | 35 to 64 | 0.29, 2.4, 44 (0.6 GiB) | 3.0 to 3.3 (0.6 GiB) | 1272 to 1284 |
 *
 * The median is the disk's, whatever is set. A column family of its own makes the journal outlive the rows' and a start read it all. Universal
 * compaction stalls less, but needs as much free space again to merge a whole log, on disks that are watched for room. So it is levels as they
 * come: 64 MiB in memory, one column family, one thread for compactions, which leaves the other core to who trades.
 */

/** A `LogStore` in a folder. One process at a time has it open; the lock ends with the process, however it ends. */
export class RocksStore implements LogStore {
  readonly #db: RocksLevel;
  readonly #folder: string;

  private constructor(db: RocksLevel, folder: string) {
    this.#db = db;
    this.#folder = folder;
  }

  /** Creates the folder when it is missing and `create` is true. Rejects with `StoreError`. */
  static async open(folder: string, create: boolean): Promise<RocksStore> {
    const db = new RocksLevel(folder, ENCODING);
    try {
      // What is written is small and read at most once: compressing it costs more than it saves.
      await db.open({ createIfMissing: create, walCompression: false, compression: false, parallelism: 1 });
    } catch (error) {
      throw storeError("open", folder, error);
    }
    return new RocksStore(db, folder);
  }

  write(changes: readonly StoreChange[], sync: boolean): void {
    const batch = this.#db.batch();
    try {
      for (const { key, value } of changes) {
        if (value === undefined) batch._del(key);
        else batch._put(key, value);
      }
      batch._writeSync({ sync });
    } catch (error) {
      throw storeError("write to", this.#folder, error);
    } finally {
      void batch.close();
    }
  }

  get(key: Uint8Array): Buffer | undefined {
    try {
      return this.#db._getManySync([key], ENCODING)[0];
    } catch (error) {
      throw storeError("read", this.#folder, error);
    }
  }

  scan(range: StoreRange, bounds: ScanBounds): StoreRecord[] {
    const { max, bytes, reverse = false } = bounds;
    try {
      return records(
        this.#db.querySync({ ...rocksRange(range), limit: max, highWaterMarkBytes: bytes, reverse }),
      );
    } catch (error) {
      throw storeError("read", this.#folder, error);
    }
  }

  view(range: StoreRange, bytes: number): StoreView {
    const options = { ...rocksRange(range), highWaterMarkBytes: bytes };
    return new RocksView(this.#db.iterator(options), this.#folder, records);
  }

  values(range: StoreRange, bytes: number): StoreValues {
    const options = { ...rocksRange(range), highWaterMarkBytes: bytes, keys: false };
    return new RocksView(this.#db.iterator(options), this.#folder, values);
  }

  async close(): Promise<void> {
    try {
      await this.#db.close();
    } catch (error) {
      // Files and lock are let go all the same; what could not be written at the end was not synced.
      if ((error as { code?: string }).code !== "LEVEL_DATABASE_NOT_CLOSED") throw error;
    }
  }
}

function rocksRange(range: StoreRange): RocksRange {
  return { gte: range.from, lt: range.to, ...ENCODING };
}
