import { connect, createServer, type Server, type Socket } from "node:net";
import { LinkPump } from "./link-pump.ts";
import { type LinkState, OPEN, passes } from "./link-state.ts";

/** Bytes in which a client must have named itself: its CONNECT line is below a kilobyte. */
const INTRODUCTION_BYTES_MAX = 64 * 1024;

interface Connection {
  readonly client: Socket;
  readonly broker: Socket;
  readonly up: LinkPump;
  readonly down: LinkPump;
  /** As the client introduced itself to the broker; empty for one that did not, undefined before it spoke. */
  name: string | undefined;
  introduction: string;
}

/**
 * A TCP proxy on loopback between processes and their broker that can cut, stall and slow their links, all of them or
 * those of one client: a client of the broker names itself in the first line that it sends.
 */
export class LinkProxy {
  readonly #server: Server;
  readonly #target: { readonly host: string; readonly port: number };
  readonly #connections = new Set<Connection>();
  readonly #ofClient = new Map<string, LinkState>();
  #all: LinkState = OPEN;

  private constructor(target: URL) {
    this.#target = { host: target.hostname, port: Number(target.port) };
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => this.#accept(client));
  }

  /** `target`: `nats://127.0.0.1:4222`. */
  static start(target: string): Promise<LinkProxy> {
    const proxy = new LinkProxy(new URL(target));
    return new Promise((resolve, reject) => {
      proxy.#server.once("error", reject);
      proxy.#server.listen(0, "127.0.0.1", () => resolve(proxy));
    });
  }

  /** Where clients reach the broker through this proxy. */
  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("the proxy is closed");
    return `nats://127.0.0.1:${address.port}`;
  }

  /** Names of the clients that are connected now, in ascending order. */
  clients(): string[] {
    return [...this.#connections]
      .flatMap(({ name }) => (name === undefined || name === "" ? [] : [name]))
      .sort();
  }

  /** The link of all clients that have no state of their own. */
  setAll(state: LinkState): void {
    this.#all = state;
    this.#applyAll();
  }

  /** The link of one client, whatever that of the others is; undefined: as that of the others again. */
  setClient(name: string, state: LinkState | undefined): void {
    if (state === undefined) this.#ofClient.delete(name);
    else this.#ofClient.set(name, state);
    this.#applyAll();
  }

  /** Opens every link. */
  reset(): void {
    this.#all = OPEN;
    this.#ofClient.clear();
    this.#applyAll();
  }

  /** Breaks every connection and listens no more. */
  close(): Promise<void> {
    for (const connection of this.#connections) this.#break(connection);
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  #accept(client: Socket): void {
    const broker = connect({ ...this.#target, allowHalfOpen: true, noDelay: true });
    const up = new LinkPump(client, broker);
    const down = new LinkPump(broker, client);
    const connection: Connection = { client, broker, up, down, name: undefined, introduction: "" };
    this.#connections.add(connection);
    for (const socket of [client, broker]) {
      // A broken half breaks the other: what an error was about is the endpoints' business.
      socket.on("error", () => this.#break(connection));
      socket.on("close", (failed) => {
        if (failed || (client.closed && broker.closed)) this.#break(connection);
      });
    }
    // Ahead of the pump: the state of this client counts from its first line on.
    client.prependListener("data", (bytes: Buffer) => this.#listen(connection, bytes));
    this.#apply(connection);
  }

  #listen(connection: Connection, bytes: Buffer): void {
    if (connection.name !== undefined) return;
    connection.introduction += bytes.toString("latin1");
    const { introduction } = connection;
    const line = /^CONNECT (\{.*\})\r\n/.exec(introduction)?.[1];
    const mayFollow =
      "CONNECT ".startsWith(introduction.slice(0, 8)) && introduction.length < INTRODUCTION_BYTES_MAX;
    if (line === undefined && mayFollow) return;
    connection.name = line === undefined ? "" : ((JSON.parse(line) as { readonly name?: string }).name ?? "");
    connection.introduction = "";
    this.#apply(connection);
  }

  #applyAll(): void {
    for (const connection of this.#connections) this.#apply(connection);
  }

  #apply(connection: Connection): void {
    const state = this.#ofClient.get(connection.name ?? "") ?? this.#all;
    if (state.kind === "cut") {
      this.#break(connection);
      return;
    }
    const delayMs = state.kind === "slow" ? state.delayMs : 0;
    connection.up.set(passes(state, "up"), delayMs);
    connection.down.set(passes(state, "down"), delayMs);
  }

  #break(connection: Connection): void {
    if (!this.#connections.delete(connection)) return;
    connection.up.stop();
    connection.down.stop();
    connection.client.resetAndDestroy();
    connection.broker.resetAndDestroy();
  }
}
