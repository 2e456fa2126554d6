import { randomUUID } from "node:crypto";
import { pino } from "pino";
import type { JobContext } from "../../runtime/job/definition.ts";
import { jobName, type JobName } from "../../runtime/job/name.ts";
import { BusReplicaPort } from "../../runtime/log/bus-replica-port.ts";
import type { LogDriver } from "../../runtime/log/checkpoint-log.ts";
import { JetStreamLogs } from "../../runtime/log/jetstream-logs.ts";
import { ReplicatedLogs } from "../../runtime/log/replicated-logs.ts";
import { NatsBus } from "../../runtime/messaging/nats-bus.ts";
import type { BrokerAddress, LogPlan } from "./task.ts";

export const CLUSTER = "bench";

/** Names of the storage jobs of a log that is kept by so many. */
export function replicaNames(replicas: number): readonly JobName[] {
  if (replicas === 1) return [jobName("storage", "0")];
  return Array.from({ length: replicas }, (_, index) => jobName("storage", `0.${index}`));
}

export function connect({ url, token }: BrokerAddress, name: string): Promise<NatsBus> {
  return NatsBus.connect({ url, token, name });
}

export function logsOf(bus: NatsBus, { driver, replicas }: LogPlan): LogDriver {
  if (driver === "jetstream") return new JetStreamLogs(bus, { cluster: CLUSTER, replicas });
  const names = replicaNames(replicas);
  return new ReplicatedLogs({ replicasOf: () => names, port: new BusReplicaPort(bus, CLUSTER) });
}

/** For a job that runs in this process; what it fails with ends the process. */
export function jobContext(bus: NatsBus, logs: LogDriver, job: JobName, dataDir: string): JobContext {
  return {
    job,
    cluster: CLUSTER,
    node: "n1",
    instance: randomUUID(),
    dataDir,
    bus,
    logs,
    logger: pino({ level: "silent" }),
    fail: (reason) => {
      throw new Error(reason);
    },
    describe: () => undefined,
  };
}
