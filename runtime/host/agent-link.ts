import { connect, type Socket } from "node:net";
import type { Logger } from "pino";
import { AgentMessage, HostMessage } from "../../proto/generated/evercross/v1/control.ts";
import { AGENT_RECONNECT_MS, CONTROL_FRAME_BYTES_MAX } from "../limits.ts";
import { encodeFrame, FrameReader } from "../messaging/frame.ts";

export interface AgentLinkOptions {
  readonly socketPath: string;
  /** What the host says first on each new connection. */
  readonly hello: () => HostMessage;
  readonly onMessage: (message: AgentMessage) => void;
  readonly logger: Logger;
}

/** A job host's end of the local socket. Whenever there is no agent it tries again, for ever: the jobs do not care. */
export class AgentLink {
  readonly #options: AgentLinkOptions;
  #socket: Socket | undefined;
  #up = false;
  #retry: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: AgentLinkOptions) {
    this.#options = options;
    this.#connect();
  }

  /** Lost while there is no agent: the next hello tells it all. */
  send(body: NonNullable<HostMessage["body"]>): void {
    if (this.#up) this.#socket?.write(encodeFrame(HostMessage.encode({ body }).finish()));
  }

  close(): void {
    this.#closed = true;
    this.#up = false;
    clearTimeout(this.#retry);
    this.#socket?.end();
  }

  #connect(): void {
    const { socketPath, hello, onMessage, logger } = this.#options;
    const socket = connect(socketPath);
    const reader = new FrameReader(CONTROL_FRAME_BYTES_MAX);
    this.#socket = socket;
    socket.on("connect", () => {
      this.#up = true;
      socket.write(encodeFrame(HostMessage.encode(hello()).finish()));
      logger.info("agent connected");
    });
    socket.on("data", (chunk) => {
      if (this.#closed) return;
      const nonsense = (error: string): void => {
        logger.error({ error }, "agent spoke nonsense");
        socket.destroy();
      };
      try {
        const fault = reader.push(chunk, (frame) => {
          if (!socket.destroyed) onMessage(AgentMessage.decode(frame));
        });
        if (fault !== undefined) nonsense(fault);
      } catch (error) {
        nonsense((error as Error).message);
      }
    });
    // The reason is of no interest: `close` follows, and there is but one thing to do.
    socket.on("error", () => undefined);
    socket.on("close", () => {
      if (this.#up) logger.info("agent lost");
      this.#up = false;
      if (this.#closed) return;
      this.#retry = setTimeout(() => {
        this.#connect();
      }, AGENT_RECONNECT_MS);
    });
  }
}
