import { randomUUID } from "node:crypto";
import { pino } from "pino";
import { BackupCode, BackupError } from "../../runtime/backup/backup-error.ts";
import type { RunningJob } from "../../runtime/job/definition.ts";
import { formatJob, type JobName } from "../../runtime/job/name.ts";
import { BusReplicaPort } from "../../runtime/log/bus-replica-port.ts";
import type { ReplicaPort } from "../../runtime/log/replica-port.ts";
import { ReplicatedLogs } from "../../runtime/log/replicated-logs.ts";
import type { Bus } from "../../runtime/messaging/bus.ts";
import { MemoryBus } from "../../runtime/messaging/memory-bus.ts";
import { jobDefinitions } from "../host/definitions.ts";
import type { MarketConfig } from "../market/config.ts";
import { replicasOf } from "../market/layout.ts";

/** A storage job, and where its folder is, or comes to be. */
export interface StoragePlace {
  readonly job: JobName;
  readonly node: string;
  /** As of a node. */
  readonly dataDir: string;
}

/** Runs storage jobs of a market that does not run in this process, for `use` alone, and stops them again. */
export async function withLocalStorage<T>(
  config: MarketConfig,
  places: readonly StoragePlace[],
  use: (port: ReplicaPort, bus: Bus) => Promise<T>,
): Promise<T> {
  const definition = jobDefinitions(config).get("storage");
  if (definition?.kind !== "stateless") throw new Error("storage is no stateless job");
  const bus = new MemoryBus();
  const port = new BusReplicaPort(bus, config.cluster);
  const logs = new ReplicatedLogs({ replicasOf: (job) => replicasOf(config, job), port });
  const failures: string[] = [];
  const running: RunningJob[] = [];
  const logger = pino({ level: process.env["EVERCROSS_LOG"] ?? "silent" });
  try {
    for (const place of places) {
      const fail = (reason: string): void => void failures.push(`${formatJob(place.job)}: ${reason}`);
      const around = { cluster: config.cluster, instance: randomUUID(), bus, logs, logger };
      running.push(await definition.start({ ...place, ...around, describe: () => undefined, fail }));
    }
    return await use(port, bus);
  } catch (error) {
    if (failures.length === 0) throw error;
    throw new BackupError(BackupCode.BACKUP_REFUSED, failures.join("; "));
  } finally {
    for (const job of running) await job.stop();
    await bus.close();
  }
}
