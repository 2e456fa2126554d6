import {
  type EntryKind,
  type LogEntry,
  type LogResponse,
  LogStatus,
} from "../../proto/generated/evercross/v1/log.ts";
import { codeName } from "../code-name.ts";
import { APPEND_TIMEOUT_MS, APPENDS_IN_FLIGHT_MAX, REPLICA_RETRY_MS } from "../limits.ts";
import { sealEntry } from "./entry.ts";

/**
 * The appending half of a checkpoint log's single writer, pure. Its invariants:
 *
 * 1. Entries are committed in order of sequence, each when a majority of replicas has acknowledged it.
 * 2. An answer older than its deadline is no answer: a writer that was paused may have been replaced meanwhile, so it
 *    asks again, and a replica that has promised a higher epoch then refuses it.
 * 3. An unknown outcome is followed by the same entry again, never by another at its place.
 */

export type WriterOutput =
  | { readonly kind: "send"; readonly replica: number; readonly attempt: number; readonly entry: LogEntry }
  | { readonly kind: "committed"; readonly entry: LogEntry }
  /** The right to write is lost, or can never be exercised; the job must end. Nothing follows. */
  | { readonly kind: "ended"; readonly reason: "fenced" | "refused"; readonly detail: string };

interface Delivery {
  acknowledged: boolean;
  attempt: number;
  sentAt: number;
  /** When to send again; infinite while an answer is still due. */
  retryAt: number;
}

interface InFlight {
  readonly entry: LogEntry;
  readonly deliveries: Delivery[];
}

export interface WriterStart {
  readonly job: string;
  readonly epoch: number;
  /** Where the log ends. */
  readonly tail: { readonly epoch: number; readonly seq: number; readonly chain: Uint8Array };
  readonly replicas: number;
}

export class LogWriter {
  readonly #job: string;
  readonly #epoch: number;
  readonly #replicas: number;
  readonly #inFlight: InFlight[] = [];
  #tail: { epoch: number; seq: number; chain: Uint8Array };
  #ended = false;

  constructor(start: WriterStart) {
    this.#job = start.job;
    this.#epoch = start.epoch;
    this.#replicas = start.replicas;
    this.#tail = start.tail;
  }

  /** Sequence of the last entry given to `append`. */
  get appended(): number {
    return this.#tail.seq;
  }

  /** Sequence of the last committed entry. */
  get committed(): number {
    return this.#tail.seq - this.#inFlight.length;
  }

  /** Whether `append` may be called. */
  get room(): boolean {
    return !this.#ended && this.#inFlight.length < APPENDS_IN_FLIGHT_MAX;
  }

  /** Seals the next entry and sends it to every replica. `now` in milliseconds, monotonic. */
  append(now: number, kind: EntryKind, payload: Uint8Array): WriterOutput[] {
    if (!this.room) throw new Error(`${this.#job}: append without room at entry ${this.#tail.seq + 1}`);
    const entry = sealEntry(
      {
        job: this.#job,
        epoch: this.#epoch,
        seq: this.#tail.seq + 1,
        prevEpoch: this.#tail.epoch,
        kind,
        payload,
      },
      this.#tail.chain,
    );
    this.#tail = { epoch: this.#epoch, seq: entry.seq, chain: entry.chain };
    const deliveries = Array.from({ length: this.#replicas }, (): Delivery => {
      return { acknowledged: false, attempt: 1, sentAt: now, retryAt: Infinity };
    });
    this.#inFlight.push({ entry, deliveries });
    return deliveries.map((_, replica) => ({ kind: "send", replica, attempt: 1, entry }));
  }

  /** The answer of a replica to one attempt; `undefined` when there was none. */
  answer(
    now: number,
    replica: number,
    seq: number,
    attempt: number,
    response: LogResponse | undefined,
  ): WriterOutput[] {
    const delivery = this.#delivery(replica, seq);
    if (this.#ended || delivery === undefined || delivery.acknowledged || delivery.attempt !== attempt)
      return [];
    if (response === undefined) {
      delivery.retryAt = now + REPLICA_RETRY_MS;
      return [];
    }
    if (now - delivery.sentAt > APPEND_TIMEOUT_MS) {
      delivery.retryAt = now;
      return this.tick(now);
    }
    return this.#judge(now, replica, seq, delivery, response);
  }

  /** Sends again what is due. Call at `nextDue`. */
  tick(now: number): WriterOutput[] {
    const outputs: WriterOutput[] = [];
    if (this.#ended) return outputs;
    for (const { entry, deliveries } of this.#inFlight) {
      deliveries.forEach((delivery, replica) => {
        if (delivery.acknowledged || delivery.retryAt > now) return;
        delivery.attempt += 1;
        delivery.sentAt = now;
        delivery.retryAt = Infinity;
        outputs.push({ kind: "send", replica, attempt: delivery.attempt, entry });
      });
    }
    return outputs;
  }

  /** When `tick` has something to do, in the same milliseconds; infinite when nothing is due. */
  nextDue(): number {
    let due = Infinity;
    for (const { deliveries } of this.#inFlight) {
      for (const delivery of deliveries) if (!delivery.acknowledged) due = Math.min(due, delivery.retryAt);
    }
    return due;
  }

  #delivery(replica: number, seq: number): Delivery | undefined {
    return this.#inFlight[seq - this.committed - 1]?.deliveries[replica];
  }

  #judge(
    now: number,
    replica: number,
    seq: number,
    delivery: Delivery,
    response: LogResponse,
  ): WriterOutput[] {
    switch (response.status) {
      case LogStatus.OK:
        delivery.acknowledged = true;
        return this.#commit();
      case LogStatus.GAP: {
        // An earlier entry was lost on its way: all from there go again, in order.
        const from = (response.tail?.seq ?? 0) + 1;
        if (from <= this.committed && this.#replicas === 1) {
          return this.#end(
            "refused",
            `the only replica ends at ${from - 1}, behind committed entry ${this.committed}`,
          );
        }
        for (const flight of this.#inFlight) {
          const other = flight.deliveries[replica];
          if (other !== undefined && flight.entry.seq >= from && flight.entry.seq <= seq) other.retryAt = now;
        }
        return this.tick(now);
      }
      case LogStatus.FULL:
        delivery.retryAt = now + REPLICA_RETRY_MS;
        return [];
      case LogStatus.FENCED:
        return this.#end(
          "fenced",
          `epoch ${this.#epoch} was replaced by epoch ${response.tail?.promised ?? 0}`,
        );
      case LogStatus.CONFLICT:
      case LogStatus.BEHIND:
      case LogStatus.DAMAGED:
      case LogStatus.TRUNCATED:
      case LogStatus.TRIMMED:
      case LogStatus.INVALID:
      case LogStatus.EXPIRED:
      case LogStatus.UNSPECIFIED:
        return this.#end(
          "refused",
          `entry ${seq}: ${codeName(LogStatus, response.status)}: ${response.detail}`,
        );
    }
  }

  #commit(): WriterOutput[] {
    const outputs: WriterOutput[] = [];
    for (;;) {
      const first = this.#inFlight[0];
      if (first === undefined) return outputs;
      const acknowledged = first.deliveries.filter((delivery) => delivery.acknowledged).length;
      if (acknowledged * 2 <= this.#replicas) return outputs;
      this.#inFlight.shift();
      outputs.push({ kind: "committed", entry: first.entry });
    }
  }

  #end(reason: "fenced" | "refused", detail: string): WriterOutput[] {
    this.#ended = true;
    return [{ kind: "ended", reason, detail: `${this.#job}: ${detail}` }];
  }
}
