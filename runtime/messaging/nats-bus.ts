import { connect, errors, type Msg, type NatsConnection } from "@nats-io/transport-node";
import {
  BROKER_CONNECT_MS,
  BROKER_PING_MS,
  BROKER_PINGS_MISSED_MAX,
  BROKER_RECONNECT_WAIT_MS,
  MESSAGE_BYTES_MAX,
} from "../limits.ts";
import { type Bus, type BusMessage, BusRequestError, type BusSubscription } from "./bus.ts";

export interface NatsBusOptions {
  /** `nats://127.0.0.1:4222`; several separated by commas. */
  readonly url: string;
  readonly token?: string;
  /** Shown in the broker's connection list. */
  readonly name: string;
}

/**
 * How long a server that was tried is to be left alone: asked before each dial, and again after each wait. The client measures it by the
 * wall clock and, when that was set back, would wait for as long again: so every second answer lets it through.
 */
function reconnectPace(): () => number {
  let waits = true;
  return () => {
    waits = !waits;
    return waits ? BROKER_RECONNECT_WAIT_MS * (1 + Math.random()) : -Infinity;
  };
}

/** The bus over a real broker. Reconnects for ever; the first connection too is waited for. */
export class NatsBus implements Bus {
  readonly #connection: NatsConnection;
  readonly #reconnectListeners = new Set<() => void>();
  readonly #disconnectListeners = new Set<() => void>();
  #up = true;

  private constructor(connection: NatsConnection) {
    this.#connection = connection;
    void this.#watch();
  }

  static async connect(options: NatsBusOptions): Promise<NatsBus> {
    const connection = await connect({
      servers: options.url.split(","),
      ...(options.token === undefined ? {} : { token: options.token }),
      name: options.name,
      maxReconnectAttempts: -1,
      waitOnFirstConnect: true,
      // A broker that is starting may refuse once; only the operator ends the tries.
      ignoreAuthErrorAbort: true,
      timeout: BROKER_CONNECT_MS,
      reconnectDelayHandler: reconnectPace(),
      pingInterval: BROKER_PING_MS,
      maxPingOut: BROKER_PINGS_MISSED_MAX,
      noAsyncTraces: true,
    });
    return new NatsBus(connection);
  }

  async #watch(): Promise<void> {
    for await (const status of this.#connection.status()) {
      if (status.type === "disconnect" && this.#up) {
        this.#up = false;
        for (const listener of this.#disconnectListeners) listener();
      }
      if (status.type === "reconnect") {
        this.#up = true;
        for (const listener of this.#reconnectListeners) listener();
      }
    }
  }

  /** The connection itself, for what only this broker has: its stored streams. Closed by `close` alone. */
  get connection(): NatsConnection {
    return this.#connection;
  }

  publish(subject: string, data: Uint8Array, reply?: string): void {
    if (data.length > MESSAGE_BYTES_MAX) {
      throw new RangeError(`message of ${data.length} bytes to ${subject} exceeds ${MESSAGE_BYTES_MAX}`);
    }
    // While the link is down the client would only keep bytes that it drops at the next dial.
    if (!this.#up || this.#connection.isClosed()) return;
    this.#connection.publish(subject, data, reply === undefined ? {} : { reply });
  }

  subscribe(subject: string, handler: (message: BusMessage) => void): BusSubscription {
    const subscription = this.#connection.subscribe(subject, {
      callback: (error: Error | null, message: Msg) => {
        if (error !== null) return;
        try {
          handler({ subject: message.subject, data: message.data, reply: message.reply });
        } catch (thrown) {
          // Thrown in here it would only end the client's reader, in silence.
          process.nextTick(() => {
            throw thrown;
          });
        }
      },
    });
    return { unsubscribe: () => subscription.unsubscribe() };
  }

  async request(subject: string, data: Uint8Array, timeoutMs: number): Promise<Uint8Array> {
    try {
      const answer = await this.#connection.request(subject, data, { timeout: timeoutMs });
      return answer.data;
    } catch (error) {
      throw requestError(error, subject);
    }
  }

  inbox(): string {
    return `_INBOX.${crypto.randomUUID()}`;
  }

  async flush(): Promise<void> {
    try {
      await this.#connection.flush();
    } catch (error) {
      throw requestError(error, "(flush)");
    }
  }

  onReconnect(listener: () => void): BusSubscription {
    this.#reconnectListeners.add(listener);
    return { unsubscribe: () => void this.#reconnectListeners.delete(listener) };
  }

  onDisconnect(listener: () => void): BusSubscription {
    this.#disconnectListeners.add(listener);
    return { unsubscribe: () => void this.#disconnectListeners.delete(listener) };
  }

  async close(): Promise<void> {
    if (!this.#connection.isClosed()) await this.#connection.close();
  }
}

function requestError(error: unknown, subject: string): BusRequestError {
  if (error instanceof errors.RequestError && error.isNoResponders()) {
    return new BusRequestError("no_responder", subject);
  }
  if (error instanceof errors.NoRespondersError) return new BusRequestError("no_responder", subject);
  if (error instanceof errors.ClosedConnectionError || error instanceof errors.DrainingConnectionError) {
    return new BusRequestError("closed", subject);
  }
  // A time-out, or a link that broke under way: the outcome is unknown either way.
  return new BusRequestError("timeout", subject);
}
