import type { InstanceId } from "../../runtime/monitor/instance.ts";
import type { Due } from "./event-queue.ts";
import type { SimNode } from "./sim-node.ts";
import { Touch } from "./touch.ts";
import type { World } from "./world.ts";

/** What a stopped process finds in its sockets when it wakes. */
const HELD_MAX = 20_000;

export interface ProcessFacts {
  readonly kind: "host" | "monitor";
  /** Of a monitor its unit, of a host its name on the node. */
  readonly name: string;
  /** Of a host: the role that keeps it. */
  readonly agent?: string;
}

/**
 * A process of the simulated world: its own monotonic clock with an offset and a rate, timers, and what the signals STOP, CONT and KILL do.
 * Whatever happens to it comes through `hear`.
 */
export class SimProcess {
  readonly kind: "host" | "monitor";
  readonly name: string;
  readonly agent: string | undefined;
  readonly node: SimNode;
  readonly id: InstanceId;
  /** World time of its start. */
  readonly since: number;
  /** World time since which it runs without a stop. */
  awakeSince: number;
  dead = false;
  paused = false;
  readonly #world: World;
  readonly #offset: number;
  readonly #rate: number;
  /** Faults of itself: stops, and cuts of its link. */
  readonly touch = new Touch();
  readonly #heldMessages: (() => void)[] = [];
  readonly #heldTimers: (() => void)[] = [];
  readonly #onEnd: ((reason: string) => void)[] = [];

  constructor(world: World, node: SimNode, facts: ProcessFacts) {
    const { random, clock } = world;
    this.#world = world;
    this.kind = facts.kind;
    this.name = facts.name;
    this.agent = facts.agent;
    this.node = node;
    this.since = clock.now;
    this.awakeSince = clock.now;
    this.id = { node: node.name, pid: node.takePid(), startTicks: Math.floor(clock.now / 10) + 1 };
    this.#offset = random.below(1_000_000);
    this.#rate = 1 + (random.unit() - 0.5) * 2 * world.plan.clockDrift;
    node.processes.add(this);
  }

  /** Its monotonic clock, milliseconds. */
  get now(): number {
    return this.#offset + (this.#world.clock.now - this.since) * this.#rate;
  }

  /** Wall clock of its node, milliseconds since the Unix epoch. */
  get wall(): number {
    return this.node.wall;
  }

  /** Neither ended nor stopped. */
  get awake(): boolean {
    return !this.dead && !this.paused && !this.node.frozen;
  }

  /** Something happens to it: now, or when it wakes, or never. */
  hear(work: () => void): void {
    if (this.dead) return;
    if (!this.paused && !this.node.frozen) this.#run(work);
    else if (this.#heldMessages.length < HELD_MAX) this.#heldMessages.push(work);
  }

  after(delayMs: number, work: () => void): Due {
    return this.#world.clock.after(delayMs / this.#rate, () => this.#fire(work));
  }

  /** Every `periodMs` of its own clock; while it is stopped the timer fires once, when it wakes. */
  every(periodMs: number, work: () => void): void {
    const { clock, random } = this.#world;
    const jitter = this.#world.plan.timerJitterMs;
    const period = periodMs / this.#rate;
    const fire = (): void => {
      this.#fire(() => {
        clock.after(period + random.unit() * jitter, fire);
        work();
      });
    };
    clock.after(random.unit() * period, fire);
  }

  onEnd(listener: (reason: string) => void): void {
    this.#onEnd.push(listener);
  }

  /** It is gone at once; who sees the end of its sockets learns it in a moment. */
  end(reason: string): void {
    if (this.dead) return;
    this.dead = true;
    this.#heldMessages.length = 0;
    this.#heldTimers.length = 0;
    this.node.processes.delete(this);
    this.#world.trace?.(`${this.label} ends: ${reason}`);
    for (const listener of this.#onEnd) listener(reason);
  }

  pause(): void {
    if (this.dead || this.paused) return;
    this.paused = true;
    this.#world.trace?.(`${this.label} is stopped`);
  }

  wake(): void {
    if (this.dead || !this.paused) return;
    this.paused = false;
    this.#world.trace?.(`${this.label} wakes`);
    this.thaw();
  }

  /** It runs again: after a stop of its own, or of its node. Timers and sockets come in any order. */
  thaw(): void {
    if (this.paused || this.node.frozen) return;
    this.awakeSince = this.#world.clock.now;
    const timers = this.#heldTimers.splice(0);
    const messages = this.#heldMessages.splice(0);
    const held = this.#world.random.chance(0.7) ? [...timers, ...messages] : [...messages, ...timers];
    for (const work of held) this.#world.clock.soon(() => this.hear(work));
  }

  get label(): string {
    return `${this.kind} ${this.name} (${this.id.node}:${this.id.pid})`;
  }

  #fire(work: () => void): void {
    if (this.dead) return;
    if (this.paused || this.node.frozen) this.#heldTimers.push(work);
    else this.#run(work);
  }

  #run(work: () => void): void {
    try {
      work();
    } catch (error) {
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      this.#world.checks.violated("machine", `${this.label} threw ${text}`);
      this.end("threw");
    }
  }
}
