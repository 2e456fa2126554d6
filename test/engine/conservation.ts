import { Phase, Side } from "../../engine/codes.ts";
import type { BookState } from "../../engine/book-snapshot.ts";
import type { Level } from "../../engine/book-view.ts";
import type { LiveOrder } from "../../engine/live-order.ts";
import { OWN_ACCOUNT } from "../../engine/order-entry.ts";
import type { EventObject, FieldName } from "./event-objects.ts";

/** What a book tells of itself. */
interface Audited {
  readonly pending: boolean;
  orders(): Iterable<LiveOrder>;
  state(): BookState;
  levels(side: Side, max: number): Level[];
}

/** What became of an order, as its events say. */
interface Account {
  readonly side: Side;
  readonly owner: number;
  readonly clientOrderId: number;
  total: number;
  open: number;
  shown: number;
  executed: number;
}

/** Throws when what should be equal is not. */
function same(what: string, one: unknown, other: unknown): void {
  if (!Object.is(one, other)) throw new Error(`${what}: ${String(one)} is not ${String(other)}`);
}

/**
 * Adds up the events of a book from its first one on. Throws when they contradict each other or the book:
 *
 * - sequences have no gap;
 * - accepted = executed + cancelled + decremented + open, for each order after each event;
 * - bought = sold, in quantity and in money, over all accounts;
 * - the book's live orders are those that the events leave, with what is open and what is shown;
 * - in continuous trading the best shown bid is below the best shown ask.
 */
export class Conservation {
  private readonly live = new Map<number, Account>();
  private readonly positions = new Map<number, bigint>();
  private readonly cash = new Map<number, bigint>();
  private nextEvent = 1;
  private owner = OWN_ACCOUNT;

  apply(events: readonly EventObject[]): void {
    for (const event of events) this.applyOne(event);
  }

  /** The book as it stands after all events that were applied. */
  check(book: Audited): void {
    let count = 0;
    for (const order of book.orders()) {
      const known = this.of(order.orderId);
      same(`order ${order.orderId}: quantity`, order.quantity, known.total);
      same(`order ${order.orderId}: open`, order.leaves, known.open);
      same(`order ${order.orderId}: shown`, order.shown, known.shown);
      count++;
    }
    same("live orders", count, this.live.size);
    const { phase, nextEvent, uncross } = book.state();
    same("next event", nextEvent, this.nextEvent);
    if (phase !== Phase.CONTINUOUS || book.pending || uncross !== undefined) return;
    const [bid] = book.levels(Side.BUY, 1);
    const [ask] = book.levels(Side.SELL, 1);
    if (bid !== undefined && ask !== undefined && bid.price >= ask.price) {
      throw new Error(`the best bid ${bid.price} is not below the best ask ${ask.price}`);
    }
  }

  /** Over all accounts nothing was won or lost. */
  checkSums(): void {
    const sum = (of: Map<number, bigint>): bigint => [...of.values()].reduce((total, one) => total + one, 0n);
    same("bought less sold", sum(this.positions), 0n);
    same("paid less received", sum(this.cash), 0n);
  }

  private applyOne({ kind, fields }: EventObject): void {
    const field = (name: FieldName): number => fields[name] as number;
    same(`sequence of ${kind}`, field("SEQUENCE"), this.nextEvent);
    if (kind === "TERMS") {
      this.owner = field("FOR_ACCOUNT");
      return;
    }
    this.nextEvent++;
    switch (kind) {
      case "ACCEPTED":
        return this.accepted(field);
      case "TRADE":
        return this.traded(field);
      case "CANCELLED":
        same("cancelled", field("QUANTITY"), this.of(field("ORDER_ID")).open);
        same("shown no more", field("SHOWN"), this.of(field("ORDER_ID")).shown);
        this.live.delete(field("ORDER_ID"));
        return;
      case "REPLACED":
        return this.replaced(field);
      case "DECREMENTED":
        return this.decremented(field);
      case "ENTERED": {
        const order = this.of(field("ORDER_ID"));
        same("entered with", field("LEAVES"), order.open);
        order.shown = field("SHOWN");
        return;
      }
      case "REFRESHED": {
        const order = this.of(field("ORDER_ID"));
        same("refreshed with", field("LEAVES"), order.open);
        same("shown before a refresh", order.shown, 0);
        order.shown = field("SHOWN");
        return;
      }
      default:
        return;
    }
  }

  private accepted(field: (name: FieldName) => number): void {
    const owner = this.owner === OWN_ACCOUNT ? field("ACCOUNT") : this.owner;
    this.owner = OWN_ACCOUNT;
    const total = field("QUANTITY");
    this.live.set(field("ORDER_ID"), {
      side: field("SIDE") as Side,
      owner,
      clientOrderId: field("CLIENT_ORDER_ID"),
      total,
      open: total,
      shown: field("SHOWN"),
      executed: 0,
    });
  }

  private traded(field: (name: FieldName) => number): void {
    const taker = this.of(field("ORDER_ID"));
    const maker = this.of(field("MAKER_ORDER_ID"));
    same("the taker's side", field("SIDE"), taker.side);
    same("the maker's side", maker.side, taker.side === Side.BUY ? Side.SELL : Side.BUY);
    this.executed(taker, field("ORDER_ID"), field, "LEAVES", "TAKER_SHOWN");
    this.executed(maker, field("MAKER_ORDER_ID"), field, "MAKER_LEAVES", "MAKER_SHOWN");
  }

  private executed(
    order: Account,
    orderId: number,
    field: (name: FieldName) => number,
    leaves: FieldName,
    shown: FieldName,
  ): void {
    const quantity = field("QUANTITY");
    order.open -= quantity;
    order.executed += quantity;
    order.shown -= field(shown);
    same(`open of order ${orderId}`, field(leaves), order.open);
    same(`total of order ${orderId}`, order.executed + order.open, order.total);
    if (quantity < 1 || order.open < 0)
      throw new Error(`order ${orderId} traded ${quantity}, ${order.open} are left`);
    const signed = BigInt(order.side === Side.BUY ? quantity : -quantity);
    this.positions.set(order.owner, (this.positions.get(order.owner) ?? 0n) + signed);
    this.cash.set(order.owner, (this.cash.get(order.owner) ?? 0n) + signed * BigInt(field("PRICE")));
    if (order.open === 0) this.live.delete(orderId);
  }

  private replaced(field: (name: FieldName) => number): void {
    const order = this.of(field("ORDER_ID"));
    same("open before a replacement", field("OLD_LEAVES"), order.open);
    same("shown before a replacement", field("OLD_SHOWN"), order.shown);
    order.total = field("QUANTITY");
    order.open = field("LEAVES");
    order.shown = field("NEW_SHOWN");
    same("total after a replacement", order.executed + order.open, order.total);
  }

  private decremented(field: (name: FieldName) => number): void {
    const order = this.of(field("ORDER_ID"));
    order.total -= field("QUANTITY");
    order.open -= field("QUANTITY");
    order.shown -= field("SHOWN");
    same("total after a decrement", field("NEW_QUANTITY"), order.total);
    same("open after a decrement", field("LEAVES"), order.open);
  }

  private of(orderId: number): Account {
    const order = this.live.get(orderId);
    if (order === undefined) throw new Error(`order ${orderId} is not live`);
    return order;
  }
}
