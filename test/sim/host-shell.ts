import {
  type AgentMessage,
  type HostMessage,
  JobState,
  type JobStatus,
} from "../../proto/generated/evercross/v1/control.ts";
import {
  AGENT_BACKOFF_MIN_MS,
  AGENT_LOST_MS,
  AGENT_RECONNECT_MS,
  AGENT_SUSPECT_MS,
  HOST_BEAT_MS,
  REMOTE_HELLO_EVERY_MS,
} from "../../runtime/limits.ts";
import { Monitor } from "../../runtime/monitor/monitor.ts";
import type { MonitorInput, MonitorOutput, Peer } from "../../runtime/monitor/monitor-message.ts";
import { announcement } from "./announcement.ts";
import { EchoLink } from "./echo-link.ts";
import type { Message } from "./message.ts";
import type { Link } from "./network.ts";
import { JobRun } from "./sim-job.ts";
import type { SimProcess } from "./sim-process.ts";
import type { Socket } from "./socket.ts";
import type { World } from "./world.ts";

/** A way by which a message of an agent came, and its answer goes. */
type Reply = (message: HostMessage) => void;

/** A job host: the real monitor of its level in the order of `AgentWatch`, and jobs that care for none of it. */
export class HostShell {
  readonly process: SimProcess;
  readonly agent: string;
  readonly role: string;
  readonly jobs = new Map<string, JobRun>();
  /** Its own clock at the last poll. */
  polledAt: number;
  readonly #world: World;
  readonly #link: Link;
  readonly #monitor: Monitor;
  readonly #asks = new Map<number, Reply>();
  #socket: Socket | undefined;
  #echo: EchoLink | undefined;
  /** By its connection alone: what an echo would tell beside, costs too many events. */
  #linkDownAt: number | undefined;
  #direct: boolean;
  #isKnown = false;
  #helloAt = -Infinity;
  #toSocket = true;
  #retiring = false;
  #warm: string[] = [];
  #statuses: readonly JobStatus[] | undefined;
  #asked = 0;

  constructor(world: World, process: SimProcess, agent: string) {
    this.#world = world;
    this.process = process;
    this.agent = agent;
    this.polledAt = process.now;
    this.role = `host/${process.node.name}.${process.name}`;
    this.#direct = this.#parent().on.includes(process.node.name);
    this.#linkDownAt = process.now;
    this.#link = world.network.connect(process, (up) => {
      this.#linkDownAt = up ? undefined : process.now;
      this.#echo?.connection(up);
    });
    if (this.#link.up) this.#linkDownAt = undefined;
    const surroundings = { parent: this.#parent(), children: [] };
    this.#monitor = new Monitor(
      {
        role: this.role,
        self: process.id,
        timing: world.plan.timing.host,
        launches: false,
        random: () => world.random.unit(),
        surroundings,
        prefers: world.prefers,
      },
      process.now,
    );
    this.#step({ kind: "link", up: false });
    const { network } = world;
    const { name, id } = process;
    network.subscribe(this.#link, `probe ${process.node.name}`, (message) => {
      if (message.kind === "probe") message.answer();
    });
    network.subscribe(this.#link, `announce ${agent}`, (message) => this.#announced(message));
    network.subscribe(this.#link, `host ${process.node.name} ${name} ${id.pid}`, (message) => {
      if (message.kind === "toHost") this.#hear(message.message, message.answer, false);
    });
    network.subscribe(this.#link, `call ${agent}`, () => this.#overBus(this.#hello()));
    this.#watchLink();
    this.#connect();
    this.#tick();
  }

  /** Closed by the agent, or the agent is gone. */
  closed(socket: Socket): void {
    if (socket !== this.#socket) return;
    this.#lost();
    if (this.#toSocket) this.#step({ kind: "orphaned", reason: "closed its socket" });
  }

  message(socket: Socket, message: AgentMessage): void {
    if (socket === this.#socket) this.#hear(message, (answer) => socket.toAgent(answer), true);
  }

  #parent(): Peer {
    const on = this.#world.topology.role(this.agent)?.on ?? [];
    return { role: this.agent, on, direct: this.#direct };
  }

  #connect(): void {
    if (this.#retiring) return;
    this.#socket = this.process.node.connect(this.agent, this);
    if (this.#socket === undefined) return this.#lost();
    this.polledAt = this.process.now;
    this.#toSocket = true;
    this.#socket.toAgent(this.#hello());
  }

  #lost(): void {
    this.#socket = undefined;
    this.process.after(AGENT_RECONNECT_MS, () => this.#connect());
  }

  #tick(): void {
    const { process } = this;
    const silentMs = process.now - this.polledAt;
    if (silentMs > AGENT_LOST_MS && this.#socket !== undefined) {
      this.polledAt = process.now;
      this.#socket.closeByHost();
      this.#lost();
      if (this.#toSocket) this.#step({ kind: "orphaned", reason: "closed its socket" });
    }
    const unheard =
      silentMs > (this.#isKnown ? AGENT_SUSPECT_MS : HOST_BEAT_MS) && this.#socket === undefined;
    if (unheard && process.now - this.#helloAt >= REMOTE_HELLO_EVERY_MS) {
      this.#helloAt = process.now;
      this.#overBus(this.#hello());
    }
    this.#step({ kind: "tick" });
    const misses = silentMs > 2 * HOST_BEAT_MS && silentMs < 2 * AGENT_LOST_MS;
    process.after(misses ? AGENT_BACKOFF_MIN_MS : HOST_BEAT_MS / 2, () => this.#tick());
  }

  /** While it hears its agent over the broker, it must know whether it is the broker that is silent. */
  #watchLink(): void {
    if ((this.#echo === undefined) === this.#direct) return;
    this.#echo?.close();
    this.#echo = undefined;
    this.#step({ kind: "link", up: false });
    if (!this.#direct)
      this.#echo = new EchoLink(this.#world, this.#link, (up) => this.#step({ kind: "link", up }));
  }

  #use(socket: boolean): void {
    this.#toSocket = socket;
    if (socket === this.#direct) return;
    this.#direct = socket;
    this.#step({ kind: "surroundings", surroundings: { parent: this.#parent(), children: [] } });
    this.#watchLink();
  }

  #hello(): HostMessage {
    const { pid, startTicks } = this.process.id;
    return {
      body: { $case: "hello", value: { host: this.process.name, pid, startTicks, jobs: this.#all() } },
    };
  }

  #overBus(message: HostMessage): void {
    const { name, node, id } = this.process;
    const said: Message = { kind: "toAgent", node: node.name, host: name, pid: id.pid, message };
    this.#world.network.publish(this.#link, `hosts ${this.agent}`, () => said);
  }

  #hear(message: AgentMessage, answer: Reply, socket: boolean): void {
    const { body } = message;
    switch (body?.$case) {
      case "poll": {
        const { from, role, beat } = body.value;
        if (from === undefined || role !== this.agent) return;
        this.polledAt = this.process.now;
        this.#isKnown = true;
        this.#use(socket);
        this.#asked += 1;
        this.#asks.set(this.#asked, answer);
        this.#world.checks.polled(this.process, role);
        this.#step({ kind: "poll", role, from, beat, outdone: [], ask: this.#asked });
        this.#asks.delete(this.#asked);
        break;
      }
      case "startJob":
        this.#start(body.value.job);
        break;
      case "stopJob": {
        const { job } = body.value;
        const run = this.jobs.get(job);
        if (run !== undefined) run.stop();
        else this.#tell({ job, state: JobState.STOPPED, epoch: 0, detail: "was not here", instance: "" });
        break;
      }
      case "warm":
        this.#warm = body.value.jobs;
        break;
      case "retire":
        this.#retiring = true;
        for (const run of this.jobs.values()) run.stop();
        this.process.after(10, () => this.process.end("is retired"));
        break;
      case undefined:
        break;
    }
  }

  #start(job: string): void {
    if (this.#retiring) return;
    const present = this.jobs.get(job);
    if (present !== undefined) return this.#tell(present.status);
    const world = this.#world;
    const part = (run: JobRun) => world.jobPart(run);
    const run: JobRun = new JobRun(world, this.process, this.#link, job, part, (status) => {
      this.#statuses = undefined;
      if (status.state === JobState.STOPPED && this.jobs.get(job) === run) this.jobs.delete(job);
      this.#tell(status);
    });
    this.jobs.set(job, run);
    run.begin();
  }

  #tell(value: JobStatus): void {
    const message: HostMessage = { body: { $case: "job", value } };
    if (!this.#toSocket) this.#overBus(message);
    else this.#socket?.toAgent(message);
  }

  #all(): JobStatus[] {
    this.#statuses ??= [...this.jobs.values()].map((run) => run.status);
    return this.#statuses as JobStatus[];
  }

  #announced(message: Message): void {
    if (message.kind !== "announcement") return;
    const input = this.#world.announced(this.process, message.announcement);
    if (input !== undefined) this.#step(input);
  }

  #step(input: MonitorInput): void {
    if (this.process.dead) return;
    for (const output of this.#monitor.step(this.process.now, input)) this.#perform(output);
  }

  #perform(output: MonitorOutput): void {
    const { network, checks } = this.#world;
    switch (output.kind) {
      case "answer": {
        const { beat, best } = output;
        const linkDownMs = this.#linkDownAt === undefined ? 0 : this.process.now - this.#linkDownAt;
        const value = { beat, jobs: this.#all(), best, linkDownMs, warm: this.#warm };
        this.#asks.get(output.ask)?.({ body: { $case: "answer", value } });
        break;
      }
      case "announce": {
        const said: Message = {
          kind: "announcement",
          announcement: announcement(this.role, this.process, output),
        };
        network.publish(this.#link, `announce ${output.role}`, () => said);
        break;
      }
      case "launch":
        this.#world.launcher.launch(this.process, this.role, output, (ok, detail) => {
          this.#step({ kind: "launched", role: output.role, node: output.node, ok, detail });
        });
        break;
      case "event":
        checks.told(this.role, this.process, output.event);
        break;
      case "suicide":
        throw new Error(`a job host has no rival, and yet its monitor ends it: ${output.reason}`);
      case "poll":
      case "probe":
      case "active":
      case "failed":
      case "up":
      case "lost":
        break;
    }
  }
}
