import { type Instrument, OrderFeed, type OrderListener, Side } from "../../engine/index.ts";
import type { EventBatch } from "../../proto/generated/evercross/v1/event.ts";
import type { OrderChange, ShownOrder } from "../../proto/generated/evercross/v1/gateway.ts";
import { RowDecoder } from "../crossing/rows.ts";
import { SNAPSHOT_ORDERS_MAX } from "../limits.ts";
import { type Body, pages } from "./market-view.ts";
import { followShown, type MarketSide } from "./shown-events.ts";

/** Every shown order of one symbol, built and told like a market view. Apart from that, because it costs memory by order. */
export class OrderView {
  readonly #symbol: string;
  readonly #feed: OrderFeed;
  readonly #rows: RowDecoder;
  /** Of the batch that is applied; undefined: nobody wants them. */
  #changes: OrderChange[] | undefined;
  /** The view is the state after this event. */
  #event = 0;

  constructor({ symbol, tick }: Instrument) {
    this.#symbol = symbol;
    const changed: OrderListener = (orderId, side, price, quantity, priority) => {
      this.#changes?.push({ event: this.#event, order: { orderId, side, price, quantity, priority } });
    };
    this.#feed = new OrderFeed(tick, changed);
    this.#rows = new RowDecoder({
      order: ({ orderId, side, price, shown, priority }) => {
        if (shown > 0) this.#feed.restore({ orderId, side: side as MarketSide, price, shown, priority });
      },
      book: (nextEvent) => {
        this.#event = nextEvent - 1;
      },
    });
  }

  row(key: Uint8Array, value: Uint8Array): void {
    this.#rows.row(key, value);
  }

  rowsEnd(): void {
    this.#rows.end();
    this.#feed.finishRestore();
  }

  /** The present state, as the first messages to who begins to follow it. */
  snapshot(entry: number): Body[] {
    const place = { symbol: this.#symbol, entry, event: this.#event };
    const all: ShownOrder[] = [];
    for (const side of [Side.BUY, Side.SELL]) {
      for (const { shown, ...order } of this.#feed.orders(side)) all.push({ ...order, quantity: shown });
    }
    return pages(all, SNAPSHOT_ORDERS_MAX).map(({ page, last }) => ({
      $case: "ordersSnapshot",
      value: { ...place, orders: page, last },
    }));
  }

  /** Applies a batch; told when somebody `follows`. */
  apply(entry: number, batch: EventBatch, follows = false): Body[] {
    const changes: OrderChange[] | undefined = follows ? [] : undefined;
    this.#changes = changes;
    let event = batch.firstEvent;
    for (const { events } of batch.steps) {
      for (const { kind } of events) {
        this.#event = event;
        followShown(this.#feed, event, kind);
        event += 1;
      }
    }
    this.#changes = undefined;
    if (changes === undefined) return [];
    const value = { symbol: this.#symbol, entry, event: this.#event, changes };
    return [{ $case: "ordersUpdate", value }];
  }
}
