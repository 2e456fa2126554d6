import {
  type LogEntry,
  type LogRequest,
  type LogResponse,
  LogStatus,
  type LogTail,
} from "../../proto/generated/evercross/v1/log.ts";
import { formatJob, type JobName } from "../job/name.ts";
import { REPLICA_RETRY_MS, REPLICA_TIMEOUT_MS } from "../limits.ts";
import { BusRequestError } from "../messaging/bus.ts";
import { LogRefusedError, type RowTarget } from "./checkpoint-log.ts";
import type { ReplicaPort } from "./replica-port.ts";

/**
 * Asks a replica about one job's log, again and again until there is an answer or `wanted` says no; then the result is
 * undefined. Refusals are thrown as `LogRefusedError`.
 */
export class LogClient {
  readonly job: string;
  readonly #replica: JobName;
  readonly #port: ReplicaPort;
  readonly #wanted: () => boolean;

  constructor(job: JobName, replica: JobName, port: ReplicaPort, wanted: () => boolean) {
    this.job = formatJob(job);
    this.#replica = replica;
    this.#port = port;
    this.#wanted = wanted;
  }

  async tail(): Promise<LogTail | undefined> {
    const response = await this.#call({ $case: "tail", value: {} });
    return response && tailOf(response);
  }

  /** Takes an epoch above every other, and resolves with it and the tail that its holder finds. */
  async open(triesMax: number): Promise<{ readonly epoch: number; readonly tail: LogTail } | undefined> {
    let epoch = (await this.tail())?.promised ?? 0;
    for (let fenced = 0; this.#wanted();) {
      // An attempt whose outcome is unknown may have taken its epoch: each attempt asks for one of its own.
      epoch += 1;
      const response = await this.#once({ $case: "open", value: { epoch } });
      if (response === undefined) continue;
      if (response.status === LogStatus.OK) return { epoch, tail: tailOf(response) };
      if (response.status !== LogStatus.FENCED || fenced === triesMax) throw this.#refused(response);
      fenced += 1;
      epoch = Math.max(epoch, tailOf(response).promised);
    }
    return undefined;
  }

  /** Entries with `from <= seq < to`: at least one, as many as fit in one answer. */
  async entries(from: number, to: number): Promise<readonly LogEntry[] | undefined> {
    const response = await this.#call({ $case: "read", value: { from, to } });
    if (response?.entries.length === 0) {
      throw new LogRefusedError(LogStatus.GAP, `${this.job}: entry ${from} is missing`);
    }
    return response?.entries;
  }

  /** Gives every row of one view, in ascending order of key. Resolves with the entry after which the rows are so. */
  async rows(target: RowTarget): Promise<number | undefined> {
    target.begin();
    for (let cursor = 0; ;) {
      const response = await this.#call({ $case: "rows", value: { cursor } }, LogStatus.EXPIRED);
      if (response === undefined) return undefined;
      if (response.status === LogStatus.EXPIRED) {
        target.begin();
        cursor = 0;
        continue;
      }
      const page = response.rows;
      if (page === undefined)
        throw new LogRefusedError(LogStatus.INVALID, `${this.job}: an answer without rows`);
      for (const { key, value } of page.rows) target.row(key, value);
      if (page.cursor === 0) return page.seq;
      cursor = page.cursor;
    }
  }

  async #call(
    body: NonNullable<LogRequest["body"]>,
    alsoFine: LogStatus = LogStatus.OK,
  ): Promise<LogResponse | undefined> {
    while (this.#wanted()) {
      const response = await this.#once(body);
      if (response === undefined) continue;
      if (response.status === LogStatus.OK || response.status === alsoFine) return response;
      throw this.#refused(response);
    }
    return undefined;
  }

  /** One attempt; undefined, after a pause, when the outcome is unknown or the replica has no room. */
  async #once(body: NonNullable<LogRequest["body"]>): Promise<LogResponse | undefined> {
    try {
      const response = await this.#port.call(this.#replica, { job: this.job, body }, REPLICA_TIMEOUT_MS);
      if (response.status !== LogStatus.FULL) return response;
    } catch (error) {
      if (!(error instanceof BusRequestError)) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, REPLICA_RETRY_MS));
    return undefined;
  }

  #refused(response: LogResponse): LogRefusedError {
    const detail = `${this.job}: ${formatJob(this.#replica)} refused: ${response.detail}`;
    return new LogRefusedError(response.status, detail);
  }
}

function tailOf(response: LogResponse): LogTail {
  if (response.tail === undefined) throw new Error("a replica answered without its tail");
  return response.tail;
}
