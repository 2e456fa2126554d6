import { MONITOR_RETRY_MAX_MS, MONITOR_START_MS } from "../../runtime/limits.ts";
import { complaints } from "./end-state.ts";
import { Injector } from "./injector.ts";
import type { Plan } from "./plan.ts";
import { World } from "./world.ts";

/** All must be well without a break for so long before it is believed: after the start, and after the last fault. */
const STARTED_MS = 500;
const STEADY_MS = 3000;
const LOOK_MS = 500;

export interface SimulationResult {
  readonly seed: number;
  /** Empty: it passed. */
  readonly violations: readonly string[];
  readonly cluster: string;
  readonly events: number;
  readonly simulatedMs: number;
  /** From the end of the faults until all was well. */
  readonly healedMs: number;
  /** Entries that were told to clients. */
  readonly published: number;
}

/**
 * Milliseconds after the end of all faults within which everything must be well. The longest wait of a monitor is that of one who has
 * just given up a role, `MONITOR_RETRY_MAX_MS`; from then on each level needs a suspicion, its back-off, a start and a passive
 * round, one level after the other, and twice where the first start met another.
 */
export function healBoundMs({ levels, timing }: Plan): number {
  let perLevel = 0;
  for (const { suspectMs, backoffMs, passiveMs } of timing.roles.values())
    perLevel = Math.max(perLevel, suspectMs + backoffMs.max + MONITOR_START_MS + passiveMs);
  return MONITOR_RETRY_MAX_MS + 2 * (levels + 1) * perLevel;
}

/** One seed from its start to its end. `print` hears each step as a line. */
export class Simulation {
  readonly #plan: Plan;
  readonly #world: World;
  #wellSince: number | undefined;
  #healedMs = 0;

  constructor(plan: Plan, print?: (line: string) => void) {
    this.#plan = plan;
    this.#world = new World(plan, print);
  }

  run(): SimulationResult {
    const world = this.#world;
    const { plan } = world;
    try {
      this.#live();
    } catch (error) {
      world.checks.violated(
        "simulator",
        error instanceof Error ? (error.stack ?? error.message) : String(error),
      );
    }
    return {
      seed: plan.seed,
      violations: world.checks.violations,
      cluster: `${plan.nodes.length} nodes, ${plan.arrangement}, ${plan.jobs.length} jobs, ${plan.faults.length} faults`,
      events: world.clock.events,
      simulatedMs: world.clock.now,
      healedMs: this.#healedMs,
      published: world.checks.logs.told,
    };
  }

  #live(): void {
    const world = this.#world;
    const plan = this.#plan;
    const injector = new Injector(world);
    world.start();
    this.#requests();
    if (plan.faultsAfterMs === undefined) this.#settle(STARTED_MS, "never came up");
    else this.#pass(plan.faultsAfterMs);
    if (this.#failed) return;
    injector.begin(plan.faults);
    this.#pass(plan.faultMs);
    injector.heal();
    const healedAt = world.clock.now;
    this.#settle(STEADY_MS, "is not well again");
    this.#healedMs = world.clock.now - healedAt;
    if (!this.#failed) this.#quiet();
    if (!this.#failed) world.checks.logs.audit();
  }

  get #failed(): boolean {
    return this.#world.checks.violations.length > 0;
  }

  #pass(forMs: number): void {
    this.#world.clock.runUntil(this.#world.clock.now + forMs, () => this.#failed);
  }

  /** Until all is well, and was for a while. */
  #settle(steadyMs: number, otherwise: string): void {
    const { clock, checks } = this.#world;
    const bound = clock.now + healBoundMs(this.#plan);
    this.#wellSince = undefined;
    while (!this.#failed) {
      const found = complaints(this.#world);
      if (found.length > 0) this.#wellSince = undefined;
      else this.#wellSince ??= clock.now;
      if (this.#wellSince !== undefined && clock.now - this.#wellSince >= steadyMs) return;
      if (clock.now > bound && found.length > 0) {
        for (const complaint of found)
          checks.violated("end", `${otherwise} within ${healBoundMs(this.#plan)} ms: ${complaint}`);
        return;
      }
      this.#pass(LOOK_MS);
    }
  }

  /** Nothing is done any more where nothing happens. */
  #quiet(): void {
    const { checks } = this.#world;
    const before = checks.deeds;
    this.#pass(this.#plan.quietMs);
    if (this.#failed) return;
    if (checks.deeds > before)
      checks.violated(
        "quiet",
        `${checks.deeds - before} things were done although all was well, the last: ${checks.lastDeed}`,
      );
    for (const complaint of complaints(this.#world))
      checks.violated("quiet", `all was well, and then: ${complaint}`);
  }

  /** Clients ask every counter, on and on. */
  #requests(): void {
    const { clock, network, plan, random, store } = this.#world;
    let asked = 0;
    for (const { record, what } of plan.jobs) {
      if (what.kind !== "counter") continue;
      const ask = (): void => {
        asked += 1;
        const id = asked;
        if (store.jobs.has(record.job)) network.broadcast(`job ${record.job}`, { kind: "request", id });
        clock.after(plan.requestMs * (0.5 + random.unit()), ask);
      };
      clock.after(random.unit() * plan.requestMs, ask);
    }
  }
}
