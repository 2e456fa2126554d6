import { type LogRequest, type LogResponse, LogStatus } from "../../proto/generated/evercross/v1/log.ts";
import { formatJob, type JobName } from "../job/name.ts";
import { REPLICA_TIMEOUT_MS } from "../limits.ts";
import { checkEntry } from "./entry.ts";
import { problemAt, type LogItem, type LogProblemKind, type LogReader, type RowsRead } from "./log-reader.ts";
import type { ReplicaPort } from "./replica-port.ts";

/**
 * Reads a job's log from a running replica, up to where it ends at the first call. Rejects with `BusRequestError` when
 * the replica does not answer.
 */
export class ReplicaLogReader implements LogReader {
  readonly #port: ReplicaPort;
  readonly #replica: JobName;
  readonly #job: string;

  constructor(port: ReplicaPort, replica: JobName, job: JobName) {
    this.#port = port;
    this.#replica = replica;
    this.#job = formatJob(job);
  }

  async *entries(): AsyncGenerator<LogItem, void, undefined> {
    const answer = await this.#call({ $case: "tail", value: {} });
    const tail = answer.tail;
    if (answer.status !== LogStatus.OK || tail === undefined) {
      yield { kind: "problem", ...problemAt(0, kindOf(answer.status), answer.detail) };
      return;
    }
    let chain: Buffer | undefined;
    for (let next = tail.first; next <= tail.seq;) {
      const page = await this.#call({ $case: "read", value: { from: next, to: tail.seq + 1, epoch: 0 } });
      if (page.entries.length === 0) {
        yield { kind: "problem", ...problemAt(next, kindOf(page.status), page.detail) };
        chain = undefined;
        next += 1;
      }
      for (const entry of page.entries) {
        const verdict = entry.seq === next ? checkEntry(entry, chain) : "misplaced";
        if (verdict === "ok") yield { kind: "entry", entry };
        else {
          const detail = `${this.#job}: entry ${next} arrived damaged (${verdict})`;
          yield { kind: "problem", ...problemAt(next, verdict, detail) };
        }
        chain = verdict === "ok" ? entry.chain : undefined;
        next += 1;
      }
    }
    if (chain !== undefined && !chain.equals(tail.chain)) {
      const detail = `${this.#job}: entry ${tail.seq} is not the last of the log (chain)`;
      yield { kind: "problem", ...problemAt(tail.seq, "chain", detail) };
    }
  }

  async rows(take: (key: Uint8Array, value: Uint8Array) => void): Promise<RowsRead> {
    let seq = 0;
    for (let cursor = 0; ;) {
      const { status, detail, rows } = await this.#call({ $case: "rows", value: { cursor } });
      if (status !== LogStatus.OK || rows === undefined) {
        return { seq, problem: problemAt(seq, kindOf(status), detail) };
      }
      seq = rows.seq;
      for (const { key, value } of rows.rows) take(key, value);
      if (rows.cursor === 0) return { seq, problem: undefined };
      cursor = rows.cursor;
    }
  }

  #call(body: NonNullable<LogRequest["body"]>): Promise<LogResponse> {
    return this.#port.call(this.#replica, { job: this.#job, body, committed: 0 }, REPLICA_TIMEOUT_MS);
  }
}

/** The replica's own words say more; this is what they are counted as. */
function kindOf(status: LogStatus): LogProblemKind {
  if (status === LogStatus.TRUNCATED) return "truncated";
  return status === LogStatus.DAMAGED ? "record" : "store";
}
