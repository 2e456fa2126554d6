import {
  OrderType,
  Peg,
  Phase,
  PostOnly,
  RejectReason,
  SelfTrade,
  Side,
  TimeInForce,
} from "../../engine/codes.ts";
import { type Instrument, tickAt } from "../../engine/instrument.ts";
import type { OrderEntry } from "../../engine/order-entry.ts";
import { type Command, PHASE_REASONS, type Setup } from "./flow.ts";

const MAX = Number.MAX_SAFE_INTEGER;
const ABSURD = [
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  -1,
  -0,
  0,
  0.5,
  1.5,
  7,
  2 ** 32 - 1,
  2 ** 32,
  2 ** 40 + 10,
  2 ** 50,
  2 ** 51 + 5,
  MAX - 1,
  MAX,
  2 ** 53,
  1e300,
] as const;
/** In ticks. */
const FAR = [1, 2, 300, 5000, 2 ** 31, 2 ** 32 + 1, Math.floor(2 ** 50 / 5) - 1, 2 ** 48] as const;
const { DAY, FILL_OR_KILL, GOOD_TILL_CANCEL, GOOD_TILL_DATE, IMMEDIATE_OR_CANCEL } = TimeInForce;
const RESTING = [DAY, DAY, DAY, GOOD_TILL_CANCEL, GOOD_TILL_DATE] as const;
const OF_LIMIT = [
  ...RESTING,
  ...RESTING,
  ...RESTING,
  IMMEDIATE_OR_CANCEL,
  IMMEDIATE_OR_CANCEL,
  FILL_OR_KILL,
  TimeInForce.AT_THE_OPEN,
  TimeInForce.AT_THE_CLOSE,
] as const;
const OF_MARKET = [
  IMMEDIATE_OR_CANCEL,
  IMMEDIATE_OR_CANCEL,
  IMMEDIATE_OR_CANCEL,
  FILL_OR_KILL,
  TimeInForce.AT_THE_OPEN,
  TimeInForce.AT_THE_CLOSE,
] as const;
const WAITING = [
  OrderType.STOP,
  OrderType.STOP_LIMIT,
  OrderType.TRAILING_STOP,
  OrderType.MARKET_IF_TOUCHED,
] as const;
const PHASES = [...Object.values(Phase), ...Array.from({ length: 6 }, () => Phase.CONTINUOUS)] as const;

type Terms = { -readonly [Field in keyof OrderEntry]?: OrderEntry[Field] };

/**
 * Commands of every kind, mostly sensible – few sessions, ids and prices, so that everything meets – and now and then
 * with any number at all. The same seed gives the same commands: mulberry32, T. Ettinger.
 */
export class FlowGenerator {
  private readonly instrument: Instrument;
  private readonly changesOften: boolean;
  private state: number;
  /** Microseconds since the Unix epoch. */
  now = 0;

  constructor({ instrument }: Setup, seed: number) {
    this.instrument = instrument;
    this.changesOften = instrument.initialPhase !== undefined;
    this.state = seed | 0;
  }

  next(): Command {
    const account = this.below(4);
    const at = this.below(100);
    if (at < 60) return { do: "enter", account, terms: this.terms() };
    if (at < 67) return { do: "cancel", account, id: this.id() };
    if (at < 79) return this.replacement(account);
    if (at < 83) return { do: "reduce", account, id: this.id(), by: this.quantity() };
    if (at < 85) return this.massCancel(account);
    if (at < 86) return { do: "refuse", account, id: this.id(), reason: RejectReason.UNKNOWN_ACCOUNT };
    if (at < 88) return { do: "indicate" };
    if (at < 92 && (this.changesOften || this.chance(3))) return this.phaseChange();
    if (at === 92) return { do: "setReference", price: this.chance(5) ? 0 : this.price() };
    // Blocked accounts refuse everything: seldom, and not for long.
    if (at === 93 && this.chance(2)) return { do: "block", account: this.below(7), blocked: this.chance(3) };
    if (at === 93) return { do: "block", account: this.below(7), blocked: false };
    this.now += this.below(20);
    return { do: "advance", now: this.now };
  }

  private phaseChange(): Command {
    // Never past: a volatility auction whose end is past lasts until time goes on.
    const until = this.chance(2) ? 0 : this.now + 1 + this.below(40);
    return { do: "setPhase", phase: this.pick(PHASES), until, reason: this.pick(PHASE_REASONS) };
  }

  private massCancel(account: number): Command {
    const side = this.mostly(this.below(3));
    if (this.chance(2)) return { do: "massCancel", account, side, low: 0, high: MAX, forAccount: -1 };
    const low = this.mostly(this.price());
    const forAccount = this.chance(2) ? -1 : this.below(7);
    return {
      do: "massCancel",
      account,
      side,
      low,
      high: low + this.below(6) * this.instrument.tick,
      forAccount,
    };
  }

  private replacement(account: number): Command {
    const triggerPrice = this.chance(6) ? this.mostly(this.price()) : 0;
    const price = this.chance(12) ? 0 : this.mostly(this.price());
    return { do: "replace", account, id: this.id(), price, quantity: this.quantity(), triggerPrice };
  }

  private terms(): Terms {
    const terms: Terms = {
      clientOrderId: this.id(),
      side: this.mostly(this.pick([Side.BUY, Side.SELL])),
      quantity: this.quantity(),
    };
    const kind = this.below(20);
    if (kind < 13) this.limit(terms);
    else if (kind < 15) this.market(terms);
    else if (kind < 18) this.waiting(terms);
    else this.pegged(terms);
    if (terms.timeInForce === GOOD_TILL_DATE) terms.expiry = this.mostly(this.now + 1 + this.below(60));
    if (this.chance(8)) terms.selfTrade = this.mostly(this.pick(Object.values(SelfTrade)));
    if (this.chance(8)) terms.forAccount = this.mostly(this.below(7));
    if (this.chance(8)) terms.oco = this.id();
    if (this.chance(40)) this.anyTerm(terms);
    return terms;
  }

  private limit(terms: Terms): void {
    terms.type = this.mostly(OrderType.LIMIT);
    terms.timeInForce = this.mostly(this.pick(OF_LIMIT));
    terms.price = this.mostly(this.price());
    if (terms.timeInForce === IMMEDIATE_OR_CANCEL && this.chance(4)) terms.minQuantity = this.quantity();
    if (!(RESTING as readonly number[]).includes(terms.timeInForce)) return;
    this.unusual(terms);
  }

  /** How a resting limit order may differ from a plain one. */
  private unusual(terms: Terms): void {
    const kind = this.below(24);
    const quantity = terms.quantity ?? 0;
    const { lot } = this.instrument;
    if (kind < 5)
      terms.displayQuantity = this.mostly(Math.max(1, Math.min(this.below(5), quantity / lot - 1)) * lot);
    else if (kind < 7) terms.hidden = true;
    else if (kind === 7) terms.minQuantity = this.mostly(Math.min(quantity, this.quantity()));
    else if (kind < 10) terms.allOrNone = true;
    else if (kind < 12) terms.postOnly = this.mostly(this.pick([PostOnly.REJECT, PostOnly.REPRICE]));
    else if (kind === 12) Object.assign(terms, { hidden: true, postOnly: PostOnly.REPRICE });
    else if (kind === 13) Object.assign(terms, { displayQuantity: lot, postOnly: PostOnly.REPRICE });
  }

  private market(terms: Terms): void {
    terms.type = OrderType.MARKET;
    terms.timeInForce = this.mostly(this.pick(OF_MARKET));
    terms.price = this.chance(4) ? this.mostly(this.price()) : 0;
    if (this.chance(8)) terms.minQuantity = this.quantity();
  }

  private waiting(terms: Terms): void {
    terms.type = this.pick(WAITING);
    terms.timeInForce = this.mostly(this.pick(RESTING));
    terms.triggerPrice = this.mostly(this.price());
    const isLimit = terms.type === OrderType.STOP_LIMIT;
    terms.price = isLimit || this.chance(4) ? this.mostly(this.price()) : 0;
    if (isLimit && this.chance(4)) terms.displayQuantity = this.instrument.lot;
    if (isLimit && this.chance(6)) terms.hidden = true;
    if (terms.type !== OrderType.TRAILING_STOP) return;
    if (this.chance(2)) terms.triggerPrice = 0;
    terms.offset = this.mostly((1 + this.below(4)) * this.instrument.tick);
  }

  private pegged(terms: Terms): void {
    terms.type = OrderType.PEGGED;
    terms.timeInForce = this.mostly(this.pick(RESTING));
    terms.peg = this.mostly(this.pick(Object.values(Peg)));
    terms.price = this.chance(2) ? this.mostly(this.price()) : 0;
    terms.offset = this.chance(2) ? 0 : this.mostly((this.below(7) - 3) * this.instrument.tick);
  }

  /** A term that may not go with the others. */
  private anyTerm(terms: Terms): void {
    const wild = this.chance(4);
    const anything = (usual: number): number => (wild ? this.pick(ABSURD) : usual);
    const all: Terms = {
      displayQuantity: anything(this.quantity()),
      minQuantity: anything(this.quantity()),
      triggerPrice: anything(this.price()),
      offset: anything(this.instrument.tick),
      peg: anything(Peg.PRIMARY),
      expiry: anything(this.now + 10),
      hidden: true,
      allOrNone: true,
      postOnly: anything(PostOnly.REJECT),
      selfTrade: anything(SelfTrade.DECREMENT),
      oco: anything(1),
      forAccount: anything(1),
    };
    const name = this.pick(Object.keys(all)) as keyof Terms;
    Object.assign(terms, { [name]: all[name] });
  }

  /** Ids that are equal in their low or high halves meet in the index. */
  private id(): number {
    return this.mostly(this.chance(6) ? (1 + this.below(3)) * 2 ** 32 : 1 + this.below(9));
  }

  private quantity(): number {
    return this.mostly((1 + this.below(this.chance(4) ? 20 : 6)) * this.instrument.lot);
  }

  private price(): number {
    const { tick } = this.instrument;
    if (this.chance(40)) return this.pick(FAR) * tick;
    const price = (95 + this.below(11)) * tick;
    const own = tickAt(this.instrument, price);
    return this.chance(20) ? price : Math.floor(price / own) * own;
  }

  private mostly(usual: number): number {
    return this.chance(120) ? this.pick(ABSURD) : usual;
  }

  private pick<Value>(from: readonly Value[]): Value {
    return from[this.below(from.length)] as Value;
  }

  /** True once in so many times. */
  private chance(times: number): boolean {
    return this.below(times) === 0;
  }

  private below(bound: number): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), this.state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * bound);
  }
}
