import { mkdirSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import type { Logger } from "pino";
import {
  BROKER_FILE_BYTES_MAX,
  BROKER_MEMORY_BYTES_MAX,
  BROKER_PENDING_BYTES_MAX,
  BROKER_PORT_TRIES_MAX,
  BROKER_READY_MS,
  MESSAGE_BYTES_MAX,
  PROCESS_POLL_MS,
} from "../limits.ts";
import { KeptProcess } from "../process/kept-process.ts";
import type { ProcessRegistry } from "../process/registry.ts";
import { spawnDetached } from "../process/spawn.ts";
import { waitFor } from "../process/wait.ts";
import { freePort } from "./free-port.ts";

export interface BrokerOptions {
  /** Path of a nats-server. */
  readonly binary: string;
  /** The broker keeps its files in a folder of its own below it. */
  readonly dataDir: string;
  /** What a client must show; 16 to 128 of `A-Z a-z 0-9 _ -`. Never logged. */
  readonly token: string;
  readonly registry: ProcessRegistry;
  readonly logger: Logger;
  readonly onRestart?: (pid: number) => void;
  readonly onGivenUp: (reason: string) => void;
}

/** Where a market's broker keeps its streams, the desired state among them. */
export const brokerFolder = (dataDir: string): string => join(dataDir, "broker");

const logFile = (dataDir: string): string => join(dataDir, "log", "broker.log");

function configuration(port: number, token: string, storeDir: string): string {
  if (!/^[A-Za-z0-9_-]{16,128}$/.test(token))
    throw new RangeError("a broker's token has 16 to 128 of A-Z a-z 0-9 _ -");
  return [
    `listen: "127.0.0.1:${port}"`,
    `max_payload: ${MESSAGE_BYTES_MAX}`,
    `max_pending: ${BROKER_PENDING_BYTES_MAX}`,
    `authorization { token: "${token}" }`,
    "jetstream {",
    `  store_dir: ${JSON.stringify(storeDir)}`,
    // On the disk before it is acknowledged, as the checkpoint logs are.
    "  sync_interval: always",
    `  max_file_store: ${BROKER_FILE_BYTES_MAX}`,
    `  max_memory_store: ${BROKER_MEMORY_BYTES_MAX}`,
    "}",
    "",
  ].join("\n");
}

/** True when a nats-server greets at this port. */
export function greets(port: number, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port });
    let greeting = "";
    const end = (result: boolean): void => {
      socket.destroy();
      resolve(result);
    };
    socket.setEncoding("utf8");
    socket.setTimeout(timeoutMs, () => {
      end(false);
    });
    socket.on("error", () => {
      end(false);
    });
    socket.on("close", () => {
      end(false);
    });
    socket.on("data", (text: string) => {
      greeting += text;
      if (greeting.length >= 5) end(greeting.startsWith("INFO "));
    });
  });
}

/**
 * A nats-server of our own on loopback, started again on the same port when it dies.
 *
 * It runs in a session of its own and does not end with this process: who started it stops it, by `stop` or by its
 * entry in the registry.
 */
export class Broker {
  readonly port: number;
  readonly token: string;
  readonly #process: KeptProcess;

  private constructor(port: number, token: string, process: KeptProcess) {
    this.port = port;
    this.token = token;
    this.#process = process;
  }

  /** Resolves when it answers. Throws, with nothing left running, when it does not. */
  static async start(options: BrokerOptions): Promise<Broker> {
    let failure: string | undefined;
    let started = false;
    const onGivenUp = (reason: string): void => {
      if (started) options.onGivenUp(reason);
      else failure = reason;
    };
    for (let attempt = 1; attempt <= BROKER_PORT_TRIES_MAX; attempt++) {
      const port = await freePort();
      failure = undefined;
      const process = Broker.#launch(port, { ...options, onGivenUp });
      const answered = (): true | Promise<boolean> => failure !== undefined || greets(port, BROKER_READY_MS);
      await waitFor(answered, BROKER_READY_MS, PROCESS_POLL_MS);
      if (failure === undefined && (await greets(port, BROKER_READY_MS))) {
        started = true;
        return new Broker(port, options.token, process);
      }
      await process.stop();
    }
    const reason = failure ?? `it did not greet within ${BROKER_READY_MS} ms`;
    throw new Error(`the broker cannot be started: ${reason} (${logFile(options.dataDir)})`);
  }

  static #launch(port: number, options: BrokerOptions): KeptProcess {
    const { binary, dataDir, token, registry, logger, onRestart, onGivenUp } = options;
    const folder = brokerFolder(dataDir);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const file = join(folder, "nats.conf");
    writeFileSync(file, configuration(port, token, join(folder, "jetstream")), { mode: 0o600 });
    const process = { command: binary, args: ["-c", file], logFile: logFile(dataDir) };
    return new KeptProcess({
      kind: "broker",
      name: "nats",
      launch: () => spawnDetached(process),
      registry,
      logger,
      ...(onRestart === undefined ? {} : { onRestart }),
      onGivenUp,
    });
  }

  /** `nats://127.0.0.1:PORT`; the same for its whole life. */
  get url(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  pid(): number {
    return this.#process.pid;
  }

  /** It is not started again from now on. */
  release(): void {
    this.#process.release();
  }

  stop(): Promise<void> {
    return this.#process.stop();
  }
}
