import { BusReplicaPort } from "../../runtime/log/bus-replica-port.ts";
import type { LogDriver } from "../../runtime/log/checkpoint-log.ts";
import { JetStreamLogs } from "../../runtime/log/jetstream-logs.ts";
import { ReplicatedLogs } from "../../runtime/log/replicated-logs.ts";
import type { Bus } from "../../runtime/messaging/bus.ts";
import type { NatsBus } from "../../runtime/messaging/nats-bus.ts";
import type { MarketConfig } from "./config.ts";
import { replicasOf } from "./layout.ts";

/**
 * How a market keeps its checkpoint logs, for whoever writes or reads them over this connection. `bus`: a job's own way over it,
 * which is cut off when the job ends.
 */
export function marketLogs(config: MarketConfig, connection: NatsBus, bus: Bus = connection): LogDriver {
  const { cluster, storage } = config;
  switch (storage.driver) {
    case "rocksdb":
      return new ReplicatedLogs({
        replicasOf: (job) => replicasOf(config, job),
        port: new BusReplicaPort(bus, cluster),
      });
    case "jetstream":
      return new JetStreamLogs(connection, { cluster, replicas: storage.replicas });
  }
}
