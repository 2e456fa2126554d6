import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import type { JobContext, RunningJob } from "../../../../runtime/job/definition.ts";
import { type JobName, jobName } from "../../../../runtime/job/name.ts";
import { BusReplicaPort } from "../../../../runtime/log/bus-replica-port.ts";
import { ReplicatedLogs } from "../../../../runtime/log/replicated-logs.ts";
import { storageDefinition } from "../../../../runtime/log/storage-service.ts";
import { NatsBus } from "../../../../runtime/messaging/nats-bus.ts";
import { NATS_TOKEN, NatsCluster } from "../../../support/nats-cluster.ts";
import { type LogWorld, type Participant, ProxiedBrokers } from "./log-world.ts";

const CLUSTER = "contract";

/** A storage job with a folder and a connection of its own. */
class Keeper {
  readonly replica: JobName;
  readonly #set: readonly JobName[];
  readonly #folder: string;
  readonly #bus: NatsBus;
  #running: RunningJob | undefined;
  readonly failures: string[] = [];

  constructor(replica: JobName, set: readonly JobName[], folder: string, bus: NatsBus) {
    this.replica = replica;
    this.#set = set;
    this.#folder = folder;
    this.#bus = bus;
  }

  async start(): Promise<void> {
    const context: JobContext = {
      job: this.replica,
      cluster: CLUSTER,
      node: "n1",
      instance: "i1",
      dataDir: this.#folder,
      bus: this.#bus,
      logs: logsOf(this.#bus, this.#set),
      logger: pino({ level: "silent" }),
      describe: () => undefined,
      fail: (reason) => void this.failures.push(reason),
    };
    const peers = this.#set.filter((replica) => replica !== this.replica);
    this.#running = await storageDefinition(new Map(), { peers: () => peers }).start(context);
  }

  async stop(): Promise<void> {
    await this.#running?.stop();
  }

  async close(): Promise<void> {
    await this.stop();
    await this.#bus.close();
  }
}

function logsOf(bus: NatsBus, set: readonly JobName[]): ReplicatedLogs {
  return new ReplicatedLogs({ replicasOf: () => set, port: new BusReplicaPort(bus, CLUSTER) });
}

/** Logs on `size` storage jobs with folders of their own, reached over a real broker. */
export class RocksWorld implements LogWorld {
  readonly #folder: string;
  readonly #server: NatsCluster;
  readonly #brokers: ProxiedBrokers;
  readonly #set: readonly JobName[];
  readonly #keepers: readonly Keeper[];

  private constructor(
    folder: string,
    server: NatsCluster,
    brokers: ProxiedBrokers,
    set: readonly JobName[],
    keepers: readonly Keeper[],
  ) {
    this.#folder = folder;
    this.#server = server;
    this.#brokers = brokers;
    this.#set = set;
    this.#keepers = keepers;
  }

  static async start(size: number): Promise<RocksWorld> {
    const folder = mkdtempSync(join(tmpdir(), "evercross-test-"));
    const server = await NatsCluster.start(1, join(folder, "broker"));
    const [url = ""] = server.urls;
    const set = Array.from({ length: size }, (_, i) => jobName("storage", size === 1 ? "0" : `0.${i}`));
    const keepers = await Promise.all(
      set.map(async (replica) => {
        const bus = await NatsBus.connect({ url, token: NATS_TOKEN, name: `keeper ${replica.key}` });
        return new Keeper(replica, set, join(folder, replica.key), bus);
      }),
    );
    await Promise.all(keepers.map((keeper) => keeper.start()));
    return new RocksWorld(folder, server, await ProxiedBrokers.start(server), set, keepers);
  }

  participant(): Promise<Participant> {
    return this.#brokers.participant((bus) => logsOf(bus, this.#set));
  }

  /** The storage jobs are of this process: they are stopped in good order. */
  async restart(): Promise<void> {
    await this.#server.kill(0);
    await Promise.all(this.#keepers.map((keeper) => keeper.stop()));
    await this.#server.launch(0);
    await Promise.all(this.#keepers.map((keeper) => keeper.start()));
  }

  async stop(): Promise<void> {
    await this.#brokers.stop();
    await Promise.all(this.#keepers.map((keeper) => keeper.close()));
    await this.#server.stop();
    rmSync(this.#folder, { recursive: true, force: true });
    const failures = this.#keepers.flatMap((keeper) => keeper.failures);
    if (failures.length > 0) throw new Error(`a storage job failed: ${failures.join("\n")}`);
  }
}
