import { JobState, type JobStatus } from "../../proto/generated/evercross/v1/control.ts";
import { HistoryKind, type PlaceRecord } from "../../proto/generated/evercross/v1/hierarchy.ts";
import { AgentMachine } from "../../runtime/agent/agent-machine.ts";
import type { AgentInput, AgentOutput, DesiredJob } from "../../runtime/agent/agent-message.ts";
import { HOST_BEAT_MS } from "../../runtime/limits.ts";
import type { InstanceId } from "../../runtime/monitor/instance.ts";
import type { Peer } from "../../runtime/monitor/monitor-message.ts";
import { agentTiming } from "../../runtime/monitor/timing.ts";

/** A job host of the simulation. */
export interface SimulatedHost {
  readonly node: string;
  readonly name: string;
  readonly pid: number;
  alive: boolean;
  /** Answers nothing, but is there. */
  hung: boolean;
  /** For how long the broker has carried nothing from it. */
  linkDownMs: number;
  warm: readonly string[];
  link: number | undefined;
  readonly jobs: Set<string>;
}

export interface AgentWorldOptions {
  readonly spares?: number;
  /** The nodes that the agent watches; it runs on the first. */
  readonly nodes?: readonly string[];
  readonly parent?: Peer;
}

const HISTORY_NAMES = new Map<HistoryKind, string>(
  Object.entries(HistoryKind).map(([name, kind]) => [kind, name.toLowerCase()]),
);

export const runningStatus = (job: string): JobStatus => ({
  job,
  state: JobState.RUNNING,
  epoch: 1,
  detail: "",
  instance: "",
});

/**
 * Nodes with fake processes, fake time and a real `AgentMachine`. What the machine orders is carried out at once,
 * what comes of it is handed to it in turn. Throws when a job is started while it runs elsewhere.
 */
export class AgentWorld {
  now = 1_000_000;
  machine: AgentMachine;
  readonly hosts: SimulatedHost[] = [];
  /** `failed host/n1.h1`. */
  readonly events: string[] = [];
  /** What the machine did, but for polls, places and events. */
  readonly outputs: AgentOutput[] = [];
  readonly places = new Map<string, PlaceRecord>();
  /** These kill their host as soon as they are started. */
  readonly poison = new Set<string>();
  /** These fail as soon as they are started, and leave their host alone. */
  readonly faulty = new Set<string>();
  /** Nodes on which nothing can be started. */
  readonly dead = new Set<string>();
  /** Whom the hosts name as the best agent. */
  best: InstanceId | undefined;
  #desired: readonly DesiredJob[];
  readonly #spares: number;
  readonly #nodes: readonly string[];
  readonly #parent: Peer | undefined;
  readonly #queue: AgentInput[] = [];
  #linkUp = true;
  #counter = 0;

  constructor(
    desired: readonly DesiredJob[],
    { spares = 1, nodes = ["n1"], parent }: AgentWorldOptions = {},
  ) {
    this.#desired = desired;
    this.#spares = spares;
    this.#nodes = nodes;
    this.#parent = parent;
    this.machine = this.#newMachine();
    this.desire(desired);
  }

  get self(): InstanceId {
    return { node: this.#nodes[0] ?? "", pid: 9_000, startTicks: 9_000 };
  }

  give(input: AgentInput): void {
    this.#queue.push(input);
    for (;;) {
      const next = this.#queue.shift();
      if (next === undefined) return;
      for (const output of this.machine.step(this.now, next)) this.#perform(output);
    }
  }

  desire(jobs: readonly DesiredJob[]): void {
    this.#desired = jobs;
    this.give({ kind: "desired", jobs, nodes: this.#nodes, parent: this.#parent });
  }

  /** So many beats. */
  ticks(count: number): void {
    for (let tick = 0; tick < 2 * count; tick++) {
      this.now += HOST_BEAT_MS / 2;
      this.give({ kind: "tick" });
    }
  }

  alive(): SimulatedHost[] {
    return this.hosts.filter((host) => host.alive);
  }

  hostOf(job: string): SimulatedHost {
    const found = this.alive().filter((host) => host.jobs.has(job));
    const [host] = found;
    if (host === undefined || found.length > 1) throw new Error(`${job} runs in ${found.length} hosts`);
    return host;
  }

  stateOf(job: string): JobState | undefined {
    return this.machine.status().jobs.find((one) => one.status?.job === job)?.status?.state;
  }

  crash(host: SimulatedHost): void {
    if (!host.alive) return;
    host.alive = false;
    const { link } = host;
    host.link = undefined;
    if (link === undefined) return;
    this.give({ kind: "closed", link, detail: "closed its link" });
    this.give({ kind: "exit", node: host.node, host: host.name, detail: "crash" });
  }

  /** A running job says this of itself, until its host answers the next poll. */
  describe(host: SimulatedHost, job: string, detail: string): void {
    if (host.link === undefined) throw new Error(`${host.name} has no link`);
    this.give({ kind: "job", link: host.link, status: { ...runningStatus(job), detail } });
  }

  fail(host: SimulatedHost, job: string): void {
    if (!host.alive || host.hung || host.link === undefined || !host.jobs.delete(job)) return;
    this.#status(host.link, job, JobState.STOPPED);
    this.give({ kind: "tick" });
  }

  setLink(up: boolean): void {
    this.#linkUp = up;
    this.give({ kind: "link", up });
  }

  /** All that runs on a node is gone, and nothing can be started there. */
  killNode(node: string): void {
    this.dead.add(node);
    for (const host of this.alive()) if (host.node === node) host.alive = false;
  }

  /** A new agent finds the living hosts of its node; those that are not hung say hello. */
  restartAgent(desired: readonly DesiredJob[] | undefined = this.#desired): void {
    this.machine = this.#newMachine();
    this.#queue.length = 0;
    for (const host of this.hosts) host.link = undefined;
    if (desired !== undefined) this.desire(desired);
    for (const host of this.alive()) if (!host.hung) this.hello(host);
  }

  /** The same, before anything is known of what is wanted. */
  restartAgentBlind(): void {
    this.machine = this.#newMachine();
    this.#queue.length = 0;
    for (const host of this.hosts) host.link = undefined;
    for (const host of this.alive()) if (!host.hung) this.hello(host);
  }

  hello(host: SimulatedHost): void {
    host.link ??= ++this.#counter;
    this.give({
      kind: "hello",
      link: host.link,
      node: host.node,
      host: host.name,
      identity: { pid: host.pid, startTicks: host.pid },
      jobs: [...host.jobs].map(runningStatus),
    });
  }

  #newMachine(): AgentMachine {
    const node = this.self.node;
    const here = this.alive().filter((host) => host.node === node);
    const found = here.map(({ name, pid }) => ({ node, host: name, identity: { pid, startTicks: pid } }));
    return new AgentMachine(
      {
        role: `agent/${node}`,
        self: this.self,
        spares: this.#spares,
        found,
        timing: agentTiming({ wideParent: false }),
        random: () => 0.5,
      },
      this.now,
    );
  }

  #status(link: number, job: string, state: JobState): void {
    this.#queue.push({
      kind: "job",
      link,
      status: { job, state, epoch: 1, detail: "as simulated", instance: "" },
    });
  }

  #byLink(link: number): SimulatedHost | undefined {
    const host = this.hosts.find((one) => one.link === link);
    if (host?.alive !== true || host.hung) return undefined;
    return this.#linkUp || host.node === this.self.node ? host : undefined;
  }

  #perform(output: AgentOutput): void {
    if (!["pollHost", "place", "event"].includes(output.kind)) this.outputs.push(output);
    switch (output.kind) {
      case "spawn":
        return this.#spawn(output.node, output.host);
      case "kill": {
        const host = this.hosts.find((one) => one.pid === output.identity.pid);
        if (host !== undefined) Object.assign(host, { alive: false, link: undefined });
        this.#queue.push({ kind: "exit", node: output.node, host: output.host, detail: "killed" });
        return;
      }
      case "start":
        return this.#start(output.link, output.job);
      case "stop": {
        const host = this.#byLink(output.link);
        if (host === undefined) return;
        host.jobs.delete(output.job);
        return this.#status(output.link, output.job, JobState.STOPPED);
      }
      case "pollHost": {
        const host = this.#byLink(output.link);
        if (host === undefined) return;
        const jobs = [...host.jobs].map(runningStatus);
        const { link, beat } = output;
        this.#queue.push({
          kind: "hostAnswer",
          link,
          beat,
          jobs,
          best: this.best,
          linkDownMs: host.linkDownMs,
          warm: host.warm,
        });
        return;
      }
      case "warm": {
        const host = this.#byLink(output.link);
        if (host !== undefined) host.warm = output.jobs;
        return;
      }
      case "retire": {
        const host = this.#byLink(output.link);
        if (host === undefined) return;
        Object.assign(host, { alive: false, link: undefined });
        this.#queue.push({ kind: "closed", link: output.link, detail: "closed its link" });
        return;
      }
      case "drop": {
        const host = this.hosts.find((one) => one.link === output.link);
        if (host !== undefined) host.link = undefined;
        return;
      }
      case "place":
        if (output.place === undefined) this.places.delete(output.job);
        else this.places.set(output.job, output.place);
        return;
      case "event":
        this.events.push(`${HISTORY_NAMES.get(output.event.kind)} ${output.event.element}`);
        return;
      case "answer":
      case "announce":
      case "launch":
      case "suicide":
        return;
    }
  }

  #spawn(node: string, name: string): void {
    if (this.dead.has(node)) {
      this.#queue.push({ kind: "exit", node, host: name, detail: "cannot be started" });
      return;
    }
    const pid = ++this.#counter;
    const link = ++this.#counter;
    this.hosts.push({
      node,
      name,
      pid,
      alive: true,
      hung: false,
      linkDownMs: 0,
      warm: [],
      link,
      jobs: new Set<string>(),
    });
    const identity = { pid, startTicks: pid };
    if (node === this.self.node) this.#queue.push({ kind: "spawned", node, host: name, identity });
    this.#queue.push({ kind: "hello", link, node, host: name, identity, jobs: [] });
  }

  #start(link: number, job: string): void {
    const elsewhere = this.alive().filter((host) => host.link !== link && host.jobs.has(job));
    if (elsewhere.length > 0) throw new Error(`${job} is started while it runs in ${elsewhere[0]?.name}`);
    const host = this.#byLink(link);
    if (host === undefined) return;
    if (this.poison.has(job)) {
      Object.assign(host, { alive: false, link: undefined });
      this.#queue.push({ kind: "closed", link, detail: "closed its link" });
      return;
    }
    if (this.faulty.has(job)) return this.#status(link, job, JobState.STOPPED);
    host.warm = host.warm.filter((warm) => warm !== job);
    host.jobs.add(job);
    this.#status(link, job, JobState.RUNNING);
  }
}
