import { rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { AgentMessage, HostMessage } from "../../proto/generated/evercross/v1/control.ts";
import { CONTROL_FRAME_BYTES_MAX } from "../limits.ts";
import { encodeFrame, FrameReader } from "../messaging/frame.ts";
import type { AgentMessageBody, HostLinks, HostLinksHandlers } from "./host-links.ts";

/** The agent's end of its node's local socket: one link for each job host that connects. */
export class HostServer implements HostLinks {
  readonly #server: Server;
  readonly #node: string;
  readonly #handlers: HostLinksHandlers;
  readonly #links = new Map<number, Socket>();

  private constructor(node: string, handlers: HostLinksHandlers) {
    this.#node = node;
    this.#handlers = handlers;
    this.#server = createServer((socket) => {
      this.#accept(socket);
    });
  }

  /** Listens in the place of whatever listened there before: only one agent of a node may do this. */
  static async listen(path: string, node: string, handlers: HostLinksHandlers): Promise<HostServer> {
    const server = new HostServer(node, handlers);
    rmSync(path, { force: true });
    await new Promise<void>((resolve, reject) => {
      server.#server.once("error", reject);
      server.#server.listen(path, resolve);
    });
    return server;
  }

  send(link: number, body: AgentMessageBody): void {
    this.#links.get(link)?.write(encodeFrame(AgentMessage.encode({ body }).finish()));
  }

  drop(link: number): void {
    const socket = this.#links.get(link);
    this.#links.delete(link);
    socket?.destroy();
  }

  /** The hosts see a closed link, and try for ever to get another. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => {
        resolve();
      });
    });
    for (const link of this.#links.keys()) this.drop(link);
    await closed;
  }

  #accept(socket: Socket): void {
    const link = this.#handlers.nextLink();
    const reader = new FrameReader(CONTROL_FRAME_BYTES_MAX);
    this.#links.set(link, socket);
    const end = (detail: string): void => {
      if (!this.#links.has(link)) return;
      this.drop(link);
      this.#handlers.onClosed(link, detail);
    };
    socket.on("data", (chunk) => {
      const fault = reader.push(chunk, (frame) => {
        if (!this.#links.has(link)) return;
        let message: HostMessage;
        try {
          message = HostMessage.decode(frame);
        } catch (error) {
          end(`spoke nonsense: ${(error as Error).message}`);
          return;
        }
        this.#handlers.onMessage(link, this.#node, message);
      });
      if (fault !== undefined) end(`spoke nonsense: ${fault}`);
    });
    socket.on("error", (error) => {
      end(error.message);
    });
    socket.on("close", () => {
      end("closed its link");
    });
  }
}
