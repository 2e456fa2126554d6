import { AllOrNone } from "./all-or-none.ts";
import type { AccountRules } from "./account-rules.ts";
import { Auction } from "./auction.ts";
import { BookRestore } from "./book-restore.ts";
import type { BookState } from "./book-snapshot.ts";
import { BookView } from "./book-view.ts";
import { EventReason, MatchingPolicy, Phase, type Side } from "./codes.ts";
import type { EventBuffer } from "./event-buffer.ts";
import { EVENT_WIDTH } from "./event-fields.ts";
import { EventReplay } from "./event-replay.ts";
import { Incoming } from "./incoming.ts";
import { type Instrument, isOrderId, isPlainOrder, requireInstrument } from "./instrument.ts";
import { broken } from "./invariant.ts";
import { INTEGER_MAX } from "./limits.ts";
import type { LiveOrder } from "./live-order.ts";
import { NewOrders } from "./new-orders.ts";
import { OrderChanges } from "./order-changes.ts";
import { OrderEntry } from "./order-entry.ts";
import type { OrderExtras } from "./order-extras.ts";
import { Pegs } from "./pegs.ts";
import { Phases } from "./phases.ts";
import { PlainCrossing } from "./plain-crossing.ts";
import { Settlement } from "./settlement.ts";
import { Triggers } from "./triggers.ts";
import type { UnshownOrders } from "./unshown-orders.ts";

/**
 * One symbol's book, by RULES.md. A pure state machine: each command appends its events to `out` and returns; the same
 * commands give the same events. Bad input is answered by `REJECTED`, whatever the numbers are; a broken invariant
 * throws `InvariantError`, after which the book must not be used.
 *
 * 1. Outside a command, in continuous trading, the best shown bid is below the best shown ask.
 * 2. Each event has the next number of one gap-free sequence.
 * 3. An order's place among those of its price is the sequence of the event that gave it, its priority.
 * 4. While `pending`, `proceed` is the only command.
 * 5. A plain order that meets only plain orders takes a path of its own (`PlainCrossing`), with the same result.
 */
export class OrderBook extends BookView {
  readonly instrument: Instrument;
  private readonly entry = new OrderEntry();
  private readonly plain: PlainCrossing;
  private readonly newOrders: NewOrders;
  private readonly changes: OrderChanges;
  private readonly auction: Auction;
  private readonly phases: Phases;
  private readonly pegs: Pegs;
  private readonly settlement: Settlement;
  private readonly extras: OrderExtras;
  private readonly unshown: UnshownOrders;
  private readonly isPlainInstrument: boolean;
  /** In continuous trading, and nothing but the book itself that a plain order would have to be held against. */
  private isPlainMarket: boolean;
  private restore: BookRestore | undefined;
  private replay: EventReplay | undefined;

  /** `salt`: any 32 bits that clients do not know, so that none can choose ids that are slow to find. */
  constructor(instrument: Instrument, out: EventBuffer, salt = 0) {
    requireInstrument(instrument);
    super(instrument, out, salt);
    const { core } = this;
    this.instrument = instrument;
    this.extras = core.resting.extras;
    this.unshown = core.resting.unshown;
    this.auction = new Auction(core);
    this.phases = new Phases(core, this.auction);
    const incoming = new Incoming(core, this.phases);
    this.pegs = new Pegs(core, incoming);
    const triggers = new Triggers(core, incoming);
    const allOrNone = new AllOrNone(core, incoming);
    this.settlement = new Settlement(core, this.phases, this.pegs, triggers, allOrNone);
    this.plain = new PlainCrossing(core);
    this.newOrders = new NewOrders(core, incoming, this.pegs, triggers);
    this.changes = new OrderChanges(core, incoming, this.pegs, this.newOrders.checks);
    this.isPlainInstrument = isPlainInstrument(instrument);
    this.isPlainMarket = this.hasPlainRules();
  }

  /** Rules of an account; before its first order. Not part of the state. Throws `InvariantError` on rules that cannot be. */
  configureAccount(account: number, rules: AccountRules): void {
    this.core.accounts.configure(account, rules);
    this.isPlainMarket = this.hasPlainRules();
  }

  /** A new order without further terms. Events: `REJECTED`, or `ACCEPTED`, its fills, and `CANCELLED` when something is left that may not rest; then what follows. */
  newOrder(
    account: number,
    clientOrderId: number,
    side: number,
    type: number,
    timeInForce: number,
    price: number,
    quantity: number,
  ): void {
    if (
      this.isPlainMarket &&
      isPlainOrder(this.instrument, clientOrderId, side, type, timeInForce, price, quantity) &&
      (this.extras.count === 0 || this.plain.merelyRests(side as Side, type, timeInForce, price))
    ) {
      this.core.requireAccount(account);
      this.plain.newOrder(account, clientOrderId, side as Side, type, timeInForce, price, quantity);
      return;
    }
    this.enter(account, this.entry.plain(clientOrderId, side, type, timeInForce, price, quantity));
  }

  /** A new order of any kind; the entry may be used again afterwards. Events as of `newOrder`. */
  enter(account: number, entry: OrderEntry): void {
    const began = this.begin(account);
    this.newOrders.enter(account, entry);
    this.settle(began);
  }

  /** Ends a live order. Events: `CANCELLED`, or `REJECTED`; then what follows. */
  cancel(account: number, clientOrderId: number): void {
    if (this.isPlainMarket && this.unshown.restless === 0 && isOrderId(clientOrderId)) {
      this.core.requireAccount(account);
      if (this.plain.cancel(account, clientOrderId)) return;
    }
    const began = this.begin(account);
    this.core.rate.count(account, this.core.now);
    this.changes.cancel(account, clientOrderId);
    this.settle(began);
  }

  /**
   * Gives a live order a new price, a new total quantity, what was executed included, and, if it waits, a new trigger price (0:
   * as it is). Which changes keep its priority is told in RULES.md 2.3. Events: `REJECTED`; or `CANCELLED` when the new
   * total is already executed; or `REPLACED`, fills, and `CANCELLED` of what may not rest; then what follows.
   */
  replace(account: number, clientOrderId: number, price: number, quantity: number, triggerPrice = 0): void {
    const began = this.begin(account);
    this.changes.replace(account, clientOrderId, price, quantity, triggerPrice);
    this.settle(began);
  }

  /** Takes a quantity off a live order, which keeps its priority. Events: `REPLACED`, `CANCELLED` when nothing is left, or `REJECTED`. */
  reduce(account: number, clientOrderId: number, by: number): void {
    const began = this.begin(account);
    this.core.rate.count(account, this.core.now);
    this.changes.reduce(account, clientOrderId, by);
    this.settle(began);
  }

  /**
   * Ends the session's orders, lowest order id first: all, or those of a side (0: both), whose own price (0: none) is in
   * `[low, high]`, that are for an account (-1: for any). Events: a `CANCELLED` for each, then `MASS_CANCELLED`.
   */
  massCancel(account: number, side = 0, low = 0, high = INTEGER_MAX, forAccount = -1): void {
    const began = this.begin(account);
    this.core.rate.count(account, this.core.now);
    this.changes.massCancel(account, side, low, high, forAccount);
    this.settle(began);
  }

  /** Records a request that was refused before it reached the book. Events: `REJECTED` with the reason given. */
  refuse(account: number, clientOrderId: number, reason: number): void {
    this.begin(account);
    this.core.rate.count(account, this.core.now);
    this.core.reject(account, clientOrderId, reason);
  }

  /** Changes the phase. `until`: microseconds since the Unix epoch, 0: open. Events: RULES.md 4.2. */
  setPhase(phase: Phase, until: number, reason: EventReason): void {
    const began = this.begin(0);
    this.phases.change(phase, until, reason);
    this.settle(began);
  }

  /** Sets the reference price. Events: `REFERENCE`. */
  setReference(price: number): void {
    const began = this.begin(0);
    this.core.referencePrice = price;
    this.core.out.reference(this.core.event++, price, EventReason.OPERATOR);
    this.settle(began);
  }

  /** The kill switch. Events: `BLOCKED`, then, of a block, a `CANCELLED` for each order of the account and those below it. */
  block(account: number, blocked: boolean): void {
    const began = this.begin(account);
    const { core } = this;
    core.accounts.block(account, blocked);
    core.blockDue = blocked;
    core.out.blocked(core.event++, account, blocked ? 1 : 0, EventReason.OPERATOR);
    this.settle(began);
  }

  /** Tells what the auction would give now. Events: `INDICATIVE`, in the phases of auctions only. */
  indicate(): void {
    this.begin(0);
    this.auction.indicate();
  }

  /** Sets the book's time, microseconds since the Unix epoch, never back. Events: of what ends by it. */
  advance(now: number): void {
    const began = this.begin(0);
    const { core } = this;
    if (now < core.now) broken(`book ${this.instrument.symbol}: time ${now} after ${core.now}`);
    core.now = now;
    const isOver = core.phase === Phase.VOLATILITY_AUCTION && core.until !== 0 && now >= core.until;
    if (isOver) this.phases.change(Phase.CONTINUOUS, 0, EventReason.TIME_REACHED);
    if (isOver || core.expiries.first() <= now) this.settle(began);
  }

  /** When `advance` next has something to do, microseconds since the Unix epoch; Infinity: never. */
  get due(): number {
    const { core } = this;
    const ends = core.phase === Phase.VOLATILITY_AUCTION && core.until !== 0 ? core.until : Infinity;
    return Math.min(ends, core.expiries.first());
  }

  /** Something that follows from the last command may wait: `proceed` must come before any other. */
  get pending(): boolean {
    return this.settlement.pending;
  }

  /** Goes on with what follows from the last command. */
  proceed(): void {
    this.settle(this.core.event);
  }

  /** Counts a message of a session for the message rate: for who replays requests. Live commands count themselves. */
  countMessage(account: number, timeUs: number): void {
    this.core.rate.count(account, timeUs);
  }

  /** Takes one order of a snapshot, in any order, into a book that has none and has executed nothing. The book is
   * usable after `finishRestore`. Throws `InvariantError` on fields that no live order can have. */
  restoreOrder(order: LiveOrder): void {
    this.restoring().take(order);
  }

  /** Ends a restore, also one without orders. Throws `InvariantError` when the orders cannot all be in one book. */
  finishRestore(state: BookState): void {
    for (const slices = this.finishRestoreInSlices(state); slices.next().done !== true;);
  }

  /** The same, a few milliseconds with each step; nothing else may be asked of the book before the last one. */
  *finishRestoreInSlices(state: BookState): Generator<undefined, void, undefined> {
    yield* this.restoring().finish(state);
    this.restore = undefined;
    this.resume();
  }

  /**
   * Changes the book as an event says that was decided before: for recovery, followers and audit. Crosses nothing
   * and writes nothing to `out`. Throws `InvariantError` when the event does not follow from the book. After the last
   * event call `finishApply`; then the book takes commands.
   */
  applyEvent(events: EventBuffer, index: number): void {
    this.replay ??= new EventReplay(this.core);
    if (index >= events.length) broken(`event ${index} applied of a buffer that holds ${events.length}`);
    this.replay.apply(events.values, index * EVENT_WIDTH);
  }

  /** Throws `InvariantError` when the events applied end in the middle of a request. */
  finishApply(): void {
    if (this.replay === undefined) return;
    this.replay.finish();
    this.resume();
  }

  /** Of a book that others brought to where it is: what follows from its last command may be due. */
  private resume(): void {
    const { core } = this;
    this.pegs.place();
    core.trailDue = true;
    this.settlement.pending =
      core.resting.extras.count > 0 ||
      core.uncross !== undefined ||
      core.accounts.anyBlocked ||
      core.phase === Phase.CLOSED;
    this.isPlainMarket = this.hasPlainRules();
  }

  /** What follows from a command that may have changed anything. */
  private settle(began: number): void {
    this.settlement.settle(began);
    this.isPlainMarket = this.hasPlainRules();
  }

  private hasPlainRules(): boolean {
    const { accounts, phase } = this.core;
    if (phase !== Phase.CONTINUOUS || !this.isPlainInstrument) return false;
    return !accounts.limited && !accounts.grouped && !accounts.anyBlocked && !this.settlement.pending;
  }

  /** What every command begins with that is not plain; returns the sequence of its first event. */
  private begin(account: number): number {
    this.core.requireAccount(account);
    if (this.settlement.pending) broken(`book ${this.instrument.symbol}: a command while others are pending`);
    return this.core.event;
  }

  private restoring(): BookRestore {
    if (this.core.event !== 1)
      broken(`book ${this.instrument.symbol}: restored although it has executed requests`);
    this.restore ??= new BookRestore(this.core);
    return this.restore;
  }
}

/** Whether the instrument has no rule that a limit or market order would have to be held against one by one. */
function isPlainInstrument(instrument: Instrument): boolean {
  const {
    policy = MatchingPolicy.PRICE_TIME,
    collars,
    fatFingerWidth,
    messageRate,
    notionalMax,
  } = instrument;
  return (
    policy === MatchingPolicy.PRICE_TIME &&
    collars === undefined &&
    fatFingerWidth === undefined &&
    messageRate === undefined &&
    notionalMax === undefined
  );
}
