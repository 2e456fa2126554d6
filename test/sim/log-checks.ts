import type { LogEntry } from "../../proto/generated/evercross/v1/log.ts";
import { entryRange } from "../../runtime/log/store-key.ts";
import { decodeEntry } from "../../runtime/log/store-record.ts";
import type { World } from "./world.ts";

interface JobLedger {
  opened: number;
  /** Checksums by sequence: of what was synced, and of what was told. */
  readonly durable: Map<number, number>;
  readonly published: Map<number, number>;
}

/** I1 to I4: one writer at a time, nothing told before it is on the disk, nothing told twice in different words, nothing lost. */
export class LogChecks {
  readonly #world: World;
  readonly #ledgers = new Map<string, JobLedger>();

  constructor(world: World) {
    this.#world = world;
  }

  get told(): number {
    let count = 0;
    for (const { published } of this.#ledgers.values()) count += published.size;
    return count;
  }

  opened(job: string, epoch: number): void {
    const ledger = this.#ledger(job);
    if (epoch <= ledger.opened)
      this.#violated("I4", `${job}: epoch ${epoch} was promised after ${ledger.opened}`);
    ledger.opened = epoch;
  }

  appended(job: string, epoch: number): void {
    const { opened } = this.#ledger(job);
    if (epoch === opened) return;
    this.#violated("I4", `${job}: epoch ${epoch} could write although ${opened} was promised`);
  }

  durable(job: string, { seq, checksum }: LogEntry): void {
    const { durable } = this.#ledger(job);
    if ((durable.get(seq) ?? checksum) !== checksum)
      this.#violated("I1", `${job}: entry ${seq} was replaced`);
    durable.set(seq, checksum);
  }

  published(job: string, { seq, checksum, epoch }: LogEntry): void {
    const { durable, published } = this.#ledger(job);
    if (durable.get(seq) !== checksum)
      this.#violated("I2", `${job}: entry ${seq} of epoch ${epoch} was told before it was on a disk`);
    if ((published.get(seq) ?? checksum) !== checksum)
      this.#violated("I3", `${job}: entry ${seq} was told twice, with different words`);
    published.set(seq, checksum);
  }

  /** What the disks hold in the end against what was told. */
  audit(): void {
    for (const [job, { published }] of this.#ledgers) {
      const kind = this.#world.kindOf(job);
      if (kind.kind !== "counter") continue;
      const [node] = this.#world.store.jobs.get(kind.storage)?.nodes ?? [];
      const disk = this.#world.node(node as string).disk(kind.storage);
      const found = disk.scan(entryRange(job, 1, Number.MAX_SAFE_INTEGER), {
        max: Infinity,
        bytes: Infinity,
      });
      let chain: Uint8Array | undefined;
      const checksums = found.map(({ value }, index) => {
        const stored = decodeEntry(value, job, index + 1, chain);
        if (!stored.ok) return this.#violated("I3", `${job}: entry ${index + 1} is ${stored.problem}`);
        chain = stored.entry.chain;
        return stored.entry.checksum;
      });
      for (const [seq, checksum] of published)
        if (checksums[seq - 1] !== checksum)
          this.#violated("I1", `${job}: entry ${seq} was told and is lost`);
    }
  }

  #violated(rule: string, text: string): void {
    this.#world.checks.violated(rule, text);
  }

  #ledger(job: string): JobLedger {
    let ledger = this.#ledgers.get(job);
    if (ledger === undefined)
      this.#ledgers.set(job, (ledger = { opened: 0, durable: new Map(), published: new Map() }));
    return ledger;
  }
}
