import { Injector } from "./injector.ts";
import type { Plan } from "./plan.ts";
import { Reader } from "./reader.ts";
import { replicaName } from "./name.ts";
import { World } from "./world.ts";

/** Milliseconds after the last fault within which a writer must serve, the log grow, and every replica of the set be a member that has it. */
export const HEAL_BOUND_MS = 20_000;
/** Entries that the log must grow by. */
const HEALED_ENTRIES = 3;
/** Milliseconds of quiet in which what is committed must be told to every replica. */
const QUIET_MS = 5000;
/** Milliseconds more in which the slowest reader must have read all, an entry at a time. */
const READERS_MS = 60_000;
const LOOK_MS = 25;

export interface HistoryResult {
  readonly seed: number;
  readonly violations: readonly string[];
  readonly events: number;
  readonly simulatedMs: number;
  readonly told: number;
  readonly writers: number;
  readonly healedMs: number;
}

/** One history: faults, then none, then what must be so. */
export class History {
  readonly #world: World;
  readonly #readers: readonly Reader[];
  readonly #injector: Injector;
  #healedMs = 0;

  constructor(plan: Plan, print?: (line: string) => void) {
    this.#world = new World(plan, print);
    this.#world.configure(Array.from({ length: plan.replicas }, (_, index) => replicaName(index)));
    this.#injector = new Injector(this.#world);
    this.#readers = Array.from({ length: plan.readers }, (_, index) => new Reader(this.#world, index));
  }

  run(): HistoryResult {
    const { plan, clock, violations, ledger, writers } = this.#world;
    try {
      this.#world.startWriter();
      clock.runUntil(plan.faultMs, () => violations.length > 0);
      this.#world.trace("no more faults");
      this.#injector.heal();
      if (violations.length === 0) this.#heal();
      if (violations.length === 0 && !plan.ruin) this.#quiet();
    } catch (error) {
      this.#world.violated("throws", error instanceof Error ? (error.stack ?? error.message) : String(error));
    }
    return {
      seed: plan.seed,
      violations,
      events: clock.events,
      simulatedMs: clock.now,
      told: ledger.told,
      writers: writers.length,
      healedMs: this.#healedMs,
    };
  }

  #heal(): void {
    const { clock, ledger, plan, violations } = this.#world;
    const from = clock.now;
    const grown = ledger.committed.seq + HEALED_ENTRIES;
    const deadline = from + (plan.ruin ? 2000 : HEAL_BOUND_MS);
    while (clock.now < deadline && violations.length === 0) {
      if (this.#unwell(grown) === undefined) break;
      clock.runUntil(clock.now + LOOK_MS, () => violations.length > 0);
    }
    this.#healedMs = clock.now - from;
    const unwell = this.#unwell(grown);
    if (unwell !== undefined && !plan.ruin && violations.length === 0)
      this.#world.violated("heals", `${HEAL_BOUND_MS} ms after the last fault ${unwell}`);
  }

  /** What is not yet as it must be. */
  #unwell(grown: number): string | undefined {
    const { leader, ledger, set } = this.#world;
    if (leader === undefined) return "no writer serves";
    if (ledger.committed.seq < grown) return `the log does not grow beyond ${ledger.committed.seq}`;
    const { members } = ledger.committed;
    for (const { name, incarnation } of members) {
      if (this.#world.replica(name).log.incarnation !== incarnation)
        return `${name} is a member in incarnation ${incarnation}`;
    }
    const names = members.map(({ name }) => name);
    for (const name of set) if (!names.includes(name)) return `${name} is no member`;
    if (names.length > set.length) return `the members are ${names.join(" ")}`;
    return undefined;
  }

  /** Nothing is appended any more, and every replica is told how far is committed. */
  #quiet(): void {
    const { clock, violations } = this.#world;
    this.#world.appending = false;
    const wait = (ms: number, what: () => string | undefined): void => {
      const deadline = clock.now + ms;
      while (what() !== undefined && clock.now < deadline && violations.length === 0)
        clock.runUntil(clock.now + LOOK_MS, () => violations.length > 0);
      const left = what();
      if (left !== undefined && violations.length === 0) this.#world.violated("quiet", left);
    };
    wait(QUIET_MS, () => this.#untold());
    wait(QUIET_MS, () => this.#damaged());
    wait(READERS_MS, () => this.#unread());
  }

  #unread(): string | undefined {
    const { seq } = this.#world.ledger.committed;
    return this.#readers.some(({ next }) => next <= seq) ? `a reader did not reach entry ${seq}` : undefined;
  }

  #untold(): string | undefined {
    const { leader, ledger, set } = this.#world;
    const { seq } = ledger.committed;
    if (leader?.machine.appended !== seq)
      return `entry ${leader?.machine.appended} is not committed, only ${seq}`;
    for (const name of set) {
      const { log } = this.#world.replica(name);
      if (log.seq !== seq || log.committed !== seq)
        return `${name} ends at entry ${log.seq} and knows ${log.committed} committed, not ${seq}`;
    }
    return undefined;
  }

  /** What the disks hold is what the replicas say. A set of one has nobody who would mend it. */
  #damaged(): string | undefined {
    const { set } = this.#world;
    if (set.length === 1) return undefined;
    for (const name of set) {
      const problem = this.#world.replica(name).audit();
      if (problem !== undefined) return `${name}: ${problem}`;
    }
    return undefined;
  }
}
