import { AgentRequest, AgentResponse, type AgentStatus } from "../../proto/generated/evercross/v1/control.ts";
import {
  Announcement,
  MonitorAnswer,
  MonitorPoll,
  NodeProbeAnswer,
} from "../../proto/generated/evercross/v1/hierarchy.ts";
import type { Bus, BusMessage, BusSubscription } from "../messaging/bus.ts";
import { agentSubject, monitorSubject, probeSubject } from "../messaging/subject.ts";
import type { InstanceId } from "../monitor/instance.ts";
import { parseRole } from "../monitor/role.ts";
import type { AgentInput, AgentOutput } from "./agent-message.ts";

type Output<K extends AgentOutput["kind"]> = Extract<AgentOutput, { kind: K }>;

export interface AgentDeskOptions {
  readonly cluster: string;
  readonly role: string;
  readonly self: InstanceId;
  readonly bus: Bus;
  readonly status: () => AgentStatus;
  readonly give: (input: AgentInput) => void;
}

/** What an agent hears and says over the broker, but for its job hosts: its parent, its peers, operators, and who asks for its node. */
export class AgentDesk {
  readonly #options: AgentDeskOptions;
  readonly #subscriptions: BusSubscription[] = [];
  /** Where the answer to each poll goes that was not answered yet. */
  readonly #asks = new Map<number, string>();
  #asked = 0;
  #parent: { readonly role: string; readonly subscription: BusSubscription } | undefined;

  constructor(options: AgentDeskOptions) {
    const { cluster, role, self, bus } = options;
    this.#options = options;
    const hear = (subject: string, answer: (message: BusMessage) => void): void => {
      this.#subscriptions.push(bus.subscribe(subject, answer));
    };
    hear(agentSubject(cluster, parseRole(role).name), ({ data, reply }) => {
      if (reply !== undefined) bus.publish(reply, this.#operate(data));
    });
    hear(monitorSubject(cluster, role, "poll"), (message) => {
      this.#polled(message);
    });
    this.#subscriptions.push(this.#hearAnnouncements(role));
    const probed = NodeProbeAnswer.encode({ node: self.node, process: role, pid: self.pid }).finish();
    hear(probeSubject(cluster, self.node), ({ reply }) => {
      if (reply !== undefined) bus.publish(reply, probed);
    });
  }

  /** The parent's restart is announced to its children. */
  setParent(role: string | undefined): void {
    if (this.#parent?.role === role) return;
    this.#parent?.subscription.unsubscribe();
    this.#parent = role === undefined ? undefined : { role, subscription: this.#hearAnnouncements(role) };
  }

  answer({ ask, beat, best, escalations, nodes }: Output<"answer">): void {
    const { role, self, bus } = this.#options;
    const reply = this.#asks.get(ask);
    this.#asks.delete(ask);
    if (reply === undefined) return;
    const answer = { role, from: self, beat, best, escalations: [...escalations], nodes: [...nodes] };
    bus.publish(reply, MonitorAnswer.encode(answer).finish());
  }

  announce({ role, node, cause }: Output<"announce">): void {
    const { cluster, bus, role: byRole, self: by } = this.#options;
    const announcement = Announcement.encode({ role, node, byRole, by, cause }).finish();
    bus.publish(monitorSubject(cluster, role, "announce"), announcement);
  }

  close(): void {
    this.setParent(undefined);
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
  }

  #polled({ data, reply }: BusMessage): void {
    const poll = decoded(MonitorPoll, data);
    if (poll?.from === undefined || reply === undefined) return;
    const ask = ++this.#asked;
    this.#asks.set(ask, reply);
    this.#options.give({ kind: "poll", role: poll.role, from: poll.from, beat: poll.beat, ask });
    // What was not answered by now never will be.
    this.#asks.delete(ask);
  }

  #hearAnnouncements(role: string): BusSubscription {
    const { cluster, bus, give } = this.#options;
    return bus.subscribe(monitorSubject(cluster, role, "announce"), ({ data }) => {
      const announced = decoded(Announcement, data);
      if (announced?.by === undefined) return;
      give({ kind: "announced", ...announced, by: announced.by });
    });
  }

  #operate(data: Uint8Array): Uint8Array {
    const { role, status, give } = this.#options;
    const answer = (error: string, status?: AgentStatus): Uint8Array =>
      AgentResponse.encode({ error, status }).finish();
    let request: AgentRequest;
    try {
      request = AgentRequest.decode(data);
    } catch (error) {
      return answer(`not an AgentRequest: ${(error as Error).message}`);
    }
    switch (request.body?.$case) {
      case "status":
        return answer("", status());
      case "killJob": {
        const { job } = request.body.value;
        const watched = status().jobs.find((one) => one.status?.job === job);
        if (watched === undefined) return answer(`${role} has no job ${job}`);
        if (watched.host === "") return answer(`job ${job} has no host at this moment; ask again`);
        give({ kind: "kill", job });
        return answer("", status());
      }
      case undefined:
        return answer("the request is empty or of a later version");
    }
  }
}

/** Undefined for what is no such message: who said it is taken for silent. */
function decoded<T>(type: { decode(data: Uint8Array): T }, data: Uint8Array): T | undefined {
  try {
    return type.decode(data);
  } catch {
    return undefined;
  }
}
