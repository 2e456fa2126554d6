import { BookCore } from "./book-core.ts";
import { type AccountState, type BookSnapshot, type BookState, SNAPSHOT_VERSION } from "./book-snapshot.ts";
import { Side } from "./codes.ts";
import type { EventBuffer } from "./event-buffer.ts";
import { type Instrument, isOrderId } from "./instrument.ts";
import type { LiveOrder } from "./live-order.ts";
import { isAccount } from "./order-table.ts";
import type { PriceLadder } from "./price-ladder.ts";
import type { RankedOrders } from "./ranked-orders.ts";

/** One price level as others see it. */
export interface Level {
  readonly price: number;
  /** What is shown there, and by how many orders. */
  readonly quantity: number;
  readonly orders: number;
}

/** What can be read of a book. */
export abstract class BookView {
  protected readonly core: BookCore;

  constructor(instrument: Instrument, out: EventBuffer, salt: number) {
    this.core = new BookCore(instrument, out, salt);
  }

  /** Sequence that the next event gets, from 1. */
  get nextEvent(): number {
    return this.core.event;
  }

  /** Id that the next accepted order gets, from 1. */
  get nextOrderId(): number {
    return this.core.orderId;
  }

  /** Live orders of every place. */
  get liveOrders(): number {
    return this.core.resting.orders.live;
  }

  /** Open quantity of all live buys. */
  get bidQuantity(): number {
    return this.core.resting.bidQuantity;
  }

  /** Open quantity of all live sells. */
  get askQuantity(): number {
    return this.core.resting.askQuantity;
  }

  /** Highest price that is shown as bid, 0 when none is. */
  bestBid(): number {
    return this.core.resting.bestPrice(Side.BUY);
  }

  /** Lowest price that is shown as asked, 0 when none is. */
  bestAsk(): number {
    return this.core.resting.bestPrice(Side.SELL);
  }

  /** Up to `max` shown levels of a side, best first. */
  levels(side: Side, max: number): Level[] {
    const found: Level[] = [];
    const { levels } = this.core.resting;
    const ladder = this.core.resting.ladder(side);
    for (let level = ladder.best; level !== 0 && found.length < max; level = ladder.next(level)) {
      found.push({
        price: levels.price(level),
        quantity: levels.quantity(level),
        orders: levels.count(level),
      });
    }
    return found;
  }

  /** The session's live order of this id. */
  find(account: number, clientOrderId: number): LiveOrder | undefined {
    const { resting } = this.core;
    const handle = isAccount(account) && isOrderId(clientOrderId) ? resting.find(account, clientOrderId) : 0;
    return handle === 0 ? undefined : resting.describe(handle);
  }

  /**
   * Every live order, by place: shown, hidden, pegged, all-or-none, waiting, of auctions; in each place buys before
   * sells; then best price first and by priority, of pegged and waiting orders by priority alone.
   */
  *orders(): Generator<LiveOrder, void, undefined> {
    const { unshown, bids, asks } = this.core.resting;
    yield* this.ofLadders([bids]);
    yield* this.ofLadders([asks]);
    yield* this.ofLadders([unshown.hidden.buys]);
    yield* this.ofLadders([unshown.hidden.sells]);
    for (const side of [Side.BUY, Side.SELL]) yield* byPriority(this.ofRanked(unshown.peggedOf(side)));
    for (const side of [Side.BUY, Side.SELL]) yield* this.ofRanked(unshown.allOrNoneOf(side));
    const waiting = byPriority(this.ofLadders([unshown.rising, unshown.falling]));
    yield* waiting.filter((order) => order.side === Side.BUY);
    yield* waiting.filter((order) => order.side === Side.SELL);
    yield* this.ofAuctions(Side.BUY);
    yield* this.ofAuctions(Side.SELL);
  }

  /** The session's messages in the window of its last one; 0 without a message rate. */
  messages(account: number): number {
    return this.core.rate.messages(account);
  }

  /** All that the book is apart from its orders. */
  state(): BookState {
    const { core } = this;
    const { event, orderId, phase, until, lastPrice, referencePrice, uncross } = core;
    const accounts = [...this.accountStates()];
    return {
      nextEvent: event,
      nextOrderId: orderId,
      phase,
      until,
      lastPrice,
      referencePrice,
      uncross,
      accounts,
    };
  }

  /** The whole book as plain data. */
  snapshot(): BookSnapshot {
    return { version: SNAPSHOT_VERSION, ...this.state(), orders: [...this.orders()] };
  }

  private *accountStates(): Generator<AccountState, void, undefined> {
    const { accounts, rate } = this.core;
    const blocked = new Set(accounts.blockedAccounts());
    const known = new Set([...blocked, ...accounts.accountsWithPosition(), ...rate.accounts()]);
    for (const account of [...known].sort((one, other) => one - other)) {
      yield {
        account,
        position: accounts.position(account),
        cash: accounts.cash(account),
        blocked: blocked.has(account),
        messageTime: rate.time(account),
        messages: rate.messages(account),
      };
    }
  }

  private *ofLadders(ladders: readonly PriceLadder[]): Generator<LiveOrder, void, undefined> {
    const { levels, orders } = this.core.resting;
    for (const ladder of ladders) {
      for (let level = ladder.best; level !== 0; level = ladder.next(level)) {
        for (let order = levels.head(level); order !== 0; order = orders.next(order)) {
          yield this.core.resting.describe(order);
        }
      }
    }
  }

  private *ofRanked(ranked: RankedOrders): Generator<LiveOrder, void, undefined> {
    for (let index = 0; index < ranked.length; index++)
      yield this.core.resting.describe(ranked.handle(index));
  }

  /** Orders of both auctions as one list: market orders first, then best price first. */
  private ofAuctions(side: Side): LiveOrder[] {
    const { opening, closing } = this.core.resting.unshown;
    const worth = (order: LiveOrder): number => {
      if (order.price === 0) return -Infinity;
      return side === Side.BUY ? -order.price : order.price;
    };
    return [...this.ofLadders([opening.of(side), closing.of(side)])].sort((one, other) =>
      worth(one) === worth(other) ? one.priority - other.priority : worth(one) - worth(other),
    );
  }
}

function byPriority(orders: Iterable<LiveOrder>): LiveOrder[] {
  return [...orders].sort((one, other) => one.priority - other.priority);
}
