import { POLLERS_REMEMBERED_MAX } from "../limits.ts";
import { type InstanceId, sameInstance } from "./instance.ts";

interface Poller {
  readonly instance: InstanceId;
  /** The first and the last of its polls, in the order of all polls. */
  readonly first: number;
  last: number;
  /** Its own number of the last one. */
  beat: number;
}

export interface PolledBy {
  /** The best of those that polled since the first poll of the asker, which may be itself. */
  readonly best: InstanceId;
  /** False: it came twice, or late, and is no sign that its sender still lives. */
  readonly fresh: boolean;
}

/**
 * Which instances of one role polled a child, and what the child answers to each (4.1).
 * Polls are counted as they come, so that no clock is needed.
 */
export class PollerMemory {
  readonly #prefers: (a: InstanceId, b: InstanceId) => number;
  readonly #pollers: Poller[] = [];
  #polls = 0;

  constructor(prefers: (a: InstanceId, b: InstanceId) => number) {
    this.#prefers = prefers;
  }

  polled(from: InstanceId, beat: number): PolledBy {
    this.#polls += 1;
    const asker = this.#pollers.find((one) => sameInstance(one.instance, from));
    const fresh = asker === undefined || beat > asker.beat;
    if (asker === undefined) this.#remember(from, beat);
    else if (fresh) {
      asker.beat = beat;
      asker.last = this.#polls;
    }
    const since = asker?.first ?? this.#polls;
    let best = from;
    for (const { instance, last } of this.#pollers)
      if (last >= since && this.#prefers(instance, best) < 0) best = instance;
    return { best, fresh };
  }

  #remember(instance: InstanceId, beat: number): void {
    this.#pollers.push({ instance, first: this.#polls, last: this.#polls, beat });
    if (this.#pollers.length > POLLERS_REMEMBERED_MAX) this.#forgetOne();
  }

  /** The one that was silent while the others polled again and again; when there is none, the worst. */
  #forgetOne(): void {
    const oldest = this.#pollers.reduce((a, b) => (b.last < a.last ? b : a));
    const isSilent = this.#polls - oldest.last > 2 * this.#pollers.length;
    const victim = isSilent
      ? oldest
      : this.#pollers.reduce((a, b) => (this.#prefers(a.instance, b.instance) < 0 ? b : a));
    this.#pollers.splice(this.#pollers.indexOf(victim), 1);
  }
}
