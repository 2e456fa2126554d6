import { EventBuffer } from "../../engine/index.ts";
import { EventBatch, type Step } from "../../proto/generated/evercross/v1/event.ts";
import { encodeEvents, NO_SESSION } from "./event-encoder.ts";

/** What one step of a batch is of, beside its events. */
interface Executed {
  /** Handle of its session, or `NO_SESSION`. */
  readonly session: number;
  readonly seq: number;
  readonly messages: number;
  readonly timetableUs: number;
  /** Where its events end in the buffer. */
  readonly end: number;
}

/** The steps executed since the last entry, with where their events end in the buffer. */
export class BatchLog {
  readonly buffer = new EventBuffer();
  readonly #steps: Executed[] = [];
  #requests = 0;

  get events(): number {
    return this.buffer.length;
  }

  /** Requests of sessions. */
  get requests(): number {
    return this.#requests;
  }

  /** Nothing happened. */
  get empty(): boolean {
    return this.#steps.length === 0;
  }

  /** What is in the buffer since the last call came of this request. `messages`: as in `Step`. */
  executed(session: number, seq: number, messages: number): void {
    this.#requests += 1;
    this.#steps.push({ session, seq, messages, timetableUs: 0, end: this.buffer.length });
  }

  /** What is in the buffer since the last call came of no request. */
  happened(): void {
    if (this.buffer.length > (this.#steps.at(-1)?.end ?? 0)) this.carriedOut(0);
  }

  /** The same, with or without events: of the timetable's change of this time. */
  carriedOut(timetableUs: number): void {
    this.#steps.push({ session: NO_SESSION, seq: 0, messages: 0, timetableUs, end: this.buffer.length });
  }

  /** All of it as the payload of a log entry, and an empty log. `firstEvent`: sequence of the buffer's first event. */
  take(firstEvent: number, timeUs: number, name: (account: number) => string): Uint8Array {
    const sessions: string[] = [];
    const indexes = new Map<number, number>();
    const index = (account: number): number => {
      let known = indexes.get(account);
      if (known === undefined) {
        known = sessions.push(name(account)) - 1;
        indexes.set(account, known);
      }
      return known;
    };
    let from = 0;
    const steps = this.#steps.map(({ session, seq, messages, timetableUs, end }): Step => {
      const events = encodeEvents(this.buffer, from, end, session, index);
      from = end;
      return { session: session === NO_SESSION ? 0 : index(session), seq, events, messages, timetableUs };
    });
    this.buffer.clear();
    this.#steps.length = 0;
    this.#requests = 0;
    return EventBatch.encode({ firstEvent, timeUs, sessions, steps }).finish();
  }
}
