import type { AuctionPrice, PhaseReport } from "../../proto/generated/evercross/v1/gateway.ts";
import { Phase, Side } from "../../proto/generated/evercross/v1/types.ts";
import { codeName } from "../../runtime/code-name.ts";
import { ShownOrders } from "../client/shown-orders.ts";
import type { ClientHandlers } from "../client/types.ts";
import { PriceLevels } from "../flow/price-levels.ts";
import type { Body } from "../gateway/market-view.ts";
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

  /** Takes in what a follower is told first. */
  take(bodies: readonly Body[]): void {
    const handlers = this.handlers();
    for (const body of bodies) {
      if (body.$case === "phase") handlers.onPhase?.(body.value);
      else if (body.$case === "indicative") handlers.onIndicative?.(body.value);
      else if (body.$case === "bookSnapshot") handlers.onBookSnapshot?.(body.value);
      else if (body.$case === "ordersSnapshot") handlers.onOrdersSnapshot?.(body.value);
    }
  }

  /** All that is printed, for programs. */
  object(): Record<string, unknown> {
    const { symbol, orders, max } = this.#options;
    const phase = this.#phase;
    const isAuction = phase !== undefined && AUCTIONS.has(phase.phase);
    const side = (which: Side): unknown[] =>
      orders
        ? this.#orders
            .side(which)
            .slice(0, max)
            .map(({ orderId, price, quantity }) => ({ order_id: orderId, price, quantity }))
        : this.#levels.best(which, max);
    return {
      symbol,
      event: this.#event,
      ...(phase === undefined ? undefined : phaseObject(phase)),
      ...(isAuction ? { indicative: indicativeObject(this.#indicative) } : undefined),
      bids: side(Side.BUY),
      asks: side(Side.SELL),
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

function phaseObject({ phase, untilUs, referencePrice }: PhaseReport): Record<string, unknown> {
  return {
    phase: codeName(Phase, phase).toLowerCase(),
    ...(untilUs === 0 ? undefined : { until_us: untilUs }),
    ...(referencePrice === 0 ? undefined : { reference_price: referencePrice }),
  };
}

/** Null: nothing would trade. */
function indicativeObject(indicative: AuctionPrice | undefined): Record<string, unknown> | null {
  if (indicative === undefined || indicative.price === 0) return null;
  const { price, volume, imbalance, imbalanceSide } = indicative;
  const side = imbalance === 0 ? undefined : { imbalance_side: codeName(Side, imbalanceSide).toLowerCase() };
  return { price, volume, imbalance, ...side };
}

function sideBySide<T>(
  bids: readonly T[],
  asks: readonly T[],
  row: (bid: T | undefined, ask: T | undefined) => (string | number)[],
): (string | number)[][] {
  const length = Math.max(bids.length, asks.length);
  return Array.from({ length }, (_, index) => row(bids[index], asks[index]));
}
