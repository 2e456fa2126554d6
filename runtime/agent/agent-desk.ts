import { AgentRequest, AgentResponse, type AgentStatus } from "../../proto/generated/evercross/v1/control.ts";
import { MonitorAnswer, MonitorPoll, NodeProbeAnswer } from "../../proto/generated/evercross/v1/hierarchy.ts";
import { AnnouncementEar } from "../messaging/announcement-ear.ts";
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
  readonly #ear: AnnouncementEar;

  constructor(options: AgentDeskOptions) {
    const { cluster, role, self, bus, give } = options;
    this.#options = options;
    this.#ear = new AnnouncementEar(cluster, bus, (announced) => {
      if (announced.by !== undefined) give({ kind: "announced", ...announced, by: announced.by });
    });
    this.#ear.listen([role]);
    const hear = (subject: string, answer: (message: BusMessage) => void): void => {
      this.#subscriptions.push(bus.subscribe(subject, answer));
    };
    hear(agentSubject(cluster, parseRole(role).name), ({ data, reply }) => {
      if (reply !== undefined) bus.publish(reply, this.#operate(data));
    });
    hear(monitorSubject(cluster, role, "poll"), (message) => {
      this.#polled(message);
    });
    const probed = NodeProbeAnswer.encode({ node: self.node, process: role, pid: self.pid }).finish();
    hear(probeSubject(cluster, self.node), ({ reply }) => {
      if (reply !== undefined) bus.publish(reply, probed);
    });
  }

  /** The parent's restart is announced to its children. */
  setParent(role: string | undefined): void {
    this.#ear.listen(role === undefined ? [this.#options.role] : [this.#options.role, role]);
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
    const { role: byRole, self: by } = this.#options;
    this.#ear.announce({ role, node, byRole, by, cause });
  }

  close(): void {
    this.#ear.close();
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
  }

  #polled({ data, reply }: BusMessage): void {
    let poll: MonitorPoll;
    try {
      poll = MonitorPoll.decode(data);
    } catch {
      // Who polls like this hears no answer, and finds this agent silent.
      return;
    }
    if (poll.from === undefined || reply === undefined) return;
    const ask = ++this.#asked;
    this.#asks.set(ask, reply);
    const { role, from, beat, outdone } = poll;
    this.#options.give({ kind: "poll", role, from, beat, outdone, ask });
    // What was not answered by now never will be.
    this.#asks.delete(ask);
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
