import type { AccountRules } from "../../engine/account-rules.ts";
import type { BookSnapshot } from "../../engine/book-snapshot.ts";
import { EventBuffer } from "../../engine/event-buffer.ts";
import { EVENT_WIDTH } from "../../engine/event-fields.ts";
import type { Instrument } from "../../engine/instrument.ts";
import type { LiveOrder } from "../../engine/live-order.ts";
import { OrderBook } from "../../engine/order-book.ts";
import { readSnapshot } from "../../engine/snapshot-versions.ts";
import { type EventObject, readEvents } from "./event-objects.ts";
import { type Command, type Driven, tell } from "./flow.ts";
import { NaiveBook } from "./naive/naive-book.ts";

/** A book that is given a scenario's commands. */
export interface Driver {
  configureAccount(account: number, rules: AccountRules): void;
  /** Does one command, or goes on with the last one; what follows may be pending. */
  tell(command: Command | "proceed"): EventObject[];
  readonly pending: boolean;
  orders(): Iterable<LiveOrder>;
  snapshot(): BookSnapshot;
}

type Configured = readonly [number, AccountRules];

function give(book: Driven, command: Command | "proceed"): void {
  if (command === "proceed") book.proceed();
  else tell(book, command);
}

class NaiveDriver implements Driver {
  private readonly book: NaiveBook;

  constructor(instrument: Instrument) {
    this.book = new NaiveBook(instrument);
  }

  get pending(): boolean {
    return this.book.pending;
  }

  configureAccount(account: number, rules: AccountRules): void {
    this.book.configureAccount(account, rules);
  }

  tell(command: Command | "proceed"): EventObject[] {
    give(this.book, command);
    return this.book.takeEvents();
  }

  orders(): LiveOrder[] {
    return this.book.orders();
  }

  snapshot(): BookSnapshot {
    return this.book.snapshot();
  }
}

export class FastDriver implements Driver {
  protected readonly instrument: Instrument;
  protected readonly out = new EventBuffer();
  protected readonly accounts: Configured[] = [];
  protected book: OrderBook;
  /** Whether something waits; a book that was brought to where it is may be pending although nothing does. */
  pending = false;

  constructor(instrument: Instrument) {
    this.instrument = instrument;
    this.book = new OrderBook(instrument, this.out);
  }

  configureAccount(account: number, rules: AccountRules): void {
    this.accounts.push([account, rules]);
    this.book.configureAccount(account, rules);
  }

  tell(command: Command | "proceed"): EventObject[] {
    this.out.clear();
    give(this.book, command);
    this.pending = this.book.pending;
    return readEvents(this.out);
  }

  orders(): Iterable<LiveOrder> {
    return this.book.orders();
  }

  snapshot(): BookSnapshot {
    return this.book.snapshot();
  }

  protected newBook(): OrderBook {
    const book = new OrderBook(this.instrument, this.out);
    for (const [account, rules] of this.accounts) book.configureAccount(account, rules);
    return book;
  }
}

/** A fast book that is replaced, before every command, by one that must go on just alike. */
abstract class ReplacedDriver extends FastDriver {
  private now = 0;

  override tell(command: Command | "proceed"): EventObject[] {
    this.replace(command === "proceed");
    const events = super.tell(command);
    if (command !== "proceed") this.applied(command, this.now);
    if (command !== "proceed" && command.do === "advance") this.now = command.now;
    this.emitted(this.out);
    return events;
  }

  protected abstract successor(): OrderBook;
  protected abstract applied(command: Command, now: number): void;
  protected abstract emitted(out: EventBuffer): void;

  private replace(isInTheMiddle: boolean): void {
    const before = this.book.snapshot();
    this.out.clear();
    const book = this.successor();
    const after = book.snapshot();
    if (JSON.stringify(before) !== JSON.stringify(after))
      throw new Error(`the successor's state\n${JSON.stringify(after)}\nis not\n${JSON.stringify(before)}`);
    this.book = book;
    if (isInTheMiddle) return;
    while (book.pending) book.proceed();
    if (this.now !== 0) book.advance(this.now);
    if (this.out.length !== 0) throw new Error("a settled book's successor has something to do");
  }
}

/** Each command is done by a book that was restored from the snapshot of the one before. */
class RestoredDriver extends ReplacedDriver {
  protected override successor(): OrderBook {
    const { orders, ...state } = readSnapshot(JSON.parse(JSON.stringify(this.book.snapshot())));
    const book = this.newBook();
    // In an order of their own: the restore takes any.
    for (const order of orders.toReversed()) book.restoreOrder(order);
    book.finishRestore(state);
    return book;
  }

  protected override applied(): void {}

  protected override emitted(): void {}
}

/** Each command is done by a book that has applied all events so far. */
class FollowerDriver extends ReplacedDriver {
  private readonly history = new EventBuffer();
  private readonly messages: [account: number, time: number][] = [];

  protected override successor(): OrderBook {
    const book = this.newBook();
    for (let index = 0; index < this.history.length; index++) book.applyEvent(this.history, index);
    book.finishApply();
    for (const [account, time] of this.messages) book.countMessage(account, time);
    return book;
  }

  protected override applied(command: Command, now: number): void {
    if ("account" in command && command.do !== "block") this.messages.push([command.account, now]);
  }

  protected override emitted(out: EventBuffer): void {
    const { history } = this;
    for (let index = 0; index < out.length; index++) {
      const base = history.append(1, 1);
      history.values.set(out.values.subarray(index * EVENT_WIDTH, (index + 1) * EVENT_WIDTH), base);
    }
  }
}

/** Books that must all answer a scenario alike. */
export const DRIVERS: Readonly<Record<string, (instrument: Instrument) => Driver>> = {
  fast: (instrument) => new FastDriver(instrument),
  naive: (instrument) => new NaiveDriver(instrument),
  "fast, restored before every command": (instrument) => new RestoredDriver(instrument),
  "fast, following its own events before every command": (instrument) => new FollowerDriver(instrument),
};
