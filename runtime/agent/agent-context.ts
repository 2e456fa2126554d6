import { JobState } from "../../proto/generated/evercross/v1/control.ts";
import { HistoryKind } from "../../proto/generated/evercross/v1/hierarchy.ts";
import type { MonitorEvent } from "../monitor/monitor-message.ts";
import type { AgentOutput, FoundHost } from "./agent-message.ts";
import { HostBoard } from "./host-board.ts";
import { JobBoard } from "./job-board.ts";
import type { WatchedHost } from "./watched-host.ts";
import type { WatchedJobState } from "./watched-job.ts";

/** What the parts of one agent share: its hosts and jobs, its time, and what it does. */
export class AgentContext {
  readonly hosts: HostBoard;
  readonly jobs: JobBoard;
  /** Job hosts without a job that each node keeps ready. */
  readonly spares: number;
  now: number;
  /** The last beat in which its hosts were polled. */
  beat = 0;
  linkUp = true;
  /** Since when it is as it is. */
  linkSince: number;
  /** It was told what is wanted. */
  knowsDesired = false;
  outputs: AgentOutput[] = [];

  constructor(
    of: {
      readonly role: string;
      readonly node: string;
      readonly spares: number;
      readonly found: readonly FoundHost[];
    },
    now: number,
  ) {
    this.now = now;
    this.linkSince = now;
    this.spares = of.spares;
    this.hosts = new HostBoard(of.role, of.node, of.found, now);
    this.jobs = new JobBoard((event) => {
      this.outputs.push({ kind: "event", event });
    });
  }

  /** Tells what befell a host, or by `element` something in it. */
  tell(host: WatchedHost, event: Pick<MonitorEvent, "kind" | "cause"> & Partial<MonitorEvent>): void {
    const whole = { element: host.role, node: host.node, oldInstance: "", newInstance: "", tookMs: 0 };
    this.outputs.push({ kind: "event", event: { ...whole, ...event } });
  }

  /** Whether jobs and hosts may be started and stopped on a node. */
  mayAct(node: string): boolean {
    const hosts = this.hosts.on(node);
    return hosts !== undefined && (hosts.direct || (this.linkUp && hosts.isOpen(this.now)));
  }

  start(job: WatchedJobState, host: WatchedHost, link: number): void {
    this.jobs.assign(job, host, this.beat);
    if (job.state !== JobState.STARTING) {
      job.become(JobState.STARTING, this.now, job.detail);
      if (job.failedAt !== undefined) {
        this.jobs.tell(job, { kind: HistoryKind.RESTARTED, cause: job.detail, oldInstance: job.instance });
      }
    }
    this.outputs.push({ kind: "start", link, job: job.name });
  }

  stop(job: WatchedJobState): void {
    const link = job.host?.link;
    if (link === undefined) return;
    job.become(JobState.WANTSTOP, this.now, job.detail);
    job.orderedBeat = this.beat;
    this.jobs.touch(job);
    this.outputs.push({ kind: "stop", link, job: job.name });
  }
}
