import {
  LogEntry,
  type LogRequest,
  type LogResponse,
  LogStatus,
} from "../../proto/generated/evercross/v1/log.ts";
import { formatJob, type JobName } from "../job/name.ts";
import { REPAIRS_WAITING_MAX, REPLICA_TIMEOUT_MS } from "../limits.ts";
import { BusRequestError } from "../messaging/bus.ts";
import { checkEntry } from "./entry.ts";
import { readEntry } from "./entry-read.ts";
import type { JobLog } from "./job-log.ts";
import type { ReplicaPort } from "./replica-port.ts";
import type { Damage } from "./scrub.ts";
import { entryKey } from "./store-key.ts";
import type { LogStore } from "./store.ts";

export interface RepairOptions {
  readonly store: LogStore;
  readonly port: ReplicaPort;
  /** The other replicas of the set. */
  readonly peers: readonly JobName[];
  /** Jobs of which this replica acknowledged something. */
  readonly jobs: () => readonly string[];
  /** Entries of the log are whole again. Called within `work`; may throw. */
  readonly mended: (log: JobLog) => void;
  /** Makes the log's rows anew. False: it cannot. Called within `work`; may throw. */
  readonly remakeRows: (log: JobLog) => boolean;
  /** The others have all of the log: it is to be copied from them. Called within `work`; may throw. */
  readonly beginAnew: (log: JobLog) => void;
  /** The others have all that this replica has: it is to be rebuilt from them. */
  readonly giveUp: (reason: string) => void;
  /** Runs what writes, and ends the replica when that throws. */
  readonly work: (work: () => void) => void;
  /** Hears of each damage what became of it. */
  readonly told: (outcome: RepairOutcome, detail: string) => void;
}

const NO_OTHER_COPY = "there is no other copy; restore this replica from a good one";

export type RepairOutcome = "repaired" | "refused";

/**
 * Repairs what the scrub or a reader found damaged, one after the other. An entry is taken from another replica only when
 * its chain value is the one that the entry behind it, or the end of the log, was made with; what cannot be proved so is
 * refused, and found again by the next round.
 */
export class Repairs {
  readonly #options: RepairOptions;
  readonly #waiting = new Map<string, Damage>();
  #found = 0;
  #repaired = 0;
  /** What could not be repaired, and in which round of the scrub that was. */
  readonly #refused = new Map<string, number>();
  #round = 0;
  #running = false;
  #stopped = false;

  constructor(options: RepairOptions) {
    this.#options = options;
  }

  /** Undefined as long as nothing was found. */
  get summary(): string | undefined {
    if (this.#found === 0) return undefined;
    return `damage: ${this.#found} found, ${this.#repaired} repaired, ${this.#refused.size} refused`;
  }

  /** False: it waits already, or was refused just before. */
  report(damage: Damage): boolean {
    const name = `${damage.kind} ${damage.log.job} ${damage.from}`;
    if (this.#stopped || this.#waiting.has(name) || this.#waiting.size >= REPAIRS_WAITING_MAX) return false;
    // Not again and again: two replicas that ask each other for what both lack would go on for ever.
    if (this.#refused.get(name) === this.#round) return false;
    this.#waiting.set(name, damage);
    if (!this.#refused.has(name)) this.#found += 1;
    if (!this.#running) void this.#run();
    return true;
  }

  /** What was refused is tried again when it is found again. */
  nextRound(): void {
    this.#round += 1;
  }

  stop(): void {
    this.#stopped = true;
  }

  async #run(): Promise<void> {
    this.#running = true;
    for (const [name, damage] of this.#waiting) {
      const problem = await this.#repair(damage);
      if (this.#stopped) break;
      this.#waiting.delete(name);
      if (problem === undefined) {
        this.#repaired += 1;
        this.#refused.delete(name);
      } else if (this.#refused.size < REPAIRS_WAITING_MAX) this.#refused.set(name, this.#round);
      const detail = problem === undefined ? damage.detail : `${damage.detail}; ${problem}`;
      this.#options.told(problem === undefined ? "repaired" : "refused", detail);
    }
    this.#running = false;
  }

  /** Why it could not be repaired; undefined when it was. */
  async #repair(damage: Damage): Promise<string | undefined> {
    switch (damage.kind) {
      case "entry":
        return await this.#entries(damage);
      case "rows":
        return await this.#rows(damage);
      case "file":
        return await this.#file(damage);
    }
  }

  /** From the last one back: each is proved by the one behind it. */
  async #entries({ log, from, through }: Damage): Promise<string | undefined> {
    const { store } = this.#options;
    let last = through;
    while (last < log.seq && readEntry(store, log.job, last + 1) === undefined) last += 1;
    for (let seq = Math.min(last, log.seq); seq >= log.first; seq--) {
      if (this.#proved(log, readEntry(store, log.job, seq), seq)) {
        // Where two entries do not fit it may be the first that is wrong.
        if (seq < from) break;
        continue;
      }
      const found = await this.#fetch(log, seq);
      if (typeof found === "string") return found;
      this.#options.work(() => {
        if (!this.#stopped && this.#proved(log, found, seq)) {
          store.write([{ key: entryKey(log.job, seq), value: LogEntry.encode(found).finish() }], true);
        }
      });
    }
    this.#options.work(() => this.#options.mended(log));
    return undefined;
  }

  /** Whether this is what stood there, by what follows it. */
  #proved(log: JobLog, entry: LogEntry | undefined, seq: number): boolean {
    if (entry === undefined || entry.job !== log.job || entry.seq !== seq || seq > log.seq) return false;
    if (checkEntry(entry, undefined) !== "ok") return false;
    if (seq === log.seq) return entry.chain.equals(log.chain);
    const next = readEntry(this.#options.store, log.job, seq + 1);
    return next !== undefined && checkEntry(next, entry.chain) === "ok";
  }

  async #fetch(log: JobLog, seq: number): Promise<LogEntry | string> {
    const { peers } = this.#options;
    if (peers.length === 0) return NO_OTHER_COPY;
    const answers: string[] = [];
    for (const peer of peers) {
      let why = "";
      // Also what is chosen and not known to be committed: after a restart of all nothing is, and its writer waits for the mending.
      for (const epoch of new Set([log.promised, 0])) {
        const value = { from: seq, to: seq + 1, epoch };
        const answer = await this.#ask(peer, log.job, { $case: "read", value });
        const entry = typeof answer === "string" ? undefined : answer.entries[0];
        if (this.#proved(log, entry, seq)) return entry as LogEntry;
        why =
          typeof answer === "string" ? answer : answer.detail || `entry ${seq} is not known to be committed`;
        if (entry !== undefined) why = "its entry does not fit";
      }
      answers.push(`${formatJob(peer)}: ${why}`);
    }
    return `nobody has a good copy: ${answers.join("; ")}`;
  }

  /** From the log; where that was trimmed the log begins anew, but only while all others are whole. */
  async #rows({ log }: Damage): Promise<string | undefined> {
    let made = false;
    this.#options.work(() => (made = this.#options.remakeRows(log)));
    if (made || this.#stopped) return undefined;
    const lacking = await this.#lacking([log.job]);
    if (lacking === undefined) this.#options.work(() => this.#options.beginAnew(log));
    return lacking;
  }

  /** The store would stumble over its own file again and again: it is given up, but only while all others are whole. */
  async #file({ detail }: Damage): Promise<string | undefined> {
    const lacking = await this.#lacking(this.#options.jobs());
    if (lacking === undefined) this.#options.giveUp(detail);
    return lacking;
  }

  /** Who of the others may not have all that is here; undefined when all are whole members. */
  async #lacking(jobs: readonly string[]): Promise<string | undefined> {
    const { peers } = this.#options;
    if (peers.length === 0) return NO_OTHER_COPY;
    for (const job of jobs) {
      for (const peer of peers) {
        const answer = await this.#ask(peer, job, { $case: "tail", value: {} });
        if (this.#stopped) return "stopped";
        const name = formatJob(peer);
        if (typeof answer === "string") return `it is kept, since ${name} may lack what it has: ${answer}`;
        const { tail } = answer;
        const member = tail?.members.some(
          (each) => each.name === name && each.incarnation === tail.incarnation,
        );
        if (answer.status !== LogStatus.OK || member !== true)
          return `it is kept, since ${name} is not whole: ${answer.detail || `no member of ${job} yet`}`;
      }
    }
    return undefined;
  }

  /** The answer, or why there is none. */
  async #ask(
    peer: JobName,
    job: string,
    body: NonNullable<LogRequest["body"]>,
  ): Promise<LogResponse | string> {
    try {
      return await this.#options.port.call(peer, { job, body, committed: 0 }, REPLICA_TIMEOUT_MS);
    } catch (error) {
      if (error instanceof BusRequestError) return error.failure;
      throw error;
    }
  }
}
