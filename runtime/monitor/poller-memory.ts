import { POLLERS_REMEMBERED_MAX } from "../limits.ts";
import { type InstanceId, sameInstance } from "./instance.ts";

interface Poller {
  readonly instance: InstanceId;
  /** The first and the last of its polls, in the order of all polls. */
  readonly first: number;
  last: number;
  /** Its own number of the last one. */
  beat: number;
  lastAt: number;
}

export interface PolledBy {
  /** The best of those that polled since the first poll of the asker, which may be itself. */
  readonly best: InstanceId;
  /** False: it came twice, or late, and is no sign that its sender still lives. */
  readonly fresh: boolean;
}

/**
 * Which instances of one role polled a child, and what the child answers to each (4.1). For that the polls are counted as they come;
 * a clock only says whom to forget.
 */
export class PollerMemory {
  readonly #prefers: (a: InstanceId, b: InstanceId) => number;
  readonly #silenceMs: number;
  readonly #pollers: Poller[] = [];
  #polls = 0;

  /** Who did not poll for `silenceMs` is forgotten before others. */
  constructor(prefers: (a: InstanceId, b: InstanceId) => number, silenceMs: number) {
    this.#prefers = prefers;
    this.#silenceMs = silenceMs;
  }

  polled(from: InstanceId, beat: number, now: number): PolledBy {
    this.#polls += 1;
    const asker = this.#pollers.find((one) => sameInstance(one.instance, from));
    const fresh = asker === undefined || beat > asker.beat;
    if (asker === undefined) this.#remember(from, beat, now);
    else if (fresh) {
      asker.beat = beat;
      asker.last = this.#polls;
      asker.lastAt = now;
    }
    const since = asker?.first ?? this.#polls;
    let best = from;
    for (const { instance, last } of this.#pollers)
      if (last >= since && this.#prefers(instance, best) < 0) best = instance;
    return { best, fresh };
  }

  #remember(instance: InstanceId, beat: number, now: number): void {
    this.#pollers.push({ instance, first: this.#polls, last: this.#polls, beat, lastAt: now });
    if (this.#pollers.length > POLLERS_REMEMBERED_MAX) this.#forgetOne(now);
  }

  /** The one that is silent for longest; where all polled lately, the worst, which will be told so when there is room for it. */
  #forgetOne(now: number): void {
    const oldest = this.#pollers.reduce((a, b) => (b.last < a.last ? b : a));
    const worst = this.#pollers.reduce((a, b) => (this.#prefers(a.instance, b.instance) < 0 ? b : a));
    const victim = now - oldest.lastAt > this.#silenceMs ? oldest : worst;
    this.#pollers.splice(this.#pollers.indexOf(victim), 1);
  }
}
