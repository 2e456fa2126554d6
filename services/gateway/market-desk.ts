import type { Instrument } from "../../engine/index.ts";
import { EventBatch } from "../../proto/generated/evercross/v1/event.ts";
import type { Subscribe } from "../../proto/generated/evercross/v1/gateway.ts";
import { EntryKind } from "../../proto/generated/evercross/v1/log.ts";
import { INDICATION_ENTRIES_MAX, INDICATION_ENTRIES_READ } from "../limits.ts";
import { FollowedView, type ViewFeed } from "./followed-view.ts";
import { type Body, type Interest as MarketInterest, MarketView } from "./market-view.ts";
import { OrderView } from "./order-view.ts";
import type { Session } from "./session.ts";
import { tradesOf } from "./trades.ts";

/** What may be followed of a symbol, in the order in which its present state is told. */
const INTERESTS = ["auction", "top", "book", "orders"] as const satisfies readonly (
  MarketInterest | "orders"
)[];
type Interest = (typeof INTERESTS)[number];

/**
 * One symbol's market data at one gateway: who follows what of it. A view is built at its first subscription and then
 * follows the feed. A follower is given the present state in the turn in which it joins, so it misses no change and gets
 * none twice.
 */
export class MarketDesk {
  readonly #instrument: Instrument;
  readonly #feed: ViewFeed;
  readonly #market: FollowedView<MarketView>;
  readonly #orders: FollowedView<OrderView>;
  readonly #trades = new Set<Session>();
  readonly #followers: Readonly<Record<Interest, Set<Session>>> = {
    auction: new Set(),
    top: new Set(),
    book: new Set(),
    orders: new Set(),
  };
  /** Sessions that wait for the present state, and of what. */
  readonly #due = new Map<Session, Set<Interest>>();

  constructor(instrument: Instrument, feed: ViewFeed) {
    this.#instrument = instrument;
    this.#feed = feed;
    this.#market = new FollowedView(
      feed,
      () => new MarketView(instrument),
      (view, rows) => this.#recall(view, rows),
    );
    this.#orders = new FollowedView(feed, () => new OrderView(instrument));
  }

  /** To be called when entries are delivered already. Rejects when the log cannot be read. */
  async subscribe(session: Session, what: Subscribe): Promise<void> {
    // Trades have no present state.
    if (what.trades) this.#trades.add(session);
    const wanted = INTERESTS.filter((interest) => what[interest]);
    const waiting = this.#due.get(session);
    for (const interest of wanted) waiting?.add(interest);
    if (waiting !== undefined || wanted.length === 0) return;
    const due = new Set<Interest>(wanted);
    this.#due.set(session, due);
    let built = 0;
    // More may be asked for meanwhile.
    while (built < due.size && this.#due.get(session) === due) {
      built = due.size;
      if (due.has("orders")) await this.#orders.ready();
      if (due.size > 1 || !due.has("orders")) await this.#market.ready();
      // One snapshot a turn, however often it was asked for: a few bytes must not cost the other sessions seconds.
      await new Promise((resolve) => setImmediate(resolve));
    }
    if (this.#due.get(session) !== due) return;
    this.#due.delete(session);
    if (!session.open) return;
    for (const interest of INTERESTS) {
      if (!due.has(interest)) continue;
      for (const body of this.#snapshot(interest)) session.send(body);
      this.#followers[interest].add(session);
    }
  }

  unsubscribe(session: Session): void {
    this.#due.delete(session);
    this.#trades.delete(session);
    for (const interest of INTERESTS) this.#followers[interest].delete(session);
  }

  /** The feed's next entry. */
  deliver(entry: number, batch: EventBatch): void {
    const follows = (interest: Interest): boolean => this.#followers[interest].size > 0;
    const market = this.#market.view?.apply(entry, batch, follows);
    const orders = this.#orders.view?.apply(entry, batch, follows("orders"));
    const trades = this.#trades.size > 0 ? tradesOf(this.#instrument.symbol, entry, batch) : [];
    const told = [...(market?.auction ?? []), ...trades];
    // An auction's price comes before its trades, and these before the next phase.
    if (trades.length < told.length) told.sort((one, other) => one.value.event - other.value.event);
    for (const body of told) send(body.$case === "trade" ? this.#trades : this.#followers.auction, [body]);
    send(this.#followers.top, market?.top ?? []);
    send(this.#followers.book, market?.book ?? []);
    send(this.#followers.orders, orders ?? []);
  }

  #snapshot(interest: Interest): readonly Body[] {
    const entry = this.#feed.position();
    // Not wanted any more, when a view is not there.
    if (interest === "orders") return this.#orders.view?.snapshot(entry) ?? [];
    return this.#market.view?.snapshot(interest, entry) ?? [];
  }

  /** What an auction would give stands in no row: looks for it in the entries before them. */
  async #recall(view: MarketView, rows: number): Promise<void> {
    if (!view.isAuction) return;
    const first = Math.max(1, rows - INDICATION_ENTRIES_MAX);
    for (let to = rows + 1; to > first;) {
      const from = Math.max(first, to - INDICATION_ENTRIES_READ);
      const batches: EventBatch[] = [];
      for (let next = from; next < to;) {
        const entries = await this.#feed.log.entries(next, to);
        if (entries === undefined) return;
        for (const { kind, seq, payload } of entries) {
          if (kind === EntryKind.DATA) batches.push(EventBatch.decode(payload));
          next = seq + 1;
        }
      }
      if (batches.toReversed().some((batch) => view.recall(batch))) return;
      to = from;
    }
  }
}

function send(followers: ReadonlySet<Session>, bodies: readonly Body[]): void {
  for (const body of bodies) for (const session of followers) session.send(body);
}
