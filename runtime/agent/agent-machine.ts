import { type AgentStatus, JobState, type JobStatus } from "../../proto/generated/evercross/v1/control.ts";
import {
  type Escalation,
  HistoryKind,
  type NodeHealth,
  type PlaceRecord,
} from "../../proto/generated/evercross/v1/hierarchy.ts";
import {
  ESCALATIONS_MAX,
  HOST_EXIT_MS,
  HOST_START_MS,
  JOB_DETAIL_CHARS_MAX,
  PROCESS_GRACE_MS,
} from "../limits.ts";
import type { InstanceId } from "../monitor/instance.ts";
import { Monitor } from "../monitor/monitor.ts";
import type { MonitorEvent, MonitorInput, MonitorOutput, Peer } from "../monitor/monitor-message.ts";
import type { MonitorTiming } from "../monitor/timing.ts";
import type { AgentInput, AgentOutput, FoundHost } from "./agent-message.ts";
import { HostBoard } from "./host-board.ts";
import { formatHostInstance, hostInstance } from "./host-name.ts";
import { JobBoard } from "./job-board.ts";
import { placeRecord, samePlace } from "./place-record.ts";
import type { WatchedHost } from "./watched-host.ts";
import type { WatchedJobState } from "./watched-job.ts";

export interface AgentMachineOptions {
  /** `agent/n1`. */
  readonly role: string;
  readonly self: InstanceId;
  /** Job hosts without a job that each of its nodes keeps ready. */
  readonly spares: number;
  /** The hosts of its own node that were there before it. */
  readonly found: readonly FoundHost[];
  readonly timing: MonitorTiming;
  /** `[0, 1)`. */
  readonly random: () => number;
  /** Order of instances; absent: `compareInstances`. */
  readonly prefers?: (a: InstanceId, b: InstanceId) => number;
}

type Input<K extends AgentInput["kind"]> = Extract<AgentInput, { kind: K }>;

const isUp = (state: JobState): boolean => state === JobState.STARTING || state === JobState.RUNNING;

/**
 * The decisions of an agent: which host runs which job, who is dead, what is started again. A `Monitor` of level agent decides for it who
 * is silent, which of several agents lives on and when its parent is to be started again (`../HIERARCHY.md`). Its own invariants:
 *
 * 1. A job is told to start in at most one host at a time, and only when the host that had it is gone, or did not go
 *    within `HOST_EXIT_MS` of SIGKILL.
 * 2. A host whose state is not known is killed, never asked (I5). Hosts of other nodes are not judged while the link is down.
 * 3. Until its passive round is over, nothing is started. Until the first `desired`, nothing is stopped, and nothing started but what
 *    was found and failed since.
 * 4. One job's failures start no other job again more than `GROUP_DEATHS_MAX` times for each halving of its group (`JobBoard`).
 * 5. An agent that was paused ends itself before it judges anything by what it sees then.
 *
 * Pure: `now` is in milliseconds since the Unix epoch and never goes back.
 */
export class AgentMachine {
  readonly #options: AgentMachineOptions;
  readonly #hosts: HostBoard;
  readonly #jobs: JobBoard;
  readonly #monitor: Monitor;
  readonly #places = new Map<string, PlaceRecord>();
  #parent: Peer | undefined;
  #linkUp = true;
  #adopting = true;
  #desired = false;
  #ended = false;
  #now: number;
  /** When the monitor was stepped last. */
  #watchedAt: number;
  #beat = 0;
  #outputs: AgentOutput[] = [];

  constructor(options: AgentMachineOptions, now: number) {
    const { role, self, timing, random, prefers } = options;
    this.#options = options;
    this.#now = now;
    this.#watchedAt = now;
    this.#jobs = new JobBoard((event) => {
      this.#outputs.push({ kind: "event", event });
    });
    this.#hosts = new HostBoard(role, self.node, options.found, now);
    this.#monitor = new Monitor(
      {
        role,
        self,
        timing,
        random,
        launches: false,
        surroundings: { parent: undefined, children: this.#hosts.peers() },
        ...(prefers === undefined ? {} : { prefers }),
      },
      now,
    );
  }

  step(now: number, input: AgentInput): AgentOutput[] {
    if (now < this.#now) throw new RangeError(`time went back from ${this.#now} to ${now}`);
    this.#now = now;
    this.#outputs = [];
    if (this.#ended) return [];
    if (now - this.#watchedAt > this.#options.timing.pauseMs) this.#watch({ kind: "tick" });
    if (!this.#hasEnded()) this.#take(input);
    if (!this.#hasEnded()) this.#surround();
    if (!this.#hasEnded() && !this.#adopting) this.#reconcile();
    if (!this.#hasEnded()) this.#tellPlaces();
    return this.#outputs;
  }

  /** Its passive round is over, and it knows what is wanted. */
  get active(): boolean {
    return !this.#adopting && this.#desired;
  }

  status(): AgentStatus {
    const { role, self } = this.#options;
    return {
      node: self.node,
      role,
      pid: self.pid,
      startTicks: self.startTicks,
      active: this.active,
      hosts: [...this.#hosts.all()].map((host) => ({
        host: host.name,
        pid: host.identity?.pid ?? 0,
        spare: host.group === undefined,
        node: host.node,
      })),
      jobs: [...this.#jobs.all()].map((job) => {
        const { node, host, pid, restarts, sinceMs, state, epoch, detail, instance } = placeRecord(role, job);
        const status = { job: job.name, state, epoch, detail, instance };
        return { status, host, pid, restarts, sinceMs, node };
      }),
    };
  }

  /** What it cannot repair by itself. */
  escalations(): Escalation[] {
    const found: Escalation[] = [];
    for (const job of this.#jobs.escalated()) {
      if (found.length === ESCALATIONS_MAX) break;
      if (job.wanted)
        found.push({
          element: job.name,
          reason: job.detail.slice(0, JOB_DETAIL_CHARS_MAX),
          node: job.node,
        });
    }
    return found;
  }

  /** How its nodes do; those of which it cannot know yet are left out. */
  health(): NodeHealth[] {
    return this.#hosts.health(this.#now);
  }

  // A method, not the field: after a call that may set it, the compiler would still believe what it saw before.
  #hasEnded(): boolean {
    return this.#ended;
  }

  #take(input: AgentInput): void {
    switch (input.kind) {
      case "tick":
        this.#watch(input);
        if (!this.#hasEnded()) this.#judgeByTime();
        return;
      case "link":
        if (input.up && !this.#linkUp) this.#hosts.openRemote(this.#now);
        this.#linkUp = input.up;
        return this.#watch(input);
      case "poll":
      case "announced":
      case "launched":
        return this.#watch(input);
      case "desired":
        return this.#setDesired(input);
      case "hello":
        return this.#hello(input);
      case "hostAnswer":
        return this.#answer(input);
      case "job": {
        const host = this.#hosts.byLink(input.link);
        if (host !== undefined) this.#report(host, input.status);
        return;
      }
      case "closed": {
        const host = this.#hosts.byLink(input.link);
        if (host === undefined) return;
        this.#hosts.unlink(host);
        return this.#failHost(host, input.detail);
      }
      case "spawned": {
        const host = this.#hosts.get(input.node, input.host);
        if (host !== undefined) host.identity = input.identity;
        return;
      }
      case "exit": {
        const host = this.#hosts.get(input.node, input.host);
        if (host !== undefined) this.#exit(host, input.detail);
        return;
      }
      case "kill": {
        const host = this.#jobs.get(input.job)?.host;
        if (host === undefined) return;
        host.ordered = true;
        return this.#failHost(host, `killed by an operator for the sake of ${input.job}`);
      }
    }
  }

  #watch(input: MonitorInput): void {
    this.#watchedAt = this.#now;
    for (const output of this.#monitor.step(this.#now, input)) {
      if (this.#ended) return;
      this.#heed(output);
    }
  }

  #heed(output: MonitorOutput): void {
    switch (output.kind) {
      case "poll": {
        this.#beat = output.beat;
        const link = this.#hosts.byRole(output.child)?.link;
        if (link !== undefined) this.#outputs.push({ kind: "pollHost", link, beat: output.beat });
        return;
      }
      case "answer":
        this.#outputs.push({ ...output, escalations: this.escalations(), nodes: this.health() });
        return;
      case "active":
        // Later rounds, after the link was down, are about the hosts of other nodes: those are waited for by `isOpen`.
        if (output.active) this.#adopting = false;
        return;
      case "failed": {
        const host = this.#hosts.byRole(output.child);
        if (host !== undefined) this.#endHost(host, output.reason);
        return;
      }
      case "suicide":
        this.#ended = true;
        this.#outputs.push(output);
        return;
      case "announce":
      case "launch":
      case "event":
        this.#outputs.push(output);
        return;
      // Its hosts are neither probed nor launched by its monitor, and their hello said that they are up.
      case "probe":
      case "up":
      case "lost":
        return;
    }
  }

  #surround(): void {
    if (!this.#hosts.takeChanged()) return;
    this.#watch({
      kind: "surroundings",
      surroundings: { parent: this.#parent, children: this.#hosts.peers() },
    });
  }

  #event(host: WatchedHost, event: Pick<MonitorEvent, "kind" | "cause"> & Partial<MonitorEvent>): void {
    const whole = { element: host.role, node: host.node, oldInstance: "", newInstance: "", tookMs: 0 };
    this.#outputs.push({ kind: "event", event: { ...whole, ...event } });
  }

  #setDesired({ jobs, nodes, parent }: Input<"desired">): void {
    this.#desired = true;
    this.#parent = parent;
    this.#hosts.setNodes(nodes, this.#now);
    for (const job of this.#jobs.setDesired(jobs, this.#now)) this.#stop(job);
  }

  #stop(job: WatchedJobState): void {
    const link = job.host?.link;
    if (link === undefined) return;
    job.become(JobState.WANTSTOP, this.#now, job.detail);
    job.orderedBeat = this.#beat;
    this.#jobs.touch(job);
    this.#outputs.push({ kind: "stop", link, job: job.name });
  }

  /** What no monitor judges: hosts that are on their way in or out. */
  #judgeByTime(): void {
    for (const host of this.#hosts.all()) {
      const age = this.#now - host.since;
      if (host.phase === "ending" && age > HOST_EXIT_MS) {
        const cause = `still there ${HOST_EXIT_MS} ms after SIGKILL: taken for gone`;
        this.#event(host, { kind: HistoryKind.FAILED, cause });
        this.#exit(host, "is taken for gone");
      }
      if (!host.direct && !this.#linkUp) continue;
      if (host.phase === "starting" && age > HOST_START_MS) {
        this.#failHost(host, `said no hello in ${HOST_START_MS} ms`);
      }
      if (host.phase === "retiring" && age > PROCESS_GRACE_MS) {
        this.#failHost(host, "did not end when asked to");
      }
    }
  }

  #hello({ link, node, host: name, identity, jobs }: Input<"hello">): void {
    let host = this.#hosts.get(node, name);
    // One that hears its agent over the broker says hello for as long as it is not polled.
    if (host === undefined || host.link !== link) {
      if (host !== undefined && this.#refuses(host, identity)) {
        const cause = `process ${identity.pid} says hello as a host that is ${host.phase}`;
        this.#event(host, { kind: HistoryKind.TWIN_STOPPED, cause });
        if (host.identity?.pid !== identity.pid) this.#outputs.push({ kind: "retire", link });
        this.#outputs.push({ kind: "drop", link });
        return;
      }
      if (host?.phase !== "starting") {
        host ??= this.#hosts.meet(node, name, this.#now, identity);
        const newInstance = formatHostInstance(node, identity);
        this.#event(host, { kind: HistoryKind.ADOPTED, cause: "said hello", newInstance });
      }
      this.#hosts.saidHello(host, link, identity, this.#now);
      // So it knows at once whom it hears, and whom to take for failed when that one falls silent.
      if (this.#beat > 0) this.#outputs.push({ kind: "pollHost", link, beat: this.#beat });
    }
    for (const status of jobs) this.#report(host, status);
  }

  #refuses(host: WatchedHost, { pid, startTicks }: FoundHost["identity"]): boolean {
    const known = host.identity;
    if (known !== undefined && (known.pid !== pid || known.startTicks !== startTicks)) return true;
    return host.phase !== "expected" && host.phase !== "starting";
  }

  #answer({ link, beat, jobs, best }: Input<"hostAnswer">): void {
    const host = this.#hosts.byLink(link);
    if (host?.identity === undefined) return;
    const from = hostInstance(host.node, host.identity);
    this.#watch({ kind: "answer", child: host.role, from, beat, best });
    if (this.#ended || host.phase !== "up") return;
    for (const status of jobs) this.#report(host, status, beat);
    const named = new Set(jobs.map((status) => status.job));
    for (const job of host.jobs) {
      if (named.has(job.name) || beat <= job.orderedBeat) continue;
      if (host.direct) return this.#failHost(host, `does not know its job ${job.name}`);
      // What was said over the broker may be lost: said again, or taken for heard.
      if (job.state === JobState.STARTING) this.#start(job, host, link);
      else this.#jobs.stopped(job, this.#now, `${host.name} does not run it any more`);
    }
  }

  /** What a host says of a job: true for the host, not always what was decided. `beat`: in its answer to this poll. */
  #report(host: WatchedHost, status: JobStatus, beat?: number): void {
    const job = this.#jobs.get(status.job);
    if (job === undefined || job.host !== host) {
      if (isUp(status.state)) this.#meetJob(host, job, status);
      return;
    }
    if (status.epoch !== 0 && status.epoch !== job.epoch) {
      job.epoch = status.epoch;
      this.#jobs.touch(job);
    }
    if (status.state === JobState.RUNNING && job.state === JobState.STARTING) {
      this.#jobs.running(job, status, this.#now);
    } else if (status.state === JobState.STOPPED) {
      this.#jobs.stopped(job, this.#now, status.detail);
    } else if (isUp(status.state) && job.state === JobState.WANTSTOP && (beat ?? 0) > job.orderedBeat) {
      this.#stop(job);
    }
  }

  /** A host runs a job that it was not told to run: kept where nothing speaks against it, else stopped there. */
  #meetJob(host: WatchedHost, job: WatchedJobState | undefined, status: JobStatus): void {
    const free = job === undefined ? !this.#desired : job.wanted && job.host === undefined;
    if (free && host.phase === "up" && (!this.#desired || job?.node === host.node)) {
      this.#jobs.adopt(host, status, this.#beat, this.#now);
    } else if (this.#desired && host.link !== undefined) {
      const cause = `${host.name} runs it, and should not`;
      const event = {
        kind: HistoryKind.TWIN_STOPPED,
        element: status.job,
        oldInstance: status.instance,
        cause,
      };
      this.#event(host, event);
      this.#outputs.push({ kind: "stop", link: host.link, job: status.job });
    }
  }

  #failHost(host: WatchedHost, reason: string): void {
    if (host.phase === "ending") return;
    if (host.phase !== "retiring") this.#tellFailed(host, reason);
    this.#endHost(host, reason);
  }

  #tellFailed(host: WatchedHost, cause: string): void {
    const oldInstance = host.identity === undefined ? "" : formatHostInstance(host.node, host.identity);
    this.#event(host, { kind: HistoryKind.FAILED, cause, oldInstance });
  }

  #endHost(host: WatchedHost, reason: string): void {
    if (host.phase === "ending") return;
    const { link, identity, node, name } = host;
    if (link !== undefined) this.#outputs.push({ kind: "drop", link });
    this.#hosts.end(host, this.#now);
    if (identity === undefined) this.#exit(host, reason);
    else this.#outputs.push({ kind: "kill", node, host: name, identity });
  }

  #exit(host: WatchedHost, detail: string): void {
    const { link, phase } = host;
    if (link !== undefined) this.#outputs.push({ kind: "drop", link });
    this.#hosts.remove(host, this.#now);
    if (phase !== "ending" && phase !== "retiring") this.#tellFailed(host, detail);
    this.#jobs.hostGone(host, this.#now, detail);
  }

  #reconcile(): void {
    const waiting = new Map<string, Set<string>>();
    const inUse = new Set<string>();
    for (const job of this.#jobs.loose()) {
      inUse.add(`${job.node}/${job.group}`);
      if (job.retryAt > this.#now || !this.#mayAct(job.node)) continue;
      if (job.state !== JobState.WANTRUN) {
        job.become(JobState.WANTRUN, this.#now, job.detail);
        this.#jobs.touch(job);
      }
      const host = this.#hosts.on(job.node)?.hostFor(job.group);
      if (host?.link !== undefined) this.#start(job, host, host.link);
      else waiting.set(job.node, (waiting.get(job.node) ?? new Set()).add(job.group));
    }
    for (const nodeHosts of this.#hosts.nodes()) {
      if (!this.#mayAct(nodeHosts.node)) continue;
      const wanted = this.#hosts.isWanted(nodeHosts.node);
      for (const host of nodeHosts.all()) this.#retireIdle(host, inUse, wanted);
      if (!wanted) continue;
      const groups = waiting.get(nodeHosts.node)?.size ?? 0;
      for (const { node, name } of nodeHosts.make(groups, this.#options.spares, this.#now)) {
        this.#outputs.push({ kind: "spawn", node, host: name });
      }
    }
  }

  #mayAct(node: string): boolean {
    const hosts = this.#hosts.on(node);
    return hosts !== undefined && (hosts.direct || (this.#linkUp && hosts.isOpen(this.#now)));
  }

  #start(job: WatchedJobState, host: WatchedHost, link: number): void {
    this.#jobs.assign(job, host, this.#beat);
    if (job.state !== JobState.STARTING) {
      job.become(JobState.STARTING, this.#now, job.detail);
      if (job.failedAt !== undefined) {
        this.#jobs.tell(job, { kind: HistoryKind.RESTARTED, cause: job.detail, oldInstance: job.instance });
      }
    }
    this.#outputs.push({ kind: "start", link, job: job.name });
  }

  /** A host whose group has no job any more ends; it does not become a spare, for jobs leave traces. */
  #retireIdle(host: WatchedHost, inUse: ReadonlySet<string>, nodeWanted: boolean): void {
    if (host.phase !== "up" || host.link === undefined || host.jobs.size > 0) return;
    if (nodeWanted && (host.group === undefined || inUse.has(`${host.node}/${host.group}`))) return;
    this.#outputs.push({ kind: "retire", link: host.link });
    this.#hosts.retire(host, this.#now);
  }

  #tellPlaces(): void {
    for (const [name, job] of this.#jobs.takeTouched()) {
      const before = this.#places.get(name);
      if (job === undefined) {
        if (!this.#places.delete(name)) continue;
        this.#outputs.push({ kind: "place", job: name, place: undefined });
        continue;
      }
      const place = placeRecord(this.#options.role, job);
      if (samePlace(before, place)) continue;
      this.#places.set(name, place);
      this.#outputs.push({ kind: "place", job: name, place });
    }
  }
}
