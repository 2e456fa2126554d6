import type { LogTail } from "../../proto/generated/evercross/v1/log.ts";
import { REPLICA_RETRY_MS } from "../limits.ts";

/** What was asked of a replica. */
export interface Ask {
  readonly kind: "open" | "append" | "align" | "commit";
  /** Entry that it is about. */
  readonly seq: number;
  /** Told to be committed along with it. */
  readonly committed: number;
  readonly sentAt: number;
}

/**
 * How far the writer and one replica are with each other, LOG.md 3.4 (the `Progress` of etcd's raft):
 *
 * - `probing`: it has not promised the writer's epoch, or the writer does not know it. Asked to.
 * - `behind`: its log is not known to end within what the writer remembers. Asked to align.
 * - `live`: its log ends at `match` or, as far as it is on the way, before `next`. It is sent what follows.
 *
 * `probing` and `behind` have one question on its way at a time, `live` several appends. One that did not answer is sent a single append until
 * it does.
 */
export class ReplicaProgress {
  state: "probing" | "behind" | "live" = "probing";
  /** As it last said; undefined when it never did. */
  incarnation: string | undefined;
  /** Its log is the writer's own up to here, on its disk. */
  match = 0;
  /** The next entry to send. */
  next = 1;
  /** It knows the log committed up to here. */
  told = 0;
  /** When to try again; infinite when an answer is due, or nothing is. */
  retryAt = Infinity;
  /** Tries in a row without an answer that helps. */
  failures = 0;
  /** The last entry that was sent and not answered. */
  lost = 0;
  /** Times in a row that it said it has not what it acknowledged. */
  regressed = 0;
  /** Where its log ended when it was last said to be behind. */
  seen = 0;
  /** Why it is waited for. */
  reason = "no answer";
  readonly asks = new Map<number, Ask>();

  constructor(
    readonly replica: number,
    readonly name: string,
  ) {}

  /** Entries that were sent and not acknowledged. */
  get underWay(): number {
    return this.next - 1 - this.match;
  }

  /** It answered; whatever it was waited for is over. What was lost on its way before goes again. */
  heard(): void {
    this.failures = 0;
    this.retryAt = Infinity;
    this.reason = "";
    if (this.lost > this.match) this.rewind();
  }

  /** `seq`: the entry that is to go again, if it is about one. */
  failed(now: number, reason: string, delayMaxMs: number, seq = 0): void {
    this.reason = reason;
    this.lost = Math.max(this.lost, seq);
    this.retryAt = now + Math.min(REPLICA_RETRY_MS * 2 ** Math.min(this.failures, 10), delayMaxMs);
    this.failures += 1;
  }

  become(state: "probing" | "behind" | "live"): void {
    this.state = state;
    this.asks.clear();
    this.retryAt = Infinity;
  }

  /** Everything behind what it acknowledged is to be sent again. */
  rewind(): void {
    this.asks.clear();
    this.next = this.match + 1;
    this.retryAt = Infinity;
    this.lost = 0;
  }

  acknowledged(seq: number): void {
    if (seq <= this.match) return;
    this.match = seq;
    this.next = Math.max(this.next, seq + 1);
    this.regressed = 0;
  }

  /** Its log is no more than this one's from here on; what it had acknowledged is gone. */
  forget(): void {
    this.match = 0;
    this.next = 1;
    this.lost = 0;
    this.regressed = 0;
  }

  /** Takes in where it stands. `epoch`: the writer's. Entries of that epoch are the writer's own, and so is all before them. */
  heardTail(tail: LogTail, epoch: number): void {
    if (tail.epoch === epoch && !tail.blank) this.acknowledged(tail.seq);
  }
}
