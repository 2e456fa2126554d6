import { AgentMessage, type HostMessage } from "../../proto/generated/evercross/v1/control.ts";
import { RemoteHostMessage } from "../../proto/generated/evercross/v1/hierarchy.ts";
import type { Bus, BusMessage, BusSubscription } from "../messaging/bus.ts";
import { remoteCallSubject, remoteHostsSubject, remoteHostSubject } from "../messaging/subject.ts";
import type { AgentMessageBody, HostLinks, HostLinksHandlers } from "./host-links.ts";

export interface RemoteHostsOptions {
  readonly cluster: string;
  /** The name of the agent's role. */
  readonly agent: string;
  /** The agent's own node: hosts that run there speak by the local socket. */
  readonly node: string;
  readonly bus: Bus;
}

interface RemoteLink {
  readonly link: number;
  readonly node: string;
  readonly subject: string;
  readonly key: string;
}

/**
 * The agent's end of the links to job hosts on other nodes, over the broker. A link is a process: it begins with the first hello and
 * ends only when it is dropped, for nothing tells of the end of a process that is far away but its silence.
 */
export class RemoteHosts implements HostLinks {
  readonly #options: RemoteHostsOptions;
  readonly #handlers: HostLinksHandlers;
  readonly #subscriptions: readonly BusSubscription[];
  /** Answers to polls come here: of several agents of one role, each hears those to its own. */
  readonly #inbox: string;
  readonly #links = new Map<number, RemoteLink>();
  readonly #byKey = new Map<string, RemoteLink>();

  constructor(options: RemoteHostsOptions, handlers: HostLinksHandlers) {
    const { bus, cluster, agent } = options;
    this.#options = options;
    this.#handlers = handlers;
    this.#inbox = bus.inbox();
    const hear = (message: BusMessage): void => {
      this.#hear(message.data);
    };
    this.#subscriptions = [
      bus.subscribe(remoteHostsSubject(cluster, agent), hear),
      bus.subscribe(this.#inbox, hear),
    ];
  }

  /**
   * Asks every host of this agent for a hello. Hosts that another instance polls would say none by themselves, and then
   * neither instance would hear of the other.
   */
  call(): void {
    const { bus, cluster, agent } = this.#options;
    bus.publish(remoteCallSubject(cluster, agent), new Uint8Array());
  }

  send(link: number, body: AgentMessageBody): void {
    const subject = this.#links.get(link)?.subject;
    if (subject === undefined) return;
    this.#options.bus.publish(subject, AgentMessage.encode({ body }).finish(), this.#inbox);
  }

  drop(link: number): void {
    const known = this.#links.get(link);
    this.#links.delete(link);
    if (known !== undefined) this.#byKey.delete(known.key);
  }

  async close(): Promise<void> {
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
    this.#links.clear();
    this.#byKey.clear();
  }

  #hear(data: Uint8Array): void {
    let decoded: RemoteHostMessage;
    try {
      decoded = RemoteHostMessage.decode(data);
    } catch {
      // Whoever said it cannot be known: if it was a host, it has not answered.
      return;
    }
    const { node, host, pid, message } = decoded;
    if (message === undefined || node === this.#options.node) return;
    const key = `${node}.${host}:${pid}`;
    const known = this.#byKey.get(key);
    if (known !== undefined) return this.#handlers.onMessage(known.link, node, message);
    // Anything else comes from a link that was dropped.
    if (message.body?.$case === "hello") this.#begin(key, decoded, message);
  }

  #begin(key: string, { node, host, pid }: RemoteHostMessage, message: HostMessage): void {
    const subject = remoteHostSubject(this.#options.cluster, node, host, pid);
    const link = { link: this.#handlers.nextLink(), node, subject, key };
    this.#links.set(link.link, link);
    this.#byKey.set(key, link);
    this.#handlers.onMessage(link.link, node, message);
  }
}
