import { LogEntry, type LogRequest, type LogResponse } from "../../proto/generated/evercross/v1/log.ts";
import { REPLICA_TIMEOUT_MS } from "../../runtime/limits.ts";
import { checkEntry } from "../../runtime/log/entry.ts";
import { readEntry } from "../../runtime/log/entry-read.ts";
import type { JobLog } from "../../runtime/log/job-log.ts";
import { Scrub } from "../../runtime/log/scrub.ts";
import { entryKey } from "../../runtime/log/store-key.ts";
import type { StoreChange } from "../../runtime/log/store.ts";
import type { Replica } from "./replica.ts";
import type { SimProcess } from "./sim-process.ts";
import { JOB } from "./name.ts";
import type { World } from "./world.ts";

const SCRUB_MS = 200;

export interface MendOptions {
  readonly world: World;
  readonly replica: Replica;
  readonly process: SimProcess;
  readonly log: JobLog;
  /** Writes in a turn what is then given, if anything is. */
  readonly write: (changes: () => readonly StoreChange[]) => void;
  readonly mended: () => void;
}

/** Finds damage with the real scrub, and mends it from other replicas in the order of the real repairs, entry by entry. */
export class Mend {
  readonly #options: MendOptions;
  readonly #scrub: Scrub;

  constructor(options: MendOptions) {
    this.#options = options;
    this.#scrub = new Scrub(options.replica.disk, () => options.log);
  }

  start(): void {
    this.#later();
  }

  #later(): void {
    const { process, world } = this.#options;
    process.after(SCRUB_MS * (0.5 + world.random.unit()), () => {
      // What nobody has damaged need not be read again and again.
      const { damage } = world.flipped ? this.#scrub.slice(Infinity) : { damage: [] };
      // The last of a run: those before it are proved by it.
      const last = damage.find(({ kind }) => kind === "entry")?.through;
      if (last !== undefined) this.#fetch(last);
      this.#later();
    });
  }

  #fetch(seq: number): void {
    const { world, replica, process, log } = this.#options;
    const peers = [...world.replicas.keys()].filter((name) => name !== replica.name);
    const peer = peers[world.random.below(peers.length)];
    if (peer === undefined) return;
    const epoch = world.random.chance(0.5) ? 0 : log.promised;
    const value = { from: seq, to: seq + 1, epoch };
    const request: LogRequest = { job: JOB, committed: 0, body: { $case: "read", value } };
    world.network.ask(process, peer, REPLICA_TIMEOUT_MS, request, (response) => this.#take(seq, response));
  }

  #take(seq: number, response: LogResponse | undefined): void {
    const entry = response?.entries[0];
    if (entry === undefined) return;
    this.#options.write(() => {
      if (!this.#proved(entry, seq)) return [];
      this.#options.world.trace(`  ${this.#options.replica.name} mends entry ${seq}`);
      return [{ key: entryKey(JOB, seq), value: LogEntry.encode(entry).finish() }];
    });
    this.#options.mended();
  }

  /** Whether this is what stood there, by what follows it. */
  #proved(entry: LogEntry, seq: number): boolean {
    const { log, replica } = this.#options;
    if (entry.seq !== seq || seq > log.seq || seq < log.first || checkEntry(entry, undefined) !== "ok")
      return false;
    if (seq === log.seq) return entry.chain.equals(log.chain);
    const next = readEntry(replica.disk, JOB, seq + 1);
    return next !== undefined && checkEntry(next, entry.chain) === "ok";
  }
}
