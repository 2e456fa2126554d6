import { MIRROR_MARKS_MAX } from "../limits.ts";

/** What was last heard of a log at its source. Times in milliseconds since the Unix epoch. */
export interface Heard {
  readonly atMs: number;
  /** Committed there. */
  readonly seq: number;
  /** Promised there to a writer. */
  readonly promised: number;
  /** No entry of these that is not here was committed before; 0: all are here. */
  readonly sinceMs: number;
}

/** By how much one log of a mirror is behind. */
export interface Lag {
  /** Entries that are known to be committed at the source, and are not here. */
  readonly entries: number;
  /** Age of the oldest of them, at the most; 0: all are here. */
  readonly ageMs: number;
  /** Since when the source was not heard; undefined: it never was. */
  readonly unheardMs: number | undefined;
}

/** Entries above those of the mark before, up to `through`, were committed after `sinceMs`. */
interface Mark {
  readonly through: number;
  readonly sinceMs: number;
}

/**
 * Measures how far a mirror's log is behind its source, pure. An entry has no time of its own: it is as old, at the most, as the
 * last word of the source that did not know it yet. The clock may be set: no figure is below 0.
 */
export class LogLag {
  #had: number;
  #heard: Heard | undefined;
  /** In ascending order, all above what is had. */
  #marks: Mark[] = [];

  /** `heard`: by the process before. */
  constructor(had: number, heard: Heard | undefined) {
    this.#had = had;
    this.#heard = heard;
    if (heard !== undefined && heard.seq > had) {
      this.#marks.push({ through: heard.seq, sinceMs: heard.sinceMs === 0 ? heard.atMs : heard.sinceMs });
    }
  }

  /** Last entry that is here. */
  get had(): number {
    return this.#had;
  }

  /** As it is to be remembered. */
  get heard(): Heard | undefined {
    return this.#heard && { ...this.#heard, sinceMs: this.#marks[0]?.sinceMs ?? 0 };
  }

  /** The source says that its log is committed up to `seq`. Another replica of it may have said more before. */
  hear(nowMs: number, seq: number, promised: number): void {
    const before = this.#heard;
    const known = Math.max(before?.seq ?? 0, this.#had);
    if (seq > known) this.#mark({ through: seq, sinceMs: Math.min(before?.atMs ?? nowMs, nowMs) });
    this.#heard = {
      atMs: nowMs,
      seq: Math.max(seq, before?.seq ?? 0),
      promised: Math.max(promised, before?.promised ?? 0),
      sinceMs: 0,
    };
  }

  /** Everything up to `seq` is here, on stable storage. */
  have(seq: number): void {
    this.#had = seq;
    const left = this.#marks.findIndex((mark) => mark.through > seq);
    this.#marks.splice(0, left < 0 ? this.#marks.length : left);
  }

  /** The log was begun anew. */
  restart(seq: number): void {
    const oldest = this.#marks[0]?.sinceMs ?? this.#heard?.atMs;
    this.#had = seq;
    const through = this.#heard?.seq ?? 0;
    this.#marks = oldest !== undefined && through > seq ? [{ through, sinceMs: oldest }] : [];
  }

  read(nowMs: number): Lag {
    const [oldest] = this.#marks;
    return {
      entries: Math.max(0, (this.#heard?.seq ?? 0) - this.#had),
      ageMs: oldest === undefined ? 0 : Math.max(0, nowMs - oldest.sinceMs),
      unheardMs: this.#heard && Math.max(0, nowMs - this.#heard.atMs),
    };
  }

  #mark(mark: Mark): void {
    const last = this.#marks.at(-1);
    // Two marks made one keep the older time: an age that is stated is never too small.
    if (last !== undefined && this.#marks.length === MIRROR_MARKS_MAX) {
      this.#marks[this.#marks.length - 1] = { through: mark.through, sinceMs: last.sinceMs };
    } else {
      this.#marks.push(mark);
    }
  }
}
