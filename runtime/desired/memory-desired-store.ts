import type { ChangeOutcome, DesiredStore, RecordChange, StoreWatch, StoredRecord } from "./desired-store.ts";
import { checkChange } from "./keys.ts";

/** How one client reaches a store in memory. */
export interface MemoryStoreOptions {
  /** Runs what the watches of this client are given, at once or later, in order, all of it. Left out: at once. */
  readonly deliver?: (callback: () => void) => void;
  /** What becomes of a client's next change: `lost` never reaches the store; of `unanswered` the answer is lost. */
  readonly fate?: () => "reached" | "lost" | "unanswered";
}

/**
 * The desired state in memory, for tests and the simulator. All is synchronous and deterministic. Records are the
 * store's from when they are given: they are frozen.
 *
 * It is a client of itself that reaches it always. `client` gives further ones, each with its own way to it.
 */
export class MemoryDesiredStore implements DesiredStore {
  /** In ascending order of revision, removals included. */
  readonly #records = new Map<string, StoredRecord>();
  readonly #listeners = new Set<(record: StoredRecord) => void>();
  /** Changes that the listeners are still to hear: one that a listener makes comes after the one that it hears. */
  readonly #news: StoredRecord[] = [];
  #telling = false;
  readonly #self: MemoryStoreClient;
  #revision = 0;

  constructor(options: MemoryStoreOptions = {}) {
    this.#self = this.client(options);
  }

  client(options: MemoryStoreOptions = {}): MemoryStoreClient {
    return new MemoryStoreClient(this, options);
  }

  /** Of the last change. */
  get revision(): number {
    return this.#revision;
  }

  /** A change as the store makes it. Throws `RangeError` on one that no store can take. */
  apply(change: RecordChange): Extract<ChangeOutcome, { kind: "ok" | "conflict" }> {
    checkChange(change);
    const { expected, value } = change;
    const key = keyOf(change);
    const before = this.#records.get(key);
    const absent = before?.value === undefined;
    if (before?.revision !== expected && !(absent && expected === 0)) return { kind: "conflict" };
    this.#revision += 1;
    const { kind, name } = change;
    const record = { kind, name, revision: this.#revision, value } as StoredRecord;
    freeze(record);
    this.#records.delete(key);
    this.#records.set(key, record);
    const { revision } = record;
    this.#news.push(record);
    this.#tell();
    return { kind: "ok", revision };
  }

  #tell(): void {
    if (this.#telling) return;
    this.#telling = true;
    try {
      for (let record = this.#news.shift(); record !== undefined; record = this.#news.shift())
        for (const listener of this.#listeners) listener(record);
    } finally {
      this.#telling = false;
    }
  }

  /** What was changed after a revision, each record as it stands, removed ones too, in ascending order of revision. */
  since(revision: number): StoredRecord[] {
    return [...this.#records.values()].filter((record) => record.revision > revision);
  }

  /** Calls back with each change as it is made, until the function that it returns is called. */
  onChange(listener: (record: StoredRecord) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  change(change: RecordChange): Promise<ChangeOutcome> {
    return this.#self.change(change);
  }

  watch(onRecord: (record: StoredRecord) => void, onComplete: () => void): StoreWatch {
    return this.#self.watch(onRecord, onComplete);
  }
}

/** One client's way to a store in memory. It can be cut: `down`, `up`. */
export class MemoryStoreClient implements DesiredStore {
  readonly #store: MemoryDesiredStore;
  readonly #options: MemoryStoreOptions;
  readonly #watches = new Set<MemoryWatch>();
  #up = true;

  constructor(store: MemoryDesiredStore, options: MemoryStoreOptions) {
    this.#store = store;
    this.#options = options;
  }

  /** The same as `change`, for callers that cannot wait. */
  changeNow(change: RecordChange): ChangeOutcome {
    checkChange(change);
    const fate = this.#up ? (this.#options.fate?.() ?? "reached") : "lost";
    if (fate === "lost") return { kind: "unknown", detail: "it did not reach the store" };
    const outcome = this.#store.apply(change);
    return fate === "unanswered" ? { kind: "unknown", detail: "its answer was lost" } : outcome;
  }

  change(change: RecordChange): Promise<ChangeOutcome> {
    return Promise.resolve().then(() => this.changeNow(change));
  }

  watch(onRecord: (record: StoredRecord) => void, onComplete: () => void): StoreWatch {
    const deliver = this.#options.deliver ?? ((callback) => callback());
    const watch = new MemoryWatch(this.#store, deliver, onRecord, onComplete);
    this.#watches.add(watch);
    if (this.#up) watch.resume();
    return {
      stop: () => {
        watch.stop();
        this.#watches.delete(watch);
      },
    };
  }

  /** From now on nothing reaches the store or comes from it. */
  down(): void {
    this.#up = false;
    for (const watch of this.#watches) watch.pause();
  }

  /** The watches are given what they missed. */
  up(): void {
    if (this.#up) return;
    this.#up = true;
    for (const watch of this.#watches) watch.resume();
  }
}

class MemoryWatch {
  readonly #store: MemoryDesiredStore;
  readonly #deliver: (callback: () => void) => void;
  readonly #onRecord: (record: StoredRecord) => void;
  readonly #onComplete: () => void;
  /** What it was given and is there: the removal of another is no news. */
  readonly #present = new Set<string>();
  /** Given in order also when a callback makes a change. */
  readonly #queue: (() => void)[] = [];
  #giving = false;
  #seen = 0;
  #complete = false;
  #stopped = false;
  #unlisten: (() => void) | undefined;

  constructor(
    store: MemoryDesiredStore,
    deliver: (callback: () => void) => void,
    onRecord: (record: StoredRecord) => void,
    onComplete: () => void,
  ) {
    this.#store = store;
    this.#deliver = deliver;
    this.#onRecord = onRecord;
    this.#onComplete = onComplete;
  }

  resume(): void {
    if (this.#unlisten !== undefined) return;
    this.#unlisten = this.#store.onChange((record) => {
      this.#take(record);
      this.#give();
    });
    for (const record of this.#store.since(this.#seen)) this.#take(record);
    if (!this.#complete) this.#queue.push(this.#onComplete);
    this.#complete = true;
    this.#give();
  }

  pause(): void {
    this.#unlisten?.();
    this.#unlisten = undefined;
  }

  stop(): void {
    this.#stopped = true;
    this.pause();
  }

  #take(record: StoredRecord): void {
    // It was among those that were there already.
    if (record.revision <= this.#seen) return;
    this.#seen = record.revision;
    const key = keyOf(record);
    if (record.value === undefined && !this.#present.has(key)) return;
    if (record.value === undefined) this.#present.delete(key);
    else this.#present.add(key);
    this.#queue.push(() => this.#onRecord(record));
  }

  #give(): void {
    if (this.#giving) return;
    this.#giving = true;
    try {
      for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
        const callback = next;
        this.#deliver(() => {
          if (!this.#stopped) callback();
        });
      }
    } finally {
      this.#giving = false;
    }
  }
}

const keyOf = ({ kind, name }: RecordChange | StoredRecord): string => `${kind}/${name}`;

function freeze(value: object): void {
  Object.freeze(value);
  for (const part of Object.values(value))
    if (typeof part === "object" && part !== null) freeze(part as object);
}
