import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { BinaryWriter } from "@bufbuild/protobuf/wire";
import { ClientMessage, GatewayMessage } from "../../proto/generated/evercross/v1/gateway.ts";
import { FrameReader } from "../../runtime/messaging/frame.ts";
import { GATEWAY_FRAME_BYTES_MAX, HEARTBEAT_MS, HEARTBEATS_MISSED_MAX } from "../limits.ts";

export interface LinkTarget {
  readonly host: string;
  readonly port: number;
  /** PEM certificate authority; its presence asks for TLS. */
  readonly tlsCa: string | undefined;
}

export interface LinkHandlers {
  /** The connection is there; the logon may be sent. */
  connected(): void;
  message(message: GatewayMessage): void;
  /** Called once. */
  closed(why: string): void;
}

/** One connection of a client to a gateway. */
export class GatewayLink {
  readonly #socket: Socket;
  readonly #handlers: LinkHandlers;
  readonly #reader = new FrameReader(GATEWAY_FRAME_BYTES_MAX);
  readonly #beat: NodeJS.Timeout;
  #writer = new BinaryWriter();
  #dirty = false;
  #closed = false;
  #receivedAt = performance.now();
  #sentAt = performance.now();

  constructor(target: LinkTarget, handlers: LinkHandlers) {
    this.#handlers = handlers;
    const { host, port, tlsCa } = target;
    const socket =
      tlsCa === undefined
        ? connectTcp({ host, port }, () => handlers.connected())
        : connectTls({ host, port, ca: tlsCa }, () => handlers.connected());
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => this.#receive(chunk));
    socket.on("error", (error) => this.#over(error.message));
    socket.on("close", () => this.#over("the connection closed"));
    this.#beat = setInterval(() => this.#heartbeat(), HEARTBEAT_MS / 2);
  }

  send(body: NonNullable<ClientMessage["body"]>): void {
    ClientMessage.encode({ body }, this.#writer.fork()).join();
    if (this.#dirty) return;
    this.#dirty = true;
    // What is sent in one turn leaves in one write.
    setImmediate(() => this.flush());
  }

  flush(): void {
    if (!this.#dirty || this.#closed) return;
    this.#dirty = false;
    this.#sentAt = performance.now();
    this.#socket.write(this.#writer.finish());
    this.#writer = new BinaryWriter();
  }

  /** Lets what was sent leave, and closes; resolves when the connection is gone. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.flush();
    const gone = new Promise<void>((resolve) => this.#socket.once("close", () => resolve()));
    this.#socket.end();
    const cut = setTimeout(() => this.#socket.destroy(), HEARTBEAT_MS);
    await gone;
    clearTimeout(cut);
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #receive(chunk: Buffer): void {
    this.#receivedAt = performance.now();
    try {
      const fault = this.#reader.push(chunk, (frame) => {
        if (!this.#closed) this.#handlers.message(GatewayMessage.decode(frame));
      });
      if (fault !== undefined) this.#over(`the gateway sent a bad frame: ${fault}`);
    } catch (error) {
      this.#over(error instanceof Error ? error.message : String(error));
    }
  }

  #heartbeat(): void {
    const now = performance.now();
    if (now - this.#receivedAt > HEARTBEAT_MS * HEARTBEATS_MISSED_MAX) this.#over("the gateway fell silent");
    else if (now - this.#sentAt > HEARTBEAT_MS) this.send({ $case: "heartbeat", value: {} });
  }

  #over(why: string): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#beat);
    this.#socket.destroy();
    this.#handlers.closed(why);
  }
}
