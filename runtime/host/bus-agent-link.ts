import { AgentMessage, type HostMessage } from "../../proto/generated/evercross/v1/control.ts";
import { RemoteHostMessage } from "../../proto/generated/evercross/v1/hierarchy.ts";
import type { Bus, BusSubscription } from "../messaging/bus.ts";
import { remoteCallSubject, remoteHostsSubject, remoteHostSubject } from "../messaging/subject.ts";
import type { AgentWay, AgentWayHandlers, HostMessageBody } from "./agent-way.ts";

export interface BusAgentLinkOptions extends AgentWayHandlers {
  readonly bus: Bus;
  readonly cluster: string;
  readonly node: string;
  readonly host: string;
  readonly pid: number;
  /** The name of the agent's role. */
  readonly agent: string;
}

/** A job host's way over the broker to an agent that runs on another node. Nothing tells whether it is there but its polls. */
export class BusAgentLink implements AgentWay {
  readonly #options: BusAgentLinkOptions;
  readonly #subject: string;
  readonly #subscriptions: readonly BusSubscription[];

  constructor(options: BusAgentLinkOptions) {
    const { bus, cluster, node, host, pid, agent, onMessage } = options;
    this.#options = options;
    this.#subject = remoteHostsSubject(cluster, agent);
    const orders = bus.subscribe(remoteHostSubject(cluster, node, host, pid), ({ data, reply }) => {
      let message: AgentMessage;
      try {
        message = AgentMessage.decode(data);
      } catch {
        return;
      }
      onMessage(message, reply ?? "");
    });
    const calls = bus.subscribe(remoteCallSubject(cluster, agent), () => {
      this.hello();
    });
    this.#subscriptions = [orders, calls];
  }

  /** To be said for as long as it is not polled, too. */
  hello(): void {
    this.send(this.#options.hello());
  }

  send(body: HostMessageBody, to = ""): void {
    const { bus, node, host, pid } = this.#options;
    const message: HostMessage = { body };
    const data = RemoteHostMessage.encode({ node, host, pid, message }).finish();
    bus.publish(to === "" ? this.#subject : to, data);
  }

  close(): void {
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
  }
}
