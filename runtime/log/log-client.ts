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
import { LogRefusedError, type LogSource, type RowTarget } from "./checkpoint-log.ts";
import type { ReplicaPort } from "./replica-port.ts";
import { unpackRows } from "./rows-page.ts";

export interface LogClientOptions {
  readonly job: JobName;
  /** Those that are asked, the first one first. */
  readonly replicas: readonly JobName[];
  /** Replicas in the log's set. The only one knows all that is committed; of several each has to be told, which is waited for. */
  readonly setSize: number;
  readonly port: ReplicaPort;
  /** Asked before each try. */
  readonly wanted: () => boolean;
  /** Of the log's writer, when it is the one who reads: the first replica then gives what is not known to be committed too. */
  readonly epoch?: number;
}

type Body = NonNullable<LogRequest["body"]>;

/** What an answer is worth: the result; nothing yet, so that others are asked and this one again; a refusal for good. */
type Worth = "result" | "later" | "refusal";

/** Why replicas refused, by their places. */
type Refusals = Map<number, LogRefusedError>;

/**
 * Reads one job's log from its replicas: stays with the one that answers, and asks the next when it is silent or refuses.
 * Throws when all of them refuse.
 */
export class LogClient implements LogSource {
  readonly #job: string;
  readonly #options: LogClientOptions;
  /** The replica that is asked next. */
  #at = 0;
  #moves = 0;

  constructor(options: LogClientOptions) {
    this.#job = formatJob(options.job);
    this.#options = options;
  }

  async tail(): Promise<LogTail | undefined> {
    const empty = new Set<number>();
    const response = await this.#call(
      () => ({ $case: "tail", value: {} }),
      ({ tail }, at) => {
        if (tail === undefined) return "refusal";
        if (this.#isOnly || tail.committed > 0) return "result";
        // Nobody has told it yet, or it has lost its log. A majority without an entry shows that none is committed.
        if (tail.seq === 0) empty.add(at);
        return empty.size * 2 > this.#options.setSize ? "result" : "later";
      },
    );
    const tail = response?.tail;
    if (tail === undefined || this.#isOnly || tail.committed === tail.seq) return tail;
    const [last] = (await this.entries(tail.committed, tail.committed + 1)) ?? [];
    return last && { ...tail, epoch: last.epoch, seq: last.seq, chain: last.chain };
  }

  async entries(from: number, to: number): Promise<readonly LogEntry[] | undefined> {
    const { epoch = 0 } = this.#options;
    const response = await this.#call(
      (at) => ({ $case: "read", value: { from, to, epoch: at === 0 ? epoch : 0 } }),
      ({ entries }) => (entries.length > 0 ? "result" : this.#notYet),
    );
    return response?.entries;
  }

  async rows(target: RowTarget): Promise<number | undefined> {
    const refusals: Refusals = new Map();
    target.begin();
    let coming: Promise<LogResponse | undefined> | undefined;
    for (let cursor = 0; this.#options.wanted();) {
      const at = this.#at;
      const response = await (coming ?? this.#once(at, { $case: "rows", value: { cursor } }));
      coming = undefined;
      const page = response?.status === LogStatus.OK ? response.rows : undefined;
      if (page !== undefined) {
        // The next page is read while this one is worked on; never more than one is on its way.
        if (page.cursor !== 0) coming = this.#once(at, { $case: "rows", value: { cursor: page.cursor } });
        if (!unpackRows(page, (key, value) => target.row(key, value)))
          throw new LogRefusedError(
            LogStatus.DAMAGED,
            `${this.#job}: a page of rows arrived damaged (checksum)`,
          );
        if (page.cursor === 0) return page.seq;
        cursor = page.cursor;
        continue;
      }
      const worth = response === undefined ? "later" : this.#worth(response, at, () => "refusal");
      if (response?.status !== LogStatus.EXPIRED)
        await this.#moveOn(at, worth === "refusal" ? response : undefined, refusals);
      // A view and its pages are one replica's: of another one they are begun anew.
      if (cursor === 0 || (response === undefined && at === this.#at)) continue;
      target.begin();
      cursor = 0;
    }
    return undefined;
  }

  get #isOnly(): boolean {
    return this.#options.setSize === 1;
  }

  /** What is not there: of the only replica it never will be. */
  get #notYet(): Worth {
    return this.#isOnly ? "refusal" : "later";
  }

  /** Asks until there is a result. */
  async #call(
    body: (at: number) => Body,
    judge: (response: LogResponse, at: number) => Worth,
  ): Promise<LogResponse | undefined> {
    const refusals: Refusals = new Map();
    while (this.#options.wanted()) {
      const at = this.#at;
      const response = await this.#once(at, body(at));
      const worth = response === undefined ? "later" : this.#worth(response, at, judge);
      if (worth === "result") return response;
      await this.#moveOn(at, worth === "refusal" ? response : undefined, refusals);
    }
    return undefined;
  }

  #worth(response: LogResponse, at: number, judge: (response: LogResponse, at: number) => Worth): Worth {
    switch (response.status) {
      case LogStatus.OK:
        return judge(response, at);
      case LogStatus.GAP:
      case LogStatus.BEHIND:
        return this.#notYet;
      default:
        return "refusal";
    }
  }

  /** To the next replica; with a pause when all were asked. */
  async #moveOn(at: number, refusal: LogResponse | undefined, refusals: Refusals): Promise<void> {
    const { length } = this.#options.replicas;
    if (refusal === undefined) refusals.delete(at);
    else refusals.set(at, this.#refused(at, refusal));
    const [first] = refusals.values();
    if (first !== undefined && refusals.size === length) throw first;
    this.#at = (at + 1) % length;
    this.#moves += 1;
    if (this.#moves % length === 0) await new Promise((resolve) => setTimeout(resolve, REPLICA_RETRY_MS));
  }

  /** One attempt; undefined when there is no answer, or no room for the question. */
  async #once(at: number, body: Body): Promise<LogResponse | undefined> {
    const { replicas, port } = this.#options;
    try {
      const request = { job: this.#job, committed: 0, body };
      const response = await port.call(replicas[at] as JobName, request, REPLICA_TIMEOUT_MS);
      return response.status === LogStatus.FULL ? undefined : response;
    } catch (error) {
      if (error instanceof BusRequestError) return undefined;
      throw error;
    }
  }

  #refused(at: number, response: LogResponse): LogRefusedError {
    const missing = response.status === LogStatus.OK;
    const why = missing ? "what was asked for is not there" : response.detail;
    const name = formatJob(this.#options.replicas[at] as JobName);
    return new LogRefusedError(
      missing ? LogStatus.GAP : response.status,
      `${this.#job}: ${name} refused: ${why}`,
    );
  }
}
