import { INSTANCES_REMEMBERED_MAX } from "../limits.ts";
import { type InstanceId, sameInstance } from "./instance.ts";

interface Heard {
  readonly instance: InstanceId;
  /** Where the first and the last of its messages stand in the order of all. */
  readonly first: number;
  last: number;
  /** Its own number of the last one. */
  beat: number;
  lastAt: number;
}

export interface Hearing {
  /** The best of those that were heard since the speaker was first, which may be itself. */
  readonly best: InstanceId;
  /** False: it came twice, or late, and is no sign that its sender still lives. */
  readonly fresh: boolean;
}

/**
 * Which instances of one role were heard, and which of them each has above it: of a parent's, that poll (4.1), or of a child's, that
 * answer (4.5). What they say is put in an order for that; a clock only says whom to forget.
 */
export class InstanceMemory {
  readonly #prefers: (a: InstanceId, b: InstanceId) => number;
  readonly #silenceMs: number;
  readonly #heard: Heard[] = [];

  /** Who was not heard for `silenceMs` is forgotten before others. */
  constructor(prefers: (a: InstanceId, b: InstanceId) => number, silenceMs: number) {
    this.#prefers = prefers;
    this.#silenceMs = silenceMs;
  }

  /** `order` does not go back in what is fresh of one instance; `beat` tells what came twice. */
  heard(from: InstanceId, beat: number, order: number, now: number): Hearing {
    const speaker = this.#heard.find((one) => sameInstance(one.instance, from));
    const fresh = speaker === undefined || beat > speaker.beat;
    if (speaker === undefined) this.#remember(from, beat, order, now);
    else if (fresh) {
      speaker.beat = beat;
      speaker.last = order;
      speaker.lastAt = now;
    }
    const since = speaker?.first ?? order;
    let best = from;
    for (const { instance, last } of this.#heard)
      if (last >= since && this.#prefers(instance, best) < 0) best = instance;
    return { best, fresh };
  }

  #remember(instance: InstanceId, beat: number, order: number, now: number): void {
    this.#heard.push({ instance, first: order, last: order, beat, lastAt: now });
    if (this.#heard.length > INSTANCES_REMEMBERED_MAX) this.#forgetOne(now);
  }

  /** The one that is silent for longest; where all spoke lately, the worst, which will be told so when there is room for it. */
  #forgetOne(now: number): void {
    const oldest = this.#heard.reduce((a, b) => (b.last < a.last ? b : a));
    const worst = this.#heard.reduce((a, b) => (this.#prefers(a.instance, b.instance) < 0 ? b : a));
    const victim = now - oldest.lastAt > this.#silenceMs ? oldest : worst;
    this.#heard.splice(this.#heard.indexOf(victim), 1);
  }
}
