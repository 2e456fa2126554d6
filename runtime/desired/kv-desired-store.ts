import {
  jetstream,
  type JetStreamClient,
  JetStreamApiCodes,
  JetStreamApiError,
  type JetStreamManager,
} from "@nats-io/jetstream";
import { Kvm } from "@nats-io/kv";
import { headers } from "@nats-io/transport-node";
import type { Logger } from "pino";
import { makeStored, streamToken } from "../broker/stored.ts";
import { StreamWatch, type StreamMessage } from "../broker/stream-watch.ts";
import {
  CHANGE_TIMEOUT_MS,
  DESIRED_BYTES_MAX,
  RECORD_BYTES_MAX,
  REMOVAL_KEPT_MS,
  REMOVALS_CLEARED_MAX,
} from "../limits.ts";
import type { NatsBus } from "../messaging/nats-bus.ts";
import type { ChangeOutcome, DesiredStore, RecordChange, StoreWatch, StoredRecord } from "./desired-store.ts";
import { checkChange, decodeRecord, encodeRecord, parseKey, recordKey } from "./keys.ts";

export interface KvDesiredStoreOptions {
  readonly cluster: string;
  /** Brokers that keep a copy, when the bucket is made: 1, 3 or 5; 1 when left out. */
  readonly replicas?: number;
  readonly logger: Logger;
}

/** The headers of a message that stands for a removal, and the value that a client of the bucket gives the first. */
const OPERATION = "KV-Operation";
const MARKER = "Nats-Marker-Reason";
const DELETED = "DEL";

const CONFLICTS: readonly number[] = [
  JetStreamApiCodes.StreamWrongLastSequence,
  JetStreamApiCodes.StreamWrongLastSequenceUnknown,
];

/** The desired state in a JetStream key-value bucket of the cluster's broker. A record's revision is its place in the stream. */
export class KvDesiredStore implements DesiredStore {
  readonly #bus: NatsBus;
  readonly #client: JetStreamClient;
  readonly #manager: JetStreamManager;
  readonly #bucket: string;
  readonly #replicas: number;
  readonly #logger: Logger;

  private constructor(
    bus: NatsBus,
    client: JetStreamClient,
    manager: JetStreamManager,
    options: KvDesiredStoreOptions,
  ) {
    this.#bus = bus;
    this.#client = client;
    this.#manager = manager;
    this.#bucket = `evercross-${streamToken(options.cluster)}`;
    this.#replicas = options.replicas ?? 1;
    this.#logger = options.logger;
  }

  /** Makes the bucket if it is absent; waits while the broker is away. Rejects with `BrokerStoreError`. */
  static async open(bus: NatsBus, options: KvDesiredStoreOptions): Promise<KvDesiredStore> {
    const client = jetstream(bus.connection, { timeout: CHANGE_TIMEOUT_MS });
    const store = new KvDesiredStore(bus, client, await client.jetstreamManager(false), options);
    await makeStored(bus, "the desired state", () => store.#makeBucket());
    return store;
  }

  async #makeBucket(): Promise<void> {
    await new Kvm(this.#client).create(this.#bucket, {
      history: 1,
      replicas: this.#replicas,
      max_bytes: DESIRED_BYTES_MAX,
      maxValueSize: RECORD_BYTES_MAX,
    });
  }

  async change(change: RecordChange): Promise<ChangeOutcome> {
    checkChange(change);
    const outcome = await this.#publish(change, change.expected);
    if (outcome.kind !== "conflict" || change.expected !== 0) return outcome;
    const removal = await this.#removalOf(change);
    return typeof removal === "number" ? this.#publish(change, removal) : removal;
  }

  async #publish(change: RecordChange, expected: number): Promise<ChangeOutcome> {
    const data = encodeRecord(change);
    const marks = headers();
    if (data === undefined) marks.set(OPERATION, DELETED);
    try {
      const { seq } = await this.#client.publish(this.#subject(change), data, {
        headers: marks,
        expect: { lastSubjectSequence: expected },
      });
      return { kind: "ok", revision: seq };
    } catch (error) {
      if (error instanceof JetStreamApiError && CONFLICTS.includes(error.code)) return { kind: "conflict" };
      return { kind: "unknown", detail: (error as Error).message };
    }
  }

  /** Revision of the removal that stands where a record was; a conflict when there is a record. */
  async #removalOf(change: RecordChange): Promise<number | ChangeOutcome> {
    try {
      const last = await this.#manager.streams.getMessage(this.#stream, {
        last_by_subj: this.#subject(change),
      });
      // Undefined: it was there a moment ago.
      if (last === null) return { kind: "conflict" };
      return last.header.has(OPERATION) || last.header.has(MARKER) ? last.seq : { kind: "conflict" };
    } catch (error) {
      return { kind: "unknown", detail: (error as Error).message };
    }
  }

  watch(onRecord: (record: StoredRecord) => void, onComplete: () => void): StoreWatch {
    const prefix = `$KV.${this.#bucket}.`;
    const view = new WatchedRecords(prefix, onRecord, this.#logger);
    let complete = false;
    return new StreamWatch({
      bus: this.#bus,
      stream: this.#stream,
      start: { kind: "first" },
      prepare: () => this.#makeBucket(),
      onMessage: (message) => view.take(message),
      onCaughtUp: (sequence) => {
        view.dropUnseen(sequence);
        if (complete) return;
        complete = true;
        onComplete();
        void this.#clear(view.oldRemovals);
      },
      onRenewed: () => view.beginAnew(),
      logger: this.#logger,
    });
  }

  /** Removals are kept for those who are away, not for ever. What is not cleared now is cleared by the next watch. */
  async #clear(removals: readonly StreamMessage[]): Promise<void> {
    for (const { subject, sequence } of removals) {
      try {
        // Only up to this message: a record that was made there since stays.
        await this.#manager.streams.purge(this.#stream, { filter: subject, seq: sequence + 1 });
      } catch (error) {
        this.#logger.debug(
          { subject, reason: (error as Error).message },
          "an old removal could not be cleared away",
        );
        return;
      }
    }
  }

  #subject({ kind, name }: RecordChange): string {
    return `$KV.${this.#bucket}.${recordKey(kind, name)}`;
  }

  get #stream(): string {
    return `KV_${this.#bucket}`;
  }
}

/** What one watcher was given and believes to be there. */
class WatchedRecords {
  readonly #prefix: string;
  readonly #onRecord: (record: StoredRecord) => void;
  readonly #logger: Logger;
  readonly #present = new Set<string>();
  /** Of a store that was lost and made again: what was there before and was not seen again yet. */
  #unseen = new Set<string>();
  /** Removals that were met and that nobody needs any more. */
  readonly oldRemovals: StreamMessage[] = [];

  constructor(prefix: string, onRecord: (record: StoredRecord) => void, logger: Logger) {
    this.#prefix = prefix;
    this.#onRecord = onRecord;
    this.#logger = logger;
  }

  take(message: StreamMessage): void {
    const { subject, sequence, data, header } = message;
    const key = subject.slice(this.#prefix.length);
    const named = parseKey(key);
    if (named === undefined) {
      this.#logger.warn(
        { key },
        "the store of the desired state holds something that is no record; left out",
      );
      return;
    }
    this.#unseen.delete(key);
    if (header(OPERATION) !== undefined || header(MARKER) !== undefined) {
      const old = message.timeMs < Date.now() - REMOVAL_KEPT_MS;
      if (old && this.oldRemovals.length < REMOVALS_CLEARED_MAX) this.oldRemovals.push(message);
      return this.#drop(key, sequence);
    }
    const { kind, name } = named;
    let record: StoredRecord;
    try {
      record = decodeRecord(kind, name, sequence, data);
    } catch (error) {
      const reason = (error as Error).message;
      this.#logger.error({ kind, name, reason }, "a record of the desired state cannot be read; left out");
      return this.#drop(key, sequence);
    }
    this.#present.add(key);
    this.#onRecord(record);
  }

  beginAnew(): void {
    this.#unseen = new Set(this.#present);
  }

  dropUnseen(sequence: number): void {
    for (const key of this.#unseen) this.#drop(key, sequence);
    this.#unseen.clear();
  }

  #drop(key: string, revision: number): void {
    const named = parseKey(key);
    if (!this.#present.delete(key) || named === undefined) return;
    this.#onRecord({ ...named, revision, value: undefined });
  }
}
