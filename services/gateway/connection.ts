import type { Socket } from "node:net";
import { BinaryWriter } from "@bufbuild/protobuf/wire";
import { ClientMessage, GatewayMessage, LogoutReason } from "../../proto/generated/evercross/v1/gateway.ts";
import { FrameReader } from "../../runtime/messaging/frame.ts";
import {
  CLIENT_BACKLOG_BYTES_MAX,
  CLIENT_FRAME_BYTES_MAX,
  CLOSE_TIMEOUT_MS,
  FRAME_TIMEOUT_MS,
  HEARTBEAT_MS,
  HEARTBEATS_MISSED_MAX,
  LOGON_TIMEOUT_MS,
} from "../limits.ts";
import { SafeReader } from "../wire/safe-reader.ts";

export interface ConnectionHandlers {
  /** `outOfRange`: an integer of the message was past 2^53 - 1 and stands clamped. */
  message(message: ClientMessage, outOfRange: boolean): void;
  /** Something was sent for the first time in this turn: call `flush` at its end. */
  dirty(): void;
  /** The connection is over; called once. */
  closed(reason: LogoutReason, text: string): void;
}

/** One client's TCP or TLS connection: frames in, frames out, and everything that a stranger may do wrong. */
export class Connection {
  readonly remote: string;
  readonly #socket: Socket;
  readonly #handlers: ConnectionHandlers;
  readonly #reader = new FrameReader(CLIENT_FRAME_BYTES_MAX);
  #writer = new BinaryWriter();
  #dirty = false;
  #closed = false;
  #loggedOn = false;
  readonly #openedAt: number;
  #receivedAt: number;
  #sentAt: number;
  #partialSince = 0;

  constructor(socket: Socket, now: number, handlers: ConnectionHandlers) {
    this.#socket = socket;
    this.#handlers = handlers;
    this.#openedAt = now;
    this.#receivedAt = now;
    this.#sentAt = now;
    this.remote = `${socket.remoteAddress ?? "?"}:${socket.remotePort ?? 0}`;
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => this.#receive(chunk));
    socket.on("error", () => this.#over(LogoutReason.REQUESTED, "connection lost"));
    socket.on("close", () => this.#over(LogoutReason.REQUESTED, "connection lost"));
    socket.on("end", () => this.#over(LogoutReason.REQUESTED, "connection closed by the client"));
  }

  get open(): boolean {
    return !this.#closed;
  }

  /** Bytes that the client has not taken yet. */
  get backlog(): number {
    return this.#socket.writableLength;
  }

  /** The logon was accepted: from now on heartbeats count instead of the logon's time-out. */
  loggedOn(): void {
    this.#loggedOn = true;
  }

  send(message: GatewayMessage): void {
    if (this.#closed) return;
    GatewayMessage.encode(message, this.#writer.fork()).join();
    if (this.#dirty) return;
    this.#dirty = true;
    this.#handlers.dirty();
  }

  /** Writes what was sent since the last flush in one piece. */
  flush(now: number): void {
    if (!this.#dirty) return;
    this.#dirty = false;
    const bytes = this.#writer.finish();
    this.#writer = new BinaryWriter();
    if (this.#closed) return;
    this.#sentAt = now;
    this.#socket.write(bytes);
    if (this.#socket.writableLength > CLIENT_BACKLOG_BYTES_MAX) {
      this.end(LogoutReason.SLOW_CONSUMER, `more than ${CLIENT_BACKLOG_BYTES_MAX} bytes wait to be read`);
    }
  }

  /** Tells the client why, and closes. */
  end(reason: LogoutReason, text: string): void {
    if (this.#closed) return;
    this.send({ body: { $case: "logout", value: { reason, text } } });
    this.#closed = true;
    // Nothing is heard any more; the last words get a little time to leave.
    this.#socket.removeAllListeners("data");
    this.#socket.resume();
    const cut = setTimeout(() => this.#socket.destroy(), CLOSE_TIMEOUT_MS);
    this.#socket.once("close", () => clearTimeout(cut));
    this.#socket.end(this.#writer.finish());
    this.#handlers.closed(reason, text);
  }

  /** Looks at what has timed out, and sends a heartbeat where one is due. */
  sweep(now: number): void {
    if (this.#closed) return;
    if (!this.#loggedOn) {
      if (now - this.#openedAt > LOGON_TIMEOUT_MS) {
        this.end(LogoutReason.LOGON_TIMEOUT, `no logon within ${LOGON_TIMEOUT_MS} ms`);
      }
      return;
    }
    if (this.#reader.partial && now - this.#partialSince > FRAME_TIMEOUT_MS) {
      this.end(LogoutReason.FRAME_TIMEOUT, `a frame was not whole within ${FRAME_TIMEOUT_MS} ms`);
    } else if (now - this.#receivedAt > HEARTBEAT_MS * HEARTBEATS_MISSED_MAX) {
      this.end(
        LogoutReason.HEARTBEAT_TIMEOUT,
        `nothing heard for ${HEARTBEAT_MS * HEARTBEATS_MISSED_MAX} ms`,
      );
    } else if (now - this.#sentAt >= HEARTBEAT_MS) {
      this.send({ body: { $case: "heartbeat", value: {} } });
    }
  }

  #receive(chunk: Buffer): void {
    const now = performance.now();
    this.#receivedAt = now;
    const began = this.#reader.partial ? this.#partialSince : now;
    let whole = false;
    const fault = this.#reader.push(chunk, (frame) => {
      whole = true;
      this.#frame(frame);
    });
    // A trickle of bytes does not make an old frame young.
    this.#partialSince = whole ? now : began;
    if (fault === undefined) return;
    const tooLarge = fault === "frame_too_large";
    this.end(
      tooLarge ? LogoutReason.FRAME_TOO_LARGE : LogoutReason.MALFORMED_FRAME,
      tooLarge ? `a frame may have ${CLIENT_FRAME_BYTES_MAX} bytes` : "a frame's length is not a varint",
    );
  }

  #frame(frame: Buffer): void {
    if (this.#closed) return;
    const reader = new SafeReader(frame);
    let message: ClientMessage;
    try {
      message = ClientMessage.decode(reader);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      return this.end(LogoutReason.MALFORMED_FRAME, `a frame is no message of this protocol: ${why}`);
    }
    this.#handlers.message(message, reader.outOfRange);
  }

  #over(reason: LogoutReason, text: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket.destroy();
    this.#handlers.closed(reason, text);
  }
}
