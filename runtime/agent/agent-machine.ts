import { type AgentStatus, JobState, type JobStatus } from "../../proto/generated/evercross/v1/control.ts";
import {
  HOST_BEAT_MS,
  HOST_BEATS_MISSED_MAX,
  HOST_EXIT_MS,
  HOST_START_MS,
  HOSTS_STARTING_MAX,
  PROCESS_GRACE_MS,
} from "../limits.ts";
import type { ProcessIdentity } from "../process/process-identity.ts";
import type { AgentEvent, AgentInput, AgentOutput, DesiredJob, FoundHost } from "./agent-message.ts";
import { HostSpawner } from "./host-spawner.ts";
import { JobBoard } from "./job-board.ts";
import { WatchedHost } from "./watched-host.ts";

/**
 * The decisions of an agent: which host runs which job, who is dead, what is started again. Its invariants:
 *
 * 1. A job is told to start in at most one host at a time, and only when the host that had it is gone, or did not go
 *    within `HOST_EXIT_MS` of SIGKILL.
 * 2. A host whose state is not known is killed, never asked (I5).
 * 3. Until every host that was found at the start has said hello or is dead, nothing is started.
 * 4. One job's failures start no other job again more than `GROUP_DEATHS_MAX` times for each halving of its group (`JobBoard`).
 *
 * Pure: `now` is in milliseconds since the Unix epoch and never goes back.
 */
export class AgentMachine {
  readonly #spares: number;
  readonly #hosts = new Map<string, WatchedHost>();
  readonly #links = new Map<number, WatchedHost>();
  readonly #jobs: JobBoard;
  readonly #spawner = new HostSpawner();
  #adopting = true;
  #now: number;
  #beat = 0;
  #outputs: AgentOutput[] = [];

  constructor(spares: number, found: readonly FoundHost[], now: number) {
    this.#spares = spares;
    this.#now = now;
    this.#jobs = new JobBoard((name, subject, detail) => {
      this.#event(name, subject, detail);
    });
    for (const { host, identity } of found) {
      this.#spawner.know(host);
      this.#hosts.set(host, new WatchedHost(host, "expected", now, identity));
    }
  }

  step(now: number, input: AgentInput): AgentOutput[] {
    if (now < this.#now) throw new RangeError(`time went back from ${this.#now} to ${now}`);
    this.#now = now;
    this.#outputs = [];
    this.#take(input);
    if (this.#adopting) this.#endAdoption();
    if (!this.#adopting) this.#reconcile();
    return this.#outputs;
  }

  /** `node` and `pid` are the shell's to fill in. */
  status(): Pick<AgentStatus, "hosts" | "jobs"> {
    const pidOf = (host: string | undefined): number =>
      host === undefined ? 0 : (this.#hosts.get(host)?.identity?.pid ?? 0);
    return {
      hosts: [...this.#hosts.values()].map((host) => ({
        host: host.name,
        pid: host.identity?.pid ?? 0,
        spare: host.group === undefined,
        node: "",
      })),
      jobs: [...this.#jobs.all()].map((job) => ({
        status: { job: job.name, state: job.state, epoch: job.epoch, detail: job.detail, instance: "" },
        node: "",
        host: job.host ?? "",
        pid: pidOf(job.host),
        restarts: job.restarts,
        sinceMs: Math.floor(job.since),
      })),
    };
  }

  #take(input: AgentInput): void {
    switch (input.kind) {
      case "tick":
        this.#tick();
        break;
      case "desired":
        this.#setDesired(input.jobs);
        break;
      case "hello":
        this.#hello(input.link, input.host, input.identity, input.jobs);
        break;
      case "answer":
        this.#answer(input.link, input.beat, input.jobs);
        break;
      case "job": {
        const host = this.#links.get(input.link);
        if (host !== undefined) this.#report(host, input.status);
        break;
      }
      case "closed": {
        const host = this.#links.get(input.link);
        this.#links.delete(input.link);
        if (host === undefined) break;
        host.link = undefined;
        this.#failHost(host, input.detail);
        break;
      }
      case "spawned": {
        const host = this.#hosts.get(input.host);
        if (host !== undefined) host.identity = input.identity;
        break;
      }
      case "exit":
        this.#exit(input.host, input.detail);
        break;
      case "kill": {
        const host = this.#hosts.get(this.#jobs.get(input.job)?.host ?? "");
        if (host === undefined) break;
        host.ordered = true;
        this.#failHost(host, `killed by an operator for the sake of ${input.job}`);
        break;
      }
    }
  }

  #event(name: AgentEvent, subject: string, detail: string): void {
    this.#outputs.push({ kind: "event", name, subject, detail });
  }

  #setDesired(desired: readonly DesiredJob[]): void {
    for (const job of this.#jobs.setDesired(desired, this.#now)) {
      const link = this.#hosts.get(job.host ?? "")?.link;
      if (link === undefined) continue;
      job.become(JobState.WANTSTOP, this.#now);
      this.#outputs.push({ kind: "stop", link, job: job.name });
    }
  }

  #tick(): void {
    const before = this.#beat;
    this.#beat += 1;
    for (const host of this.#hosts.values()) {
      const age = this.#now - host.since;
      switch (host.phase) {
        case "up":
          if (before - host.answered >= HOST_BEATS_MISSED_MAX) {
            this.#failHost(host, `did not answer ${HOST_BEATS_MISSED_MAX} beats`);
          } else if (host.link !== undefined) {
            this.#outputs.push({ kind: "poll", link: host.link, beat: this.#beat });
          }
          break;
        case "expected":
          if (age > HOST_BEAT_MS * HOST_BEATS_MISSED_MAX)
            this.#failHost(host, "said no hello to its new agent");
          break;
        case "starting":
          if (age > HOST_START_MS) this.#failHost(host, `said no hello in ${HOST_START_MS} ms`);
          break;
        case "retiring":
          if (age > PROCESS_GRACE_MS) this.#failHost(host, "did not end when asked to");
          break;
        case "ending":
          if (age <= HOST_EXIT_MS) break;
          this.#event("host_not_gone", host.name, `still there ${HOST_EXIT_MS} ms after SIGKILL`);
          this.#exit(host.name, "is taken for gone");
          break;
      }
    }
  }

  #hello(link: number, name: string, identity: ProcessIdentity, jobs: readonly JobStatus[]): void {
    let host = this.#hosts.get(name);
    const stranger = host?.identity !== undefined && host.identity.pid !== identity.pid;
    if (host !== undefined && (stranger || (host.phase !== "expected" && host.phase !== "starting"))) {
      this.#event("host_refused", name, `process ${identity.pid} says hello as a host that is ${host.phase}`);
      this.#outputs.push({ kind: "drop", link });
      return;
    }
    if (host?.phase !== "starting") this.#event("host_adopted", name, `process ${identity.pid}`);
    if (host === undefined) {
      this.#spawner.know(name);
      host = new WatchedHost(name, "up", this.#now, identity);
      this.#hosts.set(name, host);
    }
    host.enter("up", this.#now);
    host.identity = identity;
    host.link = link;
    host.answered = this.#beat;
    this.#links.set(link, host);
    this.#spawner.succeeded();
    for (const status of jobs) this.#adopt(host, status);
  }

  #adopt(host: WatchedHost, status: JobStatus): void {
    const job = this.#jobs.get(status.job);
    const free = job !== undefined && job.wanted && job.host === undefined;
    if (!free || (status.state !== JobState.STARTING && status.state !== JobState.RUNNING)) {
      this.#report(host, status);
      return;
    }
    if (job.state === JobState.IDLE || job.state === JobState.STOPPED)
      job.become(JobState.WANTRUN, this.#now);
    job.become(status.state, this.#now, status.detail);
    job.epoch = status.epoch;
    job.host = host.name;
    job.startedBeat = this.#beat;
    host.group ??= job.group;
    this.#event("job_adopted", job.name, host.name);
  }

  #answer(link: number, beat: number, jobs: readonly JobStatus[]): void {
    const host = this.#links.get(link);
    if (host === undefined) return;
    if (beat > this.#beat) return this.#failHost(host, `answered beat ${beat}, which is yet to come`);
    host.answered = Math.max(host.answered, beat);
    for (const status of jobs) this.#report(host, status);
    const named = new Set(jobs.map((status) => status.job));
    for (const job of this.#jobs.on(host)) {
      if (named.has(job.name) || beat <= job.startedBeat) continue;
      return this.#failHost(host, `does not know its job ${job.name}`);
    }
  }

  /** What a host says of a job: true for the host, not always what was decided. */
  #report(host: WatchedHost, status: JobStatus): void {
    const job = this.#jobs.get(status.job);
    if (job === undefined || job.host !== host.name) {
      const starts = status.state === JobState.STARTING || status.state === JobState.RUNNING;
      if (!starts || host.link === undefined) return;
      this.#event("job_stopped_twin", status.job, `${host.name} runs it, and should not`);
      this.#outputs.push({ kind: "stop", link: host.link, job: status.job });
      return;
    }
    if (status.epoch !== 0) job.epoch = status.epoch;
    if (status.state === JobState.RUNNING && job.state === JobState.STARTING) {
      job.become(JobState.RUNNING, this.#now, status.detail);
    } else if (status.state === JobState.STOPPED) {
      this.#jobs.stopped(job, this.#now, status.detail);
    }
  }

  #failHost(host: WatchedHost, reason: string): void {
    if (host.phase === "ending") return;
    if (host.phase !== "retiring") this.#event("host_failed", host.name, reason);
    if (host.phase === "starting") this.#spawner.failed(this.#now);
    if (host.link !== undefined) {
      this.#outputs.push({ kind: "drop", link: host.link });
      this.#links.delete(host.link);
      host.link = undefined;
    }
    host.enter("ending", this.#now);
    if (host.identity === undefined) this.#exit(host.name, reason);
    else this.#outputs.push({ kind: "kill", host: host.name, identity: host.identity });
  }

  #exit(name: string, detail: string): void {
    const host = this.#hosts.get(name);
    if (host === undefined) return;
    this.#hosts.delete(name);
    if (host.link !== undefined) {
      this.#outputs.push({ kind: "drop", link: host.link });
      this.#links.delete(host.link);
    }
    if (host.phase === "starting") this.#spawner.failed(this.#now);
    if (host.phase !== "ending" && host.phase !== "retiring") this.#event("host_failed", name, detail);
    this.#jobs.hostGone(host, this.#now, detail);
  }

  #endAdoption(): void {
    for (const host of this.#hosts.values()) if (host.phase === "expected" || host.phase === "ending") return;
    this.#adopting = false;
    this.#event("adoption_done", "agent", `${this.#hosts.size} hosts adopted`);
  }

  #reconcile(): void {
    const waiting = new Set<string>();
    const inUse = new Set<string>();
    for (const job of this.#jobs.all()) {
      inUse.add(job.group);
      if (job.host !== undefined || !job.wanted || job.retryAt > this.#now) continue;
      if (job.state !== JobState.WANTRUN) job.become(JobState.WANTRUN, this.#now, job.detail);
      const host = this.#hostFor(job.group);
      if (host?.link === undefined) {
        waiting.add(job.group);
        continue;
      }
      host.group = job.group;
      job.host = host.name;
      job.startedBeat = this.#beat;
      job.become(JobState.STARTING, this.#now, job.detail);
      this.#outputs.push({ kind: "start", link: host.link, job: job.name });
    }
    this.#retire(inUse);
    this.#spawn(waiting.size);
  }

  #hostFor(group: string): WatchedHost | undefined {
    let spare: WatchedHost | undefined;
    for (const host of this.#hosts.values()) {
      if (host.phase !== "up") continue;
      if (host.group === group) return host;
      if (host.group === undefined) spare ??= host;
    }
    return spare;
  }

  /** A host whose group has no job any more ends; it does not become a spare, for jobs leave traces. */
  #retire(inUse: ReadonlySet<string>): void {
    for (const host of this.#hosts.values()) {
      if (host.phase !== "up" || host.group === undefined || inUse.has(host.group) || host.link === undefined)
        continue;
      if (this.#jobs.on(host).length > 0) continue;
      this.#outputs.push({ kind: "retire", link: host.link });
      host.enter("retiring", this.#now);
    }
  }

  #spawn(groupsWaiting: number): void {
    if (!this.#spawner.mayAt(this.#now)) return;
    let starting = 0;
    let spares = 0;
    for (const host of this.#hosts.values()) {
      if (host.phase === "starting") starting += 1;
      if (host.phase === "up" && host.group === undefined) spares += 1;
    }
    const missing = groupsWaiting + this.#spares - spares - starting;
    for (let count = Math.min(missing, HOSTS_STARTING_MAX - starting); count > 0; count--) {
      const name = this.#spawner.nextName();
      this.#hosts.set(name, new WatchedHost(name, "starting", this.#now, undefined));
      this.#outputs.push({ kind: "spawn", host: name });
    }
  }
}
