import { JobState, type JobStatus } from "../../proto/generated/evercross/v1/control.ts";
import { HistoryKind } from "../../proto/generated/evercross/v1/hierarchy.ts";
import type { AgentContext } from "./agent-context.ts";
import type { AgentInput, FoundHost } from "./agent-message.ts";
import type { HostEnds } from "./host-ends.ts";
import { formatHostInstance } from "./host-name.ts";
import type { WatchedHost } from "./watched-host.ts";
import type { WatchedJobState } from "./watched-job.ts";

const isUp = (state: JobState): boolean => state === JobState.STARTING || state === JobState.RUNNING;

/** What job hosts say of themselves and of the jobs in them. */
export class HostReports {
  readonly #context: AgentContext;
  readonly #ends: HostEnds;

  constructor(context: AgentContext, ends: HostEnds) {
    this.#context = context;
    this.#ends = ends;
  }

  hello({ link, node, host: name, identity, jobs }: Extract<AgentInput, { kind: "hello" }>): void {
    const { hosts, outputs, now, beat } = this.#context;
    let host = hosts.get(node, name);
    // One that hears its agent over the broker says hello for as long as it is not polled.
    if (host === undefined || host.link !== link) {
      if (host !== undefined && refuses(host, identity)) return this.#refuse(host, link, identity);
      if (host?.phase !== "starting") {
        host ??= hosts.meet(node, name, now, identity);
        const newInstance = formatHostInstance(node, identity);
        this.#context.tell(host, { kind: HistoryKind.ADOPTED, cause: "said hello", newInstance });
      }
      hosts.saidHello(host, link, identity, now);
      // So it knows at once whom it hears, and whom to take for failed when that one falls silent.
      if (beat > 0) outputs.push({ kind: "pollHost", link, beat });
    }
    for (const status of jobs) this.report(host, status);
  }

  /** The jobs in the answer to the poll of this beat: all that the host runs. */
  answered(host: WatchedHost, beat: number, statuses: readonly JobStatus[]): void {
    const { jobs, now } = this.#context;
    for (const status of statuses) this.report(host, status, beat);
    const named = new Set(statuses.map((status) => status.job));
    for (const job of host.jobs) {
      if (named.has(job.name) || beat <= job.orderedBeat) continue;
      if (host.direct) return this.#ends.fail(host, `does not know its job ${job.name}`);
      // What was said over the broker may be lost: said again, or taken for heard.
      if (job.state === JobState.STARTING && host.link !== undefined) {
        this.#context.start(job, host, host.link);
      } else jobs.stopped(job, now, `${host.name} does not run it any more`);
    }
  }

  /** What a host says of a job: true for the host, not always what was decided. `beat`: in its answer to this poll. */
  report(host: WatchedHost, status: JobStatus, beat = 0): void {
    const { jobs, now } = this.#context;
    const job = jobs.get(status.job);
    if (job === undefined || job.host !== host) {
      if (isUp(status.state)) this.#meetJob(host, job, status);
      return;
    }
    if (status.epoch !== 0 && status.epoch !== job.epoch) {
      job.epoch = status.epoch;
      jobs.touch(job);
    }
    if (status.state === JobState.RUNNING && job.state === JobState.STARTING) {
      jobs.running(job, status, now);
    } else if (status.state === job.state && isUp(status.state)) {
      jobs.described(job, status.detail);
    } else if (status.state === JobState.STOPPED) {
      jobs.stopped(job, now, status.detail);
    } else if (isUp(status.state) && job.state === JobState.WANTSTOP && beat > job.orderedBeat) {
      this.#context.stop(job);
    }
  }

  /** A host runs a job that it was not told to run: kept where nothing speaks against it, else stopped there. */
  #meetJob(host: WatchedHost, job: WatchedJobState | undefined, status: JobStatus): void {
    const { jobs, outputs, knowsDesired, beat, now } = this.#context;
    const free = job === undefined ? !knowsDesired : job.wanted && job.host === undefined;
    if (free && host.phase === "up" && (!knowsDesired || job?.node === host.node)) {
      jobs.adopt(host, status, beat, now);
    } else if (knowsDesired && host.link !== undefined) {
      const cause = `${host.name} runs it, and should not`;
      const { job: element, instance: oldInstance } = status;
      this.#context.tell(host, { kind: HistoryKind.TWIN_STOPPED, element, oldInstance, cause });
      outputs.push({ kind: "stop", link: host.link, job: element });
    }
  }

  /** Another process has this name, or it says hello at a time when it has nothing to say. */
  #refuse(host: WatchedHost, link: number, identity: FoundHost["identity"]): void {
    const { outputs } = this.#context;
    const cause = `process ${identity.pid} says hello as a host that is ${host.phase}`;
    this.#context.tell(host, { kind: HistoryKind.TWIN_STOPPED, cause });
    if (host.identity?.pid !== identity.pid) outputs.push({ kind: "retire", link });
    outputs.push({ kind: "drop", link });
  }
}

function refuses(host: WatchedHost, { pid, startTicks }: FoundHost["identity"]): boolean {
  const known = host.identity;
  if (known !== undefined && (known.pid !== pid || known.startTicks !== startTicks)) return true;
  return host.phase !== "expected" && host.phase !== "starting";
}
