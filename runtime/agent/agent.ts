import type { ChildProcess } from "node:child_process";
import type { Logger } from "pino";
import { AgentRequest, AgentResponse, type HostMessage } from "../../proto/generated/evercross/v1/control.ts";
import type { AgentStatus } from "../../proto/generated/evercross/v1/control.ts";
import { HOST_BEAT_MS, HOST_EXIT_MS, HOST_EXIT_POLL_MS, SPARE_HOSTS } from "../limits.ts";
import type { Bus, BusMessage } from "../messaging/bus.ts";
import { agentSubject } from "../messaging/subject.ts";
import { identify, isAlive, ownIdentity, signalProcess, type ProcessIdentity } from "../process/process-identity.ts";
import type { ProcessRegistry } from "../process/registry.ts";
import { waitFor } from "../process/wait.ts";
import { AgentMachine } from "./agent-machine.ts";
import type { AgentInput, AgentOutput, DesiredJob, FoundHost } from "./agent-message.ts";
import { HostServer } from "./host-server.ts";

export interface AgentOptions {
  readonly cluster: string;
  readonly node: string;
  readonly desired: readonly DesiredJob[];
  readonly socketPath: string;
  readonly registry: ProcessRegistry;
  /** Starts the process of a job host of this name, detached. */
  readonly spawnHost: (host: string) => ChildProcess;
  readonly spares?: number;
  readonly logger: Logger;
}

/** How a job host of a node is named in the registry. */
export function hostEntryName(node: string, host: string): string {
  return `${node}.${host}`;
}

function foundHosts(registry: ProcessRegistry, node: string): FoundHost[] {
  const prefix = hostEntryName(node, "");
  return registry
    .alive()
    .filter((entry) => entry.kind === "host" && entry.name.startsWith(prefix))
    .map((entry) => ({ host: entry.name.slice(prefix.length), identity: entry }));
}

/** Milliseconds since the Unix epoch that never go back. */
const nowMs = (): number => performance.timeOrigin + performance.now();

/** The shell of an agent: sockets, processes and timers around an `AgentMachine`. Its end ends no job. */
export class Agent {
  readonly #options: AgentOptions;
  readonly #machine: AgentMachine;
  #server: HostServer | undefined;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  private constructor(options: AgentOptions) {
    this.#options = options;
    const found = foundHosts(options.registry, options.node);
    this.#machine = new AgentMachine(options.spares ?? SPARE_HOSTS, found, nowMs());
  }

  static async start(options: AgentOptions): Promise<Agent> {
    const agent = new Agent(options);
    agent.#server = await HostServer.listen(options.socketPath, {
      onMessage: (link, message) => {
        agent.#hear(link, message);
      },
      onClosed: (link, detail) => {
        agent.#step({ kind: "closed", link, detail });
      },
    });
    agent.#step({ kind: "desired", jobs: options.desired });
    agent.#timer = setInterval(() => {
      agent.#step({ kind: "tick" });
    }, HOST_BEAT_MS);
    return agent;
  }

  /** Answers operators (`AgentRequest`) from now on. Whether there is a broker is no concern of the jobs. */
  serve(bus: Bus): void {
    bus.subscribe(agentSubject(this.#options.cluster, this.#options.node), (message) => {
      if (message.reply !== undefined) bus.publish(message.reply, this.#request(message));
    });
  }

  status(): AgentStatus {
    return {
      node: this.#options.node,
      role: `agent/${this.#options.node}`,
      ...ownIdentity(),
      active: true,
      ...this.#machine.status(),
    };
  }

  /** The job hosts go on. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    await this.#server?.close();
  }

  #request(message: BusMessage): Uint8Array {
    const answer = (error: string, status?: AgentStatus): Uint8Array =>
      AgentResponse.encode({ error, status }).finish();
    let request: AgentRequest;
    try {
      request = AgentRequest.decode(message.data);
    } catch (error) {
      return answer(`not an AgentRequest: ${(error as Error).message}`);
    }
    switch (request.body?.$case) {
      case "status":
        return answer("", this.status());
      case "killJob": {
        const { job } = request.body.value;
        const watched = this.status().jobs.find((one) => one.status?.job === job);
        if (watched === undefined) return answer(`node ${this.#options.node} has no job ${job}`);
        if (watched.host === "") return answer(`job ${job} has no host at this moment; ask again`);
        this.#step({ kind: "kill", job });
        return answer("", this.status());
      }
      case undefined:
        return answer("the request is empty or of a later version");
    }
  }

  #hear(link: number, message: HostMessage): void {
    switch (message.body?.$case) {
      case "hello": {
        const { host, pid, startTicks, jobs } = message.body.value;
        this.#step({ kind: "hello", link, host, identity: { pid, startTicks }, jobs });
        break;
      }
      case "answer":
        this.#step({ kind: "answer", link, beat: message.body.value.beat, jobs: message.body.value.jobs });
        break;
      case "job":
        this.#step({ kind: "job", link, status: message.body.value });
        break;
      case undefined:
        this.#server?.drop(link);
        this.#step({ kind: "closed", link, detail: "sent an empty message" });
        break;
    }
  }

  #step(input: AgentInput): void {
    if (this.#stopped) return;
    for (const output of this.#machine.step(nowMs(), input)) this.#perform(output);
  }

  #perform(output: AgentOutput): void {
    const server = this.#server;
    switch (output.kind) {
      case "poll":
        server?.send(output.link, { $case: "poll", value: { beat: output.beat, from: undefined, role: "" } });
        break;
      case "start":
        server?.send(output.link, { $case: "startJob", value: { job: output.job } });
        break;
      case "stop":
        server?.send(output.link, { $case: "stopJob", value: { job: output.job } });
        break;
      case "retire":
        server?.send(output.link, { $case: "retire", value: {} });
        break;
      case "drop":
        server?.drop(output.link);
        break;
      case "spawn":
        this.#spawn(output.host);
        break;
      case "kill":
        void this.#kill(output.host, output.identity);
        break;
      case "event":
        this.#options.logger.info({ subject: output.subject, detail: output.detail }, output.name);
        break;
    }
  }

  #spawn(host: string): void {
    const { registry, node } = this.#options;
    let child: ChildProcess;
    const exited = (detail: string): void => {
      setImmediate(() => {
        this.#step({ kind: "exit", host, detail });
      });
    };
    try {
      child = this.#options.spawnHost(host);
    } catch (error) {
      exited(`cannot be started: ${(error as Error).message}`);
      return;
    }
    child.once("error", (error) => {
      exited(`cannot be started: ${error.message}`);
    });
    child.once("exit", (code, signal) => {
      exited(`exit ${signal ?? code}`);
    });
    const identity = child.pid === undefined ? undefined : identify(child.pid);
    if (identity === undefined) return;
    try {
      // Who takes the market down must see it even before it can speak for itself.
      registry.register("host", hostEntryName(node, host), identity);
    } catch (error) {
      child.kill("SIGKILL");
      this.#options.logger.warn({ host, error: (error as Error).message }, "host not wanted");
      return;
    }
    const input: AgentInput = { kind: "spawned", host, identity };
    // Outputs of one step are carried out in their order: the machine is not stepped from within.
    setImmediate(() => {
      this.#step(input);
    });
  }

  async #kill(host: string, identity: ProcessIdentity): Promise<void> {
    signalProcess(identity, "SIGKILL");
    const gone = (): boolean => !isAlive(identity);
    if ((await waitFor(gone, HOST_EXIT_MS, HOST_EXIT_POLL_MS)) === undefined) return;
    this.#step({ kind: "exit", host, detail: "its process is gone" });
  }
}
