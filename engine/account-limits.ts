import { RejectReason, Side } from "./codes.ts";
import { INTEGER_MAX } from "./limits.ts";

// Of this file, so that the compiler can fold them.
const BUY = Side.BUY;

// Numbers that one place takes in `values`, and their offsets.
const WIDTH = 9;
/** -1: none. */
const POSITION_MAX = 0;
const CREDIT_MAX = 1;
const POSITION = 2;
const CASH = 3;
const OPEN_BUYS = 4;
const OPEN_SELLS = 5;
/** Price × quantity of the open buys that have a price. */
const OPEN_NOTIONAL = 6;
const TOLD_POSITION = 7;
const TOLD_CASH = 8;

/** Numbers up to this are sorted by insertion. */
const INSERTION_MAX = 32;

/**
 * What counts against the limits of one account, RULES.md 5.1: a table with a place for each account that has limits
 * or a position of its own. Places count from 1. Each number is a safe integer, as the open quantity of the book's
 * sides is, and so is each sum that is within a limit: one that is not is above every limit, also when it is rounded.
 */
export class AccountLimits {
  private values = new Float64Array(WIDTH * 2);
  /** Handle of the place's account. */
  private handles = new Int32Array(2);
  /** Places that may have something to tell, each once; `marked` says which are there. */
  private changed = new Int32Array(2);
  private marked = new Uint8Array(2);
  private changedCount = 0;
  private places = 0;

  /** A new place without limits. */
  add(account: number): number {
    const place = ++this.places;
    if (place === this.handles.length) this.grow();
    this.handles[place] = account;
    this.values[place * WIDTH + POSITION_MAX] = -1;
    this.values[place * WIDTH + CREDIT_MAX] = -1;
    return place;
  }

  configure(place: number, positionMax: number | undefined, creditMax: number | undefined): void {
    this.values[place * WIDTH + POSITION_MAX] = positionMax ?? -1;
    this.values[place * WIDTH + CREDIT_MAX] = creditMax ?? -1;
  }

  isLimited(place: number): boolean {
    const at = place * WIDTH;
    return this.values[at + POSITION_MAX]! >= 0 || this.values[at + CREDIT_MAX]! >= 0;
  }

  /** Whether a buy must have a price. */
  needsPrice(place: number): boolean {
    return this.values[place * WIDTH + CREDIT_MAX]! >= 0;
  }

  /** `notional` is price × quantity; `replaced…` does not count. */
  checkBuy(
    place: number,
    quantity: number,
    replacedLeaves: number,
    notional: number,
    replacedNotional: number,
  ): 0 | RejectReason {
    const { values } = this;
    const at = place * WIDTH;
    const bought = values[at + POSITION]! + (values[at + OPEN_BUYS]! - replacedLeaves);
    if (bought + quantity > limit(values[at + POSITION_MAX]!)) return RejectReason.POSITION_LIMIT;
    if (notional === 0) return 0;
    const spent = Math.max(0, values[at + CASH]!) + (values[at + OPEN_NOTIONAL]! - replacedNotional);
    return spent + notional > limit(values[at + CREDIT_MAX]!) ? RejectReason.CREDIT_LIMIT : 0;
  }

  checkSell(place: number, quantity: number, replacedLeaves: number): 0 | RejectReason {
    const { values } = this;
    const at = place * WIDTH;
    const sold = values[at + OPEN_SELLS]! - replacedLeaves - values[at + POSITION]!;
    return sold + quantity > limit(values[at + POSITION_MAX]!) ? RejectReason.POSITION_LIMIT : 0;
  }

  /** False when less was open than is taken off. */
  open(place: number, side: number, by: number, notional: number): boolean {
    const { values } = this;
    const at = place * WIDTH;
    if (side !== BUY) return (values[at + OPEN_SELLS]! += by) >= 0;
    values[at + OPEN_NOTIONAL]! += notional;
    return (values[at + OPEN_BUYS]! += by) >= 0 && values[at + OPEN_NOTIONAL]! >= 0;
  }

  traded(place: number, bought: number, spent: number): void {
    const { values } = this;
    const at = place * WIDTH;
    values[at + POSITION]! += bought;
    const cash = values[at + CASH]! + spent;
    values[at + CASH] = Math.min(INTEGER_MAX, Math.max(-INTEGER_MAX, cash));
    if (this.marked[place] !== 0) return;
    this.marked[place] = 1;
    this.changed[this.changedCount++] = place;
  }

  takeChanged(tell: (account: number, position: number, cash: number) => void): void {
    if (this.changedCount === 0) return;
    this.sortChanged();
    const { changed, handles, values } = this;
    for (let n = 0; n < this.changedCount; n++) {
      const place = changed[n]!;
      const at = place * WIDTH;
      this.marked[place] = 0;
      const position = values[at + POSITION]!;
      const cash = values[at + CASH]!;
      if (position === values[at + TOLD_POSITION] && cash === values[at + TOLD_CASH]) continue;
      values[at + TOLD_POSITION] = position;
      values[at + TOLD_CASH] = cash;
      tell(handles[place]!, position, cash);
    }
    this.changedCount = 0;
  }

  position(place: number): number {
    return this.values[place * WIDTH + POSITION]!;
  }

  cash(place: number): number {
    return this.values[place * WIDTH + CASH]!;
  }

  setPosition(place: number, position: number, cash: number): void {
    const { values } = this;
    const at = place * WIDTH;
    // + 0: a -0 would differ from what comes back from a snapshot.
    values[at + POSITION] = position + 0;
    values[at + TOLD_POSITION] = position + 0;
    values[at + CASH] = cash + 0;
    values[at + TOLD_CASH] = cash + 0;
  }

  /** By handle. Few accounts trade in one command; an uncross may have thousands. */
  private sortChanged(): void {
    const { changed, changedCount, handles } = this;
    if (changedCount > INSERTION_MAX) {
      changed.subarray(0, changedCount).sort((one, other) => handles[one]! - handles[other]!);
      return;
    }
    for (let n = 1; n < changedCount; n++) {
      const place = changed[n]!;
      let to = n;
      for (; to > 0 && handles[changed[to - 1]!]! > handles[place]!; to--) changed[to] = changed[to - 1]!;
      changed[to] = place;
    }
  }

  private grow(): void {
    const { changed, handles, marked, values } = this;
    const capacity = handles.length * 2;
    this.values = new Float64Array(capacity * WIDTH);
    this.values.set(values);
    this.handles = new Int32Array(capacity);
    this.handles.set(handles);
    this.changed = new Int32Array(capacity);
    this.changed.set(changed);
    this.marked = new Uint8Array(capacity);
    this.marked.set(marked);
  }
}

/** A limit that is not given is the highest that there can be. */
function limit(given: number): number {
  return given < 0 ? INTEGER_MAX : given;
}
