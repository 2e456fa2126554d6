import * as fc from "fast-check";
import { EventReason, Side } from "../../engine/codes.ts";
import { EventBuffer } from "../../engine/event-buffer.ts";
import { EventField, EventKind } from "../../engine/event-fields.ts";
import type { ShownOrder } from "../../engine/order-feed.ts";

const F = EventField;

interface ModelOrder {
  readonly orderId: number;
  readonly side: Side;
  price: number;
  open: number;
  /** What it shows at a time, 0: it is hidden. */
  readonly display: number;
  shown: number;
  priority: number;
}

/** One request of a flow; which orders it meets depends on those that are there. */
export const shownSteps = fc.array(
  fc.record({
    action: fc.constantFrom(
      "enter",
      "enter",
      "enter",
      "trade",
      "trade",
      "cancel",
      "decrement",
      "shrink",
      "move",
      "uncross",
    ),
    side: fc.constantFrom(Side.BUY, Side.SELL),
    price: fc.integer({ min: 95, max: 105 }),
    quantity: fc.integer({ min: 1, max: 30 }),
    display: fc.constantFrom(0, 3, 7, 1000),
    pick: fc.nat({ max: 1000 }),
  }),
  { maxLength: 80, size: "max" },
);
export type ShownStep = typeof shownSteps extends fc.Arbitrary<(infer T)[]> ? T : never;

/** Orders as plain objects, and the events that a book would tell of them: for what follows a book by its events. */
export class ShownFlow {
  readonly events = new EventBuffer();
  private orders: ModelOrder[] = [];
  private event = 1;
  private orderId = 1;

  /** Shown orders of a side, best first, read off the model. */
  shownOrders(side: Side): ShownOrder[] {
    return this.line(side)
      .filter(({ shown }) => shown > 0)
      .map(({ orderId, price, shown, priority }) => ({ orderId, side, price, shown, priority }));
  }

  /** Carries out one request; its events are in `events` then. */
  step({ action, side, price, quantity, display, pick }: ShownStep): void {
    this.events.clear();
    if (action === "enter") return this.enter(side, price, quantity, display);
    if (action === "uncross") return this.uncross(quantity);
    const order = this.orders[pick % Math.max(1, this.orders.length)];
    if (order === undefined) return;
    if (action === "trade") this.trade(order, quantity);
    else if (action === "cancel") this.cancel(order);
    else if (action === "decrement") this.decrement(order, quantity);
    else this.replace(order, action === "shrink" ? order.price : price, quantity, action === "shrink");
  }

  private line(side: Side): ModelOrder[] {
    return this.orders
      .filter((order) => order.side === side)
      .sort((one, other) =>
        one.price === other.price
          ? one.priority - other.priority
          : (other.price - one.price) * (side === Side.BUY ? 1 : -1),
      );
  }

  private write(kind: EventKind, fields: Partial<Record<keyof typeof F, number>>): number {
    const base = this.events.append(kind, this.event);
    // Fields that a kind lacks hold anything.
    for (let at = 2; at < 16; at++) this.events.values[base + at] = -77;
    for (const [field, value] of Object.entries(fields)) {
      this.events.values[base + F[field as keyof typeof F]] = value;
    }
    return this.event++;
  }

  private enter(side: Side, price: number, open: number, display: number): void {
    const shown = Math.min(display, open);
    const orderId = this.orderId++;
    const priority = this.write(EventKind.ACCEPTED, {
      ORDER_ID: orderId,
      SIDE: side,
      PRICE: price,
      QUANTITY: open,
      SHOWN: shown,
    });
    this.orders.push({ orderId, side, price, open, display, shown, priority });
  }

  /** Takes a quantity off an order; returns how much of it was shown. */
  private take(order: ModelOrder, quantity: number): number {
    const shown = Math.min(order.shown, quantity);
    order.open -= quantity;
    order.shown -= shown;
    if (order.open === 0) this.orders = this.orders.filter((other) => other !== order);
    return shown;
  }

  private refresh(order: ModelOrder): void {
    if (order.open === 0 || order.shown > 0 || order.display === 0) return;
    order.shown = Math.min(order.display, order.open);
    const { orderId, side, price, shown } = order;
    order.priority = this.write(EventKind.REFRESHED, {
      ORDER_ID: orderId,
      SIDE: side,
      PRICE: price,
      SHOWN: shown,
    });
  }

  private trade(maker: ModelOrder, wanted: number): void {
    const quantity = Math.min(wanted, maker.shown > 0 ? maker.shown : maker.open);
    this.write(EventKind.TRADE, {
      ORDER_ID: this.orderId++,
      SIDE: maker.side === Side.BUY ? Side.SELL : Side.BUY,
      PRICE: maker.price,
      QUANTITY: quantity,
      TAKER_SHOWN: 0,
      MAKER_ORDER_ID: maker.orderId,
      MAKER_SHOWN: this.take(maker, quantity),
      REASON: EventReason.FILL,
    });
    this.refresh(maker);
  }

  /** Whether prices cross does not matter to who follows. */
  private uncross(volume: number): void {
    const buys = this.line(Side.BUY);
    const sells = this.line(Side.SELL);
    for (let left = volume * 2; left > 0 && buys.length > 0 && sells.length > 0;) {
      const [buyer, seller] = [buys[0]!, sells[0]!];
      const quantity = Math.min(left, buyer.open, seller.open);
      left -= quantity;
      this.write(EventKind.TRADE, {
        ORDER_ID: buyer.orderId,
        SIDE: Side.BUY,
        PRICE: 100,
        QUANTITY: quantity,
        TAKER_SHOWN: this.take(buyer, quantity),
        MAKER_ORDER_ID: seller.orderId,
        MAKER_SHOWN: this.take(seller, quantity),
        REASON: EventReason.AUCTION_FILL,
      });
      for (const [line, order] of [[buys, buyer] as const, [sells, seller] as const]) {
        this.refresh(order);
        if (order.open === 0) line.shift();
      }
    }
  }

  private cancel(order: ModelOrder): void {
    const { orderId, side, price, open } = order;
    this.write(EventKind.CANCELLED, {
      ORDER_ID: orderId,
      SIDE: side,
      PRICE: price,
      QUANTITY: open,
      RESTED: open,
      SHOWN: this.take(order, open),
    });
  }

  private decrement(order: ModelOrder, wanted: number): void {
    const by = Math.min(wanted, order.open - 1);
    if (by === 0) return;
    const { orderId, side, price } = order;
    const shown = this.take(order, by);
    this.write(EventKind.DECREMENTED, {
      ORDER_ID: orderId,
      SIDE: side,
      PRICE: price,
      QUANTITY: by,
      SHOWN: shown,
    });
    this.refresh(order);
  }

  private replace(order: ModelOrder, price: number, quantity: number, keeps: boolean): void {
    const { orderId, side, price: oldPrice, shown: oldShown } = order;
    order.open = keeps ? Math.min(order.open, quantity) : quantity;
    order.shown = Math.min(keeps ? order.shown : order.display, order.open);
    order.price = price;
    const event = this.write(EventKind.REPLACED, {
      ORDER_ID: orderId,
      SIDE: side,
      OLD_PRICE: oldPrice,
      OLD_SHOWN: oldShown,
      PRICE: price,
      LEAVES: order.open,
      NEW_SHOWN: order.shown,
      PRIORITY_KEPT: Number(keeps),
    });
    if (!keeps) order.priority = event;
  }
}
