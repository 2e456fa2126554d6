import { type LogRequest, type LogResponse, LogStatus } from "../../proto/generated/evercross/v1/log.ts";
import { REPLICA_TIMEOUT_MS } from "../../runtime/limits.ts";
import { brokenRead } from "./broken.ts";
import { SimProcess } from "./sim-process.ts";
import { JOB } from "./name.ts";
import type { World } from "./world.ts";

const PAUSE_MS = 40;

/** A follower that reads the log from any replica, a few entries at a time, and now and then the rows. */
export class Reader {
  /** The entry that it wants next. */
  next = 1;
  readonly #world: World;
  readonly #process: SimProcess;

  constructor(world: World, index: number) {
    this.#world = world;
    this.#process = new SimProcess(`reader#${index}`, world.clock);
    this.#readOn(false);
  }

  /** At once while there is more. */
  #readOn(more: boolean): void {
    const { random } = this.#world;
    this.#process.after(more ? 0 : PAUSE_MS * 2 * random.unit(), () => this.#ask());
  }

  #ask(): void {
    const { random, network, replicas } = this.#world;
    const from = [...replicas.keys()][random.below(replicas.size)] as string;
    const rows = this.#world.plan.rows && random.chance(0.1);
    const value = { from: this.next, to: this.next + 1 + random.below(20), epoch: 0 };
    const request: LogRequest = {
      job: JOB,
      committed: 0,
      body: rows
        ? { $case: "rows", value: { cursor: 0 } }
        : { $case: "read", value: brokenRead(this.#world, from, value) },
    };
    network.ask(this.#process, from, REPLICA_TIMEOUT_MS, request, (response) => {
      if (response !== undefined) this.#take(from, response);
      this.#readOn((response?.entries.length ?? 0) > 0);
    });
  }

  #take(from: string, { status, entries, rows, tail }: LogResponse): void {
    if (status === LogStatus.TRIMMED) this.next = Math.max(this.next, tail?.first ?? 0);
    if (status !== LogStatus.OK) return;
    const { incarnation } = this.#world.replica(from);
    if (rows !== undefined) this.#world.ledger.rows(from, incarnation, rows.seq);
    for (const entry of entries) {
      if (entry.seq !== this.next)
        this.#world.violated("I3", `${from} gave entry ${entry.seq} for entry ${this.next}`);
      this.next = entry.seq + 1;
      this.#world.ledger.read(from, incarnation, entry);
    }
  }
}
