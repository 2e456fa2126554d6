import type { LogEntry } from "../../proto/generated/evercross/v1/log.ts";

/** The last entries of a writer's own log, for who is behind (LOG.md 3.4). */
export class RecentEntries {
  readonly #entries: LogEntry[] = [];
  /** Sequence of the first one; the next to come when there is none. */
  #first: number;
  /** Chain value of the entry before it. */
  #chainBefore: Buffer;
  #bytes = 0;

  /** Begins behind this entry. */
  constructor(seq: number, chain: Buffer) {
    this.#first = seq + 1;
    this.#chainBefore = chain;
  }

  get first(): number {
    return this.#first;
  }

  get bytes(): number {
    return this.#bytes;
  }

  push(entry: LogEntry): void {
    this.#entries.push(entry);
    this.#bytes += entry.payload.length;
  }

  at(seq: number): LogEntry | undefined {
    return this.#entries[seq - this.#first];
  }

  /** Chain value of an entry, or of the one before the first; undefined when it is not remembered. */
  chainAt(seq: number): Buffer | undefined {
    return seq === this.#first - 1 ? this.#chainBefore : this.at(seq)?.chain;
  }

  /** Forgets the first one. */
  shift(): void {
    const entry = this.#entries.shift();
    if (entry === undefined) return;
    this.#first = entry.seq + 1;
    this.#chainBefore = entry.chain;
    this.#bytes -= entry.payload.length;
  }
}
