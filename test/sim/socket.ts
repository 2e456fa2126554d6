import type { AgentMessage, HostMessage } from "../../proto/generated/evercross/v1/control.ts";
import type { SimProcess } from "./sim-process.ts";
import type { World } from "./world.ts";

export interface SocketEnd<T> {
  readonly process: SimProcess;
  message(socket: Socket, message: T): void;
  closed(socket: Socket): void;
}

/** A local socket between a job host and its agent: in order, at once, until an end closes it or dies. */
export class Socket {
  readonly id: number;
  open = true;
  readonly #world: World;
  readonly #host: SocketEnd<AgentMessage>;
  readonly #agent: SocketEnd<HostMessage>;

  constructor(world: World, id: number, host: SocketEnd<AgentMessage>, agent: SocketEnd<HostMessage>) {
    this.#world = world;
    this.id = id;
    this.#host = host;
    this.#agent = agent;
    host.process.onEnd(() => this.#close(agent));
    agent.process.onEnd(() => this.#close(host));
  }

  toAgent(message: HostMessage): void {
    this.#pass(this.#agent, message);
  }

  toHost(message: AgentMessage): void {
    this.#pass(this.#host, message);
  }

  /** The other end hears it. */
  closeByHost(): void {
    this.#close(this.#agent);
  }

  closeByAgent(): void {
    this.#close(this.#host);
  }

  #pass<T>(end: SocketEnd<T>, message: T): void {
    if (!this.open) return;
    this.#world.clock.soon(() => end.process.hear(() => end.message(this, message)));
  }

  #close<T>(end: SocketEnd<T>): void {
    if (!this.open) return;
    this.open = false;
    this.#world.clock.soon(() => end.process.hear(() => end.closed(this)));
  }
}
