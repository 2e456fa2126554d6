import { JobState, type JobStatus } from "../../proto/generated/evercross/v1/control.ts";
import { HostServer } from "../../runtime/agent/host-server.ts";
import { HOST_BEAT_MS } from "../../runtime/limits.ts";
import { ownIdentity, type ProcessIdentity } from "../../runtime/process/process-identity.ts";

export interface KnownHost {
  readonly name: string;
  readonly identity: ProcessIdentity;
  readonly link: number;
  readonly jobs: Map<string, JobStatus>;
}

/** The place of a node's agent at the local socket, taken by a test: it polls all job hosts, starts jobs in them, and ends none. */
export class HandAgent {
  readonly hosts = new Map<number, KnownHost>();
  #server: HostServer | undefined;
  #links = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(readonly node: string) {}

  async listen(path: string): Promise<void> {
    const from = { node: this.node, ...ownIdentity() };
    let beat = 0;
    // Hosts that nobody polls would start an agent.
    this.#timer = setInterval(() => {
      beat += 1;
      for (const link of this.hosts.keys())
        this.#server?.send(link, { $case: "poll", value: { beat, from, role: `agent/${this.node}` } });
    }, HOST_BEAT_MS);
    this.#server = await HostServer.listen(path, this.node, {
      nextLink: () => ++this.#links,
      onMessage: (link, _, { body }) => {
        if (body?.$case === "hello") {
          const { host: name, pid, startTicks, jobs } = body.value;
          const known = new Map(jobs.map((status) => [status.job, status]));
          this.hosts.set(link, { name, identity: { pid, startTicks }, link, jobs: known });
        } else if (body?.$case === "job") {
          this.hosts.get(link)?.jobs.set(body.value.job, body.value);
        }
      },
      onClosed: (link) => void this.hosts.delete(link),
    });
  }

  running(job: string): KnownHost | undefined {
    return [...this.hosts.values()].find((host) => host.jobs.get(job)?.state === JobState.RUNNING);
  }

  spare(): KnownHost | undefined {
    return [...this.hosts.values()].find((host) =>
      [...host.jobs.values()].every((status) => status.state === JobState.STOPPED),
    );
  }

  start(host: KnownHost, job: string): void {
    host.jobs.delete(job);
    this.#server?.send(host.link, { $case: "startJob", value: { job } });
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#server?.close();
  }
}
