import { Indication, type Instrument, LevelBook, type LevelListener, Touch } from "../../engine/index.ts";
import type { Event, EventBatch } from "../../proto/generated/evercross/v1/event.ts";
import type { GatewayMessage, Level, LevelChange } from "../../proto/generated/evercross/v1/gateway.ts";
import { EventReason, Phase, Side } from "../../proto/generated/evercross/v1/types.ts";
import { RowDecoder } from "../crossing/rows.ts";
import { SNAPSHOT_LEVELS_MAX } from "../limits.ts";
import { followShown, type MarketSide } from "./shown-events.ts";

/** What may be followed of a market view. */
export type Interest = "auction" | "top" | "book";

/** A message to a follower. */
export type Body = NonNullable<GatewayMessage["body"]>;

type MarketPhase = Exclude<Phase, typeof Phase.UNSPECIFIED>;

/** A message about phase or auction. */
export type AuctionBody = Extract<Body, { $case: "phase" | "indicative" | "uncross" }>;

/** What a batch tells of each thing, in order. */
export interface MarketChanges {
  readonly auction: AuctionBody[];
  readonly top: Body[];
  readonly book: Body[];
}

/** Where a message stands. */
interface Place {
  readonly symbol: string;
  readonly entry: number;
  readonly event: number;
}

/** What an auction would give, or gives. */
interface AuctionTold {
  readonly price: number;
  readonly volume: number;
  readonly imbalance: number;
  readonly imbalanceSide: Side;
}

/**
 * What everybody may see of one symbol but its single orders: levels, the best prices, phase and auction. Built from the
 * stored rows and every entry behind them, in order; the same entries give the same messages at every gateway.
 */
export class MarketView {
  readonly #symbol: string;
  readonly #levels: LevelBook;
  readonly #touch: Touch;
  readonly #indication = new Indication();
  readonly #rows: RowDecoder;
  /** Level changes of the batch that is applied; undefined: nobody wants them. */
  #changes: LevelChange[] | undefined;
  #timeUs = 0;
  /** The view is the state after this event. */
  #event = 0;

  constructor({ symbol, tick }: Instrument) {
    this.#symbol = symbol;
    const changed: LevelListener = (side, price, quantity) => {
      this.#changes?.push({ event: this.#event, side, price, quantity });
    };
    this.#levels = new LevelBook(tick, changed);
    this.#touch = new Touch(this.#levels);
    this.#rows = new RowDecoder({
      order: ({ orderId, side, price, shown }) =>
        this.#levels.shows(0, orderId, side as MarketSide, price, shown),
      book: (nextEvent, timeUs) => {
        this.#event = nextEvent - 1;
        this.#timeUs = timeUs;
      },
      phase: ({ phase, untilUs }) => {
        this.#indication.phase = phase as MarketPhase;
        this.#indication.until = untilUs;
      },
      referencePrice: (price) => this.#indication.referenceChanged(price),
    });
  }

  row(key: Uint8Array, value: Uint8Array): void {
    this.#rows.row(key, value);
  }

  rowsEnd(): void {
    this.#rows.end();
    this.#touch.update();
  }

  /** An auction is on: what it would give now stands in no row. */
  get isAuction(): boolean {
    const { phase } = this.#indication;
    return (
      phase === Phase.OPENING_AUCTION || phase === Phase.VOLATILITY_AUCTION || phase === Phase.CLOSING_AUCTION
    );
  }

  /** Takes the last indication from an entry before the rows. True: it was there, or the auction began after it. */
  recall(batch: EventBatch): boolean {
    for (const { events } of batch.steps.toReversed()) {
      for (const { kind } of events.toReversed()) {
        if (kind?.$case === "indicative") this.#indicated(kind.value);
        // The same phase again has only another end: what was indicated still holds.
        const other = kind?.$case === "phase" && kind.value.phase !== this.#indication.phase;
        if (kind?.$case === "indicative" || other) return true;
      }
    }
    return false;
  }

  /** The present state of one thing, as the first messages to who begins to follow it. */
  snapshot(interest: Interest, entry: number): Body[] {
    const place = { symbol: this.#symbol, entry, event: this.#event };
    switch (interest) {
      case "auction": {
        const phase = this.#phase(place, EventReason.UNSPECIFIED);
        if (!this.isAuction) return [phase];
        const { side: imbalanceSide, ...rest } = this.#indication.indicative;
        return [
          phase,
          this.#auction("indicative", place, { ...rest, imbalanceSide }, EventReason.INDICATION),
        ];
      }
      case "top":
        return [this.#top(place)];
      case "book":
        return pages(this.#allLevels(), SNAPSHOT_LEVELS_MAX).map(({ page, last }) => ({
          $case: "bookSnapshot",
          value: { ...place, levels: page, last },
        }));
    }
  }

  /** Applies a batch. What nobody `follows` is not told. */
  apply(
    entry: number,
    batch: EventBatch,
    follows: (interest: Interest) => boolean = () => false,
  ): MarketChanges {
    const told: MarketChanges = { auction: [], top: [], book: [] };
    const changes: LevelChange[] | undefined = follows("book") ? [] : undefined;
    this.#changes = changes;
    this.#timeUs = batch.timeUs;
    let event = batch.firstEvent;
    for (const step of batch.steps) {
      for (const { kind } of step.events) {
        this.#event = event;
        followShown(this.#levels, event, kind);
        this.#follow({ symbol: this.#symbol, entry, event }, kind, told.auction);
        event += 1;
      }
      // In the middle of a request the book may seem crossed.
      if (this.#touch.update()) told.top.push(this.#top({ symbol: this.#symbol, entry, event: this.#event }));
    }
    this.#changes = undefined;
    const value = { symbol: this.#symbol, entry, event: this.#event };
    if (changes !== undefined) told.book.push({ $case: "bookUpdate", value: { ...value, changes } });
    return told;
  }

  #follow(place: Place, kind: Event["kind"], told: AuctionBody[]): void {
    switch (kind?.$case) {
      case "phase": {
        const { phase, untilUs, referencePrice, reason } = kind.value;
        this.#indication.phaseChanged(phase as MarketPhase, untilUs, referencePrice);
        told.push(this.#phase(place, reason));
        return;
      }
      case "reference":
        this.#indication.referenceChanged(kind.value.price);
        told.push(this.#phase(place, kind.value.reason));
        return;
      case "indicative":
        this.#indicated(kind.value);
        told.push(this.#auction("indicative", place, kind.value, EventReason.INDICATION));
        return;
      case "uncross":
        told.push(this.#auction("uncross", place, kind.value, kind.value.reason));
        return;
      default:
    }
  }

  #indicated({ price, volume, imbalance, imbalanceSide }: AuctionTold): void {
    this.#indication.indicated({ price, volume, imbalance, side: imbalanceSide });
  }

  #phase(place: Place, reason: EventReason): AuctionBody {
    const { phase, until: untilUs, referencePrice } = this.#indication;
    const timeUs = this.#timeUs;
    return { $case: "phase", value: { ...place, phase, untilUs, referencePrice, reason, timeUs } };
  }

  #auction(
    $case: "indicative" | "uncross",
    place: Place,
    told: AuctionTold,
    reason: EventReason,
  ): AuctionBody {
    const { price, volume, imbalance, imbalanceSide } = told;
    const timeUs = this.#timeUs;
    return { $case, value: { ...place, price, volume, imbalance, imbalanceSide, timeUs, reason } };
  }

  #top(place: Place): Body {
    const { bidPrice: bid, bidQuantity, askPrice: ask, askQuantity } = this.#touch;
    return { $case: "top", value: { ...place, bid, bidQuantity, ask, askQuantity } };
  }

  /** Best first, bids before asks. */
  #allLevels(): Level[] {
    return [Side.BUY, Side.SELL].flatMap((side) =>
      this.#levels.levels(side, Infinity).map(({ price, quantity }) => ({ side, price, quantity })),
    );
  }
}

/** At least one page, also of nothing. */
export function pages<T>(all: readonly T[], size: number): { readonly page: T[]; readonly last: boolean }[] {
  const count = Math.max(1, Math.ceil(all.length / size));
  return Array.from({ length: count }, (_, index) => ({
    page: all.slice(index * size, (index + 1) * size),
    last: index === count - 1,
  }));
}
