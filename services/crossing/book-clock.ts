import { EventReason, type OrderBook, Phase } from "../../engine/index.ts";
import type { BatchLog } from "./batch-log.ts";
import type { Schedule } from "./schedule.ts";

/** How a symbol begins that has executed nothing yet. */
export interface Opening {
  readonly phase: Phase;
  /** 0: none. */
  readonly referencePrice: number;
}

/**
 * What time asks of a book: orders that expire, auctions that end, and the timetable's changes, each carried out once and
 * in order, those included that fell into a time when the job was down. A phase that the operator sets holds until the
 * timetable's next change. All times are microseconds since the Unix epoch and never fall.
 */
export class BookClock {
  /** The timetable's last change that was carried out; 0: none. */
  timetableUs = 0;
  readonly #book: OrderBook;
  readonly #log: BatchLog;
  readonly #opening: Opening;
  readonly #schedule: Schedule | undefined;
  /** When the next change is due, of the one carried out last. */
  #next: { readonly behindUs: number; readonly atUs: number } | undefined;

  constructor(book: OrderBook, log: BatchLog, opening: Opening, schedule: Schedule | undefined) {
    this.#book = book;
    this.#log = log;
    this.#opening = opening;
    this.#schedule = schedule;
  }

  /** When `carryOut` next has something to do. */
  get dueUs(): number {
    if (this.#book.pending || this.#opens) return 0;
    return Math.min(this.#book.due, this.#nextChangeUs());
  }

  /**
   * Brings the book to this time and does all that is due, in bounded pieces; what each did is in the log. Ends early
   * when `full` says so: then the book must be given no other command before this is called again.
   */
  carryOut(nowUs: number, full: () => boolean): boolean {
    const book = this.#book;
    if (!this.settle(full)) return false;
    book.advance(nowUs);
    this.#log.happened();
    if (!this.settle(full)) return false;
    if (this.#opens) this.#open(nowUs);
    while (this.#nextChangeUs() <= nowUs) {
      if (!this.settle(full)) return false;
      this.#change(this.#nextChangeUs());
    }
    return this.settle(full);
  }

  /** Goes on with what follows from the last command. False: some of it is left, and there is no room for more. */
  settle(full: () => boolean): boolean {
    while (this.#book.pending && !full()) {
      this.#book.proceed();
      this.#log.happened();
    }
    return !this.#book.pending;
  }

  /** The symbol does not stand yet where its configuration lets it begin. */
  get #opens(): boolean {
    if (this.#schedule !== undefined && this.timetableUs === 0) return true;
    const { phase, referencePrice } = this.#opening;
    return this.#book.nextEvent === 1 && (phase !== Phase.CONTINUOUS || referencePrice !== 0);
  }

  #open(nowUs: number): void {
    const { phase, referencePrice } = this.#opening;
    if (referencePrice !== 0 && this.#book.nextEvent === 1) this.#book.setReference(referencePrice);
    this.#log.happened();
    if (this.#schedule !== undefined) return this.#change(this.#schedule.at(nowUs).atUs);
    if (phase !== Phase.CONTINUOUS) this.#book.setPhase(phase, 0, EventReason.OPERATOR);
    this.#log.happened();
  }

  /** Carries out the change that is due at this time. */
  #change(atUs: number): void {
    if (this.#schedule === undefined) return;
    const { phase, untilUs } = this.#schedule.at(atUs);
    this.#book.setPhase(phase, Number.isFinite(untilUs) ? untilUs : 0, EventReason.TIMETABLE);
    this.#log.carriedOut(atUs);
    this.timetableUs = atUs;
  }

  #nextChangeUs(): number {
    // Before the first change, `#open` looks for the one that holds.
    if (this.#schedule === undefined || this.timetableUs === 0) return Infinity;
    if (this.#next?.behindUs !== this.timetableUs) {
      this.#next = { behindUs: this.timetableUs, atUs: this.#schedule.nextAfter(this.timetableUs) };
    }
    return this.#next.atUs;
  }
}
