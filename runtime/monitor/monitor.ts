import { HistoryKind } from "../../proto/generated/evercross/v1/hierarchy.ts";
import { POLLING_ROLES_MAX } from "../limits.ts";
import { Beats } from "./beats.ts";
import { type ChildState, ChildWatch } from "./child-watch.ts";
import { compareInstances, formatInstance, type InstanceId, sameInstance } from "./instance.ts";
import { InstanceMemory } from "./instance-memory.ts";
import { MonitorContext } from "./monitor-context.ts";
import type { MonitorInput, MonitorOutput, Surroundings } from "./monitor-message.ts";
import { ParentWatch } from "./parent-watch.ts";
import type { MonitorTiming } from "./timing.ts";

export interface MonitorOptions {
  /** `local/a`. */
  readonly role: string;
  readonly self: InstanceId;
  readonly timing: MonitorTiming;
  /** It starts failed children again; `false`: it only tells of them. */
  readonly launches: boolean;
  /** `[0, 1)`. */
  readonly random: () => number;
  readonly surroundings: Surroundings;
  /** Negative when the first is better. Absent: `compareInstances`. */
  readonly prefers?: (a: InstanceId, b: InstanceId) => number;
}

/** Why a child must be told of to the parent. */
export interface EscalatedChild {
  readonly element: string;
  readonly reason: string;
}

export interface ChildReport {
  readonly role: string;
  readonly state: ChildState;
  /** The last one that answered. */
  readonly from: InstanceId | undefined;
  /** Milliseconds since the last poll that it answered was sent; until then, since it is polled. */
  readonly silenceMs: number;
  readonly restarts: number;
}

export interface MonitorReport {
  /** In the time of `step`. Undefined: never, or it has no parent. */
  readonly parentPolledAt: number | undefined;
  readonly children: readonly ChildReport[];
}

/**
 * One monitor, of whichever level: it watches its children and is watched by them, watches its parent and gives way to a better
 * instance of its own role. Sections 2 to 4 of `../HIERARCHY.md`.
 *
 * Pure: `now` is in milliseconds of any clock that never goes back.
 */
export class Monitor {
  readonly #role: string;
  readonly #launches: boolean;
  readonly #context: MonitorContext;
  readonly #beats: Beats;
  readonly #children = new Map<string, ChildWatch>();
  readonly #pollers = new Map<string, InstanceMemory>();
  #pollsHeard = 0;
  #parent: ParentWatch | undefined;
  #steppedAt: number;
  #beganAt: number | undefined;
  #active = false;
  #wasActive = false;
  /** Whose children it launches hears of them once it can read the store; until then it is passive. */
  #knowsChildren: boolean;
  #ended = false;

  /** Throws `RangeError` when the timing has no beat. */
  constructor(options: MonitorOptions, now: number) {
    const { role, self, timing, launches, random, surroundings, prefers = compareInstances } = options;
    if (!(timing.beatMs > 0)) throw new RangeError(`a beat of ${timing.beatMs} ms is none`);
    this.#role = role;
    this.#launches = launches;
    this.#context = new MonitorContext(self, timing, random, prefers);
    this.#beats = new Beats(timing);
    this.#steppedAt = now;
    this.#knowsChildren = !launches || surroundings.children.length > 0;
    this.#surround(surroundings);
  }

  /** The passive round is over. */
  get active(): boolean {
    return this.#active;
  }

  /** It has said `suicide`. */
  get ended(): boolean {
    return this.#ended;
  }

  get beat(): number {
    return this.#beats.count;
  }

  /** In the order in which they were made known. */
  escalated(): EscalatedChild[] {
    const escalated: EscalatedChild[] = [];
    for (const [element, { escalation }] of this.#children)
      if (escalation !== undefined) escalated.push({ element, reason: escalation });
    return escalated;
  }

  status(): MonitorReport {
    const parent = this.#parent;
    return {
      parentPolledAt: parent?.instance === undefined ? undefined : this.#steppedAt - parent.silentMs,
      children: [...this.#children].map(([role, child]) => {
        const { state, instance, silentMs, restarts } = child;
        return { role, state, from: instance, silenceMs: silentMs, restarts };
      }),
    };
  }

  /** Throws `RangeError` when `now` goes back. */
  step(now: number, input: MonitorInput): MonitorOutput[] {
    const elapsed = now - this.#steppedAt;
    if (!(elapsed >= 0)) throw new RangeError(`time went back from ${this.#steppedAt} to ${now}`);
    this.#steppedAt = now;
    if (this.#ended) return [];
    const context = this.#context;
    const { beatMs, pauseMs } = context.timing;
    context.outputs = [];
    context.now += Math.min(elapsed, beatMs);
    if (this.#beganAt !== undefined && elapsed > pauseMs) {
      this.#end(`was paused for ${Math.round(elapsed)} ms`);
      return context.outputs;
    }
    if (this.#beganAt === undefined) {
      this.#beganAt = context.now;
      context.event(HistoryKind.BEGAN, this.#role, { cause: "started", new: context.self });
    }
    this.#take(input);
    if (!this.#ended) this.#settle();
    return context.outputs;
  }

  #take(input: MonitorInput): void {
    switch (input.kind) {
      case "tick":
        return this.#tick();
      case "link":
        return this.#link(input.up);
      case "surroundings":
        this.#knowsChildren = true;
        return this.#surround(input.surroundings);
      case "poll":
        return this.#polled(input);
      case "answer":
        return this.#answered(input.child, input.from, input.beat, input.best);
      case "gone":
        return this.#gone(input.child, input.from, input.reason);
      case "orphaned":
        return this.#parent?.orphaned(input.reason);
      case "probed":
        return this.#children.get(input.child)?.probed();
      case "announced":
        return this.#announced(input);
      case "launched": {
        const { role, node, ok, detail } = input;
        const child = this.#children.get(role);
        if (child !== undefined && this.#judges(child)) child.launched(node, ok, detail);
        if (this.#parent?.peer.role === role) this.#parent.launched(node, ok, detail);
        return;
      }
    }
  }

  #tick(): void {
    const { now, outputs } = this.#context;
    const begins = this.#beats.begins(now);
    const beat = this.#beats.count;
    if (begins) {
      for (const [role, child] of this.#children) {
        if (!child.reachable) continue;
        outputs.push({ kind: "poll", child: role, beat, outdone: child.takeOutdone() });
        if (child.needsProbe) outputs.push({ kind: "probe", child: role });
      }
    }
    for (const child of this.#children.values()) if (this.#judges(child)) child.judge();
  }

  #link(up: boolean): void {
    const context = this.#context;
    if (context.linkUp === up) return;
    context.linkUp = up;
    if (!up) return;
    if (this.#parent?.peer.direct === false) this.#parent.forget();
    for (const child of this.#children.values()) {
      if (child.peer.direct) continue;
      child.forget();
      if (this.#active) this.#activate(false);
    }
  }

  #surround({ parent, children }: Surroundings): void {
    if (parent === undefined) this.#parent = undefined;
    else if (this.#parent?.peer.role === parent.role) this.#parent.peer = parent;
    else this.#parent = new ParentWatch(parent, this.#context);
    const roles = new Set(children.map((child) => child.role));
    for (const role of this.#children.keys()) if (!roles.has(role)) this.#children.delete(role);
    for (const peer of children) {
      const known = this.#children.get(peer.role);
      if (known !== undefined) known.peer = peer;
      else this.#children.set(peer.role, new ChildWatch(peer, this.#launches, this.#context));
    }
  }

  #polled({ role, from, beat, ask, outdone }: Extract<MonitorInput, { kind: "poll" }>): void {
    const { self, now, timing, prefers } = this.#context;
    if (outdone.some((one) => sameInstance(one, self)))
      return this.#end(`a better ${this.#role} answers ${role}`);
    let memory = this.#pollers.get(role);
    if (memory === undefined) {
      memory = new InstanceMemory(prefers, timing.suspectMs);
      this.#pollers.set(role, memory);
      this.#forgetPollers();
    }
    this.#pollsHeard += 1;
    const { best, fresh } = memory.heard(from, beat, this.#pollsHeard, now);
    this.#context.outputs.push({ kind: "answer", ask, beat, best });
    if (fresh && this.#parent?.peer.role === role) this.#parent.polled(from);
  }

  /** A role that is not the parent (any more, or yet) is answered too: only silence says that its child is failed. */
  #forgetPollers(): void {
    for (const role of this.#pollers.keys()) {
      if (this.#pollers.size <= POLLING_ROLES_MAX) return;
      if (role !== this.#parent?.peer.role) this.#pollers.delete(role);
    }
  }

  #answered(role: string, from: InstanceId, beat: number, best: InstanceId | undefined): void {
    const child = this.#children.get(role);
    if (beat > this.#beats.count)
      return this.#gone(role, from, `answered beat ${beat}, which is yet to come`);
    if (best !== undefined && this.#context.prefers(best, this.#context.self) < 0) {
      return this.#end(`${formatInstance(best)} is the better ${this.#role}, says ${role}`);
    }
    child?.answered(from, beat, this.#beats.sentAt(beat));
  }

  #gone(role: string, from: InstanceId | undefined, reason: string): void {
    const child = this.#children.get(role);
    child?.gone(from, reason, this.#judges(child));
  }

  #announced({ role, byRole, by, cause }: Extract<MonitorInput, { kind: "announced" }>): void {
    if (sameInstance(by, this.#context.self) && byRole === this.#role) return;
    this.#children.get(role)?.announced(byRole, cause);
    if (this.#parent?.peer.role === role) this.#parent.announced(byRole, cause);
  }

  /** What follows from where things are now, whatever happened. */
  #settle(): void {
    if (!this.#active && this.#knowsChildren && this.#isSettled()) this.#activate(true);
    // Passive, it launches nobody; without children it has nobody to wait for.
    if (this.#active || this.#children.size === 0) this.#parent?.judge();
  }

  /** The passive round may end: of direct children only the first one is one (2.6). */
  #isSettled(): boolean {
    for (const child of this.#children.values())
      if (!child.settled && !(this.#wasActive && child.peer.direct)) return false;
    return true;
  }

  #activate(active: boolean): void {
    const context = this.#context;
    this.#active = active;
    context.outputs.push({ kind: "active", active });
    if (!active) return;
    this.#wasActive = true;
    context.event(HistoryKind.ACTIVE, this.#role, {
      cause: `${this.#children.size} children heard or waited for`,
      new: context.self,
      tookMs: context.now - (this.#beganAt ?? context.now),
    });
    for (const child of this.#children.values()) if (this.#judges(child)) child.judge();
  }

  #judges(child: ChildWatch): boolean {
    return this.#active ? child.reachable : this.#wasActive && child.peer.direct;
  }

  #end(reason: string): void {
    const { self, outputs } = this.#context;
    this.#ended = true;
    this.#context.event(HistoryKind.SUICIDE, this.#role, { cause: reason, old: self });
    outputs.push({ kind: "suicide", reason });
  }
}
