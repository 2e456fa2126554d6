import {
  DiscardPolicy,
  JetStreamApiCodes,
  JetStreamApiError,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
  type JetStreamManager,
} from "@nats-io/jetstream";
import { nanos } from "@nats-io/transport-node";
import type { Logger } from "pino";
import { HistoryEvent } from "../../proto/generated/evercross/v1/hierarchy.ts";
import { BrokerStoreError, makeStored, streamToken } from "../broker/stored.ts";
import { StreamWatch, type StreamMessage, type StreamStart } from "../broker/stream-watch.ts";
import {
  HISTORY_BYTES_MAX,
  HISTORY_DAYS_MAX,
  HISTORY_EVENTS_MAX,
  HISTORY_READ_MS,
  HISTORY_REMEMBERED_MAX,
  HISTORY_SKEW_MS,
  STREAM_REQUEST_MS,
} from "../limits.ts";
import type { NatsBus } from "../messaging/nats-bus.ts";
import { historySubject } from "../messaging/subject.ts";
import { formatInstance } from "../monitor/instance.ts";

export interface HistoryLogOptions {
  readonly cluster: string;
  /** Brokers that keep a copy, when the stream is made: 1, 3 or 5; 1 when left out. */
  readonly replicas?: number;
  readonly logger: Logger;
}

/** Which events: those of at or after a time (milliseconds since the Unix epoch), of these the last so many. */
export interface HistoryQuery {
  readonly sinceMs?: number;
  readonly last?: number;
}

const DAY_MS = 86_400_000;

/** What the monitors did, kept by the broker: the last `HISTORY_EVENTS_MAX` events of `HISTORY_DAYS_MAX` days. */
export class HistoryLog {
  readonly #bus: NatsBus;
  readonly #manager: JetStreamManager;
  readonly #options: HistoryLogOptions;

  private constructor(bus: NatsBus, manager: JetStreamManager, options: HistoryLogOptions) {
    this.#bus = bus;
    this.#manager = manager;
    this.#options = options;
  }

  /** Makes the stream if it is absent; waits while the broker is away. Rejects with `BrokerStoreError`. */
  static async open(bus: NatsBus, options: HistoryLogOptions): Promise<HistoryLog> {
    const manager = await jetstreamManager(bus.connection, { checkAPI: false, timeout: STREAM_REQUEST_MS });
    const log = new HistoryLog(bus, manager, options);
    await makeStored(bus, "the history", () => log.#make());
    return log;
  }

  get #stream(): string {
    return `evercross-history-${streamToken(this.#options.cluster)}`;
  }

  async #make(): Promise<void> {
    try {
      await this.#manager.streams.info(this.#stream);
      return;
    } catch (error) {
      const absent = error instanceof JetStreamApiError && error.code === JetStreamApiCodes.StreamNotFound;
      if (!absent) throw error;
    }
    await this.#manager.streams.add({
      name: this.#stream,
      subjects: [historySubject(this.#options.cluster)],
      retention: RetentionPolicy.Limits,
      discard: DiscardPolicy.Old,
      storage: StorageType.File,
      num_replicas: this.#options.replicas ?? 1,
      max_msgs: HISTORY_EVENTS_MAX,
      max_bytes: HISTORY_BYTES_MAX,
      max_age: nanos(HISTORY_DAYS_MAX * DAY_MS),
    });
  }

  /** In ascending order of their time. Rejects with `BrokerStoreError` when the broker does not give them in time. */
  async read(query: HistoryQuery = {}): Promise<HistoryEvent[]> {
    const { sinceMs, last } = query;
    const events: HistoryEvent[] = [];
    let start: StreamStart = { kind: "first" };
    // Those that were stored twice are counted for one only afterwards.
    if (last !== undefined) start = { kind: "last", messages: 2 * last };
    if (sinceMs !== undefined) start = { kind: "time", timeMs: Math.max(sinceMs - HISTORY_SKEW_MS, 0) };
    await new Promise<void>((resolve, reject) => {
      const watch = this.#watch(
        start,
        (event) => events.push(event),
        () => end(resolve),
      );
      const timer = setTimeout(() => {
        const reason = `the broker did not give the history within ${HISTORY_READ_MS} ms`;
        end(() => reject(new BrokerStoreError(reason)));
      }, HISTORY_READ_MS);
      const end = (settle: () => void): void => {
        clearTimeout(timer);
        watch.stop();
        settle();
      };
    });
    const wanted = events.filter((event) => sinceMs === undefined || event.timeUs >= sinceMs * 1000);
    wanted.sort((a, b) => a.timeUs - b.timeUs);
    return last === undefined ? wanted : wanted.slice(Math.max(wanted.length - last, 0));
  }

  /** Gives events as they are stored, each once, until `stop`. Goes on by itself after a loss of the broker. */
  follow(start: StreamStart, onEvent: (event: HistoryEvent) => void): { stop(): void } {
    return this.#watch(start, onEvent, () => undefined);
  }

  #watch(start: StreamStart, onEvent: (event: HistoryEvent) => void, onCaughtUp: () => void): StreamWatch {
    const seen = new SeenEvents();
    const { logger } = this.#options;
    return new StreamWatch({
      bus: this.#bus,
      stream: this.#stream,
      start,
      prepare: () => this.#make(),
      onMessage: (message) => {
        const event = decode(message, logger);
        if (event !== undefined && seen.isNew(event)) onEvent(event);
      },
      onCaughtUp,
      onRenewed: () => undefined,
      logger,
    });
  }
}

function decode({ data, sequence }: StreamMessage, logger: Logger): HistoryEvent | undefined {
  try {
    return HistoryEvent.decode(data);
  } catch (error) {
    logger.warn(
      { sequence, reason: (error as Error).message },
      "an event of the history cannot be read; left out",
    );
    return undefined;
  }
}

/** An event whose acknowledgement was lost is stored again. */
class SeenEvents {
  readonly #keys = new Set<string>();

  isNew({ by, number }: HistoryEvent): boolean {
    if (by === undefined || number === 0) return true;
    const key = `${formatInstance(by)} ${number}`;
    if (this.#keys.has(key)) return false;
    this.#keys.add(key);
    if (this.#keys.size > HISTORY_REMEMBERED_MAX) {
      const [oldest] = this.#keys;
      if (oldest !== undefined) this.#keys.delete(oldest);
    }
    return true;
  }
}
