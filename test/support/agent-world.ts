import { JobState } from "../../proto/generated/evercross/v1/control.ts";
import { AgentMachine } from "../../runtime/agent/agent-machine.ts";
import type { AgentInput, AgentOutput, DesiredJob } from "../../runtime/agent/agent-message.ts";
import { HOST_BEAT_MS } from "../../runtime/limits.ts";

/** A job host of the simulation. */
export interface SimulatedHost {
  readonly name: string;
  readonly pid: number;
  alive: boolean;
  /** Answers nothing, but is there. */
  hung: boolean;
  link: number | undefined;
  readonly jobs: Set<string>;
}

/**
 * One node with fake processes, fake time and a real `AgentMachine`. What the machine orders is carried out at once,
 * what comes of it is handed to it in turn. Throws when a job is started while it runs elsewhere.
 */
export class AgentWorld {
  now = 1_000_000;
  machine: AgentMachine;
  readonly hosts: SimulatedHost[] = [];
  readonly events: string[] = [];
  /** These kill their host as soon as they are started. */
  readonly poison = new Set<string>();
  /** These fail as soon as they are started, and leave their host alone. */
  readonly faulty = new Set<string>();
  readonly #desired: readonly DesiredJob[];
  readonly #spares: number;
  readonly #queue: AgentInput[] = [];
  #counter = 0;

  constructor(desired: readonly DesiredJob[], spares = 1) {
    this.#desired = desired;
    this.#spares = spares;
    this.machine = new AgentMachine(spares, [], this.now);
    this.give({ kind: "desired", jobs: desired });
  }

  give(input: AgentInput): void {
    this.#queue.push(input);
    for (;;) {
      const next = this.#queue.shift();
      if (next === undefined) return;
      for (const output of this.machine.step(this.now, next)) this.#perform(output);
    }
  }

  ticks(count: number): void {
    for (let tick = 0; tick < count; tick++) {
      this.now += HOST_BEAT_MS;
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
    if (link !== undefined) this.give({ kind: "closed", link, detail: "closed its link" });
    this.give({ kind: "exit", host: host.name, detail: "crash" });
  }

  fail(host: SimulatedHost, job: string): void {
    if (!host.alive || host.hung || host.link === undefined || !host.jobs.delete(job)) return;
    this.#status(host.link, job, JobState.STOPPED);
    this.give({ kind: "tick" });
  }

  /** A new agent finds the living hosts; those that are not hung say hello. */
  restartAgent(): void {
    const found = this.alive().map(({ name, pid }) => ({ host: name, identity: { pid, startTicks: pid } }));
    this.machine = new AgentMachine(this.#spares, found, this.now);
    this.#queue.length = 0;
    for (const host of this.hosts) host.link = undefined;
    this.give({ kind: "desired", jobs: this.#desired });
    for (const host of this.alive()) if (!host.hung) this.hello(host);
  }

  hello(host: SimulatedHost): void {
    host.link = ++this.#counter;
    this.give({
      kind: "hello",
      link: host.link,
      host: host.name,
      identity: { pid: host.pid, startTicks: host.pid },
      jobs: [...host.jobs].map((job) => ({
        job,
        state: JobState.RUNNING,
        epoch: 1,
        detail: "",
        instance: "",
      })),
    });
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
    return host?.alive === true && !host.hung ? host : undefined;
  }

  #perform(output: AgentOutput): void {
    switch (output.kind) {
      case "spawn": {
        const pid = ++this.#counter;
        const host = {
          name: output.host,
          pid,
          alive: true,
          hung: false,
          link: undefined,
          jobs: new Set<string>(),
        };
        this.hosts.push(host);
        this.#queue.push({ kind: "spawned", host: host.name, identity: { pid, startTicks: pid } });
        const link = ++this.#counter;
        Object.assign(host, { link });
        const identity = { pid, startTicks: pid };
        this.#queue.push({ kind: "hello", link, host: host.name, identity, jobs: [] });
        break;
      }
      case "kill": {
        const host = this.hosts.find((one) => one.pid === output.identity.pid);
        if (host !== undefined) Object.assign(host, { alive: false, link: undefined });
        this.#queue.push({ kind: "exit", host: output.host, detail: "killed" });
        break;
      }
      case "start":
        this.#start(output.link, output.job);
        break;
      case "stop": {
        const host = this.#byLink(output.link);
        if (host === undefined) break;
        host.jobs.delete(output.job);
        this.#status(output.link, output.job, JobState.STOPPED);
        break;
      }
      case "poll": {
        const host = this.#byLink(output.link);
        if (host === undefined) break;
        const jobs = [...host.jobs].map((job) => ({
          job,
          state: JobState.RUNNING,
          epoch: 1,
          detail: "",
          instance: "",
        }));
        this.#queue.push({ kind: "answer", link: output.link, beat: output.beat, jobs });
        break;
      }
      case "retire": {
        const host = this.#byLink(output.link);
        if (host === undefined) break;
        Object.assign(host, { alive: false, link: undefined });
        this.#queue.push({ kind: "closed", link: output.link, detail: "closed its link" });
        break;
      }
      case "drop": {
        const host = this.hosts.find((one) => one.link === output.link);
        if (host !== undefined) host.link = undefined;
        break;
      }
      case "event":
        this.events.push(`${output.name} ${output.subject}`);
        break;
    }
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
    host.jobs.add(job);
    this.#status(link, job, JobState.RUNNING);
  }
}
