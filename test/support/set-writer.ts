import type { LogEntry, Member } from "../../proto/generated/evercross/v1/log.ts";
import type { CheckpointLog } from "../../runtime/log/checkpoint-log.ts";
import { BusReplicaPort } from "../../runtime/log/bus-replica-port.ts";
import { parseJob } from "../../runtime/job/name.ts";
import { ReplicatedLogs } from "../../runtime/log/replicated-logs.ts";
import { CLUSTER } from "./storage-client.ts";
import { until, type ReplicaSet, type SetReplica } from "./replica-set.ts";

/** The single writer of one job's log at a set of replicas, and what it was told. Close it when the test is over. */
export class SetWriter {
  /** All entries that are committed, those of earlier writers included. */
  readonly committed: LogEntry[];
  ended: string | undefined;
  stalled: string | undefined;
  readonly #log: CheckpointLog;

  private constructor(set: ReplicaSet, job: string, before: readonly LogEntry[]) {
    const names = set.replicas.map(({ name }) => name);
    const port = new BusReplicaPort(set.bus, CLUSTER);
    this.committed = [...before];
    this.#log = new ReplicatedLogs({ replicasOf: () => names, port }).writer(parseJob(job));
  }

  /** `before`: what the log holds. Resolves when the log is open. */
  static async open(set: ReplicaSet, job: string, before: readonly LogEntry[] = []): Promise<SetWriter> {
    const writer = new SetWriter(set, job, before);
    await writer.#log.open(
      { instance: "i1", node: "n1", version: "1", timeUs: 0 },
      {
        committed: (entry) => void writer.committed.push(entry),
        ended: (reason) => (writer.ended = reason),
        stalled: (detail) => (writer.stalled = detail),
      },
    );
    return writer;
  }

  /** Resolves when all are committed. Rejects when the writer ends. */
  async append(payloads: readonly Uint8Array[]): Promise<void> {
    for (const payload of payloads) {
      await this.#condition(() => this.#log.room);
      this.#log.append(payload);
    }
    await this.#condition(() => this.#log.committed === this.#log.appended);
  }

  /** The members, once they are all replicas of the set as they are now and each has the whole log. */
  async whole(set: ReplicaSet, job: string): Promise<readonly Member[]> {
    const tails = await until(
      async () => await Promise.all(set.replicas.map(async (replica) => (await tailOf(replica, job)).tail)),
      (found) =>
        found.every(
          (tail, index) =>
            tail !== undefined &&
            !tail.blank &&
            tail.committed === tail.seq &&
            tail.chain.equals(found[0]?.chain ?? Buffer.alloc(0)) &&
            tail.members.some((each) => each.incarnation === found[index]?.incarnation),
        ),
    );
    return tails[0]?.members ?? [];
  }

  close(): void {
    this.#log.close();
  }

  async #condition(met: () => boolean): Promise<void> {
    await until(
      async () => this.ended !== undefined || met(),
      (done) => done,
    );
    if (this.ended !== undefined) throw new Error(this.ended);
    if (!met()) throw new Error(`no majority: ${this.stalled ?? "no reason was told"}`);
  }
}

/** Undefined members of the answer when the replica is away. */
export async function tailOf(replica: SetReplica, job: string): ReturnType<SetReplica["ask"]> {
  return await replica.ask(job, { $case: "tail", value: {} });
}
