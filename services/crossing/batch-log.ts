import { EventBuffer } from "../../engine/index.ts";
import { EventBatch, type Step } from "../../proto/generated/evercross/v1/event.ts";
import { encodeEvent } from "./event-encoder.ts";

/** The requests executed since the last entry, with where their events end in the buffer. */
export class BatchLog {
  readonly buffer = new EventBuffer();
  readonly #accounts: number[] = [];
  readonly #seqs: number[] = [];
  readonly #ends: number[] = [];

  get events(): number {
    return this.buffer.length;
  }

  get requests(): number {
    return this.#ends.length;
  }

  /** What is in the buffer since the last call came of this request. */
  executed(account: number, seq: number): void {
    this.#accounts.push(account);
    this.#seqs.push(seq);
    this.#ends.push(this.buffer.length);
  }

  /** All of it as the payload of a log entry, and an empty log. `firstEvent`: sequence of the buffer's first event. */
  take(firstEvent: number, timeUs: number, name: (account: number) => string): Uint8Array {
    const sessions: string[] = [];
    const indexes = new Map<number, number>();
    const session = (account: number): number => {
      let index = indexes.get(account);
      if (index === undefined) {
        index = sessions.push(name(account)) - 1;
        indexes.set(account, index);
      }
      return index;
    };
    const steps: Step[] = [];
    let next = 0;
    this.#ends.forEach((end, i) => {
      const step: Step = {
        session: session(this.#accounts[i] as number),
        seq: this.#seqs[i] as number,
        events: [],
      };
      for (; next < end; next++) step.events.push(encodeEvent(this.buffer, next, session));
      steps.push(step);
    });
    this.buffer.clear();
    this.#accounts.length = 0;
    this.#seqs.length = 0;
    this.#ends.length = 0;
    return EventBatch.encode({ firstEvent, timeUs, sessions, steps }).finish();
  }
}
