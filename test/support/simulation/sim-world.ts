import type { Request } from "../../../proto/generated/evercross/v1/link.ts";
import { CrossingAnswer } from "../../../proto/generated/evercross/v1/link.ts";
import type { LogPublication } from "../../../proto/generated/evercross/v1/log.ts";
import type { JobReply, JobRequest } from "../../../runtime/job/definition.ts";
import { Random } from "../../../services/flow/random.ts";
import { SimClient } from "./sim-client.ts";
import { SimClock } from "./sim-clock.ts";
import { SimConnection, type SimEnd, type ToClient } from "./sim-connection.ts";
import { SimCrossing } from "./sim-crossing.ts";
import { SimGateway } from "./sim-gateway.ts";
import { SimLog } from "./sim-log.ts";
import { SimNetwork, type SimRates } from "./sim-network.ts";

/** A rule that is left out, to show that the checks notice. */
export type BrokenRule = "ignores_prev" | "never_resends" | "publishes_early" | "forgets_marks";

export interface SimFault {
  /** Milliseconds from the beginning. */
  readonly at: number;
  readonly kind: "kill_crossing" | "replace_crossing" | "kill_gateway" | "disconnect" | "broker_outage";
  /** Which gateway or client. */
  readonly who: number;
  /** Milliseconds until it is mended. */
  readonly duration: number;
}

export interface SimPlan {
  readonly seed: number;
  readonly rates: SimRates;
  readonly faults: readonly SimFault[];
  /** What each session asks. */
  readonly asks: readonly (readonly NonNullable<Request["body"]>[])[];
  /** Requests that a client keeps unanswered. */
  readonly window: number;
}

const GATEWAYS = 2;
/** Faults end here. */
export const FAULTS_MS = 2500;
/** In a healed world everything must be answered within this: many times the longest time-out. */
const PATIENCE_MS = 20_000;
const QUIET_MS = 2500;

/** Clients, gateways, a crossing job and its log in one process and in fake time, over a network that may do anything. */
export class SimWorld {
  readonly clock = new SimClock();
  readonly random: Random;
  readonly network: SimNetwork;
  readonly log = new SimLog();
  readonly clients: readonly SimClient[];
  readonly broken: BrokenRule | undefined;
  readonly window: number;
  /** How many instances of crossing there were. */
  starts = 0;
  readonly #gateways: SimGateway[] = [];
  readonly #instances = new Set<SimCrossing>();
  #crossing: SimCrossing;
  #gatewayStarts = 0;

  constructor(plan: SimPlan, broken?: BrokenRule) {
    this.random = new Random(plan.seed);
    this.network = new SimNetwork(this.clock, this.random, plan.rates);
    this.broken = broken;
    this.window = plan.window;
    this.#crossing = this.#startCrossing();
    for (let i = 0; i < GATEWAYS; i++) this.#gateways.push(this.#startGateway());
    this.clients = plan.asks.map((bodies, i) => new SimClient(this, `s${i}`, bodies));
    for (const fault of plan.faults) this.clock.after(fault.at, () => this.#strike(fault));
    this.clock.after(FAULTS_MS, () => this.network.heal());
  }

  /** Runs the faults, heals, and waits; false when something was never answered. */
  run(): boolean {
    this.clock.run(FAULTS_MS, () => false);
    const done = this.clock.run(FAULTS_MS + PATIENCE_MS, () => this.clients.every((client) => client.done));
    this.clock.run(this.clock.now + QUIET_MS, () => false);
    return done;
  }

  /** The state hash of the instance that serves. */
  liveHash(): string {
    return this.#crossing.hash();
  }

  toCrossing(request: JobRequest): void {
    // By logical name: every instance that believes to be the one hears it.
    for (const instance of this.#instances) this.network.send(() => instance.receive(request));
  }

  reply(reply: JobReply): void {
    const answer = CrossingAnswer.decode(reply.data);
    const to = reply.to.split(".")[0];
    for (const gateway of this.#gateways) {
      if (gateway.name === to) this.network.send(() => gateway.answer(reply.to, answer));
    }
  }

  publish(publication: LogPublication): void {
    for (const gateway of this.#gateways) this.network.send(() => gateway.publication(publication));
  }

  /** An instance has learned that it is replaced. */
  crossingEnded(instance: SimCrossing): void {
    this.#instances.delete(instance);
    // The one that was nominated may lose too: then there must be another.
    if (instance === this.#crossing) this.#restartCrossing(10);
  }

  /** Undefined when there is nobody at the address that was tried. */
  connect(session: string, client: SimEnd<ToClient>): SimConnection | undefined {
    const gateway = this.#gateways[this.random.below(GATEWAYS)];
    if (gateway?.alive !== true) return undefined;
    for (const other of this.#gateways) {
      if (other !== gateway) this.network.send(() => other.claimed(session));
    }
    return new SimConnection(
      this.clock,
      this.random,
      session,
      client,
      (connection) => gateway.accept(connection),
      () => this.network.cuts(),
    );
  }

  #startCrossing(): SimCrossing {
    this.starts += 1;
    const instance = new SimCrossing(this);
    this.#instances.add(instance);
    return instance;
  }

  #restartCrossing(delay: number): void {
    const before = this.#crossing;
    this.clock.after(delay, () => {
      if (this.#crossing === before) this.#crossing = this.#startCrossing();
    });
  }

  #strike({ kind, who, duration }: SimFault): void {
    switch (kind) {
      case "kill_crossing":
        this.#crossing.kill();
        this.#instances.delete(this.#crossing);
        this.#restartCrossing(duration);
        break;
      case "replace_crossing":
        // The one before still runs, and does not know.
        this.#crossing = this.#startCrossing();
        break;
      case "kill_gateway":
        this.#restartGateway(who % GATEWAYS, duration);
        break;
      case "disconnect":
        this.clients[who % this.clients.length]?.disconnect();
        break;
      case "broker_outage":
        this.network.outage(duration, () => {
          for (const gateway of this.#gateways) gateway.reconnected();
        });
        break;
    }
  }

  /** Each has an inbox of its own: nobody hears the answers to a dead one. */
  #startGateway(): SimGateway {
    this.#gatewayStarts += 1;
    return new SimGateway(this, `gateway${this.#gatewayStarts}`);
  }

  #restartGateway(at: number, duration: number): void {
    const before = this.#gateways[at] as SimGateway;
    before.kill();
    this.clock.after(duration, () => {
      if (this.#gateways[at] === before) this.#gateways[at] = this.#startGateway();
    });
  }
}
