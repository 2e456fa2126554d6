import { setTimeout as delay } from "node:timers/promises";
import { type LogEntry, LogStatus, type LogTail } from "../../proto/generated/evercross/v1/log.ts";
import type { JobName } from "../job/name.ts";
import { REPLICA_TIMEOUT_MS, STREAM_RETRY_MS } from "../limits.ts";
import type { NatsBus } from "../messaging/nats-bus.ts";
import {
  type CheckpointLog,
  type LogDriver,
  LogRefusedError,
  type LogSource,
  type RowTarget,
} from "./checkpoint-log.ts";
import { JetStreamLog, tailOfLast } from "./jetstream-log.ts";
import { DamagedStreamError, JetStreamStream, SilentStreamError } from "./jetstream-stream.ts";

export interface JetStreamLogsOptions {
  readonly cluster: string;
  /** Brokers that keep a copy of each stream: 1, 3 or 5. */
  readonly replicas: number;
}

/**
 * Keeps each job's log in a JetStream stream of its own, for those who run a JetStream cluster: the broker 2.10 or newer, with
 * `sync_interval: always`. No rows are kept: a job is restored from all of its log.
 */
export class JetStreamLogs implements LogDriver {
  readonly #bus: NatsBus;
  readonly #options: JetStreamLogsOptions;

  constructor(bus: NatsBus, options: JetStreamLogsOptions) {
    this.#bus = bus;
    this.#options = options;
  }

  writer(job: JobName): CheckpointLog {
    return new JetStreamLog(this.#stream(job));
  }

  source(job: JobName, wanted: () => boolean): LogSource {
    return new JetStreamSource(this.#stream(job), wanted);
  }

  /** The broker keeps its copies equal by itself, and shows them as one. */
  copies(job: JobName, wanted: () => boolean): ReadonlyMap<string, LogSource> {
    const stream = this.#stream(job);
    return new Map([[`stream ${stream.name}`, new JetStreamSource(stream, wanted)]]);
  }

  #stream(job: JobName): JetStreamStream {
    return new JetStreamStream(this.#bus, this.#options.cluster, job, this.#options.replicas);
  }
}

/** Reads through the stream's leader; whatever is in the stream is committed. */
class JetStreamSource implements LogSource {
  readonly #stream: JetStreamStream;
  readonly #wanted: () => boolean;

  constructor(stream: JetStreamStream, wanted: () => boolean) {
    this.#stream = stream;
    this.#wanted = wanted;
  }

  async tail(): Promise<LogTail | undefined> {
    return this.#ask(async () => {
      try {
        return tailOfLast(await this.#stream.last(REPLICA_TIMEOUT_MS));
      } catch (error) {
        // The first writer makes it.
        if (error instanceof SilentStreamError && error.absent) return tailOfLast(undefined);
        throw error;
      }
    });
  }

  async entries(from: number, to: number): Promise<readonly LogEntry[] | undefined> {
    const entries = await this.#ask(() => this.#stream.entries(from, to, REPLICA_TIMEOUT_MS));
    if (entries?.length === 0) {
      throw new LogRefusedError(LogStatus.GAP, `${this.#stream.job}: entry ${from} is missing`);
    }
    return entries;
  }

  async rows(target: RowTarget): Promise<number | undefined> {
    target.begin();
    return Promise.resolve(this.#wanted() ? 0 : undefined);
  }

  async #ask<T>(question: () => Promise<T>): Promise<T | undefined> {
    while (this.#wanted()) {
      try {
        return await question();
      } catch (error) {
        if (error instanceof DamagedStreamError)
          throw new LogRefusedError(LogStatus.DAMAGED, `${this.#stream.job}: ${error.message}`);
        if (!(error instanceof SilentStreamError)) throw error;
      }
      await delay(STREAM_RETRY_MS);
    }
    return undefined;
  }
}
