import type { Request } from "../../proto/generated/evercross/v1/link.ts";
import type { RejectReason } from "../../proto/generated/evercross/v1/types.ts";

/** A request that waits for the event that answers it. */
export interface Pending {
  readonly request: Request;
  readonly screened: RejectReason;
}

/** Places given up at the front before the array is cut: the cost of a removal stays constant on average. */
const SLACK = 1024;

/** The unanswered requests of one session to one symbol, in ascending seq. */
export class Chain {
  #items: Pending[] = [];
  #head = 0;
  /** How many, at the end, were never sent. */
  fresh = 0;
  /** The last seq that is known to be executed, and whose answer went to the client. */
  answeredTo: number;
  /** The mark to which the chain was last rewound, and when; -1 before the first time. */
  rewoundTo = -1;
  rewoundAt = 0;

  constructor(answeredTo: number) {
    this.answeredTo = answeredTo;
  }

  get length(): number {
    return this.#items.length - this.#head;
  }

  get first(): Pending | undefined {
    return this.#items[this.#head];
  }

  get last(): Pending | undefined {
    return this.length === 0 ? undefined : this.#items[this.#items.length - 1];
  }

  push(pending: Pending): void {
    this.#items.push(pending);
    this.fresh += 1;
  }

  /** Removes and returns the first requests, those with `seq <= to`. */
  removeTo(to: number): readonly Pending[] {
    let end = this.#head;
    while (end < this.#items.length && (this.#items[end] as Pending).request.seq <= to) end += 1;
    const removed = this.#items.slice(this.#head, end);
    this.#head = end;
    if (this.#head >= SLACK) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    this.fresh = Math.min(this.fresh, this.length);
    return removed;
  }

  /** Those never sent, oldest first; they count as sent from now on. */
  takeFresh(): readonly Pending[] {
    const items = this.#items.slice(this.#items.length - this.fresh);
    this.fresh = 0;
    return items;
  }

  all(): readonly Pending[] {
    return this.#items.slice(this.#head);
  }
}
