import type { ClientMessage, GatewayMessage } from "../../../proto/generated/evercross/v1/gateway.ts";
import type { Random } from "../../../services/flow/random.ts";
import type { SimClock } from "./sim-clock.ts";

export type ToGateway = NonNullable<ClientMessage["body"]>;
export type ToClient = NonNullable<GatewayMessage["body"]>;

export interface SimEnd<Message> {
  message(message: Message): void;
  closed(): void;
}

const DELAY_MAX = 8;
/** How long a gateway may take for dead what still talks, or the other way round. */
const UNNOTICED_MAX = 1500;

/** A TCP connection: in order both ways, until it breaks and takes with it what is under way. */
export class SimConnection {
  readonly session: string;
  readonly #clock: SimClock;
  readonly #random: Random;
  readonly #client: SimEnd<ToClient>;
  readonly #gateway: SimEnd<ToGateway>;
  readonly #cuts: () => boolean;
  #toClientAt = 0;
  #toGatewayAt = 0;
  #brokenAt = Infinity;

  constructor(
    clock: SimClock,
    random: Random,
    session: string,
    client: SimEnd<ToClient>,
    gateway: (connection: SimConnection) => SimEnd<ToGateway>,
    cuts: () => boolean,
  ) {
    this.session = session;
    this.#clock = clock;
    this.#random = random;
    this.#client = client;
    this.#cuts = cuts;
    this.#gateway = gateway(this);
  }

  get open(): boolean {
    return this.#brokenAt === Infinity;
  }

  /** The connection may break right behind it: between the two reports of one event, too. */
  toClient(message: ToClient): void {
    this.#toClientAt = this.#send(this.#toClientAt, () => {
      this.#client.message(message);
      if (!this.#cuts()) return;
      this.break();
      this.#brokenAt = -1;
    });
  }

  toGateway(message: ToGateway): void {
    this.#toGatewayAt = this.#send(this.#toGatewayAt, () => this.#gateway.message(message));
  }

  /** The client sees it soon; the gateway, when it still lives, perhaps much later. */
  break(): void {
    if (!this.open) return;
    this.#brokenAt = this.#clock.now + this.#random.below(DELAY_MAX);
    this.#clock.after(DELAY_MAX, () => this.#client.closed());
    const unnoticed = this.#random.chance(0.5) ? this.#random.below(UNNOTICED_MAX) : 0;
    this.#clock.after(DELAY_MAX + unnoticed, () => this.#gateway.closed());
  }

  #send(after: number, deliver: () => void): number {
    const at = Math.max(after, this.#clock.now + this.#random.below(DELAY_MAX));
    this.#clock.after(at - this.#clock.now, () => {
      if (this.#clock.now <= this.#brokenAt) deliver();
    });
    return at;
  }
}
