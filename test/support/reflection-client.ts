import { connect, type Socket } from "node:net";
import { join } from "node:path";
import protobuf from "protobufjs";

const PROTO = join(import.meta.dirname, "../../proto");

/** A message as plain data: field names as in the .proto file, enums by name, 64-bit numbers as numbers. */
export type PlainMessage = Readonly<Record<string, unknown>>;

function loadGateway(): { readonly client: protobuf.Type; readonly gateway: protobuf.Type } {
  const root = new protobuf.Root();
  root.resolvePath = (_, target) => join(PROTO, target);
  root.loadSync("evercross/v1/gateway.proto", { keepCase: true });
  return {
    client: root.lookupType("evercross.v1.ClientMessage"),
    gateway: root.lookupType("evercross.v1.GatewayMessage"),
  };
}

const types = loadGateway();

/** One frame, length and all. */
export function encodeClientMessage(message: PlainMessage): Uint8Array {
  return types.client.encodeDelimited(types.client.fromObject(message)).finish();
}

interface Waiter {
  readonly wants: (message: PlainMessage) => boolean;
  readonly take: (message: PlainMessage) => void;
  readonly fail: (error: Error) => void;
}

/**
 * A broker's program that shares nothing with this project but the .proto files: messages by reflection, frames by
 * hand, over plain TCP. For tests of what the gateway says to anybody.
 */
export class ReflectionClient {
  /** Everything that came and was not taken, in order. */
  readonly received: PlainMessage[] = [];
  /** Resolves when the connection is closed. */
  readonly closed: Promise<void>;
  readonly #socket: Socket;
  readonly #waiters: Waiter[] = [];
  #rest = Buffer.alloc(0);

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => {
      this.#receive(chunk);
    });
    socket.on("error", () => undefined);
    this.closed = new Promise((resolve) => {
      socket.once("close", () => {
        for (const { fail } of this.#waiters.splice(0)) fail(new Error("the gateway closed the connection"));
        resolve();
      });
    });
  }

  static connect(host: string, port: number): Promise<ReflectionClient> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host, port }, () => {
        socket.off("error", reject);
        resolve(new ReflectionClient(socket));
      });
      socket.once("error", reject);
    });
  }

  /** Sends one `ClientMessage`, e.g. `{ logon: { version: 1, session: "a" } }`. Throws when it does not fit the .proto. */
  send(message: PlainMessage): void {
    const wrong = types.client.verify(message);
    if (wrong !== null) throw new Error(`not a ClientMessage: ${wrong}`);
    this.sendUnchecked(message);
  }

  /** As `send`, for what the .proto does not know, e.g. a side 9. */
  sendUnchecked(message: PlainMessage): void {
    this.sendBytes(encodeClientMessage(message));
  }

  sendBytes(bytes: Uint8Array): void {
    this.#socket.write(bytes);
  }

  /** Stops reading, as a client does that cannot keep up; the connection stays open. */
  pause(): void {
    this.#socket.pause();
  }

  /** Reads again after `pause`. */
  resume(): void {
    this.#socket.resume();
  }

  /** The first message, come or to come, with this body; it is taken out. Rejects after `deadlineMs`. */
  next(body: string, deadlineMs = 10_000): Promise<PlainMessage> {
    const wants = (message: PlainMessage): boolean => Object.hasOwn(message, body);
    const at = this.received.findIndex(wants);
    if (at !== -1) return Promise.resolve(this.received.splice(at, 1)[0]?.[body] as PlainMessage);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(
          new Error(`no ${body} came within ${deadlineMs} ms; others: ${JSON.stringify(this.received)}`),
        );
      }, deadlineMs);
      const take = (message: PlainMessage): void => {
        clearTimeout(timer);
        resolve(message[body] as PlainMessage);
      };
      const fail = (error: Error): void => {
        clearTimeout(timer);
        reject(error);
      };
      this.#waiters.push({ wants, take, fail });
    });
  }

  async close(): Promise<void> {
    this.#socket.destroy();
    await this.closed;
  }

  #receive(chunk: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    for (;;) {
      const frame = this.#frame();
      if (frame === undefined) return;
      const decoded = types.gateway.decode(frame);
      this.#arrived(
        types.gateway.toObject(decoded, { longs: Number, enums: String, defaults: true, oneofs: true }),
      );
    }
  }

  /** Cuts the first whole frame off what has arrived. */
  #frame(): Buffer | undefined {
    let length = 0;
    let at = 0;
    for (; ; at++) {
      const byte = this.#rest[at];
      if (byte === undefined) return undefined;
      length += (byte & 0x7f) * 2 ** (7 * at);
      if (byte < 0x80) break;
    }
    const end = at + 1 + length;
    if (this.#rest.length < end) return undefined;
    const frame = this.#rest.subarray(at + 1, end);
    this.#rest = this.#rest.subarray(end);
    return frame;
  }

  #arrived(message: PlainMessage): void {
    const at = this.#waiters.findIndex(({ wants }) => wants(message));
    if (at === -1) this.received.push(message);
    else this.#waiters.splice(at, 1)[0]?.take(message);
  }
}
