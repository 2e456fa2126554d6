import type { JobName } from "../job/name.ts";
import type { LogRequest, LogResponse } from "../../proto/generated/evercross/v1/log.ts";

/**
 * The way to one replica of a checkpoint log, by the replica's logical name (`storage/0`).
 *
 * Rejects with `BusRequestError` when there is no answer: the outcome is then unknown, and the only right thing is
 * to ask again. Every refusal is an answer, with a `LogStatus`.
 */
export interface ReplicaPort {
  call(replica: JobName, request: LogRequest, timeoutMs: number): Promise<LogResponse>;
}
