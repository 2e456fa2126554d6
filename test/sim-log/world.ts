import { Random } from "../../services/flow/random.ts";
import { EventQueue } from "../sim/event-queue.ts";
import { Ledger, type LogNode } from "./ledger.ts";
import { Network } from "./network.ts";
import type { Plan } from "./plan.ts";
import { Replica } from "./replica.ts";
import { WriterProcess } from "./writer-process.ts";

/** The replicas of a log, its writers one after the other or at once, and the ways between them. */
export class World {
  readonly plan: Plan;
  readonly clock = new EventQueue();
  readonly random: Random;
  readonly network: Network;
  readonly ledger: Ledger;
  readonly replicas = new Map<string, Replica>();
  readonly writers: WriterProcess[] = [];
  readonly violations: string[] = [];
  /** The replicas that the configuration names now. */
  set: readonly string[] = [];
  /** Entries in one answer at most. */
  readEntries: number;
  /** Between two bursts of entries of a writer that serves. */
  appendMs: number;
  /** A bit of some disk was turned over. */
  flipped = false;
  /** Writers that serve have something to say. */
  appending = true;
  #incarnations = 0;
  readonly #print: ((line: string) => void) | undefined;

  constructor(plan: Plan, print: ((line: string) => void) | undefined) {
    this.plan = plan;
    this.readEntries = plan.readEntries;
    this.appendMs = plan.appendMs;
    this.#print = print;
    this.random = new Random(plan.seed + 2 ** 41);
    this.network = new Network(this.clock, this.random, plan.manners);
    this.ledger = new Ledger((rule, text) => this.violated(rule, text));
  }

  get tracing(): boolean {
    return this.#print !== undefined;
  }

  trace(line: string): void {
    this.#print?.(`${this.clock.now.toFixed(1).padStart(9)} ${line}`);
  }

  violated(rule: string, text: string): void {
    this.trace(`VIOLATION ${rule}: ${text}`);
    if (this.violations.length < 20)
      this.violations.push(`${rule}: ${text} (at ${this.clock.now.toFixed(1)})`);
  }

  replica(name: string): Replica {
    let replica = this.replicas.get(name);
    if (replica === undefined) this.replicas.set(name, (replica = new Replica(this, name)));
    return replica;
  }

  /** Of a folder, or of a log in it. */
  drawIncarnation(): string {
    this.#incarnations += 1;
    return this.#incarnations.toString(16).padStart(32, "0");
  }

  /** The configuration names these from now on. */
  configure(set: readonly string[]): void {
    this.set = set;
    for (const name of set) this.replica(name).start();
  }

  /** The instance that was started last. */
  get newest(): WriterProcess | undefined {
    return this.writers.at(-1);
  }

  /** Of those that serve, the one that was promised the highest epoch. Others may not know yet that they were replaced. */
  get leader(): WriterProcess | undefined {
    return this.writers
      .filter(({ serving }) => serving)
      .reduce<WriterProcess | undefined>((best, each) => {
        return best !== undefined && best.machine.epoch > each.machine.epoch ? best : each;
      }, undefined);
  }

  /** As whoever nominates writers does: whether another lives is not known. */
  startWriter(): void {
    const writer = new WriterProcess(this, `writer#${this.writers.length + 1}`);
    this.writers.push(writer);
    writer.process.onEnd(() => {
      this.clock.after(this.plan.restartMs * (0.5 + this.random.unit()), () => {
        if (this.newest === writer) this.startWriter();
      });
    });
    writer.start();
  }

  /** Ends of all logs that somebody may go by. */
  tails(): LogNode[] {
    const tails: LogNode[] = [];
    for (const replica of this.replicas.values()) {
      const standing = this.ledger.standing(replica.incarnation);
      if (standing !== undefined) tails.push(standing.tail);
    }
    for (const { process, last } of this.writers) if (!process.ended && last !== undefined) tails.push(last);
    return tails;
  }

  /**
   * Whether without this replica's disk a majority of the members is left, in every set of members that may be in force, and in the
   * configured set one that has something: a log that nobody in the set has seems to be new.
   */
  spares(lost: Replica): boolean {
    const founded = this.ledger.committed.seq > 0;
    if (founded && !this.set.some((name) => name !== lost.name && this.replica(name).hasLog)) return false;
    // Before it is founded, most must be who they were at first: they may have promised to whoever founds it.
    const others = this.set.filter((name) => name !== lost.name && this.replica(name).losses === 0);
    if (!founded && others.length * 2 <= this.set.length) return false;
    return this.ledger.membersInForce(this.tails()).every((members) => {
      const left = members.filter(({ name, incarnation }) => {
        if (name === lost.name) return false;
        const replica = this.replicas.get(name);
        return replica?.holds(incarnation) === true;
      });
      return members.length === 0 || left.length * 2 > members.length;
    });
  }
}
