import {
  type BookSnapshot,
  type BookUpdate,
  type ExecutionReport,
  type LevelChange,
  type OrderStatus,
  type Reject,
  ReportKind,
} from "../../../proto/generated/evercross/v1/gateway.ts";
import { RejectReason, Side, TimeInForce } from "../../../proto/generated/evercross/v1/types.ts";
import type { ClientHandlers, OrderTerms, SessionClient } from "../../../services/client/types.ts";
import { reportOf } from "../../support/blank-messages.ts";

export type MarketMessage =
  | { readonly kind: "report"; readonly value: ExecutionReport }
  | { readonly kind: "reject"; readonly value: Reject }
  | { readonly kind: "snapshot"; readonly value: BookSnapshot }
  | { readonly kind: "update"; readonly value: BookUpdate };

/** What a faulty market makes of a message that it should send. */
export type Tamper = (message: MarketMessage) => readonly MarketMessage[];

interface Order {
  readonly orderId: number;
  readonly id: number;
  readonly side: Side;
  price: number;
  quantity: number;
  leaves: number;
}

/** One symbol, crossed by price and time in the plainest way. A log entry holds one request. */
class MemoryBook {
  orders: Order[] = [];
  event = 0;
  /** The first entry is the writer's own. */
  entry = 1;
  followed = false;

  constructor(readonly symbol: string) {}

  total(side: Side, price: number): number {
    return this.orders
      .filter((order) => order.side === side && order.price === price)
      .reduce((sum, order) => sum + order.leaves, 0);
  }

  best(side: Side): Order | undefined {
    const orders = this.orders.filter((order) => order.side === side);
    const sign = side === Side.BUY ? -1 : 1;
    return orders.reduce<Order | undefined>(
      (best, order) => (best === undefined || sign * (order.price - best.price) < 0 ? order : best),
      undefined,
    );
  }
}

/** A market in memory behind the client's interface: exact, one session, and faulty where `tamper` makes it so. */
export class MemorySession implements SessionClient {
  inFlight = 0;
  readonly #books = new Map<string, MemoryBook>();
  readonly #outbox: MarketMessage[] = [];
  #seq = 0;
  #nextOrderId = 1;
  #closed = false;

  constructor(
    readonly handlers: ClientHandlers,
    readonly tamper: Tamper = (message) => [message],
  ) {}

  open(): Promise<number> {
    return Promise.resolve(0);
  }

  ready(): Promise<void> {
    return Promise.resolve();
  }

  drained(): Promise<void> {
    return Promise.reject(new Error("not part of this twin"));
  }

  newOrder(symbol: string, terms: OrderTerms): number {
    return this.#request(symbol, (book, report) => {
      const { clientOrderId, side, timeInForce, price, quantity } = terms;
      if (book.orders.some(({ id }) => id === clientOrderId)) {
        report(ReportKind.REJECTED, { clientOrderId, rejectReason: RejectReason.DUPLICATE_ORDER_ID });
        return;
      }
      const order = {
        orderId: this.#nextOrderId++,
        id: clientOrderId,
        side,
        price,
        quantity,
        leaves: quantity,
      };
      const shared = { orderId: order.orderId, clientOrderId, side };
      report(ReportKind.ACCEPTED, { ...shared, price, quantity, leaves: quantity });
      this.#match(book, order, report);
      if (order.leaves === 0) return;
      if (timeInForce === TimeInForce.DAY) book.orders.push(order);
      else report(ReportKind.CANCELLED, { ...shared, quantity: order.leaves });
    });
  }

  cancel(symbol: string, clientOrderId: number): number {
    return this.#request(symbol, (book, report) => {
      const order = book.orders.find(({ id }) => id === clientOrderId);
      if (order === undefined) {
        report(ReportKind.REJECTED, { clientOrderId, rejectReason: RejectReason.UNKNOWN_ORDER });
        return;
      }
      book.orders = book.orders.filter((other) => other !== order);
      report(ReportKind.CANCELLED, { clientOrderId, side: order.side, quantity: order.leaves });
    });
  }

  replace(symbol: string, clientOrderId: number, price: number, quantity: number): number {
    return this.#request(symbol, (book, report) => {
      const order = book.orders.find(({ id }) => id === clientOrderId);
      if (order === undefined) {
        report(ReportKind.REJECTED, { clientOrderId, rejectReason: RejectReason.UNKNOWN_ORDER });
        return;
      }
      order.leaves = quantity - (order.quantity - order.leaves);
      Object.assign(order, { price, quantity });
      report(ReportKind.REPLACED, { clientOrderId, side: order.side, price, quantity, leaves: order.leaves });
    });
  }

  reduce(): number {
    throw new Error("not part of this twin");
  }

  massCancel(): number {
    throw new Error("not part of this twin");
  }

  orderStatus(): Promise<OrderStatus> {
    return Promise.reject(new Error("not part of this twin"));
  }

  subscribe(symbol: string): void {
    const book = this.#book(symbol);
    book.followed = true;
    const prices = new Set(book.orders.map(({ side, price }) => `${side} ${price}`));
    const levels = [...prices].map((key) => {
      const [side, price] = key.split(" ").map(Number) as [Side, number];
      return { side, price, quantity: book.total(side, price) };
    });
    this.#send({
      kind: "snapshot",
      value: { symbol, entry: book.entry, event: book.event, levels, last: true },
    });
  }

  unsubscribe(symbol: string): void {
    this.#book(symbol).followed = false;
  }

  close(): Promise<void> {
    this.#closed = true;
    return Promise.resolve();
  }

  #book(symbol: string): MemoryBook {
    let book = this.#books.get(symbol);
    if (book === undefined) this.#books.set(symbol, (book = new MemoryBook(symbol)));
    return book;
  }

  #request(
    symbol: string,
    execute: (
      book: MemoryBook,
      report: (kind: ReportKind, fields: Partial<ExecutionReport>, same?: boolean) => void,
    ) => void,
  ): number {
    const seq = ++this.#seq;
    const book = this.#book(symbol);
    const entry = ++book.entry;
    const before = book.orders.map((order) => ({ ...order }));
    execute(book, (kind, fields, same = false) => {
      const event = same ? book.event : ++book.event;
      const from = fields.maker === true ? 0 : seq;
      this.#send({ kind: "report", value: reportOf({ kind, symbol, entry, event, seq: from, ...fields }) });
    });
    if (!book.followed) return seq;
    const touched = new Set([...before, ...book.orders].map(({ side, price }) => `${side} ${price}`));
    const changes: LevelChange[] = [];
    for (const key of touched) {
      const [side, price] = key.split(" ").map(Number) as [Side, number];
      const quantity = book.total(side, price);
      const was = before
        .filter((o) => o.side === side && o.price === price)
        .reduce((sum, o) => sum + o.leaves, 0);
      if (quantity !== was) changes.push({ event: book.event, side, price, quantity });
    }
    this.#send({ kind: "update", value: { symbol, entry, event: book.event, changes } });
    return seq;
  }

  #match(
    book: MemoryBook,
    order: Order,
    report: (kind: ReportKind, fields: Partial<ExecutionReport>, same?: boolean) => void,
  ): void {
    const other = order.side === Side.BUY ? Side.SELL : Side.BUY;
    while (order.leaves > 0) {
      const maker = book.best(other);
      if (maker === undefined) return;
      if (
        order.price !== 0 &&
        (order.side === Side.BUY ? maker.price > order.price : maker.price < order.price)
      )
        return;
      const quantity = Math.min(order.leaves, maker.leaves);
      order.leaves -= quantity;
      maker.leaves -= quantity;
      if (maker.leaves === 0) book.orders = book.orders.filter((resting) => resting !== maker);
      const shared = { lastPrice: maker.price, lastQuantity: quantity };
      report(ReportKind.FILL, { ...shared, clientOrderId: order.id, side: order.side, leaves: order.leaves });
      report(
        ReportKind.FILL,
        { ...shared, clientOrderId: maker.id, side: maker.side, leaves: maker.leaves, maker: true },
        true,
      );
    }
  }

  #send(message: MarketMessage): void {
    if (this.#outbox.length === 0) setImmediate(() => this.#deliver());
    this.#outbox.push(message);
  }

  #deliver(): void {
    for (const sent of this.#outbox.splice(0)) {
      for (const message of this.tamper(sent)) {
        if (this.#closed) return;
        if (message.kind === "report") this.handlers.onReport?.(message.value);
        else if (message.kind === "reject") this.handlers.onReject?.(message.value);
        else if (message.kind === "snapshot") this.handlers.onBookSnapshot?.(message.value);
        else this.handlers.onBookUpdate?.(message.value);
      }
    }
  }
}
