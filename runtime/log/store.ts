/** One change: `value` undefined removes the record. */
export interface StoreChange {
  readonly key: Uint8Array;
  readonly value: Uint8Array | undefined;
}

export interface StoreRecord {
  readonly key: Buffer;
  readonly value: Buffer;
}

/** Keys in `[from, to)`, bytewise. */
export interface StoreRange {
  readonly from: Uint8Array;
  readonly to: Uint8Array;
}

export interface ScanBounds {
  readonly max: number;
  /** No further record is taken once they hold so many bytes. */
  readonly bytes: number;
  readonly reverse?: boolean;
}

/** One consistent view of a range, in ascending order. Holds resources until it is closed. */
export interface StoreView {
  /** The next records, at most `max`; empty at the end. Throws `StoreError`. */
  next(max: number): StoreRecord[];
  close(): void;
}

/** The values alone of such a view: what holds its own key is read a third faster so. */
export interface StoreValues {
  /** The values of the next records, at most `max`; empty at the end. Throws `StoreError`. */
  next(max: number): Buffer[];
  /** It is known that nothing is behind what `next` gave. */
  readonly done: boolean;
  close(): void;
}

/**
 * Where a replica keeps its records: ordered by key, changed in atomic batches. Everything is synchronous, because a
 * replica does nothing else while it writes.
 *
 * Batches become durable in the order in which they were written: what is found after a crash is the state after one
 * of them, and after every one that was synced.
 *
 * Two implementations: `RocksStore` (a folder) and `MemoryStore` (tests).
 */
export interface LogStore {
  /** All changes or none. With `sync` it returns when they are on stable storage. Throws `StoreError`. */
  write(changes: readonly StoreChange[], sync: boolean): void;
  /** Throws `StoreError`. */
  get(key: Uint8Array): Buffer | undefined;
  /** The first records of the range, or the last ones, last first. Throws `StoreError`. */
  scan(range: StoreRange, bounds: ScanBounds): StoreRecord[];
  /** `bytes`: what one `next` of the view takes at most, and the record that exceeds it. */
  view(range: StoreRange, bytes: number): StoreView;
  values(range: StoreRange, bytes: number): StoreValues;
  /** Every view must be closed. Resolves when another may open the same folder. */
  close(): Promise<void>;
}

/**
 * `locked`: another process has the folder open. `damaged`: the store itself found a record or file wrong. `full`: the
 * disk has no room; it did what it said, and the store may be opened again. `io`: anything else.
 */
export type StoreFailure = "locked" | "damaged" | "full" | "io";

/** A store cannot do what it must. After a failed write nothing may be acknowledged any more. */
export class StoreError extends Error {
  override readonly name = "StoreError";
  constructor(
    readonly failure: StoreFailure,
    message: string,
  ) {
    super(message);
  }
}
