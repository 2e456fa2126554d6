import type { ChildProcess } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { greets } from "../../runtime/broker/broker.ts";
import { findBroker } from "../../runtime/broker/find-broker.ts";
import { freePort } from "../../runtime/broker/free-port.ts";
import { BROKER_READY_MS, MESSAGE_BYTES_MAX, PROCESS_POLL_MS } from "../../runtime/limits.ts";
import { identify, type ProcessIdentity } from "../../runtime/process/process-identity.ts";
import { spawnDetached } from "../../runtime/process/spawn.ts";
import { terminate } from "../../runtime/process/terminate.ts";
import { waitFor } from "../../runtime/process/wait.ts";

interface Server {
  readonly name: string;
  readonly port: number;
  readonly folder: string;
  process: ProcessIdentity | undefined;
}

export const NATS_TOKEN = "0123456789abcdef";

/**
 * Real nats-servers on loopback, each with files of its own: one by itself, or several as one cluster. They sync each message, unless
 * another `sync_interval` is asked for.
 */
export class NatsCluster {
  readonly #binary: string;
  readonly #servers: readonly Server[];
  readonly #routes: readonly number[];
  readonly #syncInterval: string;

  private constructor(
    binary: string,
    servers: readonly Server[],
    routes: readonly number[],
    syncInterval: string,
  ) {
    this.#binary = binary;
    this.#syncInterval = syncInterval;
    this.#servers = servers;
    this.#routes = routes;
  }

  static async start(size: number, folder: string, syncInterval = "always"): Promise<NatsCluster> {
    const { path } = await findBroker();
    const ports: number[] = [];
    for (let i = 0; i < 2 * size; i++) ports.push(await freePort());
    const servers = Array.from({ length: size }, (_, i): Server => {
      const name = `s${i}`;
      return { name, port: ports[i] as number, folder: join(folder, name), process: undefined };
    });
    const cluster = new NatsCluster(path, servers, ports.slice(size), syncInterval);
    await Promise.all(servers.map((_, i) => cluster.launch(i)));
    return cluster;
  }

  /** Where a client reaches each server. */
  get urls(): readonly string[] {
    return this.#servers.map(({ port }) => `nats://127.0.0.1:${port}`);
  }

  /** Starts a server with what is in its folder; resolves when it greets. */
  async launch(index: number): Promise<void> {
    const server = this.#servers[index] as Server;
    mkdirSync(server.folder, { recursive: true });
    const file = join(server.folder, "nats.conf");
    writeFileSync(file, this.#configuration(index));
    const child: ChildProcess = spawnDetached({
      command: this.#binary,
      args: ["-c", file],
      logFile: join(server.folder, "nats.log"),
    });
    server.process = identify(child.pid ?? 0);
    const ready = (): Promise<boolean> => greets(server.port, BROKER_READY_MS);
    if (!(await waitFor(ready, BROKER_READY_MS, PROCESS_POLL_MS)))
      throw new Error(`${server.name} does not greet`);
  }

  /** SIGKILL. */
  async kill(index: number): Promise<void> {
    const { process } = this.#servers[index] as Server;
    if (process !== undefined) await terminate([process], 0);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#servers.map((_, index) => this.kill(index)));
  }

  #configuration(index: number): string {
    const { name, port, folder } = this.#servers[index] as Server;
    const routes = this.#routes.map((route) => `"nats://127.0.0.1:${route}"`).join(", ");
    const cluster = [
      "cluster {",
      "  name: test",
      `  listen: "127.0.0.1:${this.#routes[index]}"`,
      "  no_advertise: true",
      `  routes: [${routes}]`,
      "}",
    ];
    return [
      `server_name: ${name}`,
      `listen: "127.0.0.1:${port}"`,
      `max_payload: ${MESSAGE_BYTES_MAX}`,
      `authorization { token: "${NATS_TOKEN}" }`,
      `jetstream { store_dir: ${JSON.stringify(join(folder, "js"))}, sync_interval: ${JSON.stringify(this.#syncInterval)} }`,
      ...(this.#servers.length === 1 ? [] : cluster),
      "",
    ].join("\n");
  }
}
