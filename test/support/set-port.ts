import {
  type LogRequest,
  type LogResponse,
  type LogStatus,
  type Member,
  Started,
} from "../../proto/generated/evercross/v1/log.ts";
import { formatJob, type JobName, jobName } from "../../runtime/job/name.ts";
import { respond } from "../../runtime/log/replica.ts";
import type { ReplicaPort } from "../../runtime/log/replica-port.ts";
import { BusRequestError } from "../../runtime/messaging/bus.ts";
import { LogReplica } from "./log-replica.ts";

export function encodeStarted(members: readonly Member[]): Uint8Array {
  return Started.encode({
    instance: "i",
    node: "n",
    version: "1",
    timeUs: 0,
    members: [...members],
  }).finish();
}

/** The way to the replicas of one job's log, on disks in memory. Those that a test names are silent, or refuse. */
export class SetPort implements ReplicaPort {
  readonly job: string;
  readonly replicas: LogReplica[];
  readonly silent = new Set<string>();
  /** What a replica refuses to read, and as what. */
  readonly refused = new Map<string, LogStatus>();
  /** `storage/0.1 append`, in order. */
  readonly asked: string[] = [];

  constructor(job: JobName, size: number) {
    this.job = formatJob(job);
    this.replicas = Array.from({ length: size }, (_, index) => this.#blank(index, `${index}`));
  }

  nameOf(index: number): JobName {
    return jobName("storage", `0.${index}`);
  }

  /** It comes back with nothing, as another incarnation. */
  loseDisk(index: number): void {
    this.replicas[index] = this.#blank(index, "f");
  }

  call(replica: JobName, request: LogRequest): Promise<LogResponse> {
    const name = formatJob(replica);
    const body = request.body;
    if (body === undefined) throw new Error("a request without a body");
    this.asked.push(`${name} ${body.$case}`);
    const asked = this.replicas.find((each) => each.name === name);
    if (asked === undefined || this.silent.has(name))
      return Promise.reject(new BusRequestError("timeout", name));
    const status = this.refused.get(name);
    if (status !== undefined && body.$case === "read")
      return Promise.resolve(respond(asked.log, status, "as the test says"));
    return Promise.resolve(asked.ask(body, request.committed));
  }

  #blank(index: number, digit: string): LogReplica {
    return new LogReplica(this.job, formatJob(this.nameOf(index)), digit.repeat(32));
  }
}
