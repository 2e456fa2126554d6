import type { AuctionPrice, PhaseReport } from "../../proto/generated/evercross/v1/gateway.ts";
import { Phase, Side } from "../../proto/generated/evercross/v1/types.ts";
import { ShownOrders } from "../client/shown-orders.ts";
import type { ClientHandlers } from "../client/types.ts";
import { PriceLevels } from "../flow/price-levels.ts";
import { printLine, printTable } from "./output.ts";
import { phaseText } from "./phase-text.ts";

const AUCTIONS: ReadonlySet<Phase> = new Set([
  Phase.OPENING_AUCTION,
  Phase.VOLATILITY_AUCTION,
  Phase.CLOSING_AUCTION,
]);

export interface BookScreenOptions {
  readonly symbol: string;
  /** Show orders instead of levels. */
  readonly orders: boolean;
  /** Rows of each side. */
  readonly max: number;
  /** Something is different from what was shown last, and all that is to be shown is known. */
  changed(): void;
}

/** What a symbol's followers are told of it, put together, to be printed. */
export class BookScreen {
  readonly #options: BookScreenOptions;
  readonly #levels = new PriceLevels();
  readonly #orders = new ShownOrders();
  #event = 0;
  #phase: PhaseReport | undefined;
  #indicative: AuctionPrice | undefined;
  #paging = false;
  #whole = false;

  constructor(options: BookScreenOptions) {
    this.#options = options;
  }

  handlers(): ClientHandlers {
    return {
      onPhase: (phase) => {
        this.#phase = phase;
        this.#indicative = undefined;
        this.#changed();
      },
      onIndicative: (indicative) => {
        this.#indicative = indicative;
        this.#changed();
      },
      onBookSnapshot: (snapshot) => {
        if (!this.#paging) this.#levels.clear();
        for (const level of snapshot.levels) this.#levels.set(level.side, level.price, level.quantity);
        this.#paging = !snapshot.last;
        if (snapshot.last) this.#snapshot(snapshot.event);
      },
      onBookUpdate: (update) => {
        for (const change of update.changes) this.#levels.set(change.side, change.price, change.quantity);
        this.#event = update.event;
        if (update.changes.length > 0) this.#changed();
      },
      onOrdersSnapshot: (snapshot) => {
        this.#orders.snapshot(snapshot);
        if (snapshot.last) this.#snapshot(snapshot.event);
      },
      onOrdersUpdate: (update) => {
        this.#orders.update(update);
        this.#event = update.event;
        if (update.changes.length > 0) this.#changed();
      },
    };
  }

  print(): void {
    this.#printHead();
    if (this.#options.orders) this.#printOrders();
    else this.#printLevels();
  }

  #snapshot(event: number): void {
    this.#event = event;
    this.#whole = true;
    this.#changed();
  }

  #changed(): void {
    if (this.#whole) this.#options.changed();
  }

  #printLevels(): void {
    const { max } = this.#options;
    const [bids, asks] = [this.#levels.best(Side.BUY, max), this.#levels.best(Side.SELL, max)];
    printTable(
      ["bid quantity", "bid", "ask", "ask quantity"],
      sideBySide(bids, asks, (bid, ask) => [
        bid?.quantity ?? "",
        bid?.price ?? "",
        ask?.price ?? "",
        ask?.quantity ?? "",
      ]),
    );
  }

  #printOrders(): void {
    const { max } = this.#options;
    const bids = this.#orders.side(Side.BUY).slice(0, max);
    const asks = this.#orders.side(Side.SELL).slice(0, max);
    printTable(
      ["order", "bid quantity", "bid", "ask", "ask quantity", "order"],
      sideBySide(bids, asks, (bid, ask) => [
        bid?.orderId ?? "",
        bid?.quantity ?? "",
        bid?.price ?? "",
        ask?.price ?? "",
        ask?.quantity ?? "",
        ask?.orderId ?? "",
      ]),
    );
  }

  #printHead(): void {
    const phase = this.#phase;
    const text = phase === undefined ? "" : `, ${phaseText(phase)}`;
    printLine(`${this.#options.symbol} after event ${this.#event}${text}`);
    if (phase !== undefined && AUCTIONS.has(phase.phase)) printLine(indicativeText(this.#indicative));
  }
}

function indicativeText(indicative: AuctionPrice | undefined): string {
  if (indicative === undefined || indicative.price === 0) return "nothing would trade";
  const { price, volume, imbalance, imbalanceSide } = indicative;
  const more = imbalance === 0 ? "" : `, ${imbalance} more to ${imbalanceSide === Side.BUY ? "buy" : "sell"}`;
  return `${volume} would trade at ${price}${more}`;
}

function sideBySide<T>(
  bids: readonly T[],
  asks: readonly T[],
  row: (bid: T | undefined, ask: T | undefined) => (string | number)[],
): (string | number)[][] {
  const length = Math.max(bids.length, asks.length);
  return Array.from({ length }, (_, index) => row(bids[index], asks[index]));
}
