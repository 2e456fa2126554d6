import { pino } from "pino";
import { EntryKind, LogRequest, LogResponse } from "../../proto/generated/evercross/v1/log.ts";
import type { LogEntry } from "../../proto/generated/evercross/v1/log.ts";
import type { JobContext } from "../../runtime/job/definition.ts";
import { jobName } from "../../runtime/job/name.ts";
import { BusReplicaPort } from "../../runtime/log/bus-replica-port.ts";
import { GENESIS_CHAIN, sealEntry } from "../../runtime/log/entry.ts";
import type { ReplicaPort } from "../../runtime/log/replica-port.ts";
import { ReplicatedLogs } from "../../runtime/log/replicated-logs.ts";
import type { Bus } from "../../runtime/messaging/bus.ts";
import { jobSubject } from "../../runtime/messaging/subject.ts";

export const CLUSTER = "test";
export const STORAGE = jobName("storage", "0");

/** The logs that the storage job keeps. */
export function storedLogs(port: ReplicaPort): ReplicatedLogs {
  return new ReplicatedLogs({ replicasOf: () => [STORAGE], port });
}

/** A context for a storage job; what it fails with is pushed to `failures`. */
export function storageContext(bus: Bus, dataDir: string, failures: string[] = []): JobContext {
  return {
    job: STORAGE,
    cluster: CLUSTER,
    node: "n1",
    instance: "i1",
    dataDir,
    bus,
    logs: storedLogs(new BusReplicaPort(bus, CLUSTER)),
    logger: pino({ level: "silent" }),
    describe: () => undefined,
    fail: (reason) => void failures.push(reason),
  };
}

export async function call(
  bus: Bus,
  job: string,
  body: NonNullable<LogRequest["body"]>,
): Promise<LogResponse> {
  const subject = jobSubject(CLUSTER, STORAGE, "in");
  return LogResponse.decode(
    await bus.request(subject, LogRequest.encode({ job, body, committed: 0 }).finish(), 30_000),
  );
}

/** Entries that follow each other from the first on, all of one epoch. */
export function chainOf(job: string, epoch: number, payloads: readonly Uint8Array[]): LogEntry[] {
  let chain: Uint8Array = GENESIS_CHAIN;
  return payloads.map((payload, index) => {
    const prevEpoch = index === 0 ? 0 : epoch;
    const fields = { job, epoch, seq: index + 1, prevEpoch, kind: EntryKind.DATA, payload };
    const entry = sealEntry(fields, chain);
    chain = entry.chain;
    return entry;
  });
}
