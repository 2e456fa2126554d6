import { type LogResponse, LogStatus, type LogTail } from "../../proto/generated/evercross/v1/log.ts";
import { type JobName, formatJob } from "../job/name.ts";
import { OPEN_TRIES_MAX, REPLICA_RETRY_MS, REPLICA_TIMEOUT_MS } from "../limits.ts";
import { BusRequestError } from "../messaging/bus.ts";
import { checkEntry } from "./entry.ts";
import type { ReplicaPort } from "./replica-port.ts";
import type { LogRequest } from "../../proto/generated/evercross/v1/log.ts";

/** A log cannot be opened or read: the status says why, the message says what to do. */
export class LogRefusedError extends Error {
  override readonly name = "LogRefusedError";
  constructor(
    readonly status: LogStatus,
    detail: string,
  ) {
    super(detail);
  }
}

export interface OpenedLog {
  readonly epoch: number;
  readonly tail: LogTail;
}

/** Receives what a log holds, in order: all rows, then `restored`, then each entry behind them. */
export interface LogSink {
  /** Forget what was given: the reading begins anew. */
  reset(): void;
  row(key: Uint8Array, value: Uint8Array): void;
  restored(seq: number): void;
  entry(payload: Uint8Array, seq: number, kind: number): void;
}

/**
 * A replica's log as its next writer needs it: fence the writers before, then read all that they left.
 * Calls without an answer are made again until `stopped`; refusals are thrown as `LogRefusedError`.
 */
export class LogOpening {
  readonly #job: string;
  readonly #replica: JobName;
  readonly #port: ReplicaPort;
  readonly #stopped: () => boolean;

  constructor(job: JobName, replica: JobName, port: ReplicaPort, stopped: () => boolean) {
    this.#job = formatJob(job);
    this.#replica = replica;
    this.#port = port;
    this.#stopped = stopped;
  }

  /** Takes an epoch above every other. */
  async open(): Promise<OpenedLog> {
    let epoch = (await this.tail()).promised;
    for (let tries = 0; ; tries++) {
      // An attempt whose outcome is unknown may have taken its epoch: each attempt asks for one of its own.
      epoch += 1;
      const response = await this.#callOnce({ $case: "open", value: { epoch } });
      if (response?.status === LogStatus.OK) return { epoch, tail: tailOf(response) };
      if (response === undefined) continue;
      if (response.status !== LogStatus.FENCED || tries === OPEN_TRIES_MAX) throw this.#refused(response);
      epoch = Math.max(epoch, tailOf(response).promised);
    }
  }

  async tail(): Promise<LogTail> {
    return tailOf(await this.#call({ $case: "tail", value: {} }));
  }

  /** Gives the sink everything up to `tail`. Throws on a record that does not prove itself. */
  async read(tail: LogTail, sink: LogSink): Promise<void> {
    let rows = await this.#rows(sink);
    while (rows === undefined) {
      sink.reset();
      rows = await this.#rows(sink);
    }
    let chain: Uint8Array | undefined;
    for (let next = rows + 1; next <= tail.seq;) {
      const response = await this.#call({ $case: "read", value: { from: next, to: tail.seq + 1 } });
      if (response.entries.length === 0) {
        throw new LogRefusedError(
          LogStatus.GAP,
          `${this.#job}: entry ${next} is missing, the log ends at ${tail.seq}`,
        );
      }
      for (const entry of response.entries) {
        const verdict = entry.seq === next ? checkEntry(entry, chain) : "sequence";
        if (verdict !== "ok") {
          throw new LogRefusedError(LogStatus.DAMAGED, `${this.#job}: entry ${next} is damaged (${verdict})`);
        }
        sink.entry(entry.payload, entry.seq, entry.kind);
        chain = entry.chain;
        next += 1;
      }
    }
    if (chain !== undefined && !Buffer.from(chain).equals(tail.chain)) {
      throw new LogRefusedError(
        LogStatus.DAMAGED,
        `${this.#job}: entry ${tail.seq} is not the log's last (chain)`,
      );
    }
  }

  /** Gives all pages of one view; undefined when the view expired under way. */
  async #rows(sink: LogSink): Promise<number | undefined> {
    let cursor = 0;
    for (;;) {
      const response = await this.#callOnce({ $case: "rows", value: { cursor } });
      if (response === undefined || response.status === LogStatus.EXPIRED) {
        if (this.#stopped())
          throw new LogRefusedError(LogStatus.UNSPECIFIED, `${this.#job}: stopped while opening`);
        return undefined;
      }
      if (response.status !== LogStatus.OK || response.rows === undefined) throw this.#refused(response);
      for (const row of response.rows.rows) sink.row(row.key, row.value);
      if (response.rows.cursor === 0) {
        sink.restored(response.rows.seq);
        return response.rows.seq;
      }
      cursor = response.rows.cursor;
    }
  }

  /** Calls until there is an answer, and throws what is not OK. */
  async #call(body: NonNullable<LogRequest["body"]>): Promise<LogResponse> {
    for (;;) {
      const response = await this.#callOnce(body);
      if (response === undefined || response.status === LogStatus.FULL) continue;
      if (response.status !== LogStatus.OK) throw this.#refused(response);
      return response;
    }
  }

  async #callOnce(body: NonNullable<LogRequest["body"]>): Promise<LogResponse | undefined> {
    try {
      return await this.#port.call(this.#replica, { job: this.#job, body }, REPLICA_TIMEOUT_MS);
    } catch (error) {
      if (!(error instanceof BusRequestError)) throw error;
      if (this.#stopped())
        throw new LogRefusedError(LogStatus.UNSPECIFIED, `${this.#job}: stopped while opening`);
      await new Promise((resolve) => setTimeout(resolve, REPLICA_RETRY_MS));
      return undefined;
    }
  }

  #refused(response: LogResponse): LogRefusedError {
    return new LogRefusedError(
      response.status,
      `${this.#job}: ${formatJob(this.#replica)} refused: ${response.detail}`,
    );
  }
}

function tailOf(response: LogResponse): LogTail {
  if (response.tail === undefined) throw new Error("a replica answered without its tail");
  return response.tail;
}
