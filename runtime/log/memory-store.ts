import type {
  LogStore,
  ScanBounds,
  StoreChange,
  StoreRange,
  StoreRecord,
  StoreValues,
  StoreView,
} from "./store.ts";

type Records = Map<string, Buffer>;

function apply(records: Records, changes: readonly StoreChange[]): void {
  for (const { key, value } of changes) {
    const name = Buffer.from(key).toString("hex");
    if (value === undefined) records.delete(name);
    else records.set(name, Buffer.from(value));
  }
}

/** The in-memory twin of `RocksStore`. `crash` forgets what was written after the last synced batch, or a part of it. */
export class MemoryStore implements LogStore {
  #durable: Records = new Map();
  #unsynced: StoreChange[][] = [];
  #now: Records = new Map();

  write(changes: readonly StoreChange[], sync: boolean): void {
    const copy = changes.map(({ key, value }) => ({
      key: Buffer.from(key),
      value: value === undefined ? undefined : Buffer.from(value),
    }));
    apply(this.#now, copy);
    this.#unsynced.push(copy);
    if (!sync) return;
    for (const unsynced of this.#unsynced) apply(this.#durable, unsynced);
    this.#unsynced = [];
  }

  /** The state after a power failure that left the first `kept` of the batches since the last synced one. */
  crash(kept: number): void {
    for (const changes of this.#unsynced.slice(0, kept)) apply(this.#durable, changes);
    this.#unsynced = [];
    this.#now = new Map(this.#durable);
  }

  get(key: Uint8Array): Buffer | undefined {
    return this.#now.get(Buffer.from(key).toString("hex"));
  }

  scan(range: StoreRange, bounds: ScanBounds): StoreRecord[] {
    const found = this.#range(range);
    if (bounds.reverse === true) found.reverse();
    return found.slice(0, within(found, bounds));
  }

  view(range: StoreRange, bytes: number): StoreView {
    const found = this.#range(range);
    return {
      next: (max) => found.splice(0, within(found, { max, bytes })),
      close: () => void found.splice(0),
    };
  }

  values(range: StoreRange, bytes: number): StoreValues {
    const found = this.#range(range);
    return {
      next: (max) => found.splice(0, within(found, { max, bytes })).map(({ value }) => value),
      get done() {
        return found.length === 0;
      },
      close: () => void found.splice(0),
    };
  }

  async close(): Promise<void> {}

  #range({ from, to }: StoreRange): StoreRecord[] {
    const [low, high] = [Buffer.from(from).toString("hex"), Buffer.from(to).toString("hex")];
    return [...this.#now]
      .filter(([key]) => key >= low && key < high)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, value]) => ({ key: Buffer.from(key, "hex"), value }));
  }
}

/** How many of the first records are taken. */
function within(found: readonly StoreRecord[], bounds: ScanBounds): number {
  let bytes = 0;
  let count = 0;
  for (const { key, value } of found) {
    if (count === bounds.max || bytes > bounds.bytes) break;
    bytes += key.length + value.length;
    count += 1;
  }
  return count;
}
