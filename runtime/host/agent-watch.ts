import type { Logger } from "pino";
import type { AgentMessage, HostHello, Poll } from "../../proto/generated/evercross/v1/control.ts";
import { HistoryKind, NodeProbeAnswer } from "../../proto/generated/evercross/v1/hierarchy.ts";
import { hostRole } from "../agent/host-name.ts";
import {
  AGENT_BACKOFF_MIN_MS,
  AGENT_LOST_MS,
  AGENT_SUSPECT_MS,
  HOST_BEAT_MS,
  REMOTE_HELLO_EVERY_MS,
} from "../limits.ts";
import { AnnouncementEar } from "../messaging/announcement-ear.ts";
import type { Bus, BusSubscription } from "../messaging/bus.ts";
import { BusLink } from "../messaging/bus-link.ts";
import { probeSubject } from "../messaging/subject.ts";
import type { InstanceId } from "../monitor/instance.ts";
import { Monitor } from "../monitor/monitor.ts";
import type { MonitorEvent, MonitorInput, MonitorOutput, Peer } from "../monitor/monitor-message.ts";
import { parseRole } from "../monitor/role.ts";
import { hostTiming } from "../monitor/timing.ts";
import { AgentLink } from "./agent-link.ts";
import type { AgentWay, HostMessageBody } from "./agent-way.ts";
import { BusAgentLink } from "./bus-agent-link.ts";

export interface AgentWatchOptions {
  readonly cluster: string;
  /** Where this host runs. */
  readonly node: string;
  /** `h3`; unique on the node. */
  readonly host: string;
  /** The agent that keeps this host: its role, and the nodes where it may run. */
  readonly agent: { readonly role: string; readonly on: readonly string[] };
  /** Starts the agent on a node, and kills the instance that is taken for failed. Rejects when it could not be started. */
  readonly launchAgent: (node: string, failed: InstanceId | undefined) => Promise<unknown>;
  readonly socketPath: string;
  readonly bus: Promise<Bus>;
  readonly onEvent?: (event: MonitorEvent) => void;
  readonly logger: Logger;
}

export interface AgentWatchHandlers {
  readonly hello: () => HostHello;
  /** What a poll is answered with. */
  readonly jobs: () => HostHello["jobs"];
  /** The jobs whose state is kept warm, sorted. */
  readonly warm: () => string[];
  readonly onOrder: (order: Exclude<NonNullable<AgentMessage["body"]>, { $case: "poll" }>) => void;
}

/**
 * A job host's side of its agent: it hears it by the local socket where the agent runs on its node, else over the broker, answers its
 * polls, and starts it again when there are none. A shell around a `Monitor` of level host.
 */
export class AgentWatch {
  readonly #options: AgentWatchOptions;
  readonly #handlers: AgentWatchHandlers;
  readonly #self: InstanceId;
  readonly #monitor: Monitor;
  readonly #socket: AgentLink;
  #remote: BusAgentLink | undefined;
  #ear: AnnouncementEar | undefined;
  #probes: BusSubscription | undefined;
  #link: BusLink | undefined;
  /** Undefined while it is up. */
  #linkDownAt: number | undefined = performance.now();
  /** The way of the last poll, and what is said between polls. */
  #way: AgentWay;
  #direct: boolean;
  #polledAt = performance.now();
  #isKnown = false;
  #helloAt = -Infinity;
  /** What is to be answered by a way, by the number that the monitor was given. */
  readonly #asks = new Map<number, (beat: number, best: InstanceId) => void>();
  #asked = 0;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: AgentWatchOptions, handlers: AgentWatchHandlers, self: InstanceId) {
    const { node, host, agent, socketPath, logger } = options;
    this.#options = options;
    this.#handlers = handlers;
    this.#self = self;
    this.#direct = agent.on.includes(node);
    const role = hostRole(node, host);
    const surroundings = { parent: this.#parent(), children: [] };
    this.#monitor = new Monitor(
      { role, self, timing: hostTiming(), launches: false, random: Math.random, surroundings },
      performance.now(),
    );
    this.#step({ kind: "link", up: false });
    this.#socket = new AgentLink({
      socketPath,
      logger,
      hello: () => this.#hello(),
      onMessage: (message) => {
        this.#hear(this.#socket, message, "");
      },
      onConnected: () => {
        this.#way = this.#socket;
        // A new agent is given its time, however long there was none.
        this.#polledAt = performance.now();
      },
      onLost: () => {
        if (this.#way !== this.#socket) return;
        this.#step({ kind: "orphaned", reason: "closed its socket" });
        this.#tick();
      },
    });
    this.#way = this.#socket;
    void this.#serve();
    this.#tick();
  }

  /** Between two polls; lost while there is no agent. */
  send(body: HostMessageBody): void {
    this.#way.send(body);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#link?.close();
    this.#ear?.close();
    this.#probes?.unsubscribe();
    this.#remote?.close();
    this.#socket.close();
  }

  #parent(): Peer {
    return { ...this.#options.agent, direct: this.#direct };
  }

  #hello(): HostMessageBody {
    return { $case: "hello", value: this.#handlers.hello() };
  }

  /** The jobs and the local socket need no broker: whenever it is there, what needs it begins. */
  async #serve(): Promise<void> {
    const { cluster, node, host, agent } = this.#options;
    const bus = await this.#options.bus;
    if (this.#closed) return;
    const remote = new BusAgentLink({
      bus,
      cluster,
      node,
      host,
      pid: this.#self.pid,
      agent: parseRole(agent.role).name,
      hello: () => this.#hello(),
      onMessage: (message, from) => {
        this.#hear(remote, message, from);
      },
    });
    this.#remote = remote;
    const probed = NodeProbeAnswer.encode({ node, process: host, pid: this.#self.pid }).finish();
    this.#probes = bus.subscribe(probeSubject(cluster, node), ({ reply }) => {
      if (reply !== undefined) bus.publish(reply, probed);
    });
    this.#ear = new AnnouncementEar(cluster, bus, (announced) => {
      if (announced.by !== undefined) this.#step({ kind: "announced", ...announced, by: announced.by });
    });
    this.#ear.listen([agent.role]);
    this.#link = new BusLink(bus, (up) => {
      this.#linkDownAt = up ? undefined : performance.now();
      this.#tellLink();
    });
  }

  /** While it hears its agent over the broker, its monitor must know whether it is the broker that is silent. */
  #tellLink(): void {
    this.#step({ kind: "link", up: !this.#direct && this.#link?.up === true });
  }

  #hear(way: AgentWay, { body }: AgentMessage, from: string): void {
    if (this.#closed) return;
    if (body === undefined) {
      this.#options.logger.warn("agent sent an empty message, or one of a later version");
    } else if (body.$case === "poll") this.#polled(way, body.value, from);
    else this.#handlers.onOrder(body);
  }

  #polled(way: AgentWay, { beat, from, role }: Poll, reply: string): void {
    if (from === undefined || role !== this.#options.agent.role) return;
    this.#polledAt = performance.now();
    this.#isKnown = true;
    this.#use(way);
    const ask = ++this.#asked;
    this.#asks.set(ask, (answered, best) => {
      const linkDownMs =
        this.#linkDownAt === undefined ? 0 : Math.round(performance.now() - this.#linkDownAt);
      const value = {
        beat: answered,
        jobs: this.#handlers.jobs(),
        best,
        linkDownMs,
        warm: this.#handlers.warm(),
      };
      way.send({ $case: "answer", value }, reply);
    });
    this.#step({ kind: "poll", role, from, beat, outdone: [], ask });
    this.#asks.delete(ask);
  }

  /** An agent that is heard over the broker is not missed for the broker's own loss. */
  #use(way: AgentWay): void {
    this.#way = way;
    const direct = way === this.#socket;
    if (direct === this.#direct) return;
    this.#direct = direct;
    this.#step({ kind: "surroundings", surroundings: { parent: this.#parent(), children: [] } });
    this.#tellLink();
  }

  #tick(): void {
    if (this.#closed) return;
    const now = performance.now();
    const silentMs = now - this.#polledAt;
    if (silentMs > AGENT_LOST_MS && this.#socket.up) {
      this.#polledAt = now;
      this.#socket.drop();
    }
    const unheard = silentMs > (this.#isKnown ? AGENT_SUSPECT_MS : HOST_BEAT_MS) && !this.#socket.up;
    if (unheard && this.#remote !== undefined && now - this.#helloAt >= REMOTE_HELLO_EVERY_MS) {
      this.#helloAt = now;
      this.#remote.hello();
    }
    this.#step({ kind: "tick" });
    // Of many hosts that miss their agent, the first to come out of its back-off starts it: that is measured finely.
    const misses = silentMs > 2 * HOST_BEAT_MS || (this.#way === this.#socket && !this.#socket.up);
    const fine = misses && silentMs < 2 * AGENT_LOST_MS;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(
      () => {
        this.#tick();
      },
      fine ? AGENT_BACKOFF_MIN_MS / 5 : HOST_BEAT_MS / 2,
    );
  }

  #step(input: MonitorInput): void {
    if (this.#closed) return;
    for (const output of this.#monitor.step(performance.now(), input)) this.#perform(output);
  }

  #perform(output: MonitorOutput): void {
    const { logger, onEvent } = this.#options;
    switch (output.kind) {
      case "answer":
        return this.#asks.get(output.ask)?.(output.beat, output.best);
      case "announce": {
        const { role, node, cause } = output;
        const byRole = hostRole(this.#options.node, this.#options.host);
        return this.#ear?.announce({ role, node, byRole, by: this.#self, cause });
      }
      case "launch":
        return void this.#launch(output.role, output.node, output.failed);
      case "event":
        // That it watches its agent from the first is no news.
        if (output.event.kind === HistoryKind.BEGAN || output.event.kind === HistoryKind.ACTIVE) return;
        logger.info(output.event, "event");
        return onEvent?.(output.event);
      case "suicide":
        throw new Error(`a job host has no rival, and yet its monitor ends it: ${output.reason}`);
      // It has no children.
      case "poll":
      case "probe":
      case "active":
      case "failed":
      case "up":
      case "lost":
        return;
    }
  }

  async #launch(role: string, node: string, failed: InstanceId | undefined): Promise<void> {
    const input = { kind: "launched", role, node } as const;
    try {
      await this.#options.launchAgent(node, failed);
    } catch (error) {
      return this.#step({ ...input, ok: false, detail: (error as Error).message });
    }
    this.#step({ ...input, ok: true, detail: "" });
  }
}
