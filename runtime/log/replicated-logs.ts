import { formatJob, type JobName } from "../job/name.ts";
import type { CheckpointLog, LogDriver, LogSource } from "./checkpoint-log.ts";
import { LogClient } from "./log-client.ts";
import type { ReplicaPort } from "./replica-port.ts";
import { ReplicatedLog } from "./replicated-log.ts";

export interface ReplicatedLogsOptions {
  /** The replicas of a job's log by their logical names: its set. */
  readonly replicasOf: (job: JobName) => readonly JobName[];
  readonly port: ReplicaPort;
}

/** Logs that storage jobs keep, one or several for each log. */
export class ReplicatedLogs implements LogDriver {
  readonly #options: ReplicatedLogsOptions;

  constructor(options: ReplicatedLogsOptions) {
    this.#options = options;
  }

  writer(job: JobName): CheckpointLog {
    return new ReplicatedLog(job, this.#options.replicasOf(job), this.#options.port);
  }

  source(job: JobName, wanted: () => boolean): LogSource {
    const replicas = this.#options.replicasOf(job);
    return new LogClient({ job, replicas, setSize: replicas.length, port: this.#options.port, wanted });
  }

  copies(job: JobName, wanted: () => boolean): ReadonlyMap<string, LogSource> {
    const replicas = this.#options.replicasOf(job);
    const { port } = this.#options;
    return new Map(
      replicas.map((replica) => [
        formatJob(replica),
        new LogClient({ job, replicas: [replica], setSize: replicas.length, port, wanted }),
      ]),
    );
  }
}
