import {
  type LogEntry,
  type LogRequest,
  type LogResponse,
  LogStatus,
} from "../../proto/generated/evercross/v1/log.ts";
import { formatJob, type JobName } from "../../runtime/job/name.ts";
import type { ReplicaPort } from "../../runtime/log/replica-port.ts";
import { BusRequestError } from "../../runtime/messaging/bus.ts";
import { CROSSING_QUERY_TIMEOUT_MS } from "../limits.ts";

const RETRY_MS = 20;

/** Reads a job's log for as long as `wanted` says so. Refusals of the log are thrown, silence is asked again. */
export class LogReading {
  readonly #job: string;
  readonly #replica: JobName;
  readonly #port: ReplicaPort;
  readonly #wanted: () => boolean;

  constructor(job: JobName, replica: JobName, port: ReplicaPort, wanted: () => boolean) {
    this.#job = formatJob(job);
    this.#replica = replica;
    this.#port = port;
    this.#wanted = wanted;
  }

  /** Some entries from `from` on, at least one, all below `to`; undefined when not wanted any more. */
  async entries(from: number, to: number): Promise<readonly LogEntry[] | undefined> {
    const response = await this.#call({ $case: "read", value: { from, to } });
    return response?.entries;
  }

  /** Gives every row of one consistent view. Returns its sequence; undefined when not wanted any more. */
  async rows(row: (key: Uint8Array, value: Uint8Array) => void): Promise<number | undefined> {
    let cursor = 0;
    for (;;) {
      const page = (await this.#call({ $case: "rows", value: { cursor } }))?.rows;
      if (page === undefined) return undefined;
      for (const { key, value } of page.rows) row(key, value);
      if (page.cursor === 0) return page.seq;
      cursor = page.cursor;
    }
  }

  async #call(body: NonNullable<LogRequest["body"]>): Promise<LogResponse | undefined> {
    while (this.#wanted()) {
      try {
        const request = { job: this.#job, body };
        const response = await this.#port.call(this.#replica, request, CROSSING_QUERY_TIMEOUT_MS);
        if (response.status === LogStatus.OK) return response;
        if (response.status !== LogStatus.FULL) {
          throw new Error(`${this.#job}: the log refused (${response.status}): ${response.detail}`);
        }
      } catch (error) {
        if (!(error instanceof BusRequestError)) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
    return undefined;
  }
}
