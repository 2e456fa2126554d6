import type { Instrument } from "../../engine/index.ts";
import {
  CrossingMessage,
  type LinkRequest,
  NewOrder,
  type Request,
} from "../../proto/generated/evercross/v1/link.ts";
import {
  OrderType,
  Peg,
  Phase,
  PostOnly,
  RejectReason,
  Side,
  TimeInForce,
} from "../../proto/generated/evercross/v1/types.ts";
import type { JobRequest } from "../../runtime/job/definition.ts";
import { RowChanges } from "../../runtime/log/row-changes.ts";
import { CrossingJob } from "./crossing-job.ts";
import { materialise } from "./materialise.ts";

const INSTRUMENT: Instrument = {
  symbol: "REHEARSAL",
  tick: 1,
  lot: 1,
  priceMax: 2 ** 40,
  quantityMax: 2 ** 40,
};
const ROUNDS = 60;
const REQUESTS_PER_ROUND = 100;
/** The phase from this round on: a call of orders that is uncrossed, and then continuous trading. */
const PHASES: ReadonlyMap<number, Phase> = new Map([
  [0, Phase.OPENING_AUCTION],
  [3, Phase.CONTINUOUS],
  [40, Phase.VOLATILITY_AUCTION],
  [42, Phase.CONTINUOUS],
]);

type Body = NonNullable<Request["body"]>;

/**
 * Runs what a crossing job does after a restart on made-up requests of every kind: cross, replay, materialise and
 * restore, a few milliseconds at a time. Its result is that the code is compiled when a spare host is given a job: the
 * first answer of a cold one takes several times as long.
 */
export function* rehearseCrossing(): Generator<undefined, void, undefined> {
  const dropped = (why: string): never => {
    throw new Error(`a rehearsal's message was dropped: ${why}`);
  };
  const live = new CrossingJob(INSTRUMENT, dropped);
  const follower = new CrossingJob(INSTRUMENT, dropped);
  live.restored();
  follower.restored();
  const rows = new RowChanges();
  for (let round = 0; round < ROUNDS; round++) {
    let queue: readonly JobRequest[] = messages(round).map((data) => ({ data, reply: undefined }));
    while (queue.length > 0 || live.nextDue() === 0) {
      const step = live.step(round + 1, queue, { epoch: 1, entry: round });
      queue = queue.slice(step.taken);
      if (step.payload === undefined) continue;
      follower.replay(step.payload);
      for (const change of materialise(step.payload)) rows.add(change);
    }
    yield;
  }
  const restored = new CrossingJob(INSTRUMENT, dropped);
  const stored = rows.take().sort((a, b) => Buffer.compare(a.key, b.key));
  for (const { key, value } of stored) if (value !== undefined) restored.restore(key, value);
  restored.restored();
}

function messages(round: number): Uint8Array[] {
  const bodies: NonNullable<CrossingMessage["body"]>[] = [];
  const phase = PHASES.get(round);
  if (phase !== undefined) {
    const body = { $case: "setPhase", value: { phase, untilUs: 0 } } as const;
    bodies.push({ $case: "operator", value: { body } });
  }
  bodies.push({ $case: "requests", value: batch(round) });
  return bodies.map((body) => CrossingMessage.encode({ body }).finish());
}

/** New orders around a price that wanders, of which some trade, and cancels and changes of earlier ones. */
function batch(round: number): { sessions: string[]; requests: LinkRequest[] } {
  const requests: LinkRequest[] = [];
  for (let index = 0; index < REQUESTS_PER_ROUND; index++) {
    const seq = round * REQUESTS_PER_ROUND + index + 1;
    const request = { symbol: INSTRUMENT.symbol, seq, prev: seq - 1, body: body(seq) };
    requests.push({ session: 0, request, screened: RejectReason.UNSPECIFIED });
  }
  return { sessions: ["rehearsal"], requests };
}

function body(seq: number): Body {
  const earlier = Math.max(1, seq - 30);
  if (seq % 3 === 2) return { $case: "cancelOrder", value: { clientOrderId: earlier } };
  if (seq % 17 === 0) return { $case: "reduceOrder", value: { clientOrderId: seq - 1, quantity: 10 } };
  if (seq % 19 === 0) {
    const price = 100_000 + (seq % 40);
    return {
      $case: "replaceOrder",
      value: { clientOrderId: seq - 1, price, quantity: 400, triggerPrice: 0 },
    };
  }
  const buys = seq % 2 === 0;
  const away = ((seq * 7919) % 40) - 6;
  const plain: NewOrder = {
    ...NewOrder.decode(new Uint8Array()),
    clientOrderId: seq,
    side: buys ? Side.BUY : Side.SELL,
    type: OrderType.LIMIT,
    timeInForce: seq % 11 === 0 ? TimeInForce.IMMEDIATE_OR_CANCEL : TimeInForce.DAY,
    price: 100_000 + (seq % 50) + (buys ? -away : away),
    quantity: 100 + (seq % 7) * 50,
  };
  return { $case: "newOrder", value: seq % 5 === 0 ? special(plain, seq) : plain };
}

/** One after the other of every kind of order. */
function special(plain: NewOrder, seq: number): NewOrder {
  const resting = { ...plain, timeInForce: TimeInForce.GOOD_TILL_CANCEL };
  const triggerPrice = plain.price;
  switch ((seq / 5) % 10) {
    case 0:
      return { ...resting, displayQuantity: 50 };
    case 1:
      return { ...resting, hidden: true };
    case 2:
      return { ...resting, type: OrderType.STOP, price: 0, triggerPrice };
    case 3:
      return { ...resting, type: OrderType.STOP_LIMIT, triggerPrice };
    case 4:
      return { ...resting, type: OrderType.TRAILING_STOP, price: 0, triggerPrice, offset: 20 };
    case 5:
      return { ...resting, type: OrderType.PEGGED, peg: Peg.MIDPOINT, offset: -2 };
    case 6:
      return { ...resting, allOrNone: true };
    case 7:
      return { ...resting, postOnly: PostOnly.REPRICE };
    case 8:
      return { ...resting, ocoClientOrderId: seq - 1 };
    default:
      return { ...plain, type: OrderType.MARKET, price: 0, timeInForce: TimeInForce.FILL_OR_KILL };
  }
}
