import { LogRequest, LogResponse } from "../../proto/generated/evercross/v1/log.ts";
import type { JobName } from "../job/name.ts";
import type { Bus } from "../messaging/bus.ts";
import { jobSubject } from "../messaging/subject.ts";
import type { ReplicaPort } from "./replica-port.ts";

/** Replicas reached by their logical name over the bus. */
export class BusReplicaPort implements ReplicaPort {
  readonly #bus: Bus;
  readonly #cluster: string;

  constructor(bus: Bus, cluster: string) {
    this.#bus = bus;
    this.#cluster = cluster;
  }

  async call(replica: JobName, request: LogRequest, timeoutMs: number): Promise<LogResponse> {
    const subject = jobSubject(this.#cluster, replica, "in");
    const data = await this.#bus.request(subject, LogRequest.encode(request).finish(), timeoutMs);
    return LogResponse.decode(data);
  }
}
