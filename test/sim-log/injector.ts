import { Random } from "../../services/flow/random.ts";
import type { PlannedFault } from "./plan.ts";
import type { Replica } from "./replica.ts";
import { replicaName } from "./name.ts";
import type { World } from "./world.ts";
import type { WriterProcess } from "./writer-process.ts";

/** Names that a configuration can have. */
const NAMES_MAX = 7;
const SLOW_SYNC_MS = 500;
/** After the faults: what a writer remembers of so slow a log, however little it is, lasts until a replica was copied. */
const HEALED_APPEND_MS = 200;

/** Does what the plan says, to whom the fault's own seed says, and takes it back when its time is over. */
export class Injector {
  readonly #world: World;
  /** What lasts, to be taken back at the end. */
  #healed = false;
  readonly #lasting = new Set<() => void>();

  constructor(world: World) {
    this.#world = world;
    for (const fault of world.plan.faults)
      world.clock.at(fault.at, () => this.#inject(fault, new Random(fault.seed)));
    const { awayFirst } = world.plan;
    if (awayFirst !== undefined) {
      const replica = world.replica(world.set[awayFirst.index % world.set.length] as string);
      replica.end("away from the beginning", 0);
      this.#last(awayFirst.lastsMs, () => replica.start());
    }
  }

  /** Nothing is cut, slow or gone any more. */
  heal(): void {
    this.#healed = true;
    for (const end of this.#lasting) end();
    this.#lasting.clear();
    const { network, replicas, writers, plan, random } = this.#world;
    network.manners = { ...plan.manners, loss: 0, late: 0 };
    this.#world.readEntries = Infinity;
    this.#world.appendMs = Math.max(plan.appendMs, HEALED_APPEND_MS);
    for (const replica of replicas.values()) {
      replica.disk.failing = false;
      replica.process?.wake(random.chance(0.5));
      replica.start();
    }
    for (const { process } of writers) process.wake(random.chance(0.5));
  }

  /** Not at all when the faults are over by then. */
  #later(ms: number, run: () => void): void {
    this.#world.clock.after(ms, () => {
      if (!this.#healed) run();
    });
  }

  #last(ms: number, end: () => void): void {
    const once = (): void => {
      if (this.#lasting.delete(once)) end();
    };
    this.#lasting.add(once);
    this.#world.clock.after(ms, once);
  }

  #inject(fault: PlannedFault, random: Random): void {
    const { kind, lastsMs } = fault;
    this.#world.trace(`fault: ${kind} for ${lastsMs} ms`);
    switch (kind) {
      case "race":
        return this.#world.startWriter();
      case "kill writer":
        return this.#writer(random)?.process.end();
      case "stop writer":
        return this.#stopWriter(random, lastsMs);
      case "cut writer":
        return this.#cutWriter(random, lastsMs);
      case "cut replica":
        return this.#cut(random, lastsMs, [this.#replica(random).name]);
      case "cut pair":
        return this.#cutPair(random, lastsMs);
      case "bad network":
        return this.#badNetwork(random, lastsMs);
      case "change set":
        return this.#changeSet(random);
      default:
        return this.#injectReplica(fault, this.#replica(random), random);
    }
  }

  #injectReplica({ kind, lastsMs }: PlannedFault, replica: Replica, random: Random): void {
    switch (kind) {
      case "kill replica":
        replica.end("killed", 1 - random.below(2));
        return this.#last(random.below(100), () => replica.start());
      case "power":
        replica.end("without power", random.unit());
        return this.#last(random.below(200), () => replica.start());
      case "power of all":
        return this.#powerOfAll(random);
      case "away":
        replica.end("away", random.unit());
        return this.#last(lastsMs * 3, () => replica.start());
      case "stop replica":
        replica.process?.stop();
        return this.#last(lastsMs, () => replica.process?.wake(random.chance(0.5)));
      case "lose disk":
        if (!this.#mayLose(replica)) return;
        replica.end("lost its disk", 0);
        replica.lose();
        return this.#last(random.chance(0.5) ? random.below(50) : lastsMs, () => replica.start());
      case "fail sync":
        return this.#failSync(replica, random);
      case "old copy":
        return this.#oldCopy(replica, random, lastsMs);
      case "flip":
        return this.#flip(replica, random);
      case "slow disk":
        replica.slowMs = random.unit() * SLOW_SYNC_MS;
        return this.#last(lastsMs, () => void (replica.slowMs = 0));
      default:
        throw new Error(`fault ${kind} is of no replica`);
    }
  }

  /** The newest most of the time, or one of those before. */
  #writer(random: Random): WriterProcess | undefined {
    const { writers } = this.#world;
    const living = writers.filter(({ process }) => !process.ended);
    return random.chance(0.7) ? living.at(-1) : living[random.below(living.length)];
  }

  #replica(random: Random): Replica {
    const all = [...this.#world.replicas.values()];
    return all[random.below(all.length)] as Replica;
  }

  /** Taken for dead meanwhile, or not. */
  #stopWriter(random: Random, lastsMs: number): void {
    const writer = this.#writer(random);
    if (writer === undefined) return;
    const timersFirst = random.chance(0.5);
    writer.process.stop();
    if (random.chance(0.7)) this.#later(random.unit() * lastsMs, () => this.#world.startWriter());
    this.#last(lastsMs, () => writer.process.wake(timersFirst));
  }

  #cutWriter(random: Random, lastsMs: number): void {
    const writer = this.#writer(random);
    if (writer === undefined) return;
    this.#cut(random, lastsMs, [writer.process.name]);
    if (random.chance(0.5)) this.#later(random.unit() * lastsMs, () => this.#world.startWriter());
  }

  /** These from all others or from some of them, both ways or one. */
  #cut(random: Random, lastsMs: number, names: readonly string[]): void {
    const { replicas, writers, network } = this.#world;
    const share = random.chance(0.5) ? 1 : random.unit();
    const [there, back] = random.chance(0.6)
      ? [true, true]
      : random.chance(0.5)
        ? [true, false]
        : [false, true];
    const others = [...replicas.keys(), ...writers.slice(-3).map(({ process }) => process.name)];
    const ends: (() => void)[] = [];
    for (const name of names)
      for (const other of others) {
        if (names.includes(other) || !random.chance(share)) continue;
        this.#world.trace(`  ${name} ${back ? "<" : ""}-|-${there ? ">" : ""} ${other}`);
        if (there) ends.push(network.cut(name, other));
        if (back) ends.push(network.cut(other, name));
      }
    this.#last(lastsMs, () => {
      for (const end of ends) end();
    });
  }

  /** Two replicas, or a replica and a writer, from all others. */
  #cutPair(random: Random, lastsMs: number): void {
    const other = random.chance(0.5) ? this.#writer(random)?.process.name : this.#replica(random).name;
    this.#cut(random, lastsMs, [this.#replica(random).name, ...(other === undefined ? [] : [other])]);
  }

  #badNetwork(random: Random, lastsMs: number): void {
    const { network, plan } = this.#world;
    network.manners = { ...plan.manners, loss: 0.2 + 0.4 * random.unit(), late: 0.5, lateMs: 300 };
    this.#last(lastsMs, () => void (network.manners = plan.manners));
  }

  #powerOfAll(random: Random): void {
    const { replicas, writers } = this.#world;
    for (const { process } of writers) if (!process.ended && random.chance(0.8)) process.end();
    for (const replica of replicas.values()) {
      replica.end("without power", random.unit());
      this.#last(random.below(300), () => replica.start());
    }
  }

  #mayLose(replica: Replica): boolean {
    const { plan, set } = this.#world;
    // In ruins one that has something stays, so that the log cannot seem to be new.
    const others = set.filter((name) => name !== replica.name);
    if (plan.ruin) return others.some((name) => this.#world.replica(name).hasLog);
    if (this.#world.spares(replica)) return true;
    this.#world.trace(`  spared ${replica.name}`);
    return false;
  }

  /** A folder whose sync failed is set aside, if others can rebuild it. */
  #failSync(replica: Replica, random: Random): void {
    const only = this.#world.set.length === 1;
    if (!only && !this.#mayLose(replica)) return;
    replica.disk.failing = true;
    replica.onFailed = (): void => {
      replica.end("failed to sync", random.unit());
      replica.disk.failing = false;
      if (!only) replica.lose();
      this.#last(random.below(100), () => replica.start());
    };
    this.#last(1000, () => void (replica.disk.failing = false));
  }

  /**
   * Where the others have all that the replica acknowledged since, the copy does no harm. Where they have not, the
   * replica is told by them that it is behind, and is as good as lost.
   */
  #oldCopy(replica: Replica, random: Random, lastsMs: number): void {
    const taken = replica.copy();
    this.#later(lastsMs, () => {
      const harmless = replica.dispensable(taken);
      if (!harmless && !this.#mayLose(replica)) return;
      replica.end(harmless ? "is put back from a copy" : "is put back from a copy, which is noticed", 1);
      if (harmless) replica.putBack(taken);
      else replica.lose();
      this.#last(random.below(100), () => replica.start());
    });
  }

  #flip(replica: Replica, random: Random): void {
    if (!this.#mayLose(replica) || !replica.flip(random)) return;
    this.#world.flipped = true;
    if (random.chance(0.5)) return;
    replica.end("killed after a flip", 1);
    this.#last(random.below(50), () => replica.start());
  }

  /** Of another size, or with others in the place of some. One stays that has the log. The job is started anew for it. */
  #changeSet(random: Random): void {
    const { set, newest } = this.#world;
    const keeps = set.filter((name) => this.#world.replica(name).hasLog);
    const stays = keeps[random.below(keeps.length)];
    if (newest?.serving !== true || stays === undefined) return;
    const spare = Array.from({ length: NAMES_MAX }, (_, index) => replicaName(index)).filter(
      (name) => !set.includes(name),
    );
    const others = set.filter((name) => name !== stays);
    const size = [1, 3, 5][random.below(3)] as number;
    for (let count = random.below(3); count > 0; count--) others.splice(random.below(others.length), 1);
    const next = [stays, ...others, ...spare].slice(0, size);
    this.#world.trace(`  set is ${next.join(" ")}`);
    this.#world.configure(next);
    this.#world.startWriter();
  }
}
