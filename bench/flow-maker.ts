import {
  EVENT_WIDTH,
  EventBuffer,
  EventField,
  EventKind,
  OrderBook,
  OrderType,
  Side,
  TimeInForce,
} from "../engine/index.ts";
import { type Flow, FlowWriter } from "./flow.ts";
import { Random } from "./random.ts";

/** Around which prices move, in ticks of 1. */
const CENTRE = 1_000_000;
/** The weaker, the farther the touch wanders: some 64 ticks is usual. */
const PULL = 16_384;
/** The resting million lies behind every price at which an ordinary flow trades, so that the flow's fills stay the same. */
const DEEP_FROM = 400;
const DEEP_SPAN = 5_000;
const DEEP_ORDERS = 1_000_000;
/** The book that every made flow meets. */
const BOOK_ORDERS = 20_000;
const ACCOUNTS = 64;
/** New orders per tick by which the touch moves. */
const TOUCH_EVERY = 32;
const NEW_SHARE = 0.6;
const AGGRESSIVE_SHARE = 0.18;
/** Highest quantities. Those that trade are smaller, so that the book stays about as large as it is at first. */
const QUANTITY = 100;
const AGGRESSIVE_QUANTITY = 16;
/** A crash or a rally comes every so many operations, as a series of sweeps with some flow between them. */
const BURST_EVERY = 30_000;
const BURST_SWEEPS = 2;
const SWEEP_LEVELS = 300;
const SWEEP_PAUSE = 50;

const INSTRUMENT = { symbol: "BENCH", tick: 1, lot: 1, priceMax: 2 ** 50, quantityMax: 2 ** 40 };

/** What a made flow consists of. */
export interface FlowFacts {
  readonly operations: number;
  readonly newOrders: number;
  readonly cancels: number;
  /** New orders that traded on arrival. */
  readonly takers: number;
  readonly liveAtEnd: number;
  /** Most levels that one order emptied or touched. */
  readonly levelsSweptMax: number;
}

/** Makes a flow by playing it on a book: only so can a cancel name a live order. */
export class FlowMaker {
  newOrders = 0;
  cancels = 0;
  takers = 0;
  levelsSweptMax = 0;
  private readonly random: Random;
  private readonly writer: FlowWriter;
  private readonly out = new EventBuffer();
  private readonly book = new OrderBook(INSTRUMENT, this.out);
  /** Live orders that may be cancelled, and where each stands in that list. */
  private readonly live: Float64Array;
  private readonly placeOf: Int32Array;
  private readonly accountOf: Uint8Array;
  private readonly clientOrderIdOf: Float64Array;
  /** Each account counts its own orders, as clients do. */
  private readonly lastIdOf = new Float64Array(2 * ACCOUNTS);
  private count = 0;
  private resting = 0;
  private sent = 0;
  private touch = CENTRE;

  constructor(seed: number, operations: number) {
    const capacity = DEEP_ORDERS + BOOK_ORDERS + operations;
    this.random = new Random(seed);
    this.writer = new FlowWriter(capacity);
    this.live = new Float64Array(capacity);
    this.placeOf = new Int32Array(capacity + 1).fill(-1);
    this.accountOf = new Uint8Array(capacity + 1);
    this.clientOrderIdOf = new Float64Array(capacity + 1);
  }

  /** Makes the book in which the operations begin. */
  fillBook(): void {
    for (let n = 0; n < BOOK_ORDERS; n++) this.enterPassive();
    this.resting = this.writer.length;
    this.newOrders = 0;
  }

  /** A million orders on both sides. Their random numbers and accounts are their own: the flow behind is the same. */
  rest(cancellable: boolean): void {
    const random = new Random(0x5eed);
    for (let n = 0; n < DEEP_ORDERS; n++) {
      const side = random.below(2) === 0 ? Side.BUY : Side.SELL;
      const distance = DEEP_FROM + random.below(DEEP_SPAN);
      const price = side === Side.BUY ? CENTRE - distance : CENTRE + distance;
      const account = ACCOUNTS + random.below(ACCOUNTS);
      const order = this.send(account, side, price, 1 + random.below(QUANTITY));
      this.out.clear();
      if (cancellable) this.track(order);
    }
  }

  ordinary(operations: number): void {
    const end = this.writer.length + operations;
    while (this.writer.length < end) this.step();
  }

  crashes(operations: number): void {
    const end = this.writer.length + operations;
    for (let burst = 0; this.writer.length < end; burst++) {
      this.ordinary(Math.min(BURST_EVERY, end - this.writer.length));
      const side = burst % 2 === 0 ? Side.SELL : Side.BUY;
      for (let sweep = 0; sweep < BURST_SWEEPS && this.writer.length < end; sweep++) {
        this.sweep(side);
        this.ordinary(Math.min(SWEEP_PAUSE, end - this.writer.length));
      }
    }
  }

  finish(variant: string): { flow: Flow; facts: FlowFacts } {
    const flow = this.writer.finish(variant, INSTRUMENT.tick, this.resting);
    const { newOrders, cancels, takers, levelsSweptMax } = this;
    const operations = flow.kind.length - this.resting;
    return {
      flow,
      facts: { operations, newOrders, cancels, takers, liveAtEnd: this.book.liveOrders, levelsSweptMax },
    };
  }

  private step(): void {
    const { random } = this;
    if (random.fraction() >= NEW_SHARE && this.count > 0) {
      const order = this.live[random.below(this.count)]!;
      this.cancels++;
      this.writer.cancel(this.accountOf[order]!, this.clientOrderIdOf[order]!);
      this.book.cancel(this.accountOf[order]!, this.clientOrderIdOf[order]!);
      this.untrack(order);
      this.out.clear();
      return;
    }
    if (random.below(TOUCH_EVERY) === 0) {
      // Back towards the centre a little more often than away from it.
      this.touch += random.fraction() < 0.5 - (this.touch - CENTRE) / PULL ? 1 : -1;
    }
    if (random.fraction() >= AGGRESSIVE_SHARE) this.enterPassive();
    else this.enterBehind(-3 - random.below(3), 1 + random.below(AGGRESSIVE_QUANTITY));
  }

  private enterPassive(): void {
    this.enterBehind(this.distance(), 1 + this.random.below(QUANTITY));
  }

  /** On either side, so many ticks behind the touch; through it when negative. */
  private enterBehind(ticks: number, quantity: number): void {
    const side = this.random.below(2) === 0 ? Side.BUY : Side.SELL;
    this.enter(side, side === Side.BUY ? this.touch - ticks : this.touch + ticks, quantity);
  }

  /** Ticks behind the touch at which a passive order rests: most near it, a few far behind. */
  private distance(): number {
    const kind = this.random.fraction();
    if (kind < 0.6) return 1 + this.random.geometric(20);
    return 1 + this.random.below(kind < 0.9 ? 200 : 1000);
  }

  /** One order that takes the best levels of the other side whole, after which the touch is where it stopped. */
  private sweep(side: Side): void {
    const levels = this.book.levels(side === Side.BUY ? Side.SELL : Side.BUY, SWEEP_LEVELS);
    const last = levels.at(-1);
    if (last === undefined) return;
    const quantity = levels.reduce((sum, level) => sum + level.quantity, 0);
    this.enter(side, last.price, quantity);
    this.touch = last.price;
  }

  private enter(side: Side, price: number, quantity: number): void {
    this.newOrders++;
    this.follow(this.send(this.random.below(ACCOUNTS), side, price, quantity));
  }

  /** Returns the number that the book gives the order, which is how this file names it. */
  private send(account: number, side: Side, price: number, quantity: number): number {
    const order = ++this.sent;
    const clientOrderId = ++this.lastIdOf[account]!;
    this.accountOf[order] = account;
    this.clientOrderIdOf[order] = clientOrderId;
    this.writer.newOrder(account, clientOrderId, side, price, quantity);
    this.book.newOrder(account, clientOrderId, side, OrderType.LIMIT, TimeInForce.DAY, price, quantity);
    return order;
  }

  /** Reads what became of an order, and of those that it met. */
  private follow(order: number): void {
    const { values, length } = this.out;
    let levels = 0;
    let lastPrice = 0;
    for (let base = EVENT_WIDTH; base < length * EVENT_WIDTH; base += EVENT_WIDTH) {
      if (values[base] !== EventKind.TRADE) continue;
      if (values[base + EventField.PRICE] !== lastPrice) levels++;
      lastPrice = values[base + EventField.PRICE]!;
      if (values[base + EventField.MAKER_LEAVES] === 0)
        this.untrack(values[base + EventField.MAKER_ORDER_ID]!);
    }
    if (values[EventField.RESTING]! > 0) this.track(order);
    if (levels > 0) this.takers++;
    this.levelsSweptMax = Math.max(this.levelsSweptMax, levels);
    this.out.clear();
  }

  private track(order: number): void {
    this.placeOf[order] = this.count;
    this.live[this.count++] = order;
  }

  private untrack(order: number): void {
    const place = this.placeOf[order]!;
    if (place < 0) return;
    const last = this.live[--this.count]!;
    this.live[place] = last;
    this.placeOf[last] = place;
    this.placeOf[order] = -1;
  }
}
