import { connect, type Socket } from "node:net";
import type { Logger } from "pino";
import { AgentMessage, HostMessage } from "../../proto/generated/evercross/v1/control.ts";
import { AGENT_RECONNECT_MS, CONTROL_FRAME_BYTES_MAX } from "../limits.ts";
import { encodeFrame, FrameReader } from "../messaging/frame.ts";
import type { AgentWay, AgentWayHandlers, HostMessageBody } from "./agent-way.ts";

export interface AgentLinkOptions extends AgentWayHandlers {
  readonly socketPath: string;
  readonly onConnected: () => void;
  /** Only after `onConnected`. */
  readonly onLost: () => void;
  readonly logger: Logger;
}

/** A job host's end of the local socket. Whenever there is no agent it tries again, for ever: the jobs do not care. */
export class AgentLink implements AgentWay {
  readonly #options: AgentLinkOptions;
  #socket: Socket | undefined;
  #up = false;
  #retry: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: AgentLinkOptions) {
    this.#options = options;
    this.#connect();
  }

  get up(): boolean {
    return this.#up;
  }

  /** What is lost while there is no agent, the next hello tells. */
  send(body: HostMessageBody): void {
    if (this.#up) this.#socket?.write(encodeFrame(HostMessage.encode({ body }).finish()));
  }

  /** Who is at the other end does not use it: another agent may listen there by now. */
  drop(): void {
    this.#socket?.destroy();
  }

  close(): void {
    this.#closed = true;
    this.#up = false;
    clearTimeout(this.#retry);
    this.#socket?.end();
  }

  #connect(): void {
    const { socketPath, hello, onMessage, onConnected, onLost, logger } = this.#options;
    const socket = connect(socketPath);
    const reader = new FrameReader(CONTROL_FRAME_BYTES_MAX);
    this.#socket = socket;
    socket.on("connect", () => {
      this.#up = true;
      this.send(hello());
      logger.info("agent connected");
      onConnected();
    });
    socket.on("data", (chunk) => {
      if (this.#closed) return;
      const nonsense = (error: string): void => {
        logger.error({ error }, "agent spoke nonsense");
        socket.destroy();
      };
      try {
        const fault = reader.push(chunk, (frame) => {
          if (!socket.destroyed) onMessage(AgentMessage.decode(frame), "");
        });
        if (fault !== undefined) nonsense(fault);
      } catch (error) {
        nonsense((error as Error).message);
      }
    });
    // The reason is of no interest: `close` follows, and there is but one thing to do.
    socket.on("error", () => undefined);
    socket.on("close", () => {
      const wasUp = this.#up;
      this.#up = false;
      if (this.#closed) return;
      this.#retry = setTimeout(() => {
        this.#connect();
      }, AGENT_RECONNECT_MS);
      if (!wasUp) return;
      logger.info("agent lost");
      onLost();
    });
  }
}
