import type { ExecutionReport, Reject } from "../../../proto/generated/evercross/v1/gateway.ts";
import type { Request } from "../../../proto/generated/evercross/v1/link.ts";
import { SymbolChain } from "../../../services/client/symbol-chain.ts";
import { FLOW_SYMBOL } from "../crossing-flow.ts";
import type { SimConnection, ToClient } from "./sim-connection.ts";
import type { SimWorld } from "./sim-world.ts";

const RECONNECT_MS = 10;

/** A broker with a plan: the real memory of one symbol, over whatever connection it can get. */
export class SimClient {
  readonly session: string;
  /** What it asked, in order. */
  readonly asked: number[] = [];
  readonly reports: ExecutionReport[] = [];
  readonly rejects: Reject[] = [];
  readonly #world: SimWorld;
  readonly #plan: NonNullable<Request["body"]>[];
  readonly #chain = new SymbolChain(FLOW_SYMBOL);
  #connection: SimConnection | undefined;
  #nextSeq = 1;

  constructor(world: SimWorld, session: string, plan: readonly NonNullable<Request["body"]>[]) {
    this.#world = world;
    this.session = session;
    this.#plan = [...plan];
    this.#connect();
    this.#askOn();
  }

  get done(): boolean {
    return this.#plan.length === 0 && this.#chain.unanswered === 0;
  }

  /** The connection breaks, as networks do. */
  disconnect(): void {
    this.#connection?.break();
  }

  /** Bursts with pauses between; sometimes while there is no connection. */
  #askOn(): void {
    const { clock, random, window } = this.#world;
    for (let burst = random.below(8); burst >= 0; burst--) {
      if (this.#plan.length === 0) return;
      if (this.#chain.unanswered < window) this.#ask();
    }
    clock.after(random.below(40), () => this.#askOn());
  }

  #ask(): void {
    // Between two requests of this symbol the session may have asked of others.
    this.#nextSeq += this.#world.random.below(3);
    const request = this.#chain.add(this.#nextSeq++, this.#plan.shift());
    this.asked.push(request.seq);
    if (this.#chain.open) this.#connection?.toGateway({ $case: "request", value: request });
  }

  #connect(): void {
    const connection = this.#world.connect(this.session, {
      message: (message) => this.#message(message),
      closed: () => {
        this.#chain.open = false;
        this.#connection = undefined;
        this.#world.clock.after(RECONNECT_MS, () => this.#connect());
      },
    });
    if (connection === undefined) {
      this.#world.clock.after(RECONNECT_MS, () => this.#connect());
      return;
    }
    this.#connection = connection;
    connection.toGateway({ $case: "resume", value: this.#chain.resume() });
  }

  #message(message: ToClient): void {
    if (message.$case === "report") {
      if (this.#chain.report(message.value)) this.reports.push(message.value);
    } else if (message.$case === "reject") {
      if (this.#chain.refused(message.value.seq)) this.rejects.push(message.value);
    } else if (message.$case === "resumed") {
      const outcome = this.#chain.resumed(message.value, false);
      if (outcome.kind === "history")
        throw new Error(`${this.session}: mark ${outcome.mark} without history`);
      for (const value of outcome.requests) this.#connection?.toGateway({ $case: "request", value });
    }
  }
}
