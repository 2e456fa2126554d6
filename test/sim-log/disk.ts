import {
  StoreError,
  type LogStore,
  type ScanBounds,
  type StoreChange,
  type StoreRange,
  type StoreRecord,
  type StoreValues,
  type StoreView,
} from "../../runtime/log/store.ts";

type Records = Map<string, Buffer>;

const text = (key: Uint8Array): string =>
  Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString("latin1");

const buffer = (value: Uint8Array): Buffer => Buffer.from(value.buffer, value.byteOffset, value.byteLength);

interface Change {
  readonly key: string;
  readonly value: Buffer | undefined;
}

/** What a disk holds, to be put back later. */
export interface DiskCopy {
  readonly records: ReadonlyMap<string, Buffer>;
}

/**
 * A twin of `MemoryStore` for many short histories: keys are kept in order. A batch is on the disk when the disk was settled after
 * it; a power failure leaves, of the batches since, the first few. Never half a batch: that the real store's journal cannot do.
 */
export class Disk implements LogStore {
  /** Every write fails. */
  failing = false;
  #durable: Records = new Map();
  #unsettled: (readonly Change[])[] = [];
  #now: Records = new Map();
  #keys: string[] = [];

  /** How many batches a power failure may take. */
  get unsettled(): number {
    return this.#unsettled.length;
  }

  write(changes: readonly StoreChange[], sync: boolean): void {
    if (this.failing) throw new StoreError("io", "the disk fails");
    const batch = changes.map(({ key, value }) => ({ key: text(key), value: value && buffer(value) }));
    for (const { key, value } of batch) this.#change(key, value);
    this.#unsettled.push(batch);
    if (sync) this.settle();
  }

  /** All that was written is on the disk. */
  settle(): void {
    for (const changes of this.#unsettled) {
      for (const { key, value } of changes) {
        if (value === undefined) this.#durable.delete(key);
        else this.#durable.set(key, value);
      }
    }
    this.#unsettled = [];
  }

  /** A power failure that leaves the first `kept` of the batches that were not settled. */
  crash(kept: number): void {
    this.#unsettled.length = Math.min(kept, this.#unsettled.length);
    this.settle();
    this.#load(new Map(this.#durable));
  }

  copy(): DiskCopy {
    return { records: new Map(this.#durable) };
  }

  restore({ records }: DiskCopy): void {
    this.#unsettled = [];
    this.#durable = new Map(records);
    this.#load(new Map(records));
  }

  /** Turns over one bit of a record; false when there is none. */
  flip(key: Uint8Array, bit: number): boolean {
    const name = text(key);
    const value = this.#durable.get(name);
    if (value === undefined || value.length === 0) return false;
    const flipped = Buffer.from(value);
    const at = (bit >> 3) % flipped.length;
    flipped[at] = (flipped[at] as number) ^ (1 << (bit & 7));
    this.#durable.set(name, flipped);
    if (this.#now.get(name) === value) this.#now.set(name, flipped);
    return true;
  }

  get(key: Uint8Array): Buffer | undefined {
    return this.#now.get(text(key));
  }

  scan(range: StoreRange, { max, bytes, reverse }: ScanBounds): StoreRecord[] {
    let [at, end] = this.#bounds(range);
    const found: StoreRecord[] = [];
    for (let taken = 0; at < end && found.length < max && taken <= bytes;) {
      const record = this.#record(reverse === true ? (end -= 1) : at++);
      taken += record.key.length + record.value.length;
      found.push(record);
    }
    return found;
  }

  values(range: StoreRange, bytes: number): StoreValues {
    const view = this.view(range, bytes);
    let done = false;
    return {
      next: (max) => {
        const found = view.next(max);
        done = found.length === 0;
        return found.map(({ value }) => value);
      },
      get done() {
        return done;
      },
      close: () => view.close(),
    };
  }

  view(range: StoreRange, bytes: number): StoreView {
    const [from, to] = this.#bounds(range);
    const found = this.#keys.slice(from, to).map((key): StoreRecord => this.#named(key));
    return {
      next: (max) => {
        let taken = 0;
        let count = 0;
        for (const { key, value } of found) {
          if (count === max || taken > bytes) break;
          taken += key.length + value.length;
          count += 1;
        }
        return found.splice(0, count);
      },
      close: () => void found.splice(0),
    };
  }

  async close(): Promise<void> {}

  #load(records: Records): void {
    this.#now = records;
    this.#keys = [...records.keys()].sort();
  }

  #change(key: string, value: Buffer | undefined): void {
    if (value === undefined) {
      if (this.#now.delete(key)) this.#keys.splice(this.#place(key), 1);
      return;
    }
    if (!this.#now.has(key)) this.#keys.splice(this.#place(key), 0, key);
    this.#now.set(key, value);
  }

  #bounds({ from, to }: StoreRange): [number, number] {
    return [this.#place(text(from)), this.#place(text(to))];
  }

  /** Index of the first key that is not below. */
  #place(key: string): number {
    let low = 0;
    let high = this.#keys.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#keys[middle] as string) < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #record(index: number): StoreRecord {
    return this.#named(this.#keys[index] as string);
  }

  #named(key: string): StoreRecord {
    return { key: Buffer.from(key, "latin1"), value: this.#now.get(key) as Buffer };
  }
}
