import type { Random } from "../../services/flow/random.ts";
import { readEntries } from "../../runtime/log/entry-read.ts";
import { JobLog, loadJobLog } from "../../runtime/log/job-log.ts";
import { entryKey } from "../../runtime/log/store-key.ts";
import { Disk, type DiskCopy } from "./disk.ts";
import { holds } from "./ledger.ts";
import { ReplicaRun } from "./replica-run.ts";
import { SimProcess } from "./sim-process.ts";
import { JOB } from "./name.ts";
import type { World } from "./world.ts";

/** What was put aside of a folder. */
export interface FolderCopy {
  readonly incarnation: string;
  readonly disk: DiskCopy;
}

/** A storage job over its lives, and its folder. */
export class Replica {
  readonly name: string;
  readonly disk = new Disk();
  process: SimProcess | undefined;
  /** How often its folder was lost. */
  losses = 0;
  /** Milliseconds more for each sync. */
  slowMs = 0;
  /** Called when a write fails, in place of an answer. */
  onFailed: () => void = () => undefined;
  /** Of its folder. */
  #folder: string;
  #run: ReplicaRun | undefined;
  #log: JobLog;
  readonly #world: World;

  constructor(world: World, name: string) {
    this.#world = world;
    this.name = name;
    this.#folder = world.drawIncarnation();
    this.#log = new JobLog(JOB, this.#folder);
  }

  /** Where its log stands, or stood when it ended. */
  get log(): JobLog {
    return this.#run?.log ?? this.#log;
  }

  /** Of its log: the folder's, or its own. */
  get incarnation(): string {
    return this.log.incarnation;
  }

  /** Something of the log is on its disk. */
  get hasLog(): boolean {
    return !this.disk.failing && (this.#world.ledger.standing(this.incarnation)?.tail.seq ?? 0) > 0;
  }

  start(): void {
    if (this.process !== undefined && !this.process.ended) return;
    this.disk.failing = false;
    this.process = new SimProcess(this.name, this.#world.clock);
    this.#run = new ReplicaRun(this.#world, this, this.process, this.#folder);
    const { log } = this;
    const { seq, epoch, promised } = log;
    this.#world.trace(
      `${this.name} starts: ${seq} of ${epoch}, promised ${promised}, ${log.incarnation.slice(-4)} ${log.refusal?.detail ?? ""}`,
    );
  }

  /** `kept`: the share of what was not synced that a power failure leaves. */
  end(why: string, kept: number): void {
    this.#world.trace(`${this.name} is ${why}`);
    if (this.process !== undefined && !this.process.ended) this.process.end();
    this.disk.crash(Math.floor(kept * (this.disk.unsettled + 1)));
    this.#load();
  }

  /** Its folder is gone. */
  lose(): void {
    this.losses += 1;
    this.disk.restore({ records: new Map() });
    if (this.#world.plan.broken !== "incarnation") this.#folder = this.#world.drawIncarnation();
    this.#load();
  }

  copy(): FolderCopy {
    return { incarnation: this.#folder, disk: this.disk.copy() };
  }

  putBack({ incarnation, disk }: FolderCopy): void {
    this.#folder = incarnation;
    this.disk.restore(disk);
    this.#load();
    const { log } = this;
    const { ledger } = this.#world;
    const tail = ledger.node(log.chain);
    ledger.putBack(log.incarnation, log.promised);
    if (tail !== undefined) ledger.stands(log.incarnation, tail, log.promised);
  }

  /** All that this replica, and whoever it was when the copy was taken, has acknowledged stands on a majority without it. */
  dispensable({ incarnation }: FolderCopy): boolean {
    const { ledger, replicas } = this.#world;
    const known = [incarnation, this.incarnation].flatMap((each) => ledger.standing(each) ?? []);
    return ledger.membersInForce(this.#world.tails()).every((members) => {
      const others = members.filter(({ name }) => name !== this.name);
      const have = others.filter((other) => {
        if (replicas.get(other.name)?.holds(other.incarnation) !== true) return false;
        const standing = ledger.standing(other.incarnation);
        return known.every(
          ({ tail, promised }) =>
            standing !== undefined && standing.promised >= promised && holds(standing.tail, tail),
        );
      });
      return have.length * 2 > members.length;
    });
  }

  /**
   * One record of a committed entry is damaged on the disk. What is not committed may stand nowhere else: damaged, it stops the log
   * until the replica is given up.
   */
  flip(random: Random): boolean {
    const { first, seq } = this.log;
    const end = Math.min(seq, this.#world.ledger.committed.seq);
    if (end < first) return false;
    return this.disk.flip(entryKey(JOB, first + random.below(end - first + 1)), random.next());
  }

  /** Its disk is there in this incarnation, and all of its log can be read. */
  holds(incarnation: string): boolean {
    return !this.disk.failing && this.incarnation === incarnation && this.audit() === undefined;
  }

  /** What is wrong with its disk, if anything is. */
  audit(): string | undefined {
    const log = this.#loaded();
    if (log.refusal !== undefined) return log.refusal.detail;
    if (log.blank) return "it is blank";
    if (log.seq < log.first) return undefined;
    const { problem } = readEntries(this.disk, log, log.first, log.seq + 1, Infinity);
    return problem?.detail;
  }

  #loaded(): JobLog {
    return loadJobLog(this.disk, JOB, undefined, this.#folder);
  }

  #load(): void {
    this.#run = undefined;
    this.#log = this.#loaded();
  }
}
