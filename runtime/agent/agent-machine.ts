import type { AgentStatus } from "../../proto/generated/evercross/v1/control.ts";
import type { Escalation, NodeHealth, PlaceRecord } from "../../proto/generated/evercross/v1/hierarchy.ts";
import { ESCALATIONS_MAX, JOB_DETAIL_CHARS_MAX, HOST_LINK_DOWN_MAX_MS } from "../limits.ts";
import type { InstanceId } from "../monitor/instance.ts";
import { Monitor } from "../monitor/monitor.ts";
import type { MonitorInput, MonitorOutput, Peer } from "../monitor/monitor-message.ts";
import type { MonitorTiming } from "../monitor/timing.ts";
import { AgentContext } from "./agent-context.ts";
import type { AgentInput, AgentOutput, FoundHost } from "./agent-message.ts";
import { HostEnds } from "./host-ends.ts";
import { hostInstance } from "./host-name.ts";
import { HostReports } from "./host-reports.ts";
import { placeRecord, samePlace } from "./place-record.ts";
import { reconcile } from "./reconcile.ts";

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
  readonly #context: AgentContext;
  readonly #ends: HostEnds;
  readonly #reports: HostReports;
  readonly #monitor: Monitor;
  /** As they were told. */
  readonly #places = new Map<string, PlaceRecord>();
  #parent: Peer | undefined;
  #adopting = true;
  #ended = false;
  /** When the monitor was stepped last. */
  #watchedAt: number;

  constructor(options: AgentMachineOptions, now: number) {
    const { role, self, spares, found, timing, random, prefers } = options;
    this.#options = options;
    this.#watchedAt = now;
    this.#context = new AgentContext({ role, node: self.node, spares, found }, now);
    this.#ends = new HostEnds(this.#context);
    this.#reports = new HostReports(this.#context, this.#ends);
    const surroundings = { parent: undefined, children: this.#context.hosts.peers() };
    this.#monitor = new Monitor(
      {
        role,
        self,
        timing,
        random,
        launches: false,
        surroundings,
        ...(prefers === undefined ? {} : { prefers }),
      },
      now,
    );
  }

  step(now: number, input: AgentInput): AgentOutput[] {
    const context = this.#context;
    if (now < context.now) throw new RangeError(`time went back from ${context.now} to ${now}`);
    context.now = now;
    context.outputs = [];
    if (this.#ended) return [];
    if (now - this.#watchedAt > this.#options.timing.pauseMs) this.#watch({ kind: "tick" });
    if (!this.#hasEnded()) this.#take(input);
    if (!this.#hasEnded()) this.#surround();
    if (!this.#hasEnded() && !this.#adopting) reconcile(context);
    if (!this.#hasEnded()) this.#tellPlaces();
    return context.outputs;
  }

  /** Its passive round is over, and it knows what is wanted. */
  get active(): boolean {
    return !this.#adopting && this.#context.knowsDesired;
  }

  status(): AgentStatus {
    const { role, self } = this.#options;
    return {
      node: self.node,
      role,
      pid: self.pid,
      startTicks: self.startTicks,
      active: this.active,
      hosts: [...this.#context.hosts.all()].map((host) => ({
        host: host.name,
        pid: host.identity?.pid ?? 0,
        spare: host.group === undefined && host.standby === undefined,
        standby: host.standby ?? "",
        warm: [...host.warm],
        node: host.node,
      })),
      jobs: [...this.#context.jobs.all()].map((job) => {
        const { node, host, pid, restarts, sinceMs, state, epoch, detail, instance } = placeRecord(role, job);
        const status = { job: job.name, state, epoch, detail, instance };
        return { status, host, pid, restarts, sinceMs, node };
      }),
    };
  }

  /** What it cannot repair by itself. */
  escalations(): Escalation[] {
    const found: Escalation[] = [];
    for (const job of this.#context.jobs.escalated()) {
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
    return this.#context.hosts.health(this.#context.now);
  }

  // A method, not the field: after a call that may set it, the compiler would still believe what it saw before.
  #hasEnded(): boolean {
    return this.#ended;
  }

  #take(input: AgentInput): void {
    const { hosts, jobs, now } = this.#context;
    switch (input.kind) {
      case "tick":
        this.#watch(input);
        if (!this.#hasEnded()) this.#ends.judgeByTime();
        return;
      case "link":
        if (input.up && !this.#context.linkUp) hosts.openRemote(now);
        if (input.up !== this.#context.linkUp) this.#context.linkSince = now;
        this.#context.linkUp = input.up;
        return this.#watch(input);
      case "poll":
      case "announced":
      case "launched":
        return this.#watch(input);
      case "desired":
        this.#context.knowsDesired = true;
        this.#parent = input.parent;
        hosts.setNodes(input.nodes, now);
        for (const job of jobs.setDesired(input.jobs, now)) this.#context.stop(job);
        return;
      case "hello":
        return this.#reports.hello(input);
      case "hostAnswer":
        return this.#answered(input);
      case "job": {
        const host = hosts.byLink(input.link);
        if (host !== undefined) this.#reports.report(host, input.status);
        return;
      }
      case "closed": {
        const host = hosts.byLink(input.link);
        if (host === undefined) return;
        hosts.unlink(host);
        return this.#ends.fail(host, input.detail);
      }
      case "spawned": {
        const host = hosts.get(input.node, input.host);
        if (host !== undefined) host.identity = input.identity;
        return;
      }
      case "exit": {
        const host = hosts.get(input.node, input.host);
        if (host !== undefined) this.#ends.gone(host, input.detail);
        return;
      }
      case "kill": {
        const host = jobs.get(input.job)?.host;
        if (host === undefined) return;
        host.ordered = true;
        return this.#ends.fail(host, `killed by an operator for the sake of ${input.job}`);
      }
    }
  }

  #answered({ link, beat, jobs, best, linkDownMs, warm }: Extract<AgentInput, { kind: "hostAnswer" }>): void {
    const host = this.#context.hosts.byLink(link);
    if (host?.identity === undefined) return;
    const from = hostInstance(host.node, host.identity);
    this.#watch({ kind: "answer", child: host.role, from, beat, best });
    // Its monitor may have found it failed, or itself the worse of two.
    if (this.#ended || host.phase !== "up") return;
    host.warm = warm;
    this.#reports.answered(host, beat, jobs);
    const { linkUp, linkSince, now } = this.#context;
    if (linkUp && Math.min(linkDownMs, now - linkSince) >= HOST_LINK_DOWN_MAX_MS)
      this.#ends.fail(host, `has no link to the broker for ${Math.round(linkDownMs)} ms`);
  }

  #watch(input: MonitorInput): void {
    const { now } = this.#context;
    this.#watchedAt = now;
    const outputs = this.#monitor.step(now, input);
    // Beats go on while there is nobody to poll.
    this.#context.beat = this.#monitor.beat;
    for (const output of outputs) {
      if (this.#ended) return;
      this.#heed(output);
    }
  }

  #heed(output: MonitorOutput): void {
    const { hosts, outputs } = this.#context;
    switch (output.kind) {
      case "poll": {
        const link = hosts.byRole(output.child)?.link;
        if (link !== undefined) outputs.push({ kind: "pollHost", link, beat: output.beat });
        return;
      }
      case "answer":
        outputs.push({ ...output, escalations: this.escalations(), nodes: this.health() });
        return;
      case "active":
        // Later rounds, after the link was down, are about the hosts of other nodes: those are waited for by `isOpen`.
        if (output.active) this.#adopting = false;
        return;
      case "failed": {
        const host = hosts.byRole(output.child);
        if (host !== undefined) this.#ends.kill(host, output.reason);
        return;
      }
      case "suicide":
        this.#ended = true;
        outputs.push(output);
        return;
      case "announce":
      case "launch":
      case "event":
        outputs.push(output);
        return;
      // Its hosts are neither probed nor launched by its monitor, and their hello said that they are up.
      case "probe":
      case "up":
      case "lost":
        return;
    }
  }

  #surround(): void {
    const { hosts } = this.#context;
    if (!hosts.takeChanged()) return;
    this.#watch({
      kind: "surroundings",
      surroundings: { parent: this.#parent, children: hosts.peers() },
    });
  }

  #tellPlaces(): void {
    const { jobs, outputs } = this.#context;
    for (const [name, job] of jobs.takeTouched()) {
      const before = this.#places.get(name);
      if (job === undefined) {
        if (this.#places.delete(name)) outputs.push({ kind: "place", job: name, place: undefined });
        continue;
      }
      const place = placeRecord(this.#options.role, job);
      if (samePlace(before, place)) continue;
      this.#places.set(name, place);
      outputs.push({ kind: "place", job: name, place });
    }
  }
}
