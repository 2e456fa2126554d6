import { AppliedEvent } from "./applied-event.ts";
import type { BookCore } from "./book-core.ts";
import { EventReason, MatchingPolicy, Phase, Side } from "./codes.ts";
import { EventField, EventKind } from "./event-fields.ts";
import { isOrderId } from "./instrument.ts";
import { broken } from "./invariant.ts";
import { isAccount, ownerPlace, Place } from "./order-table.ts";
import { ReplayedEntries } from "./replayed-entries.ts";
import { ReplayedTaker } from "./replayed-taker.ts";

const F = EventField;

/**
 * Changes a book as events say, and checks that each event follows from it. An order that enters is put in its place
 * with what its event says will live; until the next one enters, it is also the taker, whose fills must bring it down to
 * just that.
 */
export class EventReplay {
  private readonly core: BookCore;
  private readonly event: AppliedEvent;
  private readonly taker: ReplayedTaker;
  private readonly entries: ReplayedEntries;
  /** Base of the `TERMS` that the next `ACCEPTED` completes, -1: none. */
  private terms = -1;

  constructor(core: BookCore) {
    this.core = core;
    this.event = new AppliedEvent(core);
    this.taker = new ReplayedTaker(core.instrument, this.event);
    this.entries = new ReplayedEntries(core, this.event, this.taker);
  }

  /** Applies the event at `base`. */
  apply(values: Float64Array, base: number): void {
    const { core } = this;
    this.event.set(values, base);
    const kind = this.event.of(F.KIND) as EventKind;
    if (this.event.of(F.SEQUENCE) !== core.event)
      this.event.contradicts(`the book stands before event ${core.event}`);
    if (!isAccount(this.event.of(F.ACCOUNT)))
      this.event.contradicts(`account ${this.event.of(F.ACCOUNT)} is not a handle`);
    if (kind === EventKind.TERMS) {
      this.terms = base;
      return;
    }
    if (this.terms >= 0 && kind !== EventKind.ACCEPTED)
      this.event.contradicts("an order's terms come before it");
    if (!this.applyToOrder(kind)) this.applyToBook(kind);
    core.event++;
  }

  /** Ends the request that was applied last; it must be whole. */
  finish(): void {
    this.taker.end();
    const { core } = this;
    if (this.terms >= 0) broken(`book ${core.instrument.symbol}: an order's terms are its last event`);
    if (core.phase === Phase.CONTINUOUS && core.resting.isCrossed()) {
      broken(`book ${core.instrument.symbol}: an order rests although it crosses the other side`);
    }
  }

  /** False: the event is of the book, not of an order. */
  private applyToOrder(kind: EventKind): boolean {
    switch (kind) {
      case EventKind.ACCEPTED:
        this.entries.accepted(this.terms);
        this.terms = -1;
        return true;
      case EventKind.TRADE:
        if (this.event.of(F.REASON) === EventReason.AUCTION_FILL) this.auctionTrade();
        else this.trade();
        return true;
      case EventKind.CANCELLED:
        if (this.event.of(F.RESTED) === 0) this.cancelledTaker();
        else this.cancelledResting();
        return true;
      case EventKind.REPLACED:
        this.entries.replaced();
        return true;
      case EventKind.ENTERED:
        this.entries.entered();
        return true;
      case EventKind.REFRESHED:
        this.refreshed();
        return true;
      case EventKind.TRIGGER_MOVED:
        this.triggerMoved();
        return true;
      case EventKind.DECREMENTED:
        if (this.event.of(F.RESTED) === 0) this.decrementedTaker();
        else this.decrementedResting();
        return true;
      default:
        return false;
    }
  }

  private applyToBook(kind: EventKind): void {
    const { core } = this;
    this.taker.end();
    const account = this.event.of(F.ACCOUNT);
    if (kind === EventKind.PHASE) {
      this.phase();
    } else if (kind === EventKind.UNCROSS) {
      core.uncross = {
        price: this.event.of(F.PRICE),
        volume: this.event.of(F.QUANTITY),
        imbalance: this.event.of(F.IMBALANCE),
        side: this.event.of(F.SIDE) as 0 | Side,
        nextPhase: this.event.of(F.PHASE) as Phase,
        until: this.event.of(F.UNTIL),
        reason: this.event.of(F.REASON),
      };
    } else if (kind === EventKind.POSITION) {
      core.accounts.setPosition(account, this.event.of(F.POSITION), this.event.of(F.CASH));
    } else if (kind === EventKind.BLOCKED) {
      const isBlocked = this.event.of(F.BLOCKED) === 1;
      if (!isBlocked) this.event.expect("blocked", this.event.of(F.BLOCKED), 0);
      core.accounts.block(account, isBlocked);
      core.blockDue = true;
    } else if (kind === EventKind.REFERENCE) {
      core.referencePrice = this.event.of(F.PRICE);
    } else if (!(kind in STATELESS)) {
      this.event.contradicts(`there is no kind ${this.event.of(F.KIND)}`);
    }
  }

  private phase(): void {
    const { core } = this;
    const phase = this.event.of(F.PHASE) as Phase;
    if (!Object.values(Phase).includes(phase)) this.event.contradicts(`there is no phase ${phase}`);
    core.phase = phase;
    core.until = this.event.of(F.UNTIL);
    core.referencePrice = this.event.of(F.PRICE);
    core.uncross = undefined;
    core.phaseEndDue = true;
  }

  private trade(): void {
    const { resting, accounts } = this.core;
    const quantity = this.event.of(F.QUANTITY);
    const price = this.event.of(F.PRICE);
    this.taker.expectIt();
    this.taker.leaves -= quantity;
    if (!isOrderId(quantity)) this.event.contradicts(`${quantity} is not a quantity`);
    this.event.expect("taker's shown quantity", this.event.of(F.TAKER_SHOWN), 0);
    this.event.expect("taker's leaves", this.event.of(F.LEAVES), this.taker.leaves);
    if (this.taker.leaves < this.taker.rests)
      this.event.contradicts(`the taker should keep ${this.taker.rests}`);
    const maker = this.event.order(this.event.of(F.MAKER_ACCOUNT), F.MAKER_CLIENT_ORDER_ID, F.MAKER_ORDER_ID);
    if (resting.sideOf(maker) === this.taker.side) this.event.contradicts("both orders are of one side");
    if (this.isPlainBook() && !accounts.grouped) {
      const ladder = this.taker.side === Side.BUY ? resting.asks : resting.bids;
      const isFirst = ladder.best !== 0 && resting.levels.head(ladder.best) === maker;
      if (!isFirst) this.event.contradicts("the maker is not first in line");
    }
    if (ownerPlace(resting.orders.owner(maker)) !== Place.PEGGED) {
      this.event.expect("price", price, resting.ownPrice(maker));
    }
    const limit = this.taker.limit;
    if (limit !== 0 && (this.taker.side === Side.BUY ? price > limit : price < limit)) {
      this.event.contradicts(`the price is worse than the taker's ${limit}`);
    }
    this.fill(maker, quantity, this.event.of(F.MAKER_LEAVES), this.event.of(F.MAKER_SHOWN), "maker's");
    this.core.lastPrice = price;
  }

  private auctionTrade(): void {
    this.taker.end();
    const quantity = this.event.of(F.QUANTITY);
    if (!isOrderId(quantity)) this.event.contradicts(`${quantity} is not a quantity`);
    const buy = this.event.order(this.event.of(F.ACCOUNT), F.CLIENT_ORDER_ID, F.ORDER_ID);
    const sell = this.event.order(this.event.of(F.MAKER_ACCOUNT), F.MAKER_CLIENT_ORDER_ID, F.MAKER_ORDER_ID);
    const { resting } = this.core;
    if (resting.sideOf(buy) !== Side.BUY || resting.sideOf(sell) !== Side.SELL)
      this.event.contradicts("an auction pairs a buy with a sell");
    this.event.expect("side", this.event.of(F.SIDE), Side.BUY);
    this.event.expect("price", this.event.of(F.PRICE), this.core.uncross?.price ?? 0);
    this.fill(buy, quantity, this.event.of(F.LEAVES), this.event.of(F.TAKER_SHOWN), "buyer's");
    this.fill(sell, quantity, this.event.of(F.MAKER_LEAVES), this.event.of(F.MAKER_SHOWN), "seller's");
    this.core.lastPrice = this.event.of(F.PRICE);
  }

  /** Takes an executed quantity off a resting order. */
  private fill(handle: number, quantity: number, leaves: number, shown: number, whose: string): void {
    const { core } = this;
    const left = core.resting.orders.leaves(handle) - quantity;
    this.event.expect(`${whose} leaves`, leaves, left);
    if (left < 0) this.event.contradicts(`the ${whose} order has less than what was executed`);
    this.event.expect(`${whose} shown quantity`, shown, Math.min(quantity, core.resting.shownOf(handle)));
    if (left === 0) core.remove(handle);
    else core.shrink(handle, quantity);
  }

  private cancelledTaker(): void {
    this.taker.expectIt();
    this.event.expect("quantity", this.event.of(F.QUANTITY), this.taker.leaves);
    this.event.expect("price", this.event.of(F.PRICE), this.taker.price);
    this.event.expect("shown", this.event.of(F.SHOWN), 0);
    if (this.taker.rests !== 0) this.event.contradicts(`${this.taker.rests} of the order should rest`);
    this.taker.orderId = 0;
  }

  private cancelledResting(): void {
    const { resting } = this.core;
    const order = this.event.order(this.event.of(F.ACCOUNT), F.CLIENT_ORDER_ID, F.ORDER_ID);
    this.event.expect("side", this.event.of(F.SIDE), resting.sideOf(order));
    this.event.expect("price", this.event.of(F.PRICE), resting.ownPrice(order));
    this.event.expect("quantity", this.event.of(F.QUANTITY), resting.orders.leaves(order));
    this.event.expect("rested", this.event.of(F.RESTED), resting.orders.leaves(order));
    this.event.expect("shown", this.event.of(F.SHOWN), resting.shownOf(order));
    this.core.remove(order);
  }

  private refreshed(): void {
    const { resting } = this.core;
    const { extras, orders } = resting;
    const order = this.event.order(this.event.of(F.ACCOUNT), F.CLIENT_ORDER_ID, F.ORDER_ID);
    if (!resting.isIceberg(order)) this.event.contradicts("the order is no iceberg");
    if (extras.shown(order) !== 0) this.event.contradicts("the order still shows something");
    this.event.expectOfOrder(order, orders.quantity(order));
    this.event.expect("leaves", this.event.of(F.LEAVES), orders.leaves(order));
    this.event.expect(
      "shown quantity",
      this.event.of(F.SHOWN),
      Math.min(extras.display(order), orders.leaves(order)),
    );
    resting.withdraw(order);
    extras.setShown(order, this.event.of(F.SHOWN));
    orders.setPriority(order, this.event.of(F.SEQUENCE));
    resting.insert(order);
  }

  private triggerMoved(): void {
    this.taker.end();
    const { resting } = this.core;
    const order = this.event.order(this.event.of(F.ACCOUNT), F.CLIENT_ORDER_ID, F.ORDER_ID);
    if (ownerPlace(resting.orders.owner(order)) !== Place.WAITING)
      this.event.contradicts("the order does not wait");
    this.event.expect("side", this.event.of(F.SIDE), resting.sideOf(order));
    if (!isOrderId(this.event.of(F.PRICE)))
      this.event.contradicts(`${this.event.of(F.PRICE)} is not a price`);
    resting.withdraw(order);
    resting.extras.setTrigger(order, this.event.of(F.PRICE));
    resting.orders.setPriority(order, this.event.of(F.SEQUENCE));
    resting.insert(order);
  }

  private decrementedTaker(): void {
    this.taker.expectIt();
    this.taker.leaves -= this.event.of(F.QUANTITY);
    this.taker.quantity -= this.event.of(F.QUANTITY);
    this.event.expect("leaves", this.event.of(F.LEAVES), this.taker.leaves);
    this.event.expect("new quantity", this.event.of(F.NEW_QUANTITY), this.taker.quantity);
    this.event.expect("price", this.event.of(F.PRICE), this.taker.price);
    this.event.expect("shown quantity", this.event.of(F.SHOWN), 0);
    if (this.taker.rests === 0) return;
    const order = this.event.order(this.event.of(F.ACCOUNT), F.CLIENT_ORDER_ID, F.ORDER_ID);
    this.core.resting.orders.setQuantity(order, this.event.of(F.NEW_QUANTITY));
  }

  private decrementedResting(): void {
    const { core } = this;
    const { orders } = core.resting;
    const by = this.event.of(F.QUANTITY);
    const order = this.event.order(this.event.of(F.ACCOUNT), F.CLIENT_ORDER_ID, F.ORDER_ID);
    if (!isOrderId(by) || by >= orders.leaves(order)) this.event.contradicts("nothing would be open");
    this.event.expect("rested", this.event.of(F.RESTED), by);
    this.event.expectOfOrder(order, by);
    this.event.expect("shown quantity", this.event.of(F.SHOWN), core.shrink(order, by));
    orders.setQuantity(order, orders.quantity(order) - by);
    this.event.expect("leaves", this.event.of(F.LEAVES), orders.leaves(order));
    this.event.expect("new quantity", this.event.of(F.NEW_QUANTITY), orders.quantity(order));
  }

  /** Nothing but plain orders, served by price and time. */
  private isPlainBook(): boolean {
    const { instrument, resting } = this.core;
    const { policy = MatchingPolicy.PRICE_TIME } = instrument;
    return policy === MatchingPolicy.PRICE_TIME && resting.extras.count === 0;
  }
}

/** Events that change nothing in a book. */
const STATELESS: Readonly<Record<number, true>> = {
  [EventKind.REJECTED]: true,
  [EventKind.MASS_CANCELLED]: true,
  [EventKind.INDICATIVE]: true,
};
