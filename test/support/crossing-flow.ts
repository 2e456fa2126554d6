import * as fc from "fast-check";
import { EntryKind, Started, type LogEntry } from "../../proto/generated/evercross/v1/log.ts";
import {
  CrossingMessage,
  MassCancel,
  NewOrder,
  type Request,
} from "../../proto/generated/evercross/v1/link.ts";
import { OrderType, RejectReason, Side, TimeInForce } from "../../proto/generated/evercross/v1/types.ts";
import { GENESIS_CHAIN, sealEntry } from "../../runtime/log/entry.ts";
import { CrossingJob } from "../../services/crossing/crossing-job.ts";

export const FLOW_SYMBOL = "TEST";
export const FLOW_JOB = `crossing/${FLOW_SYMBOL}`;

type Body = NonNullable<Request["body"]>;

export interface FlowRequest {
  readonly session: number;
  readonly body: Body;
}

const orderId = fc.integer({ min: 1, max: 8 });
/** Few enough that orders meet, yet most of them rest for a while. */
const offset = fc.integer({ min: 0, max: 4 });
const LOWEST = { [Side.BUY]: 97, [Side.SELL]: 100 } as const;
const quantity = fc.integer({ min: 1, max: 50 });

const newOrder = fc
  .record({
    clientOrderId: orderId,
    side: fc.constantFrom(Side.BUY, Side.SELL),
    kind: fc.constantFrom("day", "day", "day", "day", "day", "day", "ioc", "fok", "market"),
    offset,
    quantity,
  })
  .map(({ clientOrderId, side, kind, offset: ticks, quantity: total }): Body => {
    const market = kind === "market";
    const resting = kind === "day" ? TimeInForce.DAY : TimeInForce.IMMEDIATE_OR_CANCEL;
    return {
      $case: "newOrder",
      value: {
        ...NewOrder.decode(new Uint8Array()),
        clientOrderId,
        side,
        type: market ? OrderType.MARKET : OrderType.LIMIT,
        timeInForce: kind === "fok" ? TimeInForce.FILL_OR_KILL : resting,
        price: market ? 0 : LOWEST[side] + ticks,
        quantity: total,
      },
    };
  });
const cancelOrder = orderId.map((clientOrderId): Body => ({
  $case: "cancelOrder",
  value: { clientOrderId },
}));
const replaceOrder = fc
  .record({ clientOrderId: orderId, price: fc.integer({ min: 97, max: 104 }), quantity })
  .map((value): Body => ({ $case: "replaceOrder", value: { ...value, triggerPrice: 0 } }));
const massCancel = fc.constant<Body>({
  $case: "massCancel",
  value: MassCancel.decode(new Uint8Array()),
});

/** One request of one of three sessions, over few prices and ids, so that everything that can happen does. */
export const flowRequest: fc.Arbitrary<FlowRequest> = fc.record({
  session: fc.integer({ min: 0, max: 2 }),
  body: fc.oneof(
    { weight: 30, arbitrary: newOrder },
    { weight: 6, arbitrary: cancelOrder },
    { weight: 30, arbitrary: replaceOrder },
    { weight: 1, arbitrary: massCancel },
  ),
});

/** A crossing job without a log below it: requests in, payloads of log entries out. */
export class CrossingFlow {
  readonly job: CrossingJob;
  readonly #marks = [0, 0, 0];
  #time = 1_000_000;

  constructor() {
    this.job = emptyCrossing();
    this.job.restored();
  }

  /** Executes the requests in one step. */
  payload(requests: readonly FlowRequest[]): Uint8Array {
    const batch = requests.map(({ session, body }) => {
      const prev = this.#marks[session] ?? 0;
      this.#marks[session] = prev + 1;
      const request = { symbol: FLOW_SYMBOL, seq: prev + 1, prev, body };
      return { session, request, screened: RejectReason.UNSPECIFIED };
    });
    const value = { sessions: ["s0", "s1", "s2"], requests: batch };
    const data = CrossingMessage.encode({ body: { $case: "requests", value } }).finish();
    this.#time += 10;
    const { payload } = this.job.step(this.#time, [{ data, reply: undefined }], { epoch: 1, entry: 0 });
    if (payload === undefined) throw new Error("the step changed nothing");
    return payload;
  }
}

export function emptyCrossing(): CrossingJob {
  const most = Number.MAX_SAFE_INTEGER;
  const instrument = { symbol: FLOW_SYMBOL, tick: 1, lot: 1, priceMax: most, quantityMax: most };
  return new CrossingJob(instrument, (why) => {
    throw new Error(why);
  });
}

/** The same flow each time: so many batches of so many requests. */
export function flowPayloads(batches: number, requests: number, seed = 7): Uint8Array[] {
  const flow = new CrossingFlow();
  const all = fc.sample(flowRequest, { numRuns: batches * requests, seed });
  return Array.from({ length: batches }, (_, i) => flow.payload(all.slice(i * requests, (i + 1) * requests)));
}

/** A log as a writer of epoch 1 leaves it: who started, then each payload. */
export function flowLog(payloads: readonly Uint8Array[]): LogEntry[] {
  const started = Started.encode({
    instance: "i1",
    node: "n1",
    version: "1",
    timeUs: 1,
    members: [],
  }).finish();
  let chain: Uint8Array = GENESIS_CHAIN;
  return [started, ...payloads].map((payload, index) => {
    const kind = index === 0 ? EntryKind.STARTED : EntryKind.DATA;
    const fields = { job: FLOW_JOB, epoch: 1, seq: index + 1, prevEpoch: index === 0 ? 0 : 1, kind, payload };
    const entry = sealEntry(fields, chain);
    chain = entry.chain;
    return entry;
  });
}
