import { CrossingMessage, type LinkRequest, NewOrder } from "../../proto/generated/evercross/v1/link.ts";
import { OrderType, RejectReason, Side, TimeInForce } from "../../proto/generated/evercross/v1/types.ts";
import { CrossingJob } from "../../services/crossing/crossing-job.ts";
import { Random } from "../random.ts";

const SESSIONS = Array.from({ length: 50 }, (_, index) => `broker-${index}`);
/** Ticks on each side of the middle that a mixed flow's orders come from, and by which resting ones lie away from it. */
const NEAR = 50;
const MIDDLE = 1_000_000;
const LEVELS = 5000;
/** Microseconds since the Unix epoch. */
const START_US = 1_800_000_000_000_000;

export const BENCH_INSTRUMENT = {
  symbol: "BENCH",
  tick: 1,
  lot: 1,
  priceMax: 2 ** 40,
  quantityMax: 2 ** 40,
} as const;

/** The steps of a new instance are short at first; after so many one takes all that a bench gives it. */
const FIRST_ENTRIES = 7;

/** Payloads of a crossing job's entries, as the job itself makes them: the same ones for the same seed. */
export class BenchFlow {
  /** What every log begins with: entries of one request each. */
  readonly first: readonly Uint8Array[];
  readonly #job = new CrossingJob(BENCH_INSTRUMENT, (why) => {
    throw new Error(`bench: a message was dropped: ${why}`);
  });
  readonly #random: Random;
  readonly #marks = SESSIONS.map(() => 0);
  /** Requests so far: also the client order ids. */
  #count = 0;
  #entries = 0;

  constructor(seed: number) {
    this.#random = new Random(seed);
    this.#job.restored();
    this.first = Array.from({ length: FIRST_ENTRIES }, () => this.resting(1));
  }

  get liveOrders(): number {
    return this.#job.state().liveOrders;
  }

  /** Of so many requests: three in five are new orders around the middle, two in five cancels of one of the last thousand. */
  mixed(requests: number): Uint8Array {
    return this.#payload(requests, (id) => {
      // One of the same session, which has every fiftieth id.
      const earlier = id - SESSIONS.length * (1 + this.#random.below(20));
      if (earlier > 0 && this.#random.below(5) < 2) {
        return { $case: "cancelOrder", value: { clientOrderId: earlier } };
      }
      const side = this.#random.below(2) === 0 ? Side.BUY : Side.SELL;
      const away = this.#random.below(2 * NEAR) - NEAR / 5;
      return newOrder(id, side, MIDDLE + (side === Side.BUY ? -away : away), 1 + this.#random.below(900));
    });
  }

  /** Of so many new orders that rest, over 5,000 prices of each side. */
  resting(orders: number): Uint8Array {
    return this.#payload(orders, (id) => {
      const side = id % 2 === 0 ? Side.BUY : Side.SELL;
      const away = NEAR + 1 + this.#random.below(LEVELS);
      return newOrder(id, side, MIDDLE + (side === Side.BUY ? -away : away), 1 + this.#random.below(900));
    });
  }

  #payload(count: number, body: (id: number) => Body): Uint8Array {
    const requests = Array.from({ length: count }, (): LinkRequest => {
      this.#count += 1;
      const session = this.#count % SESSIONS.length;
      const prev = this.#marks[session] as number;
      this.#marks[session] = prev + 1;
      const request = { symbol: BENCH_INSTRUMENT.symbol, seq: prev + 1, prev, body: body(this.#count) };
      return { session, request, screened: RejectReason.UNSPECIFIED };
    });
    const message = { $case: "requests", value: { sessions: SESSIONS, requests } } as const;
    const data = CrossingMessage.encode({ body: message }).finish();
    const position = { epoch: 1, entry: this.#entries };
    const time = START_US + this.#count;
    const { payload, taken } = this.#job.step(time, [{ data, reply: undefined }], position);
    if (payload === undefined || taken !== 1) throw new Error(`bench: ${count} requests are not one entry`);
    this.#entries += 1;
    return payload;
  }
}

type Body = NonNullable<NonNullable<LinkRequest["request"]>["body"]>;

function newOrder(clientOrderId: number, side: Side, price: number, quantity: number): Body {
  const value = {
    ...NewOrder.decode(new Uint8Array()),
    clientOrderId,
    side,
    type: OrderType.LIMIT,
    timeInForce: TimeInForce.GOOD_TILL_CANCEL,
    price,
    quantity,
  };
  return { $case: "newOrder", value };
}
