import type { LogEntry, LogPublication } from "../../proto/generated/evercross/v1/log.ts";
import { FOLLOWER_AHEAD_MAX } from "../limits.ts";

/**
 * Follows a job's committed entries, pure: each exactly once, in order, although publications may be lost or repeated.
 * What is missing is asked for, one read at a time.
 */

export type FollowerOutput =
  | { readonly kind: "deliver"; readonly entry: LogEntry }
  /** Read entries with `from <= seq < to` from the log, then call `read`. */
  | { readonly kind: "read"; readonly from: number; readonly to: number };

export class Follower {
  #position: number;
  /** The highest sequence known to be committed. */
  #target: number;
  #reading = false;
  /** A gap-free run of live entries that came while a read was on its way. */
  #ahead: LogEntry[] = [];

  /** `position`: the last entry that needs no delivery any more; 0 for all. */
  constructor(position: number) {
    this.#position = position;
    this.#target = position;
  }

  /** Sequence of the last delivered entry. */
  get position(): number {
    return this.#position;
  }

  publication(publication: LogPublication): FollowerOutput[] {
    const body = publication.body;
    if (body === undefined) return [];
    return body.$case === "entry" ? this.#live(body.value) : this.committed(body.value.seq);
  }

  /** The log is known to be committed up to `seq`. */
  committed(seq: number): FollowerOutput[] {
    this.#target = Math.max(this.#target, seq);
    return this.#catchUp();
  }

  /** Entries that a read returned, in order; possibly fewer than asked for. */
  read(entries: readonly LogEntry[]): FollowerOutput[] {
    this.#reading = false;
    const outputs: FollowerOutput[] = [];
    for (const entry of entries) if (entry.seq === this.#position + 1) outputs.push(this.#deliver(entry));
    const first = this.#ahead[0];
    if (first !== undefined && first.seq <= this.#position + 1) {
      for (const entry of this.#ahead)
        if (entry.seq === this.#position + 1) outputs.push(this.#deliver(entry));
      this.#ahead = [];
    }
    return [...outputs, ...this.#catchUp()];
  }

  #live(entry: LogEntry): FollowerOutput[] {
    this.#target = Math.max(this.#target, entry.seq);
    if (entry.seq <= this.#position) return [];
    if (entry.seq === this.#position + 1) {
      const outputs = [this.#deliver(entry)];
      return this.#target > this.#position ? [...outputs, ...this.#catchUp()] : outputs;
    }
    const last = this.#ahead.at(-1);
    if (last !== undefined && entry.seq !== last.seq + 1) this.#ahead = [];
    if (this.#ahead.length < FOLLOWER_AHEAD_MAX) this.#ahead.push(entry);
    return this.#catchUp();
  }

  #deliver(entry: LogEntry): FollowerOutput {
    this.#position = entry.seq;
    return { kind: "deliver", entry };
  }

  #catchUp(): FollowerOutput[] {
    if (this.#reading || this.#position >= this.#target) return [];
    this.#reading = true;
    const first = this.#ahead[0];
    const to = first !== undefined && first.seq > this.#position ? first.seq : this.#target + 1;
    return [{ kind: "read", from: this.#position + 1, to }];
  }
}
