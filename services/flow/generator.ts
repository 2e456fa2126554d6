import { OrderType, Side, TimeInForce } from "../../proto/generated/evercross/v1/types.ts";
import { GENERATOR_BATCH_ACTIONS } from "../limits.ts";
import type { Flow, FlowAction } from "./action.ts";
import { Arrivals } from "./arrivals.ts";
import { BelievedBook, type BelievedOrder } from "./believed-book.ts";
import { Random } from "./random.ts";

export interface GeneratorOptions {
  /** Any safe integer; the same options give the same flow. */
  readonly seed: number;
  /** How many actions. */
  readonly actions: number;
  /** At least one; earlier ones are busier. */
  readonly symbols: readonly string[];
  /** Mean of the flow's own clock. */
  readonly actionsPerSecond: number;
}

const FAIR_PRICE_FIRST = 10_000;
const FAIR_PRICE_MIN = 1000;
/** Orders that a side tends to hold: below it fewer are cancelled, above it more. */
const SIDE_ORDERS = 150;
/** Enough to take any price. */
const ANY = Number.MAX_SAFE_INTEGER;

/** Shares of the actions. What is left enters passively. */
const SHARE = { TAKE: 0.2, REPLACE: 0.04, CANCEL: 0.3 } as const;

interface Stamp {
  readonly row: number;
  readonly timeUs: number;
}

/** The traffic of one symbol: limit prices around a touch that moves, cancels near it, takers through it. */
class SymbolFlow {
  readonly #book = new BelievedBook();
  #fair = FAIR_PRICE_FIRST;
  #nextId = 1;

  constructor(
    readonly symbol: string,
    readonly random: Random,
  ) {}

  next(stamp: Stamp): FlowAction {
    const { random } = this;
    if (random.chance(0.05))
      this.#fair = Math.max(FAIR_PRICE_MIN, this.#fair + (random.chance(0.5) ? 1 : -1));
    const side = random.chance(0.5) ? Side.BUY : Side.SELL;
    const fullness = Math.min(1.5, this.#book.orders(side).length / SIDE_ORDERS);
    const pick = random.unit();
    if (pick < SHARE.TAKE) {
      const touch = this.#book.best(side === Side.BUY ? Side.SELL : Side.BUY);
      if (touch !== undefined) return this.#take(stamp, side, touch);
    } else if (pick < SHARE.TAKE + SHARE.REPLACE) {
      const order = this.#book.near(side, random.geometric(0.2));
      if (order !== undefined) return this.#replace(stamp, order);
    } else if (pick < SHARE.TAKE + SHARE.REPLACE + SHARE.CANCEL * fullness) {
      const order = this.#book.near(side, random.geometric(0.1));
      if (order !== undefined) return this.#cancel(stamp, order);
    }
    return this.#provide(stamp, side);
  }

  /** Round lots mostly, small ones more often, now and then a large or an odd one. */
  #quantity(): number {
    const { random } = this;
    if (random.chance(0.1)) return 1 + random.below(99);
    return 100 * (1 + random.geometric(random.chance(0.03) ? 0.02 : 0.4));
  }

  /** A price that does not cross: near the touch mostly, inside the spread at times. */
  #passivePrice(side: Side): number {
    const { random } = this;
    const away = random.geometric(0.25);
    if (side === Side.BUY) {
      const bound = Math.min((this.#book.best(Side.SELL) ?? ANY) - 1, this.#fair);
      return Math.max(1, bound - away);
    }
    return Math.max((this.#book.best(Side.BUY) ?? 0) + 1, this.#fair + 1) + away;
  }

  #provide(stamp: Stamp, side: Side): FlowAction {
    const quantity = this.#quantity();
    const order = {
      orderId: this.#nextId++,
      side,
      price: this.#passivePrice(side),
      quantity,
      leaves: quantity,
    };
    this.#book.rest(order);
    return this.#new(stamp, order, OrderType.LIMIT, TimeInForce.DAY);
  }

  #take(stamp: Stamp, side: Side, touch: number): FlowAction {
    const { random } = this;
    const quantity = this.#quantity();
    const slip = random.geometric(0.6);
    const price = side === Side.BUY ? touch + slip : Math.max(1, touch - slip);
    const order = { orderId: this.#nextId++, side, price, quantity, leaves: quantity };
    const pick = random.unit();
    if (pick < 0.6) {
      this.#book.take(side, price, quantity);
      return this.#new(stamp, order, OrderType.LIMIT, TimeInForce.IMMEDIATE_OR_CANCEL);
    }
    if (pick < 0.75) {
      this.#book.take(side, side === Side.BUY ? ANY : 1, quantity);
      return this.#new(stamp, { ...order, price: 0 }, OrderType.MARKET, TimeInForce.IMMEDIATE_OR_CANCEL);
    }
    if (pick < 0.8) {
      if (this.#book.available(side, price) >= quantity) this.#book.take(side, price, quantity);
      return this.#new(stamp, order, OrderType.LIMIT, TimeInForce.FILL_OR_KILL);
    }
    order.leaves = this.#book.take(side, price, quantity);
    if (order.leaves > 0) this.#book.rest(order);
    return this.#new(stamp, order, OrderType.LIMIT, TimeInForce.DAY);
  }

  #replace(stamp: Stamp, order: BelievedOrder): FlowAction {
    const executed = order.quantity - order.leaves;
    if (this.random.chance(0.5)) {
      // A lower quantity at the same price keeps the order's place.
      order.leaves = Math.max(1, Math.floor(order.leaves / 2));
    } else {
      this.#book.remove(order);
      order.price = this.#passivePrice(order.side);
      order.leaves = this.#quantity();
      this.#book.rest(order);
    }
    order.quantity = executed + order.leaves;
    const { orderId, price, quantity } = order;
    return { kind: "replace", ...stamp, symbol: this.symbol, orderId, price, quantity };
  }

  #cancel(stamp: Stamp, order: BelievedOrder): FlowAction {
    this.#book.remove(order);
    return { kind: "cancel", ...stamp, symbol: this.symbol, orderId: order.orderId };
  }

  #new(stamp: Stamp, order: BelievedOrder, type: OrderType, timeInForce: TimeInForce): FlowAction {
    const { orderId, side, price, quantity } = order;
    return { kind: "new", ...stamp, symbol: this.symbol, orderId, side, type, timeInForce, price, quantity };
  }
}

/** A flow out of a seed: bursts in time, a few busy symbols and many quiet ones, about a fifth of the actions trading. */
export function generateFlow(options: GeneratorOptions): Flow {
  const { seed, actions, symbols, actionsPerSecond } = options;
  if (symbols.length === 0) throw new RangeError("a generated flow needs at least one symbol");
  async function* batches(): AsyncGenerator<readonly FlowAction[]> {
    const random = new Random(seed);
    const arrivals = new Arrivals(random, actionsPerSecond);
    const flows = symbols.map((symbol) => new SymbolFlow(symbol, random));
    let flow = flows[0] as SymbolFlow;
    let batch: FlowAction[] = [];
    for (let row = 0; row < actions; row++) {
      // A burst tends to stay in one symbol; squaring favours the first ones.
      if (random.chance(0.4)) flow = flows[Math.floor(random.unit() ** 2 * flows.length)] as SymbolFlow;
      batch.push(flow.next({ row, timeUs: arrivals.next() }));
      if (batch.length === GENERATOR_BATCH_ACTIONS) {
        yield batch;
        batch = [];
      }
    }
    if (batch.length > 0) yield batch;
  }
  return {
    name: `generated from seed ${seed}`,
    terms: { tick: 1, lot: 1, decimals: 2 },
    batches,
    skipped: new Map(),
  };
}
