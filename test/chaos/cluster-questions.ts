import { AgentRequest, AgentResponse } from "../../proto/generated/evercross/v1/control.ts";
import { MonitorStatus, MonitorStatusRequest } from "../../proto/generated/evercross/v1/hierarchy.ts";
import type { Bus, BusSubscription } from "../../runtime/messaging/bus.ts";
import { agentSubject, monitorSubject } from "../../runtime/messaging/subject.ts";
import { parseRole } from "../../runtime/monitor/role.ts";
import type { ProcessRegistry } from "../../runtime/process/registry.ts";
import type { ClusterOperator } from "../../runtime/operator/cluster-operator.ts";
import type { ClusterSight } from "./cluster-sight.ts";

/** Milliseconds between two looks at the processes, and between two questions to each member. */
const LOOK_MS = 20;
const ASK_EVERY_LOOKS = 3;

/** Looks at a cluster's processes and asks its members, again and again, until it is stopped; tells a `ClusterSight` what it sees. */
export class ClusterQuestions {
  readonly #operator: ClusterOperator;
  readonly #registry: ProcessRegistry;
  readonly #sight: ClusterSight;
  readonly #inboxes = new Map<string, { readonly inbox: string; readonly subscription: BusSubscription }>();
  readonly #timer: NodeJS.Timeout;
  #looks = 0;

  constructor(operator: ClusterOperator, registry: ProcessRegistry, sight: ClusterSight) {
    this.#operator = operator;
    this.#registry = registry;
    this.#sight = sight;
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
    for (const { subscription } of this.#inboxes.values()) subscription.unsubscribe();
  }

  #look(): void {
    this.#sight.looked(this.#registry.alive(), performance.now());
    if (this.#looks++ % ASK_EVERY_LOOKS !== 0) return;
    const { bus, cluster, topology } = this.#operator;
    for (const { role } of topology.roles()) {
      const { level, name } = parseRole(role);
      const inbox = this.#inbox(bus, role, level === "agent");
      if (level === "agent") bus.publish(agentSubject(cluster, name), AGENT_QUESTION, inbox);
      else bus.publish(monitorSubject(cluster, role, "ask"), MONITOR_QUESTION, inbox);
    }
  }

  #inbox(bus: Bus, role: string, isAgent: boolean): string {
    let known = this.#inboxes.get(role);
    if (known === undefined) {
      const inbox = bus.inbox();
      const subscription = bus.subscribe(inbox, ({ data }) => {
        // The broker's own word that nobody listens is empty.
        if (data.length > 0) this.#answer(role, isAgent, data);
      });
      this.#inboxes.set(role, (known = { inbox, subscription }));
    }
    return known.inbox;
  }

  #answer(role: string, isAgent: boolean, data: Uint8Array): void {
    const nowMs = performance.now();
    if (isAgent) {
      const { status } = AgentResponse.decode(data);
      if (status === undefined) return;
      const { node, pid, active } = status;
      this.#sight.answered(role, { node, pid, active, status }, nowMs);
      return;
    }
    const { from, active } = MonitorStatus.decode(data);
    if (from === undefined) return;
    this.#sight.answered(role, { node: from.node, pid: from.pid, active, status: undefined }, nowMs);
  }
}

const AGENT_QUESTION = AgentRequest.encode({ body: { $case: "status", value: {} } }).finish();
const MONITOR_QUESTION = MonitorStatusRequest.encode({}).finish();
