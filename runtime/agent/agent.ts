import type { AgentStatus, HostMessage } from "../../proto/generated/evercross/v1/control.ts";
import type { PlaceRecord } from "../../proto/generated/evercross/v1/hierarchy.ts";
import { HOST_BEAT_MS, SPARE_HOSTS } from "../limits.ts";
import type { Bus } from "../messaging/bus.ts";
import type { InstanceId } from "../monitor/instance.ts";
import type { MonitorEvent } from "../monitor/monitor-message.ts";
import { parseRole } from "../monitor/role.ts";
import { agentTiming, type MonitorTiming } from "../monitor/timing.ts";
import { AgentDesk } from "./agent-desk.ts";
import { AgentMachine } from "./agent-machine.ts";
import type { AgentInput, AgentOutput } from "./agent-message.ts";
import type { AgentMessageBody, HostLinksHandlers } from "./host-links.ts";
import { foundHosts, HostProcesses, type HostProcessesOptions } from "./host-processes.ts";
import { HostServer } from "./host-server.ts";
import { RemoteHosts } from "./remote-hosts.ts";

/** What is wanted of an agent, as the store says. */
export type AgentDesired = Omit<Extract<AgentInput, { kind: "desired" }>, "kind">;

export interface AgentOptions extends Omit<HostProcessesOptions, "node"> {
  readonly cluster: string;
  /** `agent/n1`. */
  readonly role: string;
  /** This process. Its node is the one whose job hosts are reached by the local socket. */
  readonly self: InstanceId;
  readonly socketPath: string;
  /** Starts another monitor, its parent, on a node. Rejects when it could not be started. */
  readonly launchRole: (role: string, node: string, failed: InstanceId | undefined) => Promise<unknown>;
  /** Each detection, restart and end, for the log and the history. */
  readonly onEvent: (event: MonitorEvent) => void;
  /** A job of this agent changed, or (undefined) is none any more: for the directory. */
  readonly onPlace: (job: string, place: PlaceRecord | undefined) => void;
  /** It has ended itself: the process is to end; the job hosts go on. */
  readonly onSuicide: (reason: string) => void;
  readonly spares?: number;
  readonly timing?: MonitorTiming;
}

/** Milliseconds since the Unix epoch that never go back. */
const nowMs = (): number => performance.timeOrigin + performance.now();

/** The shell of an agent: sockets, processes and timers around an `AgentMachine`. Its end ends no job. */
export class Agent {
  readonly #options: AgentOptions;
  readonly #machine: AgentMachine;
  readonly #processes: HostProcesses;
  #server: HostServer | undefined;
  #remote: RemoteHosts | undefined;
  #desk: AgentDesk | undefined;
  #parent: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #links = 0;
  #stopped = false;

  private constructor(options: AgentOptions) {
    const { role, self, registry, timing = agentTiming({ wideParent: false }) } = options;
    this.#options = options;
    this.#processes = new HostProcesses({ ...options, node: self.node }, (input) => {
      this.#step(input);
    });
    this.#machine = new AgentMachine(
      {
        role,
        self,
        spares: options.spares ?? SPARE_HOSTS,
        found: foundHosts(registry, role, self.node),
        timing,
        random: Math.random,
      },
      nowMs(),
    );
  }

  /** Only one agent of a role may be started on a node: the job hosts hang on its socket. */
  static async start(options: AgentOptions): Promise<Agent> {
    const agent = new Agent(options);
    // There is no way to the broker yet: what is reached by it is not judged.
    agent.#step({ kind: "link", up: false });
    agent.#server = await HostServer.listen(options.socketPath, options.self.node, agent.#handlers());
    const tick = (): void => {
      agent.#step({ kind: "tick" });
    };
    // What has arrived is read first: after a pause, the answers are older than the silence.
    agent.#timer = setInterval(setImmediate, HOST_BEAT_MS / 2, tick);
    return agent;
  }

  /** The whole of what is wanted from now on. */
  setDesired(desired: AgentDesired): void {
    this.#parent = desired.parent?.role;
    this.#desk?.setParent(this.#parent);
    this.#step({ kind: "desired", ...desired });
  }

  /** Is heard over this bus from now on: by its parent, by job hosts of other nodes, by operators. `setLink` is still to be called. */
  serve(bus: Bus): void {
    const { cluster, role, self } = this.#options;
    const agent = parseRole(role).name;
    this.#remote = new RemoteHosts({ cluster, agent, node: self.node, bus }, this.#handlers());
    this.#desk = new AgentDesk({
      cluster,
      role,
      self,
      bus,
      status: () => this.status(),
      give: (input) => {
        this.#step(input);
      },
    });
    this.#desk.setParent(this.#parent);
  }

  /** Whether the way to the broker is there; not before the first call. */
  setLink(up: boolean): void {
    this.#step({ kind: "link", up });
    if (up) this.#remote?.call();
  }

  status(): AgentStatus {
    return this.#machine.status();
  }

  /** The job hosts go on. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    this.#desk?.close();
    await this.#remote?.close();
    await this.#server?.close();
  }

  #handlers(): HostLinksHandlers {
    return {
      nextLink: () => ++this.#links,
      onMessage: (link, node, message) => {
        this.#hear(link, node, message);
      },
      onClosed: (link, detail) => {
        this.#step({ kind: "closed", link, detail });
      },
    };
  }

  #hear(link: number, node: string, message: HostMessage): void {
    switch (message.body?.$case) {
      case "hello": {
        const { host, pid, startTicks, jobs } = message.body.value;
        this.#step({ kind: "hello", link, node, host, identity: { pid, startTicks }, jobs });
        break;
      }
      case "answer":
        this.#step({ kind: "hostAnswer", link, ...message.body.value });
        break;
      case "job":
        this.#step({ kind: "job", link, status: message.body.value });
        break;
      case undefined:
        this.#drop(link);
        this.#step({ kind: "closed", link, detail: "sent an empty message" });
        break;
    }
  }

  #step(input: AgentInput): void {
    if (this.#stopped) return;
    for (const output of this.#machine.step(nowMs(), input)) this.#perform(output);
  }

  #perform(output: AgentOutput): void {
    switch (output.kind) {
      case "pollHost": {
        const { role, self: from } = this.#options;
        return this.#send(output.link, { $case: "poll", value: { beat: output.beat, from, role } });
      }
      case "start":
        return this.#send(output.link, { $case: "startJob", value: { job: output.job } });
      case "stop":
        return this.#send(output.link, { $case: "stopJob", value: { job: output.job } });
      case "retire":
        return this.#send(output.link, { $case: "retire", value: {} });
      case "warm":
        return this.#send(output.link, { $case: "warm", value: { jobs: [...output.jobs] } });
      case "drop":
        return this.#drop(output.link);
      case "spawn":
        return this.#processes.spawn(output.node, output.host);
      case "kill":
        return this.#processes.kill(output.node, output.host, output.identity);
      case "place":
        return this.#options.onPlace(output.job, output.place);
      case "answer":
        return this.#desk?.answer(output);
      case "announce":
        return this.#desk?.announce(output);
      case "launch":
        return void this.#launch(output.role, output.node, output.failed);
      case "event":
        return this.#options.onEvent(output.event);
      case "suicide":
        return this.#end(output.reason);
    }
  }

  #send(link: number, body: AgentMessageBody): void {
    this.#server?.send(link, body);
    this.#remote?.send(link, body);
  }

  #drop(link: number): void {
    this.#server?.drop(link);
    this.#remote?.drop(link);
  }

  async #launch(role: string, node: string, failed: InstanceId | undefined): Promise<void> {
    const input = { kind: "launched", role, node } as const;
    try {
      await this.#options.launchRole(role, node, failed);
    } catch (error) {
      return this.#step({ ...input, ok: false, detail: (error as Error).message });
    }
    this.#step({ ...input, ok: true, detail: "" });
  }

  #end(reason: string): void {
    this.#options.logger.warn({ reason }, "agent ends itself");
    this.#stopped = true;
    clearInterval(this.#timer);
    this.#options.onSuicide(reason);
  }
}
