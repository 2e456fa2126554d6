import { pino } from "pino";
import type { JobContext, Materialise, StatefulDefinition } from "../../runtime/job/definition.ts";
import { jobName } from "../../runtime/job/name.ts";
import { BusReplicaPort } from "../../runtime/log/bus-replica-port.ts";
import type { ReplicaPort } from "../../runtime/log/replica-port.ts";
import type { Bus } from "../../runtime/messaging/bus.ts";
import { CLUSTER, storedLogs } from "./storage-client.ts";

export const COUNTER = jobName("counter", "a.b c");

/** An entry says where the count stands; so does the one row. */
export const materialiseCounter: Materialise = (payload) => [{ key: Buffer.from("total"), value: payload }];

/**
 * An application that has nothing to do with markets: each request is a number to add, the answer is the sum. What
 * arrives together becomes one entry.
 */
export const counterDefinition: StatefulDefinition = {
  kind: "stateful",
  service: COUNTER.service,
  create: () => {
    let total = 0;
    const become = (value: Uint8Array): void => {
      total = Number(Buffer.from(value).toString());
    };
    return {
      restore: (_, value) => become(value),
      restored: () => undefined,
      replay: become,
      step: (_, requests) => {
        const replies = requests.flatMap(({ data, reply }) => {
          total += Number(Buffer.from(data).toString());
          return reply === undefined ? [] : [{ to: reply, data: Buffer.from(String(total)) }];
        });
        return { payload: Buffer.from(String(total)), replies, taken: requests.length };
      },
    };
  },
  materialise: materialiseCounter,
  busy: ({ reply }) => (reply === undefined ? undefined : { to: reply, data: Buffer.from("busy") }),
};

/** A context for one instance of the counter; what it fails with is pushed to `failures`. */
export function counterContext(
  bus: Bus,
  dataDir: string,
  instance: string,
  failures: string[] = [],
  port: ReplicaPort = new BusReplicaPort(bus, CLUSTER),
): JobContext {
  return {
    job: COUNTER,
    cluster: CLUSTER,
    node: "n1",
    instance,
    dataDir,
    bus,
    logs: storedLogs(port),
    logger: pino({ level: "silent" }),
    describe: () => undefined,
    fail: (reason) => void failures.push(reason),
  };
}
