import type {
  AuctionPrice,
  PhaseReport,
  TopOfBook,
  TradeReport,
} from "../../proto/generated/evercross/v1/gateway.ts";
import { EventReason, Phase, Side } from "../../proto/generated/evercross/v1/types.ts";
import { codeName } from "../../runtime/code-name.ts";
import { waitFor } from "../../runtime/process/wait.ts";
import { connectClient, type SessionClient } from "../../services/client/index.ts";
import { ShownOrders } from "../../services/client/shown-orders.ts";
import { PriceLevels } from "../../services/flow/price-levels.ts";

const DEADLINE_MS = 20_000;

const nameOf = (codes: Readonly<Record<string, number>>, value: number): string =>
  codeName(codes, value).toLowerCase().replaceAll("_", "-");

function auctionText({ price, volume, imbalance, imbalanceSide }: AuctionPrice): string {
  const more = imbalance === 0 ? "" : `, ${imbalance} more to ${nameOf(Side, imbalanceSide)}`;
  return price === 0 ? "none" : `${volume}@${price}${more}`;
}

function phaseText({ phase, referencePrice, reason }: PhaseReport): string {
  const why = reason === EventReason.UNSPECIFIED ? "" : ` (${nameOf(EventReason, reason)})`;
  return `phase ${nameOf(Phase, phase)}${referencePrice === 0 ? "" : ` reference ${referencePrice}`}${why}`;
}

/** A session that follows everything of one symbol and trades nothing. */
export class MarketWatcher {
  /** Phases, auctions and trades in words, in the order in which they came. */
  readonly told: string[] = [];
  readonly tops: TopOfBook[] = [];
  readonly levels = new PriceLevels();
  readonly orders = new ShownOrders();
  /** What must not be: an event that is told again, or out of order. */
  readonly faults: string[] = [];
  /** The book by price is the state after this event. */
  event = -1;
  #last = 0;
  readonly #client: SessionClient;

  constructor(
    readonly symbol: string,
    gateway: { readonly host: string; readonly port: number },
    session: string,
  ) {
    this.#client = connectClient({
      gateways: [gateway],
      session,
      handlers: {
        onPhase: (phase) =>
          this.#tell(phase.event, phaseText(phase), phase.reason !== EventReason.UNSPECIFIED),
        onIndicative: (price) => this.#tell(price.event, `indicative ${auctionText(price)}`),
        onUncross: (price) => this.#tell(price.event, `uncross ${auctionText(price)}`),
        onTrade: (trade) => this.#trade(trade),
        onTop: (top) => void this.tops.push(top),
        onBookSnapshot: (snapshot) => {
          this.levels.clear();
          for (const { side, price, quantity } of snapshot.levels) this.levels.set(side, price, quantity);
          this.event = snapshot.event;
        },
        onBookUpdate: (update) => {
          if (update.event <= this.event)
            this.faults.push(`book of event ${update.event} after ${this.event}`);
          for (const { side, price, quantity } of update.changes) this.levels.set(side, price, quantity);
          this.event = update.event;
        },
        onOrdersSnapshot: (snapshot) => this.orders.snapshot(snapshot),
        onOrdersUpdate: (update) => this.orders.update(update),
        onReject: ({ text }) => void this.faults.push(`rejected: ${text}`),
        onEnd: ({ text }) => void this.faults.push(`ended: ${text}`),
      },
    });
    this.#client.subscribe(symbol, { book: true, trades: true, top: true, orders: true, auction: true });
  }

  /** Both sides of the book by price, `quantity@price`, best first. */
  book(): { readonly bids: string[]; readonly asks: string[] } {
    const side = (which: Side): string[] =>
      this.levels.best(which).map(({ price, quantity }) => `${quantity}@${price}`);
    return { bids: side(Side.BUY), asks: side(Side.SELL) };
  }

  /** Both sides of the book by order, `quantity@price #order`, as they are executed. */
  lines(): { readonly bids: string[]; readonly asks: string[] } {
    const side = (which: Side): string[] =>
      this.orders.side(which).map(({ orderId, price, quantity }) => `${quantity}@${price} #${orderId}`);
    return { bids: side(Side.BUY), asks: side(Side.SELL) };
  }

  /** The best prices as they were told last: `quantity@price`, 0@0 of an empty side. */
  top(): { readonly bid: string; readonly ask: string } {
    const last = this.tops.at(-1);
    return {
      bid: `${last?.bidQuantity}@${last?.bid}`,
      ask: `${last?.askQuantity}@${last?.ask}`,
    };
  }

  /** Waits until the book of this event is known. */
  async until(event: number): Promise<void> {
    const known = (): boolean => this.event >= event && (this.orders.event ?? -1) >= event;
    if ((await waitFor(known, DEADLINE_MS, 5)) !== true) {
      throw new Error(`${this.symbol}: at event ${this.event}, never at ${event}`);
    }
  }

  /** Waits until this was told, and gives all that was told since the last time. */
  async hear(text: string): Promise<string[]> {
    const found = await waitFor(() => this.told.some((line) => line.startsWith(text)), DEADLINE_MS, 5);
    if (found !== true) throw new Error(`${this.symbol}: never heard '${text}' but ${this.told.join("; ")}`);
    return this.told.splice(0);
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  #trade({ event, price, quantity, takerSide, reason }: TradeReport): void {
    const taker = takerSide === Side.UNSPECIFIED ? "" : ` ${nameOf(Side, takerSide)}`;
    this.#tell(event, `trade ${quantity}@${price}${taker} (${nameOf(EventReason, reason)})`);
  }

  #tell(event: number, text: string, isNew = true): void {
    if (isNew && event <= this.#last && !text.startsWith("indicative")) {
      this.faults.push(`event ${event} after ${this.#last}: ${text}`);
    }
    this.#last = Math.max(this.#last, event);
    this.told.push(text);
  }
}
