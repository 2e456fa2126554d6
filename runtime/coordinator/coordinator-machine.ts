import type { MonitorStatus } from "../../proto/generated/evercross/v1/hierarchy.ts";
import type { InstanceId } from "../monitor/instance.ts";
import { Monitor, type MonitorOptions } from "../monitor/monitor.ts";
import type { MonitorInput, MonitorOutput } from "../monitor/monitor-message.ts";
import type { MonitorTiming } from "../monitor/timing.ts";
import type { CoordinatorInput, CoordinatorOutput } from "./coordinator-message.ts";
import { Homes } from "./homes.ts";

export type CoordinatorOptions = Pick<MonitorOptions, "role" | "self" | "timing" | "random" | "prefers">;

/**
 * A coordinator of whichever level: a `Monitor` of its children, which it takes from the store, and the home of jobs (`Homes`). Its
 * invariants:
 *
 * 1. It changes nothing before its view of the store is complete and its passive round is over, and nothing while its link is down.
 * 2. A record is changed by compare-and-set on what was seen, and not again before it is known what became of that.
 * 3. A step without news costs one look at each child, however many jobs there are.
 *
 * Pure: `now` is in milliseconds of any clock that never goes back, `wallMs` in milliseconds since the Unix epoch and may be set.
 */
export class CoordinatorMachine {
  readonly #role: string;
  readonly #self: InstanceId;
  readonly #timing: MonitorTiming;
  readonly #monitor: Monitor;
  readonly #homes: Homes;
  readonly #beganAt: number;
  #steppedAt: number;
  /** Its own time: where it was not stepped for longer than a beat, a beat is counted, as nobody was heard meanwhile. */
  #clock = 0;
  #linkUp = true;
  #outputs: CoordinatorOutput[] = [];

  constructor(options: CoordinatorOptions, now: number) {
    const { role, self, timing } = options;
    this.#role = role;
    this.#self = self;
    this.#timing = timing;
    this.#beganAt = now;
    this.#steppedAt = now;
    const surroundings = { parent: undefined, children: [] };
    this.#monitor = new Monitor({ ...options, launches: true, surroundings }, now);
    this.#homes = new Homes(role, timing, (output) => this.#outputs.push(output));
  }

  /** It has said `suicide`. */
  get ended(): boolean {
    return this.#monitor.ended;
  }

  /** It may change things. */
  get active(): boolean {
    return this.#monitor.active && this.#linkUp && this.#homes.isKnown && !this.ended;
  }

  /** Outputs are to be carried out in their order. Throws `RangeError` when `now` goes back. */
  step(now: number, wallMs: number, input: CoordinatorInput): CoordinatorOutput[] {
    this.#outputs = [];
    const elapsed = now - this.#steppedAt;
    this.#steppedAt = now;
    // Whatever it is that wakes it: rule 2.7 comes first.
    if (elapsed > this.#timing.pauseMs && input.kind !== "tick") this.#watch(now, { kind: "tick" });
    if (this.ended) return this.#outputs;
    this.#clock += Math.min(elapsed, this.#timing.beatMs);
    this.#take(now, wallMs, input);
    const surroundings = this.#homes.rearranged();
    if (surroundings !== undefined) this.#watch(now, { kind: "surroundings", surroundings });
    if (!this.ended) this.#homes.plan(this.#clock, wallMs, this.#monitor.active && this.#linkUp);
    return this.#outputs;
  }

  /** `now` as in `step`. */
  status(now: number): MonitorStatus {
    const { parentPolledAt, children } = this.#monitor.status();
    const { parent, jobs, withoutPlace } = this.#homes.status();
    return {
      role: this.#role,
      from: this.#self,
      active: this.active,
      parent,
      parentPollAgeMs: Math.max(0, Math.round(now - (parentPolledAt ?? this.#beganAt))),
      children: children.map((child) => ({ ...child, silenceMs: Math.round(child.silenceMs) })),
      escalations: this.#escalations(),
      jobs,
      jobsWithoutPlace: withoutPlace,
      changesInFlight: this.#homes.changesInFlight,
    };
  }

  #take(now: number, wallMs: number, input: CoordinatorInput): void {
    switch (input.kind) {
      case "record":
        return this.#homes.record(this.#clock, input.record);
      case "complete":
        return this.#homes.complete();
      case "changed":
        return this.#homes.changed(input.change, input.outcome);
      case "nodeProbed":
        for (const child of this.#homes.probed(now, input.node)) this.#watch(now, { kind: "probed", child });
        return;
      case "answer": {
        const { kind, child, from, beat, best } = input;
        this.#watch(now, { kind, child, from, beat, best });
        if (!this.ended) this.#homes.agentAnswered(child, input.nodes, input.escalations);
        return;
      }
      case "tick":
        this.#watch(now, input);
        return this.#homes.tick(this.#clock, wallMs);
      case "link":
        this.#linkUp = input.up;
        if (input.up) this.#homes.linkUp();
        return this.#watch(now, input);
      case "announced":
        // Whoever announces lives, and so does its node.
        this.#homes.probed(now, input.by.node);
        return this.#watch(now, input);
      default:
        return this.#watch(now, input);
    }
  }

  #watch(now: number, input: MonitorInput): void {
    for (const output of this.#monitor.step(now, input)) this.#hear(output);
  }

  #hear(output: MonitorOutput): void {
    switch (output.kind) {
      case "answer":
        this.#outputs.push({ ...output, escalations: this.#escalations() });
        break;
      case "probe":
        this.#homes.probe(this.#clock, output.child);
        break;
      case "active":
        break;
      case "failed":
        this.#homes.childFailed(this.#clock, output.child, output.reason);
        break;
      case "up":
        this.#homes.childUp(output.child);
        break;
      case "lost":
        this.#homes.childLost(output.child);
        break;
      default:
        this.#outputs.push(output);
    }
  }

  #escalations(): MonitorStatus["escalations"] {
    return this.#monitor.escalated().map(({ element, reason }) => ({ element, reason, node: "" }));
  }
}
