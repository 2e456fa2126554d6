import {
  DiscardPolicy,
  JetStreamApiCodes,
  JetStreamApiError,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
  type JetStreamManager,
  type StreamConfig,
} from "@nats-io/jetstream";
import { headers, type Msg } from "@nats-io/transport-node";
import { LogEntry } from "../../proto/generated/evercross/v1/log.ts";
import { makeStored, streamToken } from "../broker/stored.ts";
import { formatJob, type JobName } from "../job/name.ts";
import {
  READ_ANSWER_BYTES_MAX,
  STREAM_GETS_IN_FLIGHT_MAX,
  STREAM_GETS_MAX,
  STREAM_REQUEST_MS,
} from "../limits.ts";
import type { NatsBus } from "../messaging/nats-bus.ts";
import { logSubject } from "../messaging/subject.ts";
import { checkEntry } from "./entry.ts";
import type { StreamAnswer } from "./jetstream-writer.ts";

/** A message of the stream is not the entry that belongs there. */
export class DamagedStreamError extends Error {
  override readonly name = "DamagedStreamError";
}

/** The broker gave no answer, or none that can be believed; ask again. `absent`: it says that there is no such stream. */
export class SilentStreamError extends Error {
  override readonly name = "SilentStreamError";
  constructor(
    detail: string,
    readonly absent = false,
  ) {
    super(detail);
  }
}

/** To an append: `seq`, to a question for a message: `message`; or `error`. */
interface ApiAnswer {
  readonly seq?: number;
  readonly message?: { readonly seq: number; readonly data?: string };
  readonly error?: { readonly err_code?: number; readonly description?: string };
}

const MISPLACED: readonly (number | undefined)[] = [
  JetStreamApiCodes.StreamWrongLastSequence,
  JetStreamApiCodes.StreamWrongLastSequenceUnknown,
];

/** Of the server: a message above its limits, a header or a stream that does not fit. The next try would go no better. */
const HOPELESS: readonly (number | undefined)[] = [10054, 10060, 10097];

/** What the stream of a log must be, for its entries to stay where they are. */
const CONFIG = {
  storage: StorageType.File,
  retention: RetentionPolicy.Limits,
  discard: DiscardPolicy.New,
  deny_delete: true,
  deny_purge: true,
  max_age: 0,
  max_msgs: -1,
  max_msgs_per_subject: -1,
} as const satisfies Partial<StreamConfig>;

/**
 * The stream in which one job's log is kept: message n is entry n. Its name is `evercross-log=CLUSTER=SERVICE=KEY`, each part by
 * `streamToken`, in which there is no `=`.
 *
 * Whether the server syncs each message before it acknowledges it (`sync_interval: always`) a client cannot find out: that is
 * the configuration of who runs it. The broker that we start does.
 */
export class JetStreamStream {
  readonly job: string;
  readonly name: string;
  readonly #bus: NatsBus;
  readonly #subject: string;
  readonly #replicas: number;

  constructor(bus: NatsBus, cluster: string, job: JobName, replicas: number) {
    this.#bus = bus;
    this.job = formatJob(job);
    this.name = `evercross-log=${[cluster, job.service, job.key].map(streamToken).join("=")}`;
    this.#subject = logSubject(cluster, job);
    this.#replicas = replicas;
  }

  get bus(): NatsBus {
    return this.#bus;
  }

  manager(): Promise<JetStreamManager> {
    return jetstreamManager(this.#bus.connection, { checkAPI: false, timeout: STREAM_REQUEST_MS });
  }

  /**
   * Makes the stream if it is absent, and gives it as many replicas as are wanted. Tries again while the broker is away or not
   * ready, as long as `wanted`, and says what it waits for; false: not wanted any more. Rejects with `BrokerStoreError` when this
   * broker will not keep it as it must be kept.
   */
  async make(wanted: () => boolean, waits: (detail: string) => void): Promise<boolean> {
    const manager = await this.manager();
    const gone = new Error("not wanted any more");
    try {
      await makeStored(this.#bus, `the log of ${this.job}`, async () => {
        if (!wanted()) throw gone;
        try {
          await this.#make(manager);
        } catch (error) {
          waits(`stream ${this.name}: ${(error as Error).message}`);
          throw error;
        }
      });
      return wanted();
    } catch (error) {
      if (!wanted()) return false;
      throw error;
    }
  }

  async #make(manager: JetStreamManager): Promise<void> {
    let config: StreamConfig;
    try {
      config = (await manager.streams.info(this.name)).config;
    } catch (error) {
      const absent = error instanceof JetStreamApiError && error.code === JetStreamApiCodes.StreamNotFound;
      if (!absent) throw error;
      // Two that make it at once ask for the same, and both are told that it is there.
      const made = { name: this.name, subjects: [this.#subject], num_replicas: this.#replicas, ...CONFIG };
      config = (await manager.streams.add(made)).config;
    }
    for (const [setting, value] of Object.entries(CONFIG)) {
      const found = config[setting as keyof typeof CONFIG];
      if (found !== value) {
        throw new Error(
          `stream ${this.name} has ${setting} ${String(found)}; a log needs ${String(value)}: set it, or remove the stream and its log`,
        );
      }
    }
    if (config.num_replicas !== this.#replicas)
      await manager.streams.update(this.name, { ...config, num_replicas: this.#replicas });
  }

  /** Sends an entry to the place behind the one before it. */
  async append(entry: LogEntry, timeoutMs: number): Promise<StreamAnswer> {
    const marks = headers();
    marks.set("Nats-Expected-Stream", this.name);
    marks.set("Nats-Expected-Last-Sequence", String(entry.seq - 1));
    try {
      const message = await this.#bus.connection.request(this.#subject, LogEntry.encode(entry).finish(), {
        headers: marks,
        timeout: timeoutMs,
      });
      const { seq, error } = parse(message);
      if (error === undefined && seq !== undefined && seq > 0) return { kind: "stored", seq };
      if (MISPLACED.includes(error?.err_code)) return { kind: "misplaced" };
      const detail = `stream ${this.name}: ${error?.description ?? "an answer without a sequence"}`;
      return { kind: HOPELESS.includes(error?.err_code) ? "refused" : "silent", detail };
    } catch (error) {
      return { kind: "silent", detail: `stream ${this.name}: ${(error as Error).message}` };
    }
  }

  /** The last entry, as the stream's leader knows it; undefined when there is none. Rejects with one of the errors above. */
  last(timeoutMs: number): Promise<LogEntry | undefined> {
    return this.#get({ last_by_subj: this.#subject }, undefined, timeoutMs);
  }

  /**
   * Entries with `from <= seq < to`, as many as fit in one answer, from the stream's leader; fewer where it has no more. Each is
   * proved by itself. Rejects with one of the errors above.
   */
  async entries(from: number, to: number, timeoutMs: number): Promise<LogEntry[]> {
    const entries: LogEntry[] = [];
    const end = Math.min(to, from + STREAM_GETS_MAX);
    let bytes = 0;
    for (let next = from; next < end && bytes < READ_ANSWER_BYTES_MAX; next = from + entries.length) {
      const count = Math.min(end - next, STREAM_GETS_IN_FLIGHT_MAX);
      const gets = Array.from({ length: count }, (_, i) => this.#get({ seq: next + i }, next + i, timeoutMs));
      for (const entry of await Promise.all(gets)) {
        if (entry === undefined) return entries;
        entries.push(entry);
        bytes += entry.payload.length;
      }
    }
    return entries;
  }

  /** Rejects with `DamagedStreamError` when it is not entry `seq` of this log. */
  decode(data: Uint8Array, seq: number): LogEntry {
    const damaged = (what: string): DamagedStreamError =>
      new DamagedStreamError(`message ${seq} of stream ${this.name} is ${what}`);
    let entry: LogEntry;
    try {
      entry = LogEntry.decode(data);
    } catch {
      throw damaged("no entry of a log");
    }
    if (entry.job !== this.job) throw damaged("an entry of another log");
    if (entry.seq !== seq) throw damaged(`entry ${entry.seq}`);
    const verdict = checkEntry(entry, undefined);
    if (verdict !== "ok") throw damaged(`damaged (${verdict})`);
    return entry;
  }

  async #get(
    question: { readonly seq: number } | { readonly last_by_subj: string },
    seq: number | undefined,
    timeoutMs: number,
  ): Promise<LogEntry | undefined> {
    const subject = `$JS.API.STREAM.MSG.GET.${this.name}`;
    let answer: ApiAnswer;
    try {
      answer = parse(
        await this.#bus.connection.request(subject, JSON.stringify(question), { timeout: timeoutMs }),
      );
    } catch (error) {
      throw new SilentStreamError(`stream ${this.name}: ${(error as Error).message}`);
    }
    const { message, error } = answer;
    if (error?.err_code === JetStreamApiCodes.NoMessageFound) return undefined;
    if (error !== undefined || message === undefined || (seq !== undefined && message.seq !== seq)) {
      const absent = error?.err_code === JetStreamApiCodes.StreamNotFound;
      const detail = error?.description ?? "an answer without a message";
      throw new SilentStreamError(`stream ${this.name}: ${detail}`, absent);
    }
    return this.decode(Buffer.from(message.data ?? "", "base64"), message.seq);
  }
}

function parse(message: Msg): ApiAnswer {
  return JSON.parse(Buffer.from(message.data).toString()) as ApiAnswer;
}
