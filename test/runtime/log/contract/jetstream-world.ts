import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { JetStreamLogs } from "../../../../runtime/log/jetstream-logs.ts";
import { NatsCluster } from "../../../support/nats-cluster.ts";
import { type LogWorld, type Participant, ProxiedBrokers } from "./log-world.ts";

export const CLUSTER = "contract";

/** Logs in the streams of `size` real nats-servers that are one cluster. */
export class JetStreamWorld implements LogWorld {
  readonly #size: number;
  readonly #folder: string;
  readonly servers: NatsCluster;
  readonly #brokers: ProxiedBrokers;

  private constructor(size: number, folder: string, servers: NatsCluster, brokers: ProxiedBrokers) {
    this.#size = size;
    this.#folder = folder;
    this.servers = servers;
    this.#brokers = brokers;
  }

  static async start(size: number): Promise<JetStreamWorld> {
    const folder = mkdtempSync(join(tmpdir(), "evercross-test-"));
    const servers = await NatsCluster.start(size, folder);
    return new JetStreamWorld(size, folder, servers, await ProxiedBrokers.start(servers));
  }

  participant(): Promise<Participant> {
    return this.#brokers.participant((bus) => {
      return new JetStreamLogs(bus, { cluster: CLUSTER, replicas: this.#size });
    });
  }

  async restart(): Promise<void> {
    const all = Array.from({ length: this.#size }, (_, index) => index);
    await Promise.all(all.map((index) => this.servers.kill(index)));
    await Promise.all(all.map((index) => this.servers.launch(index)));
  }

  async stop(): Promise<void> {
    await this.#brokers.stop();
    await this.servers.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
